//! Where there is no database to decide by, a request is told so at once.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use daybook_store::database;

use super::Problem;
use super::basic::is_of_programs;
use crate::App;

/// Answers 503 where the database is not there yet, is not to be worked on, or has no room to append.
pub(crate) async fn needed(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let needs_it = path.starts_with("/v1/") || is_of_programs(path);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match missing(&app) {
        Some(problem) if needs_it && !(reads && is_full(&app)) => problem.into_response(),
        _ => next.run(request).await,
    }
}

/// What is wrong with the database, as far as is known without asking it.
fn missing(app: &App) -> Option<Problem> {
    match app.engine.log().primary().state() {
        database::State::Found => None,
        database::State::Awaited => Some(Problem::unavailable("the database was not reached yet")),
        database::State::Full => {
            Some(Problem::unavailable("the database has no room for a connection"))
        }
        database::State::Refused(refused) => Some(Problem::unavailable(refused.to_string())),
    }
}

/// What was connected before can still read.
fn is_full(app: &App) -> bool {
    app.engine.log().primary().state() == database::State::Full
}

//! `DELETE /v1/waiting-list/{id}`

use axum::extract::State;
use daybook_domain::Refusal;
use daybook_domain::waiting::WaitingRefusal;

use crate::App;
use crate::http::body::EmptyBody;
use crate::http::{
    Answer, Book, Caller, CommandParams, CommandRequest, IfMatch, PathId, Problem, Within,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::WaitingView;

/// Leave the waiting list
///
/// If a place is offered, it is given back in the same moment. What was taken is not left but
/// cancelled.
#[utoipa::path(
    delete, path = "/v1/waiting-list/{id}", tag = "waiting-list",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    security(("api_key" = ["book"])),
    responses((status = 200, description = "They wait no longer", body = WaitingView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn leave_waiting_list(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    PathId(id): PathId,
    request: CommandRequest<EmptyBody>,
) -> Result<Answer<WaitingView>, Problem> {
    if !app.sees_entry(&caller, id).await? {
        return Err(Refusal::from(WaitingRefusal::EntryNotFound).into());
    }
    let (context, EmptyBody {}) = request.by(caller);
    let executed = app.engine.leave_waiting_list(&context, id.into()).await;
    let executed = executed.map_err(|error| context.problem(error))?;
    app.answer(&context, executed).await
}

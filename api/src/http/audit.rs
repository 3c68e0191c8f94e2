//! The audit log of requests: what is personal that one was told, and that one was refused. All of them pass here, so no route
//! has to say so.
//!
//! What was opened for an answer is noted before the answer is given, and written within a second. An answer for which there is
//! no room is not given.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use daybook_domain::TenantId;
use daybook_domain::rights::Principal;
use daybook_store::audit::{
    self, Asked, AuditEntry, AuditKind, Gathered, NotRecorded, Purpose, gathering,
};
use daybook_store::is_replay_so_far;
use utoipa::IntoParams;

use super::Problem;
use super::problem::AnsweredProblem;
use super::trace::RequestContext;
use crate::App;

/// Why a request asks for what is personal.
pub(crate) const PURPOSE: HeaderName = HeaderName::from_static("daybook-purpose");

/// The header that says why, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by `record`; this is how it is documented")]
pub(crate) struct PurposeHeader {
    /// Why you ask, for the audit log: a word of yours, as `treatment` or `ticket-4711`. No name, and no sentence.
    #[param(
        rename = "Daybook-Purpose",
        min_length = 1,
        max_length = 64,
        pattern = "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"
    )]
    daybook_purpose: Option<String>,
}

/// Answers a request, and notes what of it belongs into the audit log.
pub(crate) async fn record(State(app): State<App>, request: Request, next: Next) -> Response {
    let asked = match asked(&request) {
        Ok(asked) => asked,
        Err(problem) => return problem.into_response(),
    };
    let (response, gathered) = gathering(asked, next.run(request)).await;
    match note(&app, &response, gathered) {
        Ok(()) => response,
        Err(NotRecorded) => Problem::from(NotRecorded).into_response(),
    }
}

fn asked(request: &Request) -> Result<Asked, Problem> {
    let context = request.extensions().get::<RequestContext>().copied().unwrap_or_default();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(|path| format!("{} {}", request.method(), path.as_str()));
    // Of two, none would have come here.
    let purpose = request.headers().get(PURPOSE);
    let purpose =
        purpose.map(|given| purpose_of(given.to_str().unwrap_or_default())).transpose()?;
    Ok(Asked {
        actor: None,
        route,
        request_id: Some(context.correlation_id),
        trace_id: context.trace.map(|trace| trace.trace()),
        purpose,
    })
}

fn purpose_of(text: &str) -> Result<Purpose, Problem> {
    let (status, title) = (StatusCode::BAD_REQUEST, "The purpose is not valid");
    text.parse().map_err(|error: audit::InvalidPurpose| {
        Problem::new(status, "invalid-purpose", title, error.to_string())
    })
}

fn note(app: &App, response: &Response, gathered: Gathered) -> Result<(), NotRecorded> {
    let Gathered { asked, tenant, told, subjects, fields } = gathered;
    if asked.actor.is_none() {
        return Ok(());
    }
    let (now, status) = (app.engine.clock().now(), response.status());
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let name = response.extensions().get::<AnsweredProblem>().map(|problem| &*problem.name);
        let refused = asked.entry(now, AuditKind::Refused).to(name.unwrap_or("refused"));
        // It is refused all the same.
        let _ = app.audit.note(tenant, refused);
        return Ok(());
    }
    // Who makes something is told what they have just said: the log says who that was.
    let is_made = status == StatusCode::CREATED && !is_replay_so_far();
    let tells_nothing = status == StatusCode::NOT_MODIFIED;
    if !told.personal || is_made || tells_nothing || subjects.is_empty() {
        return Ok(());
    }
    let read = asked.entry(now, AuditKind::PersonalDataRead).about_all(subjects);
    let fields = fields.into_iter().map(str::to_owned).collect();
    app.audit.note(tenant, AuditEntry { fields, ..read })
}

impl From<NotRecorded> for Problem {
    fn from(error: NotRecorded) -> Self {
        Self::not_recorded(error.to_string())
    }
}

impl App {
    /// Writes an entry before what it is about is done, which is not done where it cannot be written.
    pub(crate) async fn record(
        &self,
        by: &Principal,
        kind: AuditKind,
        entry: impl FnOnce(AuditEntry) -> AuditEntry,
    ) -> Result<(), Problem> {
        let entry = entry(audit::entry(self.engine.clock().now(), kind));
        Ok(self.audit.record(Some(by.tenant.clone()), entry).await?)
    }

    /// Takes note that the audit log is read.
    pub(crate) fn note_reading(&self, tenant: Option<TenantId>) -> Result<(), Problem> {
        let entry = audit::entry(self.engine.clock().now(), AuditKind::AuditRead);
        Ok(self.audit.note(tenant, entry)?)
    }

    /// Writes what was noted, when the program ends; `false`: it could not.
    pub async fn flush_audit(&self) -> bool {
        self.audit.flush().await
    }
}

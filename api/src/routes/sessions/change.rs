//! A session moves or is cancelled, and its appointments with it.

use axum::extract::State;
use daybook_domain::{Personal, Reason, ResourceIds};
use daybook_store::engine::{CancelSession, MoveSession};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::bodies::overriding::{self, OverrideBody};
use crate::http::instant::Instant;
use crate::http::{
    Answer, Caller, CommandParams, CommandRequest, IfMatch, Manage, PathId, Problem,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::SessionView;

/// Where a session moves.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RescheduleSessionBody {
    /// The new start: RFC 3339, with an offset. The length stays.
    #[schema(example = "2026-12-01T18:30:00+01:00")]
    start_at: Instant,
    /// The new resources; else the same as before.
    #[schema(min_items = 1, max_items = 16)]
    resource_ids: Option<ResourceIds>,
    /// Move it although rules are against it.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

/// Why a session is cancelled.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelSessionBody {
    /// Why.
    #[schema(max_length = 500)]
    reason: Option<Personal<Reason>>,
}

/// Reschedule a session
///
/// Everybody who has a place keeps it: their appointments move with it, all at once, or nothing
/// happens.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/reschedule", tag = "sessions",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = RescheduleSessionBody, security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is moved", body = SessionView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn reschedule_session(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    mut request: CommandRequest<RescheduleSessionBody>,
) -> Result<Answer<SessionView>, Problem> {
    let overriding = overriding::reason(&caller, request.body.overriding.take())?;
    let (context, body) = request.by(caller);
    let RescheduleSessionBody { start_at, resource_ids, .. } = body;
    let moving = MoveSession { session_id: id.into(), start: start_at.0, resource_ids, overriding };
    let executed = app.engine.reschedule_session(&context, &moving).await?;
    app.answer(&context, executed).await
}

/// Cancel a session
///
/// The appointments in it are cancelled with it, all at once, on the provider's side and for the same
/// reason. If one of them can be cancelled no more, because its client is checked in, nothing happens.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/cancel", tag = "sessions",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = Option<CancelSessionBody>, security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is cancelled", body = SessionView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn cancel_session(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    request: CommandRequest<CancelSessionBody>,
) -> Result<Answer<SessionView>, Problem> {
    let (context, CancelSessionBody { reason }) = request.by(caller);
    let cancelling = CancelSession { session_id: id.into(), reason };
    let executed = app.engine.cancel_session(&context, &cancelling).await?;
    app.answer(&context, executed).await
}

//! Conflicts: resources that can no longer be had when an appointment uses them.

use std::collections::BTreeSet;

use axum::extract::State;
use daybook_domain::appointment::{
    Appointment, AppointmentCommand, AppointmentConflictAccepted, Conflict, ConflictReason,
};
use daybook_domain::{Reason, ResourceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppointmentView;
use crate::App;
use crate::http::{
    Answer, Book, Caller, CommandHeaders, CommandRequest, IfMatch, Manage, PathId, Problem,
};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// That an appointment uses a resource when that cannot be had.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConflictView {
    #[schema(value_type = Uuid)]
    resource_id: ResourceId,
    #[schema(value_type = ConflictReasonName)]
    reason: ConflictReason,
}

/// Why it cannot be had.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it documents `ConflictReason`")]
enum ConflictReasonName {
    OutsideOpeningHours,
    ResourceRetired,
}

impl From<Conflict> for ConflictView {
    fn from(Conflict { resource_id, reason }: Conflict) -> Self {
        Self { resource_id, reason }
    }
}

/// That somebody stands by an appointment as it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedConflictView {
    /// Why.
    #[schema(value_type = String)]
    reason: Reason,
    /// What is accepted; other conflicts are not.
    #[schema(value_type = Vec<ConflictView>)]
    conflicts: BTreeSet<Conflict>,
}

impl From<AppointmentConflictAccepted> for AcceptedConflictView {
    fn from(accepted: AppointmentConflictAccepted) -> Self {
        let AppointmentConflictAccepted { reason, conflicts } = accepted;
        Self { reason, conflicts }
    }
}

/// Why it is to stay as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptBody {
    /// Why.
    #[schema(value_type = String, max_length = 500)]
    reason: Reason,
}

/// Accept an appointment's conflicts
///
/// It stays as it is although resources can no longer be had then. What is accepted is what is in
/// conflict now, until the appointment is moved; a later conflict is listed again.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/accept-conflict", tag = "appointments",
    params(("id" = Uuid, Path), CommandHeaders, IfMatch),
    request_body = AcceptBody, security(("api_key" = ["manage"])),
    responses((status = 200, description = "They are accepted", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn accept_conflict(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    request: CommandRequest<AcceptBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, AcceptBody { reason }) = request.by(caller);
    let command = AppointmentCommand::AcceptConflict { reason };
    app.change::<Appointment>(&context, id, command).await
}

/// Which resource is replaced by which.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReassignBody {
    /// The resource that it is not to use any longer.
    #[schema(value_type = Uuid)]
    from: ResourceId,
    /// The one that it is to use instead.
    #[schema(value_type = Uuid)]
    to: ResourceId,
    /// Why.
    #[schema(value_type = Option<String>, max_length = 500)]
    reason: Option<Reason>,
}

/// Move an appointment to another resource
///
/// Its time stays. The new resource is taken and the old one freed at once, or nothing happens: it
/// must be open, free, and fit for what the service needs.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/reassign", tag = "appointments",
    params(("id" = Uuid, Path), CommandHeaders, IfMatch),
    request_body = ReassignBody, security(("api_key" = ["book"])),
    responses((status = 200, description = "It uses the other resource", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn reassign_appointment(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<ReassignBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, ReassignBody { from, to, reason }) = request.by(caller);
    let command = AppointmentCommand::ReassignAppointment { from, to, reason };
    app.change::<Appointment>(&context, id, command).await
}

//! What must not be done with what is known of a client: `GET /v1/clients/{id}/privacy`, and the commands that change it.

use axum::extract::State;
use daybook_domain::client::{Client, ClientCommand, LegalHoldReason, RestrictionReason};
use daybook_store::audit::AuditKind;
use daybook_store::{Executed, Target, is_replay_so_far};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::http::body::EmptyBody;
use crate::http::{
    Answer, Caller, CommandParams, CommandRequest, IfMatch, Ordered, PathId, Problem, Query, auth,
};
use crate::routes::as_of::AsOfParams;
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ClientPrivacyView;

/// Why a client is restricted.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestrictClientBody {
    /// Why (GDPR, Art. 18(1)): `accuracy-contested` by them, `unlawful-processing` and they do not want it erased, `needed-for-claims`
    /// of theirs alone, or `objection-pending`.
    reason: RestrictionReason,
}

/// Why a client must not be erased.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceLegalHoldBody {
    /// Why (GDPR, Art. 17(3)): a `legal-claim`, an `authority-request`, a `retention-duty`, or an `internal-investigation`.
    reason: LegalHoldReason,
}

/// See what must not be done with a client's data
///
/// Whether it is restricted, or under legal hold, and why.
#[utoipa::path(
    get, path = "/v1/clients/{id}/privacy", tag = "clients",
    params(("id" = Uuid, Path), AsOfParams), security(("api_key" = ["privacy"])),
    responses((status = 200, description = "What must not be done", body = ClientPrivacyView), ReadProblems)
)]
pub(crate) async fn get_client_privacy(
    State(app): State<App>,
    caller: Caller<auth::Privacy>,
    PathId(id): PathId,
    Query(AsOfParams { as_of }): Query<AsOfParams>,
) -> Result<Answer<ClientPrivacyView>, Problem> {
    let moment = app.moment(&caller.tenant, as_of, None).await?;
    let as_of = moment.map(|moment| moment.position);
    // Nothing of it is opened.
    let known = app.engine.known::<Client>(&caller.tenant, id, as_of).await?;
    let known = known.ok_or_else(|| Problem::not_found("client"))?;
    let view = ClientPrivacyView::of(id, known.version, &known.state);
    let view = view.ok_or_else(|| Problem::not_found("client"))?;
    Ok(Answer::read(known.version, as_of.unwrap_or(known.position), view))
}

/// Restrict a client
///
/// What is known of them is only kept from then on (GDPR, Art. 18): it is told with the scope `privacy` alone, also of before, nothing is
/// booked for them, and they are not found. What is booked stands.
#[utoipa::path(
    post, path = "/v1/clients/{id}/restrict", tag = "clients",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = RestrictClientBody, security(("api_key" = ["privacy"])),
    responses((status = 200, description = "They are restricted", body = ClientPrivacyView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn restrict_client(
    State(app): State<App>,
    caller: Caller<auth::Privacy>,
    PathId(id): PathId,
    request: CommandRequest<RestrictClientBody>,
) -> Result<Answer<ClientPrivacyView>, Problem> {
    let context = request.context(&caller);
    let command = ClientCommand::RestrictClient(request.body.reason);
    let executed = app.change_restriction(&context, id, command).await?;
    app.answer_privacy(&caller, &context, AuditKind::Restricted, &executed).await
}

/// Lift a client's restriction
///
/// What is known of them is told and used again as before.
#[utoipa::path(
    post, path = "/v1/clients/{id}/lift-restriction", tag = "clients",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = Option<EmptyBody>, security(("api_key" = ["privacy"])),
    responses((status = 200, description = "They are not restricted", body = ClientPrivacyView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn lift_client_restriction(
    State(app): State<App>,
    caller: Caller<auth::Privacy>,
    PathId(id): PathId,
    request: CommandRequest<EmptyBody>,
) -> Result<Answer<ClientPrivacyView>, Problem> {
    let context = request.context(&caller);
    let executed = app.change_restriction(&context, id, ClientCommand::LiftRestriction).await?;
    app.answer_privacy(&caller, &context, AuditKind::RestrictionLifted, &executed).await
}

/// Place a client under legal hold
///
/// They cannot be erased from then on, and retention leaves them out.
#[utoipa::path(
    post, path = "/v1/clients/{id}/place-legal-hold", tag = "clients",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = PlaceLegalHoldBody, security(("api_key" = ["privacy"])),
    responses((status = 200, description = "They are under legal hold", body = ClientPrivacyView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn place_legal_hold(
    State(app): State<App>,
    caller: Caller<auth::Privacy>,
    PathId(id): PathId,
    request: CommandRequest<PlaceLegalHoldBody>,
) -> Result<Answer<ClientPrivacyView>, Problem> {
    let context = request.context(&caller);
    let command = ClientCommand::PlaceLegalHold(request.body.reason);
    let executed = app.engine.execute::<Client>(&context, Target::Existing(id), command).await?;
    app.answer_privacy(&caller, &context, AuditKind::LegalHoldPlaced, &executed).await
}

/// Release a client's legal hold
///
/// They may be erased again.
#[utoipa::path(
    post, path = "/v1/clients/{id}/release-legal-hold", tag = "clients",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = Option<EmptyBody>, security(("api_key" = ["privacy"])),
    responses((status = 200, description = "They are not under legal hold", body = ClientPrivacyView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn release_legal_hold(
    State(app): State<App>,
    caller: Caller<auth::Privacy>,
    PathId(id): PathId,
    request: CommandRequest<EmptyBody>,
) -> Result<Answer<ClientPrivacyView>, Problem> {
    let (context, target) = (request.context(&caller), Target::Existing(id));
    let command = ClientCommand::ReleaseLegalHold;
    let executed = app.engine.execute::<Client>(&context, target, command).await?;
    app.answer_privacy(&caller, &context, AuditKind::LegalHoldReleased, &executed).await
}

impl App {
    /// What a command has left, once the audit log has it.
    async fn answer_privacy(
        &self,
        caller: &Caller<auth::Privacy>,
        context: &Ordered,
        kind: AuditKind,
        executed: &Executed<Client>,
    ) -> Result<Answer<ClientPrivacyView>, Problem> {
        let Executed { id, version, position, state } = executed;
        if !context.dry_run && !is_replay_so_far() {
            self.record(caller, kind, |entry| entry.about(*id)).await?;
        }
        let view = ClientPrivacyView::of(*id, *version, state).ok_or_else(Problem::internal)?;
        Ok(Answer::of_command(*version, *position, view))
    }
}

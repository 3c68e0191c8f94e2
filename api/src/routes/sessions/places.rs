//! Places in a session.

use axum::Json;
use axum::extract::State;
use daybook_domain::appointment::Appointment;
use daybook_domain::session::Session;
use daybook_domain::{ServiceId, SessionId, TenantId};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::bodies::{PlaceBody, PlaceHoldBody};
use crate::http::{
    At, Book, Caller, CommandParams, CommandRequest, Created, NoQuery, PathId, Problem, Read,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::AppointmentView;

/// How many appointments are read at once.
const MAX_CONCURRENT_READS: usize = 8;

/// Book a place in a session
///
/// It is an appointment of the client's own, which is cancelled, checked in and so on as any other; only
/// when it is, its session says. Of many who want the last place one gets it, and the others are told that
/// the session is full (`session-full`).
#[utoipa::path(
    post, path = "/v1/sessions/{id}/appointments", tag = "sessions",
    params(("id" = Uuid, Path), CommandParams),
    request_body = PlaceBody, security(("api_key" = ["book"])),
    responses((status = 201, description = "It is booked", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn book_place(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<PlaceBody>,
) -> Result<Created<AppointmentView>, Problem> {
    let session = app.session_to_book(&caller.tenant, id).await?;
    let context = request.context(&caller);
    let command = request.body.command(&caller, session)?;
    app.create::<Appointment>(&context, command).await
}

/// Hold a place in a session
///
/// As a hold of time: nobody else can have the place until `hold_expires_at`. It is confirmed by
/// `POST /v1/holds/{id}/confirm` and given back by `DELETE /v1/holds/{id}`.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/holds", tag = "sessions",
    params(("id" = Uuid, Path), CommandParams),
    request_body = PlaceHoldBody, security(("api_key" = ["book"])),
    responses((status = 201, description = "It is held", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn hold_place(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<PlaceHoldBody>,
) -> Result<Created<AppointmentView>, Problem> {
    let session = app.session_to_book(&caller.tenant, id).await?;
    let context = request.context(&caller);
    let command = request.body.command(&app, &caller, session).await?;
    app.create::<Appointment>(&context, command).await
}

impl App {
    /// A session and its service.
    async fn session_to_book(
        &self,
        tenant: &TenantId,
        id: Uuid,
    ) -> Result<(SessionId, ServiceId), Problem> {
        let session = SessionId::from(id);
        let service = self.engine.service_of(tenant, session).await?;
        Ok((session, service.ok_or_else(|| Problem::not_found("session"))?))
    }
}

/// Who has a place.
#[derive(Serialize, ToSchema)]
pub(crate) struct Places {
    items: Vec<AppointmentView>,
}

/// List who is in a session
///
/// The appointments that have a place in it at this moment, as the log has them; those that were
/// cancelled, or whose client did not come, are not among them.
#[utoipa::path(
    get, path = "/v1/sessions/{id}/appointments", tag = "sessions", params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "All of them, at most 500", body = Places), ReadProblems)
)]
pub(crate) async fn list_places(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
    _: NoQuery,
) -> Result<At<Json<Places>>, Problem> {
    let found = app.known::<Session>(&caller.tenant, id, None).await?;
    let session = found.ok_or_else(|| Problem::not_found("session"))?;
    let now = app.engine.clock().now();
    let who = app.engine.who_is_in(&caller.tenant, &[(id.into(), &session.state)]).await?;
    let known = stream::iter(who.into_iter().flatten()).map(async |holder| {
        let known = app.known::<Appointment>(&caller.tenant, holder.uuid(), None).await?;
        Ok::<_, Problem>(known.map(|known| (holder.uuid(), known)))
    });
    let known: Vec<_> = known.buffered(MAX_CONCURRENT_READS).try_collect().await?;
    let (mut position, mut items) = (session.position, Vec::with_capacity(known.len()));
    for (holder, appointment) in known.into_iter().flatten() {
        position = position.max(appointment.position);
        let shown = AppointmentView::at(appointment.state, holder, appointment.version, now);
        items.extend(shown.map(|shown| shown.for_caller(&caller)));
    }
    Ok(At(position, Json(Places { items })))
}

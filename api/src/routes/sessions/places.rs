//! Places in a session.

use axum::Json;
use axum::extract::State;
use daybook_domain::appointment::Appointment;
use daybook_domain::session::Session;
use daybook_domain::{AppointmentId, Decide as _, ServiceId, SessionId};
use daybook_store::engine::Known;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::bodies::{PlaceBody, PlaceHoldBody};
use crate::http::{
    Appointments, At, Book, Caller, CommandParams, CommandRequest, Created, PathId, Problem, Query,
    Within,
};
use crate::routes::as_of::AsOfParams;
use crate::routes::listing::ReadParams;
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::{AppointmentView, Timed as _};

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
    caller: Caller<Within<Book>>,
    PathId(id): PathId,
    request: CommandRequest<PlaceBody>,
) -> Result<Created<AppointmentView>, Problem> {
    let session = app.session_to_book(&caller, id).await?;
    app.may_book_for(&caller, request.body.client_id()).await?;
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
    caller: Caller<Within<Book>>,
    PathId(id): PathId,
    request: CommandRequest<PlaceHoldBody>,
) -> Result<Created<AppointmentView>, Problem> {
    let session = app.session_to_book(&caller, id).await?;
    app.may_book_for(&caller, request.body.client_id()).await?;
    let context = request.context(&caller);
    let command = request.body.command(&app, &caller, session).await?;
    app.create::<Appointment>(&context, command).await
}

impl App {
    /// A session and its service.
    async fn session_to_book<S>(
        &self,
        caller: &Caller<S>,
        id: Uuid,
    ) -> Result<(SessionId, ServiceId), Problem> {
        let (tenant, session) = (&caller.tenant, SessionId::from(id));
        let none = || Problem::not_found("session");
        if !caller.limits.are_none() {
            let known = self.engine.known::<Session>(tenant, id, None).await?.ok_or_else(none)?;
            if !self.sees_session(caller, &known.state).await? {
                return Err(none());
            }
        }
        let service = self.engine.service_of(tenant, session).await?;
        Ok((session, service.ok_or_else(none)?))
    }
}

/// Who has a place.
#[derive(Serialize, ToSchema)]
pub(crate) struct Places {
    items: Vec<AppointmentView>,
}

/// List who is in a session
///
/// The appointments that have a place in it at this moment, or had at another, as the log has them; those that were
/// cancelled, or whose client did not come, are not among them.
#[utoipa::path(
    get, path = "/v1/sessions/{id}/appointments", tag = "sessions",
    params(("id" = Uuid, Path), ReadParams),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "All of them, at most 500", body = Places), ReadProblems)
)]
pub(crate) async fn list_places(
    State(app): State<App>,
    caller: Caller<Within<Appointments>>,
    PathId(id): PathId,
    Query(ReadParams { moment: AsOfParams { as_of }, shown }): Query<ReadParams>,
) -> Result<At<Json<Places>>, Problem> {
    let tenant = &caller.tenant;
    let moment = app.as_of(tenant, as_of, shown.tz).await?;
    let found = app.known::<Session>(tenant, id, moment).await?;
    let none = || Problem::not_found("session");
    let session = found.ok_or_else(none)?;
    if !app.sees_session(&caller, &session.state).await? {
        return Err(none());
    }
    let who = app.who_is_in(tenant, &[(id.into(), &session.state)], moment).await?;
    let ids: Vec<Uuid> = who.into_iter().flatten().map(AppointmentId::uuid).collect();
    let known = app.each_known::<Appointment>(tenant, &ids, moment).await?;
    let (mut position, mut items) = (session.position, Vec::with_capacity(known.len()));
    for (id, known) in ids.into_iter().zip(known) {
        let Some(Known { state, version, position: changed, .. }) = known else { continue };
        if !caller.limits.see(&state.placed(id)) {
            continue;
        }
        position = position.max(changed);
        let view = AppointmentView::at(state, id, version, app.at(moment));
        items.extend(view.map(|view| view.for_caller(&caller).shown_in(shown.tz)));
    }
    Ok(At(position, Json(Places { items })))
}

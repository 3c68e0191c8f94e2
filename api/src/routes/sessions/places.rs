//! Places in a session.

use axum::Json;
use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentCommand, Booking, When};
use daybook_domain::session::Session;
use daybook_domain::time::HoldLength;
use daybook_domain::{Category, ClientId, Note, Personal, SessionId, Tags, Title};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::http::{Book, Caller, CommandHeaders, CommandRequest, Created, PathId, Problem, Read};
use crate::routes::appointments::AppointmentView;
use crate::routes::appointments::overriding::{self, OverrideBody};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// How many appointments are read at once.
const AT_ONCE: usize = 8;

/// Who wants a place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceBody {
    /// Who books.
    #[schema(value_type = Uuid)]
    client_id: ClientId,
    /// Hold the place for so many minutes, 1 to 60, instead of booking it at once.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 60)]
    hold_minutes: Option<HoldLength>,
    /// What it is called; else as the session. It is searched and shown: no personal data.
    #[schema(value_type = Option<String>, max_length = 300)]
    title: Option<Title>,
    /// Its category; else the session's.
    #[schema(value_type = Option<String>, max_length = 80)]
    category: Option<Category>,
    /// Its tags; else the session's.
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    tags: Option<Tags>,
    /// Free text about the client.
    #[schema(value_type = Option<String>, max_length = 4000)]
    note: Option<Personal<Note>>,
    /// Book it although rules are against it: needs the scope `manage`. It makes no room.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

/// Book a place in a session
///
/// It is an appointment of the client's own, which is confirmed, cancelled, checked in and so on as any
/// other; only when it is, its session says. Of many who want the last place one gets it, and the
/// others are told that the session is full (`session-full`).
#[utoipa::path(
    post, path = "/v1/sessions/{id}/appointments", tag = "sessions",
    params(("id" = Uuid, Path), CommandHeaders),
    request_body = PlaceBody, security(("api_key" = ["book"])),
    responses((status = 201, description = "It is booked or held", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn book_place(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    mut request: CommandRequest<PlaceBody>,
) -> Result<Created<AppointmentView>, Problem> {
    let overriding = overriding::reason(&caller, request.body.overriding.take())?;
    let (context, body) = request.by(caller);
    let session_id = SessionId::from(id);
    let service_id = app.engine.service_of(&context.tenant, session_id).await?;
    let booking = Booking {
        service_id: service_id.ok_or_else(|| Problem::not_found("session"))?,
        resource_ids: None,
        client_id: body.client_id,
        when: When::InSession(session_id),
        title: body.title,
        category: body.category,
        tags: body.tags,
        note: body.note,
        overriding,
        series: None,
    };
    let command = match body.hold_minutes {
        None => AppointmentCommand::BookAppointment(booking),
        Some(length) => AppointmentCommand::HoldAppointment {
            booking,
            expires_at: app.engine.clock().now() + length.delta(),
            holds_per_client: app.holds_per_client,
        },
    };
    app.create::<Appointment>(&context, command).await
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
) -> Result<Json<Places>, Problem> {
    let found = app.engine.load::<Session>(&caller.tenant, id).await?;
    let (session, _) = found.ok_or_else(|| Problem::not_found("session"))?;
    let now = app.engine.clock().now();
    let who = app.engine.who_is_in(&caller.tenant, &[(id.into(), &session)]).await?;
    let views = stream::iter(who.into_iter().flatten()).map(async |holder| {
        let found = app.engine.load::<Appointment>(&caller.tenant, holder.uuid()).await?;
        Ok::<_, Problem>(found.and_then(|(appointment, version)| {
            AppointmentView::at(appointment, holder.uuid(), version, now)
        }))
    });
    let views: Vec<_> = views.buffered(AT_ONCE).try_collect().await?;
    Ok(Json(Places { items: views.into_iter().flatten().collect() }))
}

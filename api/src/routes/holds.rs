//! `/v1/holds`: time that is kept free until it is confirmed. A hold is an appointment, and is read as
//! one.

use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentCommand};
use daybook_domain::time::{Duration, HoldLength};
use daybook_domain::{Category, ClientId, Note, Personal, ResourceIds, ServiceId, Tags, Title};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::appointments::AppointmentView;
use super::appointments::booking::BookingBody;
use super::appointments::overriding::OverrideBody;
use super::problems::{CommandProblems, ReadProblems};
use crate::App;
use crate::http::body::Nothing;
use crate::http::instant::Instant;
use crate::http::{
    Answer, Book, Caller, CommandHeaders, CommandRequest, Created, IfMatch, PathId, Problem,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_hold))
        .routes(routes!(confirm_hold))
        .routes(routes!(release_hold))
}

/// What is to be held. All but `ttl_minutes` is as in a booking.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldBody {
    /// The service: it gives duration, buffers, and what else is left out here.
    #[schema(value_type = Uuid)]
    service_id: ServiceId,
    /// The resources, each once: all are held, or none. Where the service needs roles filled, they
    /// fill some or all of them, and others are chosen for the rest.
    #[schema(value_type = Option<Vec<Uuid>>, min_items = 1, max_items = 16)]
    resource_ids: Option<ResourceIds>,
    /// Who holds.
    #[schema(value_type = Uuid)]
    client_id: ClientId,
    /// When it starts: RFC 3339, with an offset.
    #[schema(value_type = DateTime<Utc>, example = "2026-12-01T10:00:00+01:00")]
    start: Instant,
    /// For how many minutes the time is kept free: 1 to 60.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 60, default = 10)]
    ttl_minutes: HoldLength,
    /// What it is called; else as the service. It is searched and shown: no personal data.
    #[schema(value_type = Option<String>, max_length = 300)]
    title: Option<Title>,
    /// Its category; else the service's.
    #[schema(value_type = Option<String>, max_length = 80)]
    category: Option<Category>,
    /// Its tags; else the service's.
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    tags: Option<Tags>,
    /// Free text about the client.
    #[schema(value_type = Option<String>, max_length = 4000)]
    note: Option<Personal<Note>>,
    /// How long it takes: one of the service's durations; else the service's own.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 44640)]
    duration_minutes: Option<Duration>,
    /// Hold it although rules are against it: needs the scope `manage`.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

impl From<HoldBody> for BookingBody {
    fn from(body: HoldBody) -> Self {
        Self {
            service_id: body.service_id,
            resource_ids: body.resource_ids,
            client_id: body.client_id,
            start: body.start,
            title: body.title,
            category: body.category,
            tags: body.tags,
            note: body.note,
            hold_minutes: Some(body.ttl_minutes),
            duration_minutes: body.duration_minutes,
            overriding: body.overriding,
        }
    }
}

/// Hold the time for an appointment
///
/// Nobody else can have it until `hold_expires_at`; until then it can be confirmed without fail. From
/// that instant on it is in nobody's way. A client can hold only so many at once
/// (`client-hold-limit`).
#[utoipa::path(
    post, path = "/v1/holds", tag = "holds", params(CommandHeaders),
    request_body = HoldBody, security(("api_key" = ["book"])),
    responses((status = 201, description = "It is held", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn create_hold(
    State(app): State<App>,
    caller: Caller<Book>,
    request: CommandRequest<HoldBody>,
) -> Result<Created<AppointmentView>, Problem> {
    let context = request.context(&caller);
    let command = BookingBody::from(request.body).command(&app, &caller)?;
    app.create::<Appointment>(&context, command).await
}

/// Confirm a hold
///
/// It becomes a booking, whatever has become of the service or the opening hours since it was made.
/// After it has lapsed it is too late (`hold-expired`).
#[utoipa::path(
    post, path = "/v1/holds/{id}/confirm", tag = "holds",
    params(("id" = Uuid, Path), CommandHeaders, IfMatch),
    request_body = Option<Nothing>, security(("api_key" = ["book"])),
    responses((status = 200, description = "It is booked", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn confirm_hold(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<Nothing>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, Nothing {}) = request.by(caller);
    app.change::<Appointment>(&context, id, AppointmentCommand::ConfirmAppointment).await
}

/// Release a hold
///
/// Its time is free again at once. What is booked already is not released but cancelled.
#[utoipa::path(
    delete, path = "/v1/holds/{id}", tag = "holds",
    params(("id" = Uuid, Path), CommandHeaders, IfMatch),
    security(("api_key" = ["book"])),
    responses((status = 200, description = "It is released", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn release_hold(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<Nothing>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, Nothing {}) = request.by(caller);
    app.change::<Appointment>(&context, id, AppointmentCommand::ReleaseHold).await
}

//! `POST /v1/appointments`

use axum::extract::State;
use chrono::TimeDelta;
use daybook_domain::appointment::{Appointment, AppointmentCommand, Booking, When};
use daybook_domain::time::Duration;
use daybook_domain::{Category, ClientId, Note, Personal, ResourceIds, ServiceId, Tags, Title};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::AppointmentView;
use super::overriding::{self, OverrideBody};
use crate::App;
use crate::http::instant::Instant;
use crate::http::{Book, Caller, CommandHeaders, CommandRequest, Created, Problem};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// What is to be booked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BookingBody {
    /// The service: it gives duration, buffers, and what else is left out here.
    #[schema(value_type = Uuid)]
    service_id: ServiceId,
    /// The resources, each once: all are booked, or none. Where the service needs roles filled, they
    /// fill some or all of them, and others are chosen for the rest.
    #[schema(value_type = Option<Vec<Uuid>>, min_items = 1, max_items = 16)]
    resource_ids: Option<ResourceIds>,
    /// Who books.
    #[schema(value_type = Uuid)]
    client_id: ClientId,
    /// When it starts: RFC 3339, with an offset.
    #[schema(value_type = DateTime<Utc>, example = "2026-12-01T10:00:00+01:00")]
    start: Instant,
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
    /// Hold the time for so many minutes, 1 to 60, instead of booking at once.
    #[serde(default, deserialize_with = "hold")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 60)]
    hold_minutes: Option<u32>,
    /// How long it takes: one of the service's durations; else the service's own.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 44640)]
    duration_minutes: Option<Duration>,
    /// Book it although rules are against it: needs the scope `manage`.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

fn hold<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    match Option::<u32>::deserialize(from)? {
        Some(minutes) if !(1..=60).contains(&minutes) => {
            Err(serde::de::Error::custom(format!("a hold is for 1 to 60 minutes, got {minutes}")))
        }
        minutes => Ok(minutes),
    }
}

/// Book an appointment
///
/// Or hold one, to be confirmed later. No two appointments ever overlap on a resource: of many who
/// ask for the same time, one gets it, and the others are told who stands in the way
/// (`slot-taken`: which resource, from when to when; `role-taken`: for which role nobody is free). A
/// rule of the service that is broken is a problem by the rule's name, with what it required and what
/// it found.
#[utoipa::path(
    post, path = "/v1/appointments", tag = "appointments", params(CommandHeaders),
    request_body = BookingBody, security(("api_key" = ["book"])),
    responses((status = 201, description = "It is booked or held", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn create_appointment(
    State(app): State<App>,
    caller: Caller<Book>,
    mut request: CommandRequest<BookingBody>,
) -> Result<Created<AppointmentView>, Problem> {
    let overriding = overriding::reason(&caller, request.body.overriding.take())?;
    let (context, body) = request.by(caller);
    let start = body.start.0;
    let when = match body.duration_minutes {
        None => When::From(start),
        Some(duration) => When::Lasting { start, duration },
    };
    let booking = Booking {
        service_id: body.service_id,
        resource_ids: body.resource_ids,
        client_id: body.client_id,
        when,
        title: body.title,
        category: body.category,
        tags: body.tags,
        note: body.note,
        overriding,
    };
    let command = match body.hold_minutes {
        None => AppointmentCommand::BookAppointment(booking),
        Some(minutes) => {
            let expires_at = app.engine.clock().now() + TimeDelta::minutes(i64::from(minutes));
            let holds_per_client = app.holds_per_client;
            AppointmentCommand::HoldAppointment { booking, expires_at, holds_per_client }
        }
    };
    app.create::<Appointment>(&context, command).await
}

//! `POST /v1/sessions`

use axum::extract::State;
use daybook_domain::service::SessionPlaces;
use daybook_domain::session::{Scheduling, Session, SessionCommand};
use daybook_domain::time::Duration;
use daybook_domain::{Category, ResourceIds, ServiceId, Tags, Title};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::bodies::overriding::{self, OverrideBody};
use crate::http::instant::Instant;
use crate::http::{Caller, CommandParams, CommandRequest, Created, Manage, Problem};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::SessionView;

/// What a session is to be.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionBody {
    /// The service, which must be given in sessions.
    service_id: ServiceId,
    /// The resources, each once. Where the service needs roles filled, they fill some or all of them,
    /// and others are chosen for the rest.
    #[schema(min_items = 1, max_items = 16)]
    resource_ids: Option<ResourceIds>,
    /// When it starts: RFC 3339, with an offset.
    #[schema(example = "2026-12-01T18:00:00+01:00")]
    start_at: Instant,
    /// How long it takes: one of the service's durations; else the service's own.
    #[schema(minimum = 1, maximum = 44640)]
    duration_minutes: Option<Duration>,
    /// How many clients have room: 1 to 500; else as the service says.
    #[schema(minimum = 1, maximum = 500)]
    places: Option<SessionPlaces>,
    /// What it is called; else as the service. It is searched and shown: no personal data.
    #[schema(max_length = 300)]
    title: Option<Title>,
    /// Its category; else the service's.
    #[schema(max_length = 80)]
    category: Option<Category>,
    /// Its tags; else the service's.
    #[schema(max_items = 20)]
    tags: Option<Tags>,
    /// Schedule it although rules are against it.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

/// Schedule a session
///
/// It has its resources from now on, and clients can book places in it. Whoever schedules it says
/// when it starts: of the service's rules only the durations hold, and opening hours; notice, horizon and
/// the limit per day are for those who book a place.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "sessions", params(CommandParams),
    request_body = SessionBody, security(("api_key" = ["manage"])),
    responses((status = 201, description = "It is scheduled", body = SessionView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn schedule_session(
    State(app): State<App>,
    caller: Caller<Manage>,
    mut request: CommandRequest<SessionBody>,
) -> Result<Created<SessionView>, Problem> {
    let overriding = overriding::reason(&caller, request.body.overriding.take())?;
    let (context, body) = request.by(caller);
    let scheduling = Scheduling {
        service_id: body.service_id,
        resource_ids: body.resource_ids,
        start: body.start_at.0,
        duration: body.duration_minutes,
        places: body.places,
        title: body.title.map(Into::into),
        category: body.category,
        tags: body.tags,
    };
    let command = SessionCommand::ScheduleSession { scheduling, overriding };
    app.create::<Session>(&context, command).await
}

//! `POST /v1/waiting-list`

use axum::extract::State;
use chrono_tz::Tz;
use daybook_domain::time::{Duration, LocalDate, WeeklyHours};
use daybook_domain::waiting::{EntryLimits, WishedDays, Wishes};
use daybook_domain::{ClientId, ResourceIds, ServiceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::http::{Book, Caller, CommandParams, CommandRequest, Created, Problem, Within};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::WaitingView;

/// Who waits, and for what.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JoinBody {
    /// The service.
    service_id: ServiceId,
    /// Who waits.
    client_id: ClientId,
    /// How long it is to take: one of the service's durations; else the service's own.
    #[schema(minimum = 1, maximum = 44640)]
    duration_minutes: Option<Duration>,
    /// The first day on which the client has time (`YYYY-MM-DD`, in `tz`).
    from: LocalDate,
    /// The last; at most 92 days with the first, and at most 366 days ahead.
    to: LocalDate,
    /// The IANA zone of `from`, `to` and `times`; else the tenant's.
    #[schema(format = "time-zone")]
    time_zone: Option<Tz>,
    /// The times of the week in which all of the appointment is to lie; none at all: at any time.
    #[serde(default)]
    #[schema(max_items = 50)]
    times: WeeklyHours,
    /// Any of these would do, or for a service with roles: only they where any of them would do. Without
    /// roles they must be given, unless the service is given in sessions.
    #[schema(min_items = 1, max_items = 16)]
    resource_ids: Option<ResourceIds>,
}

impl JoinBody {
    fn wishes(self, tenants_zone: Tz) -> Result<Wishes, Problem> {
        let days = WishedDays::new(self.from, self.to, self.time_zone.unwrap_or(tenants_zone));
        Ok(Wishes {
            service_id: self.service_id,
            duration: self.duration_minutes,
            days: days.map_err(|error| Problem::bad_body(error.to_string()))?,
            times: self.times,
            resource_ids: self.resource_ids,
        })
    }
}

/// Join the waiting list
///
/// When a place becomes available, the first whose wishes fit is offered it: it is held for them, and is theirs
/// if they confirm the hold in time. If one is available already, it is offered at once. A client can wait only so
/// many times at once (`client-entry-limit`), and the list can be full (`waiting-list-full`).
#[utoipa::path(
    post, path = "/v1/waiting-list", tag = "waiting-list", params(CommandParams),
    request_body = JoinBody, security(("api_key" = ["book"])),
    responses((status = 201, description = "They wait", body = WaitingView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn join_waiting_list(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    request: CommandRequest<JoinBody>,
) -> Result<Created<WaitingView>, Problem> {
    let zone = app.zone_of(&caller.tenant).await?;
    app.may_book_for(&caller, request.body.client_id).await?;
    app.may_wait_for(&caller, request.body.service_id).await?;
    let (context, body) = request.by(caller);
    let (client_id, wishes) = (body.client_id, body.wishes(zone)?);
    let settings = app.tenant(&context.tenant).await?.settings;
    let limits =
        EntryLimits { per_client: settings.waiting_per_client, in_all: settings.waiting_list };
    let joined = app.engine.join_waiting_list(&context, client_id, wishes, limits).await;
    let joined = joined.map_err(|error| context.problem(error))?;
    app.created(&context, joined).await
}

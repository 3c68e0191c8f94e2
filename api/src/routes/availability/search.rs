//! `POST /v1/availability/search`

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use chrono_tz::Tz;
use daybook_domain::availability::{Effort, Requirements};
use daybook_domain::rights::Limits;
use daybook_domain::service::Roles;
use daybook_domain::time::{Buffer, Duration, Interval};
use daybook_domain::{ResourceId, ServiceId};
use daybook_store::engine::AvailabilitySnapshot;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::bounded::NotFound;
use super::request::{AvailabilityRequest, DayRange, Show, grid, limit};
use crate::App;
use crate::http::query::Value as _;
use crate::http::{At, Availability, Body, Caller, Problem, Within};
use crate::routes::as_of::NamedMoment;
use crate::routes::problems::{ReadProblems, SearchProblems};
use crate::views::times::timed;
use crate::views::{Timed as _, Times};

/// What is looked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchBody {
    /// The service: it gives duration, buffers, rules and, unless `roles` are given, the roles.
    service_id: Option<ServiceId>,
    /// Which resources are needed together, each role filled by resources of its own.
    #[serde(default)]
    roles: Roles,
    /// Where any of these would do for a role, only they.
    #[serde(default)]
    #[schema(max_items = 200)]
    resource_ids: Vec<ResourceId>,
    /// How long it takes; without a service it must be given.
    #[schema(minimum = 1, maximum = 44640)]
    duration_minutes: Option<Duration>,
    /// Time kept free before it, where there is no service to say so.
    #[serde(default)]
    #[schema(maximum = 1440)]
    buffer_before_minutes: Buffer,
    /// Time kept free after it.
    #[serde(default)]
    #[schema(maximum = 1440)]
    buffer_after_minutes: Buffer,
    /// The first day it may start on, in `tz`.
    from: NaiveDate,
    /// The last day it may start on; at most 92 days with the first.
    to: NaiveDate,
    /// The IANA zone of `from` and `to`; else the tenant's.
    #[schema(format = "time-zone")]
    time_zone: Option<Tz>,
    /// How far starts are apart, where the service has no step of its own; else 15.
    #[schema(minimum = 1, maximum = 1440)]
    step_minutes: Option<usize>,
    /// The most starts: 1 to 10,000; else 1,000.
    #[schema(minimum = 1, maximum = 10000)]
    limit: Option<usize>,
    /// What was offered at this moment, named as in the query of `GET /v1/availability`; else now.
    #[schema(format = "moment")]
    as_of: Option<String>,
}

/// What is offered.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundView {
    duration_minutes: Duration,
    slots: Vec<FoundSlot>,
    /// Whether there are more than the limit.
    more: bool,
}

/// Something that can be booked, and on what.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundSlot {
    #[serde(flatten)]
    times: Times,
    /// Resources that fill the roles, in their order; others may do as well.
    resource_ids: Vec<Uuid>,
}

timed!(FoundSlot);

/// Search for time of several resources together
///
/// Each start at which every role can be filled by resources of its own, and which would do.
#[utoipa::path(
    post, path = "/v1/availability/search", tag = "availability",
    request_body = SearchBody, security(("api_key" = ["availability"])),
    responses((status = 200, description = "The starts that are offered", body = FoundView),
              ReadProblems, SearchProblems)
)]
pub(crate) async fn search(
    State(app): State<App>,
    caller: Caller<Within<Availability>>,
    Body(body): Body<SearchBody>,
) -> Result<At<Response>, Problem> {
    let tenant = &caller.tenant;
    let named = body.as_of.as_deref().map(|text| NamedMoment::read("as_of", text)).transpose()?;
    let tz = body.time_zone;
    let asked = body.asked(app.zone_of(tenant).await?, caller.limits.clone())?;
    let moment = app.as_of(tenant, named, tz).await?;
    let snapshot = app.availability_snapshot(tenant, &asked, moment).await?;
    let position = snapshot.position;
    let work = move |effort: &mut Effort<'_>| found(&asked, &snapshot, effort);
    Ok(At(position, app.search_within_bounds(tenant, work).await?))
}

fn found(
    asked: &AvailabilityRequest,
    snapshot: &AvailabilitySnapshot<Requirements>,
    effort: &mut Effort<'_>,
) -> Result<Response, NotFound> {
    let (plan, calendars) = (&snapshot.query.purpose, snapshot.calendars());
    let wanted = plan.query(asked.grid, asked.days.within, snapshot.now);
    let found = plan.free_starts(&calendars, &wanted, asked.limit_of(1)?, effort)?;
    let slots = found.starts.into_iter().map(|found| FoundSlot {
        times: Times::of(&Interval::lasting(found.start, plan.length)),
        resource_ids: found.filled_by.iter().map(|n| calendars[*n].resource.uuid()).collect(),
    });
    let slots = slots.map(|slot: FoundSlot| slot.shown_in(asked.shown_in));
    let (slots, more) = (slots.collect(), found.more);
    Ok(Json(FoundView { duration_minutes: plan.length, slots, more }).into_response())
}

impl SearchBody {
    fn asked(self, tenants_zone: Tz, limits: Limits) -> Result<AvailabilityRequest, Problem> {
        let (mut resource_ids, mut seen) = (self.resource_ids, HashSet::new());
        resource_ids.retain(|id| seen.insert(*id));
        Ok(AvailabilityRequest {
            service_id: self.service_id,
            resource_ids,
            roles: self.roles,
            duration: self.duration_minutes,
            buffers: (self.buffer_before_minutes, self.buffer_after_minutes),
            days: DayRange::new(self.from, self.to, self.time_zone.unwrap_or(tenants_zone))?,
            shown_in: self.time_zone,
            grid: grid(self.step_minutes).map_err(Problem::bad_body)?,
            limit: limit(self.limit).map_err(Problem::bad_body)?,
            show: Show::Merged,
            limits,
        })
    }
}

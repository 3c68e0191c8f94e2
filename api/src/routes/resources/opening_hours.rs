//! `GET /v1/resources/{id}/opening-hours`

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use daybook_domain::resource::Resource;
use daybook_domain::time::{Interval, LocalDate, day_bounds};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::App;
use crate::http::params::invalid;
use crate::http::{Caller, Params, PathId, Problem, Read};
use crate::routes::problems::ReadProblems;

/// The most days that are asked for at once.
const MAX_DAYS: i64 = 92;

/// Which days, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `days`; this is how it is documented")]
pub(crate) struct DaysAsked {
    /// The first day (`YYYY-MM-DD`, in the resource's zone).
    from: NaiveDate,
    /// The last day; at most 92 with the first.
    to: NaiveDate,
}

/// When a resource is open.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpeningHoursView {
    resource_id: Uuid,
    /// The resource's zone.
    #[schema(value_type = String, example = "Europe/Oslo")]
    time_zone: Tz,
    #[schema(value_type = NaiveDate)]
    from: LocalDate,
    #[schema(value_type = NaiveDate)]
    to: LocalDate,
    /// Every stretch as long as it is, in order; cut off at the first and the last midnight.
    open: Vec<Stretch>,
}

/// Open from a start to before an end.
#[derive(PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Stretch {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    /// The start as the resource's clocks show it, with their offset.
    #[schema(format = DateTime, example = "2027-03-28T09:00:00+02:00")]
    local_start: String,
    #[schema(format = DateTime, example = "2027-03-28T17:00:00+02:00")]
    local_end: String,
}

impl Stretch {
    pub(in crate::routes) fn new(zone: Tz, interval: &Interval) -> Self {
        let local = |at: DateTime<Utc>| {
            at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false)
        };
        let (start, end) = (interval.start(), interval.end());
        Self { start, end, local_start: local(start), local_end: local(end) }
    }
}

/// See when a resource is open
///
/// All things considered: weekly hours, holidays, extra hours and time off, but not appointments.
#[utoipa::path(
    get, path = "/v1/resources/{id}/opening-hours", tag = "resources",
    params(("id" = Uuid, Path), DaysAsked), security(("api_key" = ["read"])),
    responses((status = 200, description = "When it is open", body = OpeningHoursView),
              ReadProblems)
)]
pub(crate) async fn get_opening_hours(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(resource_id): PathId,
    mut params: Params,
) -> Result<Json<OpeningHoursView>, Problem> {
    let (from, to) = days(&mut params)?;
    params.finish()?;
    let found = app.engine.load::<Resource>(&caller.tenant, resource_id).await?;
    let resource = found.map(|(resource, _)| resource);
    let profile = resource.as_ref().and_then(Resource::profile);
    let profile = profile.ok_or_else(|| Problem::not_found("resource"))?;
    let zone = profile.time_zone;
    // A zone can skip a day altogether: there is no time in it to be open.
    let range = day_bounds(zone, from.date(), to.date());
    let open = range.map(|range| profile.opening_hours.open(zone, range)).unwrap_or_default();
    let open = open.iter().map(|interval| Stretch::new(zone, interval)).collect();
    Ok(Json(OpeningHoursView { resource_id, time_zone: zone, from, to, open }))
}

fn days(params: &mut Params) -> Result<(LocalDate, LocalDate), Problem> {
    let (from, to) = (day(params, "from")?, day(params, "to")?);
    let days = (to.date() - from.date()).num_days() + 1;
    if (1..=MAX_DAYS).contains(&days) {
        return Ok((from, to));
    }
    let detail = format!("from {from} to {to} are not 1 to {MAX_DAYS} days");
    Err(Problem::bad_query("invalid-range", "The range is not valid", detail))
}

fn day(params: &mut Params, name: &str) -> Result<LocalDate, Problem> {
    let date = params.date(name)?.ok_or_else(|| invalid(name, "it must be given"))?;
    LocalDate::try_from(date).map_err(|error| {
        Problem::bad_query("invalid-date", "The date is not valid", format!("{name}: {error}"))
    })
}

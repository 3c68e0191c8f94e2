//! `GET /v1/resources/{id}/opening-hours`

use axum::Json;
use axum::extract::State;
use chrono_tz::Tz;
use daybook_domain::resource::Resource;
use daybook_domain::time::{LocalDate, day_bounds};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::http::query::{invalid_range, query_params};
use crate::http::{At, Availability, Caller, PathId, Problem, Query, Within};
use crate::routes::as_of::AsOfParams;
use crate::routes::problems::ReadProblems;
use crate::views::Times;

/// The most days that are asked for at once.
pub(crate) const MAX_DAYS: i64 = 92;

query_params! {
    /// Which days.
    pub(crate) struct DaysAsked {
        /// The first day (`YYYY-MM-DD`, in the resource's zone).
        from: LocalDate,
        /// The last day; at most 92 with the first.
        to: LocalDate,
        ..moment: AsOfParams,
    }
}

/// When a resource is open.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpeningHoursView {
    resource_id: Uuid,
    /// The resource's zone.
    #[schema(example = "Europe/Oslo")]
    time_zone: Tz,
    from: LocalDate,
    to: LocalDate,
    /// Every period as long as it is, in order; cut off at the first and the last midnight.
    open: Vec<Times>,
}

/// See when a resource is open
///
/// All things considered: weekly hours, holidays, extra hours and time off, but not appointments. With `as_of`, by what
/// was known then.
#[utoipa::path(
    get, path = "/v1/resources/{id}/opening-hours", tag = "resources",
    params(("id" = Uuid, Path), DaysAsked), security(("api_key" = ["availability"])),
    responses((status = 200, description = "When it is open", body = OpeningHoursView),
              ReadProblems)
)]
pub(crate) async fn get_opening_hours(
    State(app): State<App>,
    caller: Caller<Within<Availability>>,
    PathId(resource_id): PathId,
    Query(DaysAsked { from, to, moment }): Query<DaysAsked>,
) -> Result<At<Json<OpeningHoursView>>, Problem> {
    let count = (to.date() - from.date()).num_days() + 1;
    if !(1..=MAX_DAYS).contains(&count) {
        let detail = format!("from {from} to {to} are not 1 to {MAX_DAYS} days");
        return Err(invalid_range(detail));
    }
    let none = || Problem::not_found("resource");
    let moment = app.moment(&caller.tenant, moment.as_of, None).await?;
    let known = app.known_to::<Resource, _>(&caller, resource_id, moment).await?;
    let known = known.ok_or_else(none)?;
    let profile = known.state.profile().ok_or_else(none)?;
    let zone = profile.time_zone;
    // A zone can skip a day altogether: there is no time in it to be open.
    let range = day_bounds(zone, from.date(), to.date());
    let open = range.map(|range| profile.opening_hours.open(zone, range)).unwrap_or_default();
    let open = open.iter().map(|interval| Times::in_zone(zone, interval)).collect();
    let view = OpeningHoursView { resource_id, time_zone: zone, from, to, open };
    Ok(At(known.position, Json(view)))
}

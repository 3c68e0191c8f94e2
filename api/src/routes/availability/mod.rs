//! `/v1/availability`: when something can be booked.
//!
//! * `request`: what a request asks for; `query`: the query that the engine is given for it.
//! * `bounded`: a search takes no more than it may, and no processor from those who ask for little.
//! * `view`: the starts that are offered; `explain`: why one is not.

mod bounded;
mod explain;
mod query;
pub(super) mod request;
mod search;
mod view;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use daybook_domain::TenantId;
use daybook_domain::availability::{self, Effort, Found, Requirements};
use daybook_projections::history::History;
use daybook_store::ExecuteError;
use daybook_store::engine::AvailabilitySnapshot;
use daybook_store::log::Moment;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problems::{ReadProblems, SearchProblems};
use crate::App;
use crate::http::{At, Caller, Problem, Query, Within, auth};
use bounded::NotFound;
#[cfg(test)]
pub(crate) use query::{MAX_CLAIMS, MAX_RESOURCES};
use request::{AvailabilityParams, AvailabilityRequest, Show};
#[cfg(test)]
pub(crate) use request::{MAX_DAYS, MAX_LIMIT, MAX_STARTS};
use view::{Availability, AvailabilityView, ResourceSlots, Slots};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_availability)).routes(routes!(search::search))
}

/// See when something can be booked
///
/// Of a service, or of resources for so many minutes. What is offered can be booked, as long as nobody
/// else takes it first. With `explain`, why a moment is, or is not, offered. With `as_of`, what was offered
/// then.
#[utoipa::path(
    get, path = "/v1/availability", tag = "availability",
    params(AvailabilityParams),
    security(("api_key" = ["availability"])),
    responses((status = 200, description = "The starts that are offered", body = AvailabilityView),
              ReadProblems, SearchProblems)
)]
pub(crate) async fn get_availability(
    State(app): State<App>,
    caller: Caller<Within<auth::Availability>>,
    Query(params): Query<AvailabilityParams>,
) -> Result<At<Response>, Problem> {
    let tenant = &caller.tenant;
    let (as_of, tz) = (params.moment.as_of, params.tz);
    let asked = AvailabilityRequest::of(params, app.zone_of(tenant).await?, caller.limits.clone())?;
    let moment = app.as_of(tenant, as_of, tz).await?;
    let snapshot = app.availability_snapshot(tenant, &asked, moment).await?;
    let position = snapshot.position;
    let work = move |effort: &mut Effort<'_>| shown(&asked, &snapshot, effort);
    Ok(At(position, app.search_within_bounds(tenant, work).await?))
}

impl App {
    /// What is claimed: now, or as it was known at a moment, with the service, the resources and the clock of
    /// then.
    async fn availability_snapshot(
        &self,
        tenant: &TenantId,
        asked: &AvailabilityRequest,
        moment: Option<Moment>,
    ) -> Result<AvailabilitySnapshot<Requirements>, Problem> {
        let Some(moment) = moment else {
            let query = |catalogue: &_, _| query::of(asked, catalogue);
            return self.engine.availability_snapshot(tenant, asked.service_id, query).await;
        };
        let known = self.engine.catalogue_as_of(tenant, asked.service_id, moment.position);
        let catalogue = known.await?;
        let query = query::of(asked, &catalogue)?;
        let claims = self.history.claims(tenant, &query.resources, query.during, moment).await?;
        let claims = claims.ok_or_else(|| {
            let max_claims = History::MAX_CLAIMS;
            Problem::from(ExecuteError::TooBroad { max_claims })
        })?;
        let Moment { at: now, position, .. } = moment;
        Ok(AvailabilitySnapshot { catalogue, query, claims, now, position })
    }
}

/// A snapshot, shown as it was asked for.
fn shown(
    asked: &AvailabilityRequest,
    snapshot: &AvailabilitySnapshot<Requirements>,
    effort: &mut Effort<'_>,
) -> Result<Response, NotFound> {
    let (plan, calendars) = (&snapshot.query.purpose, snapshot.calendars());
    let wanted = plan.query(asked.grid, asked.days.within, snapshot.now);
    let slots = |starts| Slots::new(starts, plan.length, asked.shown_in);
    let mut view = Availability::new(asked, plan.length);
    match asked.show {
        Show::Why(at) => {
            view.explanation = Some(explain::at(at, &calendars, &plan.roles, &wanted));
        }
        Show::EachResource => {
            let limit = asked.limit_of(calendars.len())?;
            let starts = availability::on_each(&calendars, &wanted, limit, effort)?;
            let each = calendars.iter().zip(starts).map(|(calendar, starts)| ResourceSlots {
                resource_id: calendar.resource.uuid(),
                slots: slots(starts),
            });
            view.resources = Some(each.collect());
        }
        Show::Merged if plan.roles.is_empty() => {
            let limit = asked.limit_of(1)?;
            view.slots = Some(slots(availability::any_of(&calendars, &wanted, limit, effort)?));
        }
        Show::Merged => {
            let limit = asked.limit_of(1)?;
            let found =
                availability::each_role_of(&calendars, &plan.roles, &wanted, limit, effort)?;
            let starts = found.starts.into_iter().map(|found| found.start).collect();
            view.slots = Some(slots(Found { starts, more: found.more }));
        }
    }
    Ok(view.into_response())
}

//! `/v1/availability`: when something can be booked.
//!
//! * `query`: what a request asks for; `plan`: at which resources that has to be looked.
//! * `view`: the starts that are offered; `explain`: why one is not.

mod explain;
mod plan;
mod query;
mod search;
mod view;

use axum::extract::State;
use axum::response::IntoResponse;
use daybook_domain::TenantId;
use daybook_domain::availability::{self, Requirements};
use daybook_store::engine::Seen;
use daybook_store::log::Moment;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problems::ReadProblems;
use crate::App;
use crate::http::answer;
use crate::http::{Caller, Problem, Query, Read};
use query::{AvailabilityParams, AvailabilityQuery, Show};
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
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The starts that are offered", body = AvailabilityView),
              ReadProblems)
)]
pub(crate) async fn get_availability(
    State(app): State<App>,
    caller: Caller<Read>,
    Query(params): Query<AvailabilityParams>,
) -> Result<impl IntoResponse, Problem> {
    let tenant = &caller.tenant;
    let as_of = params.moment.as_of;
    let asked = AvailabilityQuery::of(params, app.zone_of(tenant).await?)?;
    let moment = app.as_of(tenant, as_of, None).await?;
    let seen = app.look(tenant, &asked, moment).await?;
    Ok((answer::as_of(moment), shown(&asked, &seen)))
}

impl App {
    /// Looks at what was claimed: now, or as it was known at a moment, with the service, the resources and
    /// the clock of then.
    async fn look(
        &self,
        tenant: &TenantId,
        asked: &AvailabilityQuery,
        moment: Option<Moment>,
    ) -> Result<Seen<Requirements>, Problem> {
        let Some(moment) = moment else {
            let plan = |catalogue: &_, _| plan::of(asked, catalogue);
            return self.engine.look(tenant, asked.service_id, plan).await;
        };
        let known = self.engine.catalogue_as_of(tenant, asked.service_id, moment.position);
        let catalogue = known.await?;
        let sight = plan::of(asked, &catalogue)?;
        let claims = self.history.claims(tenant, &sight.resources, sight.during, moment).await?;
        Ok(Seen { catalogue, sight, claims, now: moment.at })
    }
}

/// What was seen, as it was asked for.
fn shown(asked: &AvailabilityQuery, seen: &Seen<Requirements>) -> Availability {
    let (plan, calendars) = (&seen.sight.purpose, seen.calendars());
    let wanted = plan.query(asked.grid, asked.days.within, seen.now);
    let slots = |starts| Slots::new(starts, plan.length, asked.limit);
    let mut view = Availability::new(asked, plan.length);
    match asked.show {
        Show::Why(at) => {
            view.explanation = Some(explain::at(at, &calendars, &plan.roles, &wanted));
        }
        Show::EachResource => {
            let starts = availability::on_each(&calendars, &wanted);
            let each = calendars.iter().zip(starts).map(|(calendar, starts)| ResourceSlots {
                resource_id: calendar.resource.uuid(),
                slots: slots(starts),
            });
            view.resources = Some(each.collect());
        }
        Show::Merged if plan.roles.is_empty() => {
            view.slots = Some(slots(availability::any_of(&calendars, &wanted)));
        }
        Show::Merged => {
            let found = availability::each_role_of(&calendars, &plan.roles, &wanted);
            view.slots = Some(slots(found.into_iter().map(|found| found.start).collect()));
        }
    }
    view
}

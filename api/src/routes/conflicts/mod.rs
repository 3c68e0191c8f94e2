//! `GET /v1/conflicts`; `as_of`: as the list was at a moment.

mod as_of;

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::ResourceId;
use daybook_projections::appointments::Appointments;
use daybook_projections::conflicts::{ConflictFilter, Conflicts};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::as_of::AsOfParams;
use super::listing::{Days, List, Listed, PageParams};
use super::problems::ReadProblems;
use crate::App;
use crate::http::query::{Several, query_params};
use crate::http::{Caller, Problem, Query, Within, auth};
use crate::views::{ConflictSummary, Titled};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_conflicts))
}

query_params! {
    /// The filters. All that are given must be met.
    pub(crate) struct ConflictParams {
        /// This resource is in conflict, or one of several.
        resource_id: Several<ResourceId>,
        ..days: Days,
        ..page: PageParams,
        ..moment: AsOfParams,
    }
}

/// List conflicts
///
/// The appointments that are held or booked, have not begun, and use a resource that is closed then
/// or has been retired. Each stays on the list until it is moved, reassigned, cancelled or accepted,
/// or the resource can be had again. What was booked by an override of just that is not on it. With `as_of`, what was
/// in conflict then, of what had not begun; each page looks at so many appointments only, and can have few.
#[utoipa::path(
    get, path = "/v1/conflicts", tag = "appointments",
    params(ConflictParams),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "A page, by start", body = List<ConflictSummary>),
              ReadProblems)
)]
pub(crate) async fn list_conflicts(
    State(app): State<App>,
    caller: Caller<Within<auth::Appointments>>,
    uri: Uri,
    Query(asked): Query<ConflictParams>,
) -> Result<Listed<ConflictSummary>, Problem> {
    let ConflictParams { resource_id, days, page, moment } = asked;
    let tenant = &caller.tenant;
    let (from, to) = app.days(tenant, &days).await?;
    let resource_ids = resource_id.into_iter().collect();
    let filter = ConflictFilter { from, to, resource_ids };
    let (limit, cursor) = (page.limit(), page.cursor.as_ref());
    let as_of = (moment.as_of, days.tz);
    let reading = app.reading(tenant, as_of, page.fresh, Conflicts::ID).await?;
    let asked = (&filter, &caller.limits);
    let mut page = match reading.moment {
        None => {
            if !caller.limits.are_none() {
                // Which know where they lie.
                app.wait_for(tenant, Appointments::ID, reading.position).await?;
            }
            let now = app.engine.clock().now();
            app.conflicts.page(tenant, asked, cursor, limit, now).await?
        }
        Some(moment) => app.conflicts_as_of(tenant, asked, (cursor, limit), moment).await?,
    };
    let titles = page.items.iter_mut();
    let titles = titles.map(|it| Titled::appointment(it.appointment_id, &mut it.title));
    app.open_titles(&caller, titles).await?;
    let list = Listed::of(uri, reading.position, page, ConflictSummary::from);
    Ok(list.shown_in(days.tz))
}

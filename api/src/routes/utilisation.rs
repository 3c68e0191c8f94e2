//! `GET /v1/utilisation`

use axum::extract::State;
use axum::http::Uri;
use chrono::NaiveDate;
use daybook_domain::{Category, TextError};
use daybook_projections::Cursor;
use daybook_projections::utilisation::{Dimensions, Figures, Utilisation, UtilisationFilter};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::listing::{List, Listed, limit};
use super::problems::ReadProblems;
use crate::App;
use crate::http::params::invalid;
use crate::http::{Caller, Params, Problem, Read};

/// The most days that can be asked for at once.
const MAX_DAYS: i64 = 366;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_utilisation))
}

/// What is asked for, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `get_utilisation`; this is how it is documented")]
pub(crate) struct UtilisationParams {
    /// The first day (`YYYY-MM-DD`, a whole day in each resource's own zone).
    from: NaiveDate,
    /// The last day; at most 366 days with the first.
    to: NaiveDate,
    /// One or more of `day`, `resource`, `service` and `category`, with commas; `resource` where it is
    /// left out.
    group_by: Option<String>,
    /// Of this resource.
    resource_id: Option<Uuid>,
    /// Booked for this service; what is offered is that of all.
    service_id: Option<Uuid>,
    /// Booked in this category; what is offered is that of all.
    category: Option<String>,
    /// The most items of a page: 1 to 200, 50 where it is left out.
    limit: Option<u32>,
    /// The `next_cursor` of the page before; the other parameters must be the same as then.
    cursor: Option<String>,
    /// Show at least what had happened at this position of the log: the `Daybook-Position` of a
    /// command shows what that command did.
    min_position: Option<u64>,
}

/// What was offered and booked in a group.
#[derive(Serialize, ToSchema)]
pub(crate) struct UtilisationView {
    /// The day, where figures are grouped by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<NaiveDate>,
    /// The resource, where figures are grouped by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<Uuid>,
    /// The service, where figures are grouped by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_id: Option<Uuid>,
    /// The category, where figures are grouped by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    /// How long the resources were open, as many times as they have places. Not where figures are
    /// grouped by service or category: nobody says for which of them time is offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    offered_minutes: Option<i64>,
    /// How long they were booked, without buffers: by appointments that were not called off, and by
    /// sessions.
    booked_minutes: i64,
    /// What was booked of what was offered: 1 is all of it. Nothing where nothing was offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    utilisation: Option<f64>,
    /// Appointments that begin, no-shows among them.
    appointments: i64,
    /// Appointments that would have begun but were called off.
    cancellations: i64,
    /// Appointments that nobody came to.
    no_shows: i64,
    /// From when the appointments were booked to their start, on average. Nothing where that is known of
    /// none: what was imported was booked elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_lead_minutes: Option<f64>,
    /// The same, of the one in the middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    median_lead_minutes: Option<f64>,
}

impl UtilisationView {
    fn new(figures: Figures, by: Dimensions) -> Self {
        let offered = by.are_of_offered().then_some(figures.offered_minutes);
        Self {
            day: figures.day,
            resource_id: figures.resource_id.map(daybook_domain::ResourceId::uuid),
            service_id: figures.service_id.map(daybook_domain::ServiceId::uuid),
            category: figures.category,
            offered_minutes: offered,
            booked_minutes: figures.booked_minutes,
            utilisation: offered.and_then(|offered| share(figures.booked_minutes, offered)),
            appointments: figures.appointments,
            cancellations: figures.cancellations,
            no_shows: figures.no_shows,
            mean_lead_minutes: figures.mean_lead_minutes,
            median_lead_minutes: figures.median_lead_minutes,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "minutes of a year are far below 2^52")]
fn share(booked: i64, offered: i64) -> Option<f64> {
    (offered > 0).then(|| booked as f64 / offered as f64)
}

/// See how much of what is offered is booked
///
/// Day by day, in each resource's own zone. What was offered on a day that has passed stays, whatever
/// becomes of the opening hours; what is offered is worked out up to 92 days after the last event of the
/// log.
#[utoipa::path(
    get, path = "/v1/utilisation", tag = "figures", params(UtilisationParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page of groups, in the order of day, resource, service \
               and category", body = List<UtilisationView>), ReadProblems)
)]
pub(crate) async fn get_utilisation(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<UtilisationView>, Problem> {
    let filter = filter(&mut params)?;
    let by = params.parsed::<Dimensions>("group_by")?.unwrap_or_else(Dimensions::resource);
    let limit = limit(&mut params)?;
    let cursor = params.text("cursor")?.map(Cursor::new);
    app.wait(&caller.tenant, Utilisation::ID, &mut params).await?;
    params.finish()?;
    let page = app.utilisation.page(&caller.tenant, &filter, by, cursor.as_ref(), limit).await?;
    Ok(Listed::of(uri, page, |figures| UtilisationView::new(figures, by)))
}

fn filter(params: &mut Params) -> Result<UtilisationFilter, Problem> {
    let mut day = |name: &str| params.date(name)?.ok_or_else(|| invalid(name, "it must be given"));
    let (from, to) = (day("from")?, day("to")?);
    if !(1..=MAX_DAYS).contains(&((to - from).num_days() + 1)) {
        let detail = format!("from {from} to {to} are not 1 to {MAX_DAYS} days");
        return Err(Problem::bad_query("invalid-range", "The range is not valid", detail));
    }
    let category = params.text("category")?.map(|text| Category::new(&text)).transpose();
    Ok(UtilisationFilter {
        from,
        to,
        resource_id: params.id("resource_id")?,
        service_id: params.id("service_id")?,
        category: category.map_err(|error: TextError| invalid("category", error))?,
    })
}

//! `GET /v1/utilisation`

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use chrono::NaiveDate;
use daybook_domain::{Category, ResourceId, ServiceId, TenantId};
use daybook_projections::appointments::Appointments;
use daybook_projections::utilisation::{
    Dimensions, Figures, FiguresPage, Utilisation, UtilisationFilter,
};
use daybook_projections::{Basis, Cursor, Limit};
use daybook_store::log::Moment;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::as_of::{AsOfParams, Reading};
use super::cached::moment_of;
use super::listing::PageParams;
use super::problems::{BroadProblems, ReadProblems};
use crate::App;
use crate::cache::{CachedPage, Question};
use crate::http::query::{Value, invalid, invalid_range, query_params, string};
use crate::http::{Analytics, Caller, Problem, Query, Within};

/// The most days that can be asked for at once.
pub(crate) const MAX_DAYS: i64 = 366;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_utilisation))
}

query_params! {
    /// What is asked for.
    pub(crate) struct UtilisationParams {
        /// The first day (`YYYY-MM-DD`, a whole day in each resource's own zone).
        from: NaiveDate,
        /// The last day; at most 366 days with the first.
        to: NaiveDate,
        /// One or more of `day`, `resource`, `service` and `category`, with commas; `resource` where it is
        /// left out.
        group_by: Option<Dimensions>,
        /// Of this resource.
        resource_id: Option<ResourceId>,
        /// Booked for this service; what is offered is that of all.
        service_id: Option<ServiceId>,
        /// Booked in this category, however it is spelt; what is offered is that of all.
        category: Option<Category>,
        ..page: PageParams,
        ..moment: AsOfParams,
    }
}

impl Value for Dimensions {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        text.parse().map_err(|error| invalid(name, error))
    }

    fn schema() -> Schema {
        const NAMES: &str =
            "^(day|resource|service|category)(,(day|resource|service|category)){0,3}$";
        string().pattern(Some(NAMES)).examples([json!("day,resource")]).build().into()
    }
}

/// A page of figures.
#[derive(Serialize, ToSchema)]
pub(crate) struct UtilisationList {
    items: Vec<UtilisationView>,
    /// Send it as `cursor` for the next page; left out: this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// The last day of which it is worked out what is offered: of later ones it is not known. Left out: of no day.
    #[serde(skip_serializing_if = "Option::is_none")]
    worked_out_to: Option<NaiveDate>,
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
    /// grouped by service or category: nobody says for which of them time is offered; and not where a day of the
    /// group is after `worked_out_to`: it is not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    offered_minutes: Option<i64>,
    /// How long they were booked, without buffers: by appointments that were not cancelled, and by
    /// sessions.
    booked_minutes: i64,
    /// What was booked of what was offered: 1 is all of it. Nothing where nothing was offered, or it is not known
    /// what is.
    #[serde(skip_serializing_if = "Option::is_none")]
    utilisation: Option<f64>,
    /// Appointments that begin, no-shows among them.
    appointments: i64,
    /// Appointments that would have begun but were cancelled.
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
    fn new(figures: Figures, by: Dimensions, is_worked_out: bool) -> Self {
        let offered = by.are_of_offered() && is_worked_out;
        let offered = offered.then_some(figures.offered_minutes);
        Self {
            day: figures.day,
            resource_id: figures.resource_id.map(ResourceId::uuid),
            service_id: figures.service_id.map(ServiceId::uuid),
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
/// log, and `worked_out_to` says which day that is. With `as_of`, by what was known then.
#[utoipa::path(
    get, path = "/v1/utilisation", tag = "figures",
    params(UtilisationParams),
    security(("api_key" = ["analytics"])),
    responses((status = 200, description = "A page of groups, in the order of day, resource, service \
               and category", body = UtilisationList), ReadProblems, BroadProblems)
)]
pub(crate) async fn get_utilisation(
    State(app): State<App>,
    caller: Caller<Within<Analytics>>,
    uri: Uri,
    headers: HeaderMap,
    Query(asked): Query<UtilisationParams>,
) -> Result<Response, Problem> {
    let UtilisationParams { from, to, group_by, resource_id, service_id, category, page, moment } =
        asked;
    if !(1..=MAX_DAYS).contains(&((to - from).num_days() + 1)) {
        let detail = format!("from {from} to {to} are not 1 to {MAX_DAYS} days");
        return Err(invalid_range(detail));
    }
    let resource_id = theirs(&caller, resource_id)?;
    let filter = UtilisationFilter { from, to, resource_id, service_id, category };
    let by = group_by.unwrap_or_else(Dimensions::resource);
    let tenant = caller.tenant.clone();
    let as_of = (moment.as_of, None);
    let reading = app.reading(&tenant, as_of, page.fresh, Utilisation::ID).await?;
    let Reading { moment, position } = reading;
    if let Some(moment) = moment {
        app.wait_for(&tenant, Appointments::ID, moment.position).await?;
    }
    let reads = [Utilisation::ID, Appointments::ID];
    let basis = app.basis(&tenant, reading, &reads).await?;
    let question = Question::new(ROUTE, &tenant, &caller.limits, &uri).and(&moment_of(moment));
    let (this, seen, of) = (app.clone(), basis.clone(), question.clone());
    let work = move || async move {
        let asked = (page.cursor.as_ref(), page.limit());
        let (figures, basis) = this.figures(&tenant, (&filter, by), asked, moment, seen).await?;
        let key = basis.map(|basis| of.on(&basis));
        let list = UtilisationList::new(figures, by, to);
        let next_cursor = list.next_cursor.clone();
        Ok::<_, Problem>((CachedPage::of(&list, next_cursor, key.as_ref(), position)?, key))
    };
    app.cached((&question, basis.as_ref()), (&uri, &headers), work).await
}

const ROUTE: &str = "/v1/utilisation";

impl App {
    /// A page of figures, and what it rests on, where that is known.
    async fn figures(
        &self,
        tenant: &TenantId,
        (filter, by): (&UtilisationFilter, Dimensions),
        page: (Option<&Cursor>, Limit),
        moment: Option<Moment>,
        seen: Option<Basis>,
    ) -> Result<(FiguresPage, Option<Basis>), Problem> {
        if let (None, Some(seen)) = (moment, &seen)
            && let Some((figures, basis)) =
                self.utilisation.page_on(tenant, filter, by, page, seen).await?
        {
            return Ok((figures, Some(basis)));
        }
        let figures = self.utilisation.page(tenant, filter, by, page, moment).await?;
        let basis = match moment {
            Some(_) => self.still(seen).await?,
            None => None,
        };
        Ok((figures, basis))
    }
}

impl UtilisationList {
    fn new(
        FiguresPage { page, worked_out_to }: FiguresPage,
        by: Dimensions,
        to: NaiveDate,
    ) -> Self {
        let items = page.items.into_iter().map(|figures| {
            let last = figures.day.unwrap_or(to);
            UtilisationView::new(figures, by, worked_out_to.is_some_and(|day| last <= day))
        });
        let items = items.collect();
        Self { items, next_cursor: page.next.map(|cursor| cursor.to_string()), worked_out_to }
    }
}

/// Of which resource. Whoever is limited to some must say which: of what has several, it counts at which it is counted. Of
/// those who are limited otherwise, what was booked is not known apart.
fn theirs<S>(caller: &Caller<S>, named: Option<ResourceId>) -> Result<Option<ResourceId>, Problem> {
    let Some(few) = caller.only_resources()? else { return Ok(named) };
    let none = || invalid("resource_id", "name one: your key is limited to some resources");
    let named = named.ok_or_else(none)?;
    // Another is to them as one that never was.
    Ok(Some(if few.contains(&named) { named } else { Uuid::nil().into() }))
}

//! `GET /v1/appointments`

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::Uri;
use chrono::{DateTime, NaiveDate, Utc};
use daybook_domain::appointment::{Status, UnknownStatus};
use daybook_domain::{
    Category, ClientId, ResourceIds, ServiceId, Tag, Tags, TenantId, TextError, Title,
};
use daybook_projections::Cursor;
use daybook_projections::Page;
use daybook_projections::search::{
    FoundAppointment, Search, SearchFilter, Sort, TagsMatch, TitleWords,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::view::AppointmentStatus;
use crate::App;
use crate::http::params::{invalid, listed};
use crate::http::{Caller, Params, Problem, Read};
use crate::routes::as_of::AsOfParam;
use crate::routes::listing::{List, Listed, limit};
use crate::routes::problems::ReadProblems;

/// The filters, for the documentation. All that are given must be met.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `filter`; this is how it is documented")]
pub(crate) struct AppointmentFilters {
    /// Starts on this day or later (`YYYY-MM-DD`, in `tz`).
    from: Option<NaiveDate>,
    /// Starts on this day or earlier (`YYYY-MM-DD`, in `tz`).
    to: Option<NaiveDate>,
    /// The IANA zone of `from` and `to`; else the tenant's.
    tz: Option<String>,
    category: Option<String>,
    /// One tag, or several with commas between them; it can also be given several times.
    tags: Option<String>,
    /// Whether `any` or `all` of `tags` must be there; `all` where it is left out.
    tags_match: Option<String>,
    /// One status, or several with commas between them: any of them will do.
    #[param(inline, value_type = Option<AppointmentStatus>)]
    status: Option<String>,
    service_id: Option<Uuid>,
    /// One of its resources.
    resource_id: Option<Uuid>,
    client_id: Option<Uuid>,
    /// Words, all of which the title has: at least their beginnings, in any case.
    q: Option<String>,
    /// `start` (earliest first, as where it is left out) or `-start`.
    sort: Option<String>,
    /// The most items of a page: 1 to 200, 50 where it is left out.
    limit: Option<u32>,
    /// The `next_cursor` of the page before; the other parameters must be the same as then.
    cursor: Option<String>,
    /// Show at least what had happened at this position of the log: the `Daybook-Position` of a
    /// command shows what that command did.
    min_position: Option<u64>,
}

/// An appointment, in a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppointmentSummary {
    id: Uuid,
    #[schema(value_type = AppointmentStatus)]
    status: Status,
    version: u64,
    #[schema(value_type = Uuid)]
    service_id: ServiceId,
    #[schema(value_type = Vec<Uuid>)]
    resource_ids: ResourceIds,
    #[schema(value_type = Uuid)]
    client_id: ClientId,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    #[schema(value_type = String)]
    title: Title,
    #[schema(value_type = String)]
    category: Category,
    #[schema(value_type = Vec<String>)]
    tags: Tags,
    /// Until when it can be confirmed, where it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_expires_at: Option<DateTime<Utc>>,
}

impl From<FoundAppointment> for AppointmentSummary {
    fn from(found: FoundAppointment) -> Self {
        Self {
            id: found.appointment_id.uuid(),
            status: found.status,
            version: found.version,
            service_id: found.service_id,
            resource_ids: found.resource_ids,
            client_id: found.client_id,
            start: found.during.start(),
            end: found.during.end(),
            title: found.title,
            category: found.category,
            tags: found.tags,
            hold_expires_at: found.hold_expires_at,
        }
    }
}

/// List appointments
///
/// Pages stay in order while appointments are added: nothing is shown twice, and nothing is left
/// out that was there all the time. With `as_of`, as the list was then, holds that had lapsed included.
#[utoipa::path(
    get, path = "/v1/appointments", tag = "appointments",
    params(AppointmentFilters, AsOfParam),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page, by start", body = List<AppointmentSummary>),
              ReadProblems)
)]
pub(crate) async fn list_appointments(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<AppointmentSummary>, Problem> {
    let filter = app.filter(&caller.tenant, &mut params).await?;
    let sort = sort(&mut params)?;
    let limit = limit(&mut params)?;
    let cursor = params.text("cursor")?.map(Cursor::new);
    let moment = app.as_of(&caller.tenant, &mut params).await?;
    app.wait(&caller.tenant, Search::ID, &mut params).await?;
    params.finish()?;
    let (tenant, cursor) = (&caller.tenant, cursor.as_ref());
    let none = Page { items: Vec::new(), next: None };
    let page = match (filter, moment) {
        (None, _) => none,
        (Some(filter), None) => {
            let now = app.engine.clock().now();
            app.search.page(tenant, &filter, sort, cursor, limit, now).await?
        }
        (Some(filter), Some(moment)) => {
            app.history.page(tenant, (&filter, sort), cursor, limit, moment).await?
        }
    };
    Ok(Listed::of(uri, page, AppointmentSummary::from).at(moment))
}

impl App {
    /// The filter of a query; `None`: it asks for what no appointment can be.
    async fn filter(
        &self,
        tenant: &TenantId,
        params: &mut Params,
    ) -> Result<Option<SearchFilter>, Problem> {
        let (from, to) = self.days(tenant, params).await?;
        let category = params.text("category")?.map(|text| Category::new(&text));
        let tags = listed(&params.all("tags")).map(Tag::new).collect::<Result<BTreeSet<_>, _>>();
        let tags_match = tags_match(params)?;
        let statuses = listed(&params.all("status")).map(str::parse).collect::<Result<_, _>>();
        let statuses = statuses.map_err(|error: UnknownStatus| invalid("status", error))?;
        let service_id = params.id("service_id")?;
        let resource_id = params.id("resource_id")?;
        let client_id = params.id("client_id")?;
        let title = TitleWords::parse(&params.text("q")?.unwrap_or_default())
            .map_err(|error| invalid("q", error))?;
        // A category or tag that no appointment can have is found nowhere; that is no error.
        let (Ok(category), Ok(tags)) = (category.transpose(), tags) else { return Ok(None) };
        let tags = Tags::try_from(tags).map_err(|error: TextError| invalid("tags", error))?;
        Ok(Some(SearchFilter {
            from,
            to,
            category,
            tags,
            tags_match,
            statuses,
            service_id,
            resource_id,
            client_id,
            title,
        }))
    }
}

fn tags_match(params: &mut Params) -> Result<TagsMatch, Problem> {
    match params.text("tags_match")?.as_deref() {
        None | Some("all") => Ok(TagsMatch::All),
        Some("any") => Ok(TagsMatch::Any),
        Some(_) => Err(invalid("tags_match", "it is any or all")),
    }
}

fn sort(params: &mut Params) -> Result<Sort, Problem> {
    match params.text("sort")?.as_deref() {
        None | Some("start") => Ok(Sort::StartAscending),
        Some("-start") => Ok(Sort::StartDescending),
        Some(_) => Err(invalid("sort", "it is start or -start")),
    }
}

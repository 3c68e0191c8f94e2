//! `GET /v1/appointments`

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::Uri;
use chrono::{DateTime, Utc};
use daybook_domain::appointment::Status;
use daybook_domain::{
    Category, ClientId, ResourceId, ResourceIds, ServiceId, Tag, Tags, TextError, Title,
};
use daybook_projections::Page;
use daybook_projections::appointments::Appointments;
use daybook_projections::search::{FoundAppointment, SearchFilter, Sort, TagsMatch, TitleWords};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::http::query::{invalid, one_of, query_params};
use crate::http::{Caller, Problem, Query, Read};
use crate::routes::as_of::AsOfParams;
use crate::routes::listing::{Bounds, Days, List, Listed, PageParams};
use crate::routes::problems::ReadProblems;
use crate::views::Times;
use crate::views::times::timed;

query_params! {
    /// The filters. All that are given must be met.
    pub(crate) struct AppointmentParams {
        /// Its category, however it is spelt: `cafe` finds `Café`.
        category: Option<String>,
        /// A tag, however it is spelt; given several times, several.
        tags: Vec<String>,
        /// Whether `any` or `all` of `tags` must be there; `all` where it is left out.
        tags_match: Option<TagsMatch>,
        /// A status; given several times, any of them will do.
        status: Vec<Status>,
        /// Of this service.
        service_id: Option<ServiceId>,
        /// One of its resources.
        resource_id: Option<ResourceId>,
        /// Of this client.
        client_id: Option<ClientId>,
        /// Words, all of which the title has: at least their beginnings, however they are spelt; one at least.
        q: Option<String>,
        /// `start` (earliest first, as where it is left out) or `-start`.
        sort: Option<Sort>,
        ..days: Days,
        ..page: PageParams,
        ..moment: AsOfParams,
    }
}

one_of!(TagsMatch { "any" => TagsMatch::Any, "all" => TagsMatch::All });
one_of!(Sort { "start_at" => Sort::StartAscending, "-start_at" => Sort::StartDescending });

/// An appointment, in a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppointmentSummary {
    id: Uuid,
    status: Status,
    version: u64,
    service_id: ServiceId,
    resource_ids: ResourceIds,
    client_id: ClientId,
    #[serde(flatten)]
    times: Times,
    title: Title,
    category: Category,
    tags: Tags,
    /// Until when it can be confirmed, where it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_expires_at: Option<DateTime<Utc>>,
}

timed!(AppointmentSummary);

impl From<FoundAppointment> for AppointmentSummary {
    fn from(found: FoundAppointment) -> Self {
        Self {
            id: found.appointment_id.uuid(),
            status: found.status,
            version: found.version,
            service_id: found.service_id,
            resource_ids: found.resource_ids,
            client_id: found.client_id,
            times: Times::of(&found.during),
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
    params(AppointmentParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page, by start", body = List<AppointmentSummary>),
              ReadProblems)
)]
pub(crate) async fn list_appointments(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    Query(asked): Query<AppointmentParams>,
) -> Result<Listed<AppointmentSummary>, Problem> {
    let AppointmentParams { page, .. } = &asked;
    let (sort, limit) = (asked.sort.unwrap_or(Sort::StartAscending), page.limit());
    let (cursor, as_of) = (page.cursor.as_ref(), (asked.moment.as_of, asked.days.tz));
    let reading = app.reading(&caller.tenant, as_of, page.fresh, Appointments::ID).await?;
    let filter = asked.filter(app.days(&caller.tenant, &asked.days).await?)?;
    let tenant = &caller.tenant;
    let none = Page { items: Vec::new(), next: None };
    let page = match (filter, reading.moment) {
        (None, _) => none,
        (Some(filter), None) => {
            let now = app.engine.clock().now();
            app.search.page(tenant, &filter, sort, cursor, limit, now).await?
        }
        (Some(filter), Some(moment)) => {
            app.history.page(tenant, (&filter, sort), cursor, limit, moment).await?
        }
    };
    let list = Listed::of(uri, reading.position, page, AppointmentSummary::from);
    Ok(list.shown_in(asked.days.tz))
}

impl AppointmentParams {
    /// The filter that it is; `None`: it asks for what no appointment can be.
    fn filter(&self, (from, to): Bounds) -> Result<Option<SearchFilter>, Problem> {
        let title = self.q.as_deref().map(TitleWords::parse).transpose();
        let title = title.map_err(|error| invalid("q", error))?.unwrap_or_default();
        let category = self.category.as_deref().map(Category::new).transpose();
        let tags = self.tags.iter().map(|tag| Tag::new(tag)).collect::<Result<BTreeSet<_>, _>>();
        // A category or tag that no appointment can have is found nowhere; that is no error.
        let (Ok(category), Ok(tags)) = (category, tags) else { return Ok(None) };
        let tags = Tags::try_from(tags).map_err(|error: TextError| invalid("tags", error))?;
        Ok(Some(SearchFilter {
            from,
            to,
            category,
            tags,
            tags_match: self.tags_match.unwrap_or(TagsMatch::All),
            statuses: self.status.clone(),
            service_id: self.service_id,
            resource_id: self.resource_id,
            client_id: self.client_id,
            title,
        }))
    }
}

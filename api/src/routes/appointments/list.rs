//! `GET /v1/appointments`

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::Uri;
use chrono::{DateTime, Utc};
use daybook_domain::appointment::Status;
use daybook_domain::{
    AppointmentId, Category, ClientId, Location, Metadata, Reference, ResourceId, ResourceIds,
    ServiceId, Tag, Tags, TextError, Title,
};
use daybook_projections::appointments::Appointments;
use daybook_projections::search::{FoundAppointment, SearchFilter, Sort, TagsMatch, TitleWords};
use daybook_projections::{Page, Recorded as By, RecordedOrder};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::http::query::{Several, invalid, one_of, query_params};
use crate::http::{Caller, Problem, Query, Within, auth};
use crate::routes::as_of::AsOfParams;
use crate::routes::expanding::{ExpandParams, Source};
use crate::routes::kept::KeptParams;
use crate::routes::listing::{
    Bounds, Days, List, Listed, PageParams, changed_since, recorded, since_goes_with_updated,
};
use crate::routes::problems::{BroadProblems, ReadProblems};
use crate::views::expanded::{Expanded, about};
use crate::views::times::timed;
use crate::views::{Recorded, Timed as _, Times, Titled};

query_params! {
    /// The filters. All that are given must be met.
    pub(crate) struct AppointmentParams {
        /// One of these appointments.
        ids: Several<AppointmentId>,
        /// Its category, or one of several, however they are spelt: `cafe` finds `Café`.
        category: Several<String>,
        /// A tag, however it is spelt; given several times, several.
        tags: Vec<String>,
        /// Whether `any` or `all` of `tags` must be there; `all` where it is left out.
        tags_match: Option<TagsMatch>,
        /// A status; given several times, any of them will do.
        status: Vec<Status>,
        /// Of this service, or of one of several.
        service_id: Several<ServiceId>,
        /// It has this resource, or one of several.
        resource_id: Several<ResourceId>,
        /// Of this client, or of one of several.
        client_id: Several<ClientId>,
        /// Words, all of which the title has: at least their beginnings, however they are spelt; one at least. A personal
        /// title is found by whole words, and by a key with the scope `personal` only.
        q: Option<TitleWords>,
        /// Its last event was recorded at this instant or later. The order is then that of the changes: what has been
        /// seen up to a change is not seen again.
        updated_since: Option<DateTime<Utc>>,
        /// `start_at` (earliest first, as where it is left out), `created_at` or `updated_at` (by when the first or the last event
        /// was recorded), or one of these with `-` before it: the latest first. With `as_of`, by start only.
        sort: Option<Order>,
        ..kept: KeptParams,
        ..days: Days,
        ..page: PageParams,
        ..moment: AsOfParams,
        ..expand: ExpandParams,
    }
}

one_of!(TagsMatch { "any" => TagsMatch::Any, "all" => TagsMatch::All });
one_of!(Order {
    "start_at" => Self::ByStart(Sort::StartAscending),
    "-start_at" => Self::ByStart(Sort::StartDescending),
    "created_at" => Self::Recorded(recorded(By::Created, false)),
    "-created_at" => Self::Recorded(recorded(By::Created, true)),
    "updated_at" => Self::Recorded(recorded(By::Updated, false)),
    "-updated_at" => Self::Recorded(recorded(By::Updated, true)),
});

/// In which order they are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    ByStart(Sort),
    Recorded(RecordedOrder),
}

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
    /// `withheld` for whoever has no key with the scope `personal`, where it is personal.
    title: Title,
    category: Category,
    tags: Tags,
    /// Where it takes place.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
    /// What your own system calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    /// What you keep with it; left out where there is nothing.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
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
            title: found.title.told(),
            category: found.category,
            tags: found.tags,
            location: found.location,
            reference: found.reference,
            metadata: found.metadata,
            hold_expires_at: found.hold_expires_at,
        }
    }
}

about!(AppointmentSummary);

/// List appointments
///
/// Pages stay in order while appointments are added: nothing is shown twice, and nothing is left
/// out that was there all the time. With `as_of`, as the list was then, holds that had lapsed included.
#[utoipa::path(
    get, path = "/v1/appointments", tag = "appointments",
    params(AppointmentParams),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "A page",
               body = List<Expanded<Recorded<AppointmentSummary>>>),
              ReadProblems, BroadProblems)
)]
pub(crate) async fn list_appointments(
    State(app): State<App>,
    caller: Caller<Within<auth::Appointments>>,
    uri: Uri,
    Query(asked): Query<AppointmentParams>,
) -> Result<Listed<Expanded<Recorded<AppointmentSummary>>>, Problem> {
    let AppointmentParams { page, .. } = &asked;
    asked.expand.is_for(&caller)?;
    let (order, limit) = (asked.order()?, page.limit());
    let (cursor, as_of) = (page.cursor.as_ref(), (asked.moment.as_of, asked.days.tz));
    let reading = app.reading(&caller.tenant, as_of, page.fresh, Appointments::ID).await?;
    let bounds = app.days(&caller.tenant, &asked.days).await?;
    let filter = asked.filter(bounds, &caller)?;
    let tenant = &caller.tenant;
    let none = Page { items: Vec::new(), next: None };
    let now = app.engine.clock().now();
    let mut found = match (filter, order, reading.moment) {
        (None, ..) => none,
        (Some(filter), Order::ByStart(sort), None) => {
            app.search.page(tenant, &filter, sort, cursor, limit, now).await?
        }
        (Some(filter), Order::ByStart(sort), Some(moment)) => {
            app.history.page(tenant, (&filter, sort), cursor, limit, moment).await?
        }
        (Some(filter), Order::Recorded(order), None) => {
            app.search.recorded(tenant, &filter, order, cursor, limit, now).await?
        }
        (Some(_), Order::Recorded(_), Some(_)) => {
            let why =
                "it is of lists as they are now, without as_of: with it, start_at or -start_at";
            return Err(invalid("sort", why));
        }
    };
    let titles = found.items.iter_mut();
    let titles = titles.map(|it| Titled::appointment(it.appointment_id, &mut it.title));
    app.open_titles(&caller, titles).await?;
    if asked.q.is_some() {
        // Whose title is not told is not found by it: they are restricted, or just being erased.
        found.items.retain(|it| it.title.reveal().is_some());
    }
    let items = found.items.into_iter().map(|found| {
        let times = (found.created_at, found.updated_at);
        Recorded::new(AppointmentSummary::from(found).shown_in(asked.days.tz), times)
    });
    let source = Source::of(reading.moment, page.fresh);
    let items = app.expand(tenant, items.collect(), &asked.expand, source).await?;
    Ok(Listed::of(uri, reading.position, Page { items, next: found.next }, |item| item))
}

impl AppointmentParams {
    fn order(&self) -> Result<Order, Problem> {
        let sort = match self.sort {
            Some(Order::ByStart(_)) if self.updated_since.is_some() => {
                return Err(since_goes_with_updated());
            }
            Some(by_start @ Order::ByStart(_)) => return Ok(by_start),
            Some(Order::Recorded(order)) => Some(order),
            None => None,
        };
        let order = changed_since(sort, self.updated_since)?;
        Ok(order.map_or(Order::ByStart(Sort::default()), Order::Recorded))
    }

    /// The filter that it is; `None`: it asks for what no appointment can be.
    fn filter<S>(
        &self,
        (from, to): Bounds,
        caller: &Caller<S>,
    ) -> Result<Option<SearchFilter>, Problem> {
        let title = self.q.clone().unwrap_or_default();
        let categories = self.category.iter().filter_map(|it| Category::new(it).ok());
        let categories: Vec<Category> = categories.collect();
        let tags = self.tags.iter().map(|tag| Tag::new(tag)).collect::<Result<BTreeSet<_>, _>>();
        // A category or tag that no appointment can have is found nowhere; that is no error.
        let Ok(tags) = tags else { return Ok(None) };
        if categories.is_empty() && !self.category.is_empty() {
            return Ok(None);
        }
        let tags = Tags::try_from(tags).map_err(|error: TextError| invalid("tags", error))?;
        Ok(Some(SearchFilter {
            from,
            to,
            ids: self.ids.to_vec(),
            categories,
            tags,
            tags_match: self.tags_match.unwrap_or(TagsMatch::All),
            statuses: self.status.clone(),
            service_ids: self.service_id.to_vec(),
            resource_ids: self.resource_id.to_vec(),
            client_ids: self.client_id.to_vec(),
            reference: self.kept.reference.clone(),
            metadata: self.kept.metadata.clone(),
            title,
            personal_titles: caller.has::<auth::Personal>(),
            within: caller.limits.clone(),
        }))
    }
}

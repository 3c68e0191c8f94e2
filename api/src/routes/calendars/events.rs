//! What a calendar feed has: appointments and sessions that take place, with what of them it tells.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use daybook_domain::client::Client;
use daybook_domain::resource::Resource;
use daybook_domain::service::Service;
use daybook_domain::session::SessionScheduled;
use daybook_domain::time::Interval;
use daybook_domain::{
    AppointmentId, Category, Location, Name, ResourceId, ResourceIds, SessionId, Tags, TenantId,
    Title, folded,
};
use daybook_ical::Span;
use daybook_projections::search::{SearchFilter, TagsMatch, TakesPlace};
use daybook_store::calendar_feeds::{Detail, FeedTerms};
use uuid::Uuid;

use crate::App;
use crate::http::Problem;
use crate::routes::expanding::Source;
use crate::routes::listing::Freshness;
use crate::views::{ClientView, ResourceView, Titled};

/// The most events of a feed: those that begin first.
pub(in crate::routes) const MAX_EVENTS: usize = 10_000;

/// From so many days ago to so many ahead.
pub(in crate::routes) const DAYS_BEHIND: TimeDelta = TimeDelta::days(31);
pub(in crate::routes) const DAYS_AHEAD: TimeDelta = TimeDelta::days(400);

/// Who and where is as the catalogue has it, or else the log.
pub(in crate::routes) const NOW: Source = Source::Catalogue(Freshness { min_position: None });

/// Something that takes place. It does not show itself: it may say who comes.
pub(in crate::routes) struct Event {
    /// The same for as long as there is the appointment or session, wherever it is told.
    pub(in crate::routes) id: Uuid,
    pub(in crate::routes) span: Span,
    /// How often it has changed, and when it did so last.
    pub(in crate::routes) sequence: u64,
    pub(in crate::routes) updated_at: DateTime<Utc>,
    pub(in crate::routes) is_held: bool,
    /// Whether it keeps nobody away.
    pub(in crate::routes) is_transparent: bool,
    pub(in crate::routes) title: Title,
    /// Who comes, where that is told.
    pub(in crate::routes) client: Option<Name>,
    pub(in crate::routes) location: Option<Location>,
    pub(in crate::routes) category: Category,
    pub(in crate::routes) tags: Tags,
    /// What else it is told by, and may change without it: its client, or the service of a session.
    pub(in crate::routes) told_by: Uuid,
}

/// What starts in some time: all of it, or these appointments and sessions.
#[derive(Clone, Copy)]
pub(in crate::routes) struct Part<'a> {
    pub(in crate::routes) during: Interval,
    pub(in crate::routes) these: Option<&'a [Uuid]>,
}

impl Part<'_> {
    pub(in crate::routes) const fn all(during: Interval) -> Self {
        Self { during, these: None }
    }
}

/// A session that takes place.
struct SessionOn {
    id: SessionId,
    plan: SessionScheduled,
    version: u64,
    updated_at: DateTime<Utc>,
    location: Option<Location>,
}

/// From whole days to whole days: what a feed has does not change from one request to the next, but once a day.
pub(in crate::routes) fn days(now: DateTime<Utc>) -> Option<Interval> {
    let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    Interval::new(today - DAYS_BEHIND, today + DAYS_AHEAD).ok()
}

impl App {
    /// What takes place of a part of what a feed is of: the first by their start. Whoever is in a session is not told
    /// apart, but to a client of whom it is.
    pub(in crate::routes) async fn calendar_events(
        &self,
        tenant: &TenantId,
        terms: &FeedTerms,
        part: Part<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Event>, Problem> {
        if part.these.is_some_and(<[Uuid]>::is_empty) {
            return Ok(Vec::new());
        }
        let these = part.these.into_iter().flatten();
        let is_a_clients = terms.limits.client_id.is_some();
        let filter = SearchFilter {
            from: Some(part.during.start()),
            to: Some(part.during.end()),
            ids: these.copied().map(AppointmentId::from).collect(),
            tags: terms.tags.clone(),
            tags_match: TagsMatch::All,
            within: terms.limits.clone(),
            ..SearchFilter::default()
        };
        let mut appointments =
            self.search.taking_place(tenant, &filter, is_a_clients, MAX_EVENTS, now).await?;
        let mut sessions =
            if is_a_clients { Vec::new() } else { self.sessions_on(tenant, terms, part).await? };
        if terms.detail == Detail::Busy {
            appointments.retain(|appointment| !appointment.is_transparent);
        }
        if terms.tells_personal() {
            let of_appointments = appointments.iter_mut();
            let of_appointments =
                of_appointments.map(|it| Titled::appointment(it.appointment_id, &mut it.title));
            let of_sessions = sessions.iter_mut();
            let of_sessions = of_sessions.map(|it| Titled::session(it.id, &mut it.plan.title));
            self.open_titles_of(tenant, of_appointments.chain(of_sessions)).await?;
        }
        let names = if terms.tells_personal() && !is_a_clients {
            self.names_of(tenant, &appointments).await?
        } else {
            BTreeMap::new()
        };
        let zones = self.zones_of(tenant, &appointments).await?;
        let appointments = appointments.into_iter().map(|it| of_appointment(it, &names, &zones));
        let mut events: Vec<Event> =
            appointments.chain(sessions.into_iter().map(of_session)).collect();
        events.sort_by_key(|event| (event.span.start, event.id));
        events.truncate(MAX_EVENTS);
        Ok(events)
    }

    /// The sessions of what a feed is of.
    async fn sessions_on(
        &self,
        tenant: &TenantId,
        terms: &FeedTerms,
        Part { during, these }: Part<'_>,
    ) -> Result<Vec<SessionOn>, Problem> {
        let resources = terms.limits.resource_ids.as_ref();
        let resources: Option<Vec<Uuid>> =
            resources.map(|ids| ids.iter().map(|id| id.uuid()).collect());
        let which = (these, resources.as_deref());
        let all = self.history.sessions_taking_place(tenant, during, which, MAX_EVENTS).await?;
        let ids = all.iter().filter_map(|version| Some(version.session.plan()?.service_id));
        let services = self.services_of(tenant, ids.collect()).await?;
        let sessions = all.into_iter().filter_map(|version| {
            let plan = version.session.plan()?.clone();
            let service = services.get(&plan.service_id).and_then(Option::as_ref);
            let given = service.and_then(Service::terms);
            let is_on = terms.limits.see_session(&plan, given) && has_all(&plan.tags, &terms.tags);
            is_on.then(|| SessionOn {
                id: version.session_id,
                plan,
                version: version.version,
                updated_at: version.recorded_at,
                location: given.and_then(|terms| terms.location.clone()),
            })
        });
        Ok(sessions.collect())
    }

    /// What clients are called, as far as it is told: of whom nothing is known any more, that.
    async fn names_of(
        &self,
        tenant: &TenantId,
        appointments: &[TakesPlace],
    ) -> Result<BTreeMap<Uuid, Name>, Problem> {
        let ids: BTreeSet<Uuid> = appointments.iter().map(|it| it.client_id.uuid()).collect();
        let clients = self.views::<Client>(tenant, ids, NOW, ClientView::without_notes).await?;
        let named =
            clients.into_iter().filter_map(|(id, client)| Some((id, client.name()?.clone())));
        Ok(named.collect())
    }

    /// The zone of each place.
    async fn zones_of(
        &self,
        tenant: &TenantId,
        appointments: &[TakesPlace],
    ) -> Result<BTreeMap<Uuid, Tz>, Problem> {
        let ids = appointments.iter().filter_map(|it| place(&it.resource_ids)).collect();
        let resources = self.views::<Resource>(tenant, ids, NOW, ResourceView::in_a_list).await?;
        Ok(resources.into_iter().map(|(id, resource)| (id, resource.time_zone())).collect())
    }
}

/// Whose clocks count: the first of the resources.
fn place(resources: &ResourceIds) -> Option<Uuid> {
    resources.iter().next().map(ResourceId::uuid)
}

fn has_all(tags: &Tags, wanted: &Tags) -> bool {
    let has = |wanted: &str| tags.iter().any(|tag| folded(tag.as_str()) == wanted);
    wanted.iter().all(|tag| has(&folded(tag.as_str())))
}

fn of_appointment(
    found: TakesPlace,
    names: &BTreeMap<Uuid, Name>,
    zones: &BTreeMap<Uuid, Tz>,
) -> Event {
    let zone = place(&found.resource_ids).and_then(|id| zones.get(&id).copied());
    let zone = zone.unwrap_or(Tz::UTC);
    Event {
        id: found.appointment_id.uuid(),
        span: Span { start: found.during.start(), end: found.during.end(), zone },
        sequence: found.version.saturating_sub(1),
        updated_at: found.updated_at,
        is_held: found.is_held,
        is_transparent: found.is_transparent,
        title: found.title.told(),
        client: names.get(&found.client_id.uuid()).cloned(),
        location: found.location,
        category: found.category,
        tags: found.tags,
        told_by: found.client_id.uuid(),
    }
}

fn of_session(on: SessionOn) -> Event {
    let SessionOn { id, plan, version, updated_at, location } = on;
    let during = plan.slot.during;
    Event {
        id: id.uuid(),
        span: Span { start: during.start(), end: during.end(), zone: plan.time_zone },
        sequence: version.saturating_sub(1),
        updated_at,
        is_held: false,
        is_transparent: false,
        title: plan.title.told(),
        client: None,
        location,
        category: plan.category,
        tags: plan.tags,
        told_by: plan.service_id.uuid(),
    }
}

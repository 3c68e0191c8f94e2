//! How a resource's calendar is shown.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::Status;
use daybook_domain::availability::Calendar;
use daybook_domain::resource::Resource;
use daybook_domain::time::{Interval, LocalDate};
use daybook_domain::{Category, ClientId, Name, ResourceIds, ServiceId, Tags, Title};
use daybook_projections::agenda::Entry;
use daybook_store::log::Moment;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::query::AgendaQuery;
use crate::App;
use crate::http::{Caller, Problem};
use crate::views::expanded::{About, Included};
use crate::views::{Times, Titled};

/// What is on a resource's calendar.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgendaView {
    pub(super) resource_id: Uuid,
    /// What the resource is called.
    name: Name,
    /// The zone of the days and of local times.
    #[schema(example = "Europe/Oslo")]
    pub(super) time_zone: Tz,
    pub(super) from: LocalDate,
    pub(super) to: LocalDate,
    /// The position of the log that it is of.
    position: u64,
    /// By which clock holds have lapsed.
    at: DateTime<Utc>,
    /// When the resource is open, appointments or not.
    pub(super) open: Vec<Times>,
    /// What has its time there, by start; also what began before, or ends after, these days.
    pub(super) items: Vec<AgendaItem>,
    /// When it is open and some place of it is free, buffers considered.
    free: Vec<Times>,
    /// Whether there is more than an agenda can show.
    more: bool,
    /// What the items are about, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) included: Option<Included>,
}

/// Something on a calendar.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum AgendaItem {
    /// An appointment; those in a session are counted there.
    Appointment(AppointmentItem),
    /// A session.
    Session(SessionItem),
}

/// When something is, in the agenda's zone, too.
#[derive(Serialize, ToSchema)]
struct BusyTimes {
    #[serde(flatten)]
    times: Times,
    /// The same with its buffers.
    busy_start_at: DateTime<Utc>,
    busy_end_at: DateTime<Utc>,
}

impl BusyTimes {
    fn new(zone: Tz, during: &Interval, busy: &Interval) -> Self {
        let (busy_start_at, busy_end_at) = (busy.start(), busy.end());
        Self { times: Times::in_zone(zone, during), busy_start_at, busy_end_at }
    }
}

/// An appointment on a calendar.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppointmentItem {
    id: Uuid,
    status: Status,
    version: u64,
    #[serde(flatten)]
    times: BusyTimes,
    service_id: ServiceId,
    resource_ids: ResourceIds,
    /// Which of the resource's places it has, from 0.
    place: u16,
    client_id: ClientId,
    /// `withheld` for whoever has no key with the scope `personal`, where it is personal.
    title: Title,
    category: Category,
    tags: Tags,
    /// Until when it can be confirmed, where it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_expires_at: Option<DateTime<Utc>>,
}

/// A session on a calendar.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionItem {
    id: Uuid,
    version: u64,
    #[serde(flatten)]
    times: BusyTimes,
    service_id: ServiceId,
    resource_ids: ResourceIds,
    /// `withheld` for whoever has no key with the scope `personal`, where it is personal.
    title: Title,
    category: Category,
    tags: Tags,
    /// How many clients have room.
    places: u16,
    /// How many of the places are taken.
    taken: usize,
}

impl About for AgendaItem {
    fn client_id(&self) -> Option<Uuid> {
        match self {
            Self::Appointment(item) => Some(item.client_id.uuid()),
            Self::Session(_) => None,
        }
    }

    fn service_id(&self) -> Uuid {
        match self {
            Self::Appointment(item) => item.service_id.uuid(),
            Self::Session(item) => item.service_id.uuid(),
        }
    }

    fn resource_ids(&self) -> &ResourceIds {
        match self {
            Self::Appointment(item) => &item.resource_ids,
            Self::Session(item) => &item.resource_ids,
        }
    }
}

impl AgendaItem {
    fn new(entry: Entry, query: &AgendaQuery, zone: Tz) -> Self {
        match entry {
            Entry::Appointment(version) => {
                let (found, placed) = (version.appointment, version.placed);
                let times = BusyTimes::new(zone, &found.during, &placed.busy);
                let n = found.resource_ids.iter().position(|id| id == query.resource_id);
                let place = n.and_then(|n| placed.seats.get(n).copied()).unwrap_or_default();
                Self::Appointment(AppointmentItem {
                    id: found.appointment_id.uuid(),
                    status: found.status,
                    version: found.version,
                    times,
                    service_id: found.service_id,
                    resource_ids: found.resource_ids,
                    place,
                    client_id: found.client_id,
                    title: found.title.told(),
                    category: found.category,
                    tags: found.tags,
                    hold_expires_at: found.hold_expires_at,
                })
            }
            Entry::Session { session_id, version, plan, taken } => Self::Session(SessionItem {
                id: session_id.uuid(),
                version,
                times: BusyTimes::new(zone, &plan.slot.during, &plan.slot.claimed()),
                service_id: plan.service_id,
                resource_ids: plan.slot.resource_ids,
                title: plan.title.told(),
                category: plan.category,
                tags: plan.tags,
                places: plan.places.get(),
                taken,
            }),
        }
    }

    pub(super) const fn id(&self) -> Uuid {
        match self {
            Self::Appointment(item) => item.id,
            Self::Session(item) => item.id,
        }
    }

    pub(super) const fn start(&self) -> DateTime<Utc> {
        match self {
            Self::Appointment(item) => item.times.times.start(),
            Self::Session(item) => item.times.times.start(),
        }
    }
}

fn titled(entry: &mut Entry) -> Titled<'_> {
    match entry {
        Entry::Appointment(version) => {
            let found = &mut version.appointment;
            Titled::appointment(found.appointment_id, &mut found.title)
        }
        Entry::Session { session_id, plan, .. } => Titled::session(*session_id, &mut plan.title),
    }
}

impl App {
    /// A resource's calendar as it was at a moment, with its hours as of a moment, or of now: these need
    /// no projection. `None`: there was no such resource.
    pub(super) async fn agenda_of<S>(
        &self,
        caller: &Caller<S>,
        query: &AgendaQuery,
        moment: Moment,
        hours_as_of: Option<Moment>,
    ) -> Result<Option<AgendaView>, Problem> {
        let (tenant, id) = (&caller.tenant, query.resource_id);
        let found = self.known::<Resource>(tenant, id.uuid(), hours_as_of).await?;
        let profile = found.as_ref().and_then(|found| found.state.profile());
        let Some(profile) = profile else { return Ok(None) };
        let time_zone = query.zone.unwrap_or(profile.time_zone);
        let mut view = AgendaView {
            resource_id: id.uuid(),
            name: profile.name.clone(),
            time_zone,
            from: query.from,
            to: query.to,
            position: moment.position.get(),
            at: moment.at,
            open: Vec::new(),
            items: Vec::new(),
            free: Vec::new(),
            more: false,
            included: None,
        };
        // A zone can skip a day altogether: there is no time in it.
        let Some(within) = query.within(time_zone) else { return Ok(Some(view)) };
        let mut on = self.agenda.of(tenant, id, within, moment).await?;
        self.open_titles(caller, on.entries.iter_mut().map(titled)).await?;
        let calendar = Calendar {
            resource: id,
            zone: profile.time_zone,
            hours: &profile.opening_hours,
            places: profile.capacity.places(),
            claims: &on.claims,
        };
        let periods = |all: Vec<Interval>| {
            all.iter().map(|interval| Times::in_zone(time_zone, interval)).collect()
        };
        view.open = periods(profile.opening_hours.open(profile.time_zone, within));
        view.free = periods(calendar.free(within));
        let items = on.entries.into_iter().map(|entry| AgendaItem::new(entry, query, time_zone));
        view.items = items.collect();
        view.more = on.more;
        Ok(Some(view))
    }
}

//! What calendars a key opens, and what is in them: what takes place, as calendar feeds have it, each event by itself.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::client::Client;
use daybook_domain::resource::Resource;
use daybook_domain::rights::Limits;
use daybook_domain::time::Interval;
use daybook_domain::{Name, ResourceId, Tags};
use daybook_projections::appointments::Appointments;
use daybook_projections::catalogue::Catalogue;
use daybook_store::Position;
use daybook_store::calendar_feeds::{Detail, FeedTerms};
use daybook_store::feed::Privacy;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::multistatus::Refused;
use super::time_off::TimeOff;
use super::{Asking, Place};
use crate::App;
use crate::http::Problem;
use crate::http::auth::{Credential, Personal, forbidden};
use crate::routes::calendars::events::{Event, MAX_EVENTS, NOW, Part, days};
use crate::routes::calendars::written;
use crate::views::{ClientView, ResourceView};

/// What events are, by themselves.
pub(super) const CONTENT_TYPE: &str = "text/calendar; charset=utf-8; component=VEVENT";

/// What the calendar of a client is called whose name is not told.
const UNNAMED: &str = "Appointments";

/// What a key opens.
pub(super) struct Opened<'a> {
    pub(super) app: &'a App,
    pub(super) caller: &'a Asking,
    /// Whose the calendars are: whoever has the key, or one that it replaces.
    pub(super) who: Uuid,
    of: Of,
    pub(super) now: DateTime<Utc>,
}

/// Of whom or what there are calendars.
enum Of {
    Resources(Vec<Uuid>),
    Client(Uuid),
}

/// A calendar, but for what is in it.
pub(super) struct Calendar {
    pub(super) id: Uuid,
    pub(super) name: String,
    /// Of its resource, where it is of one.
    pub(super) zone: Option<Tz>,
    /// Up to where what is told of it is known, at least.
    pub(super) position: Position,
    terms: FeedTerms,
}

/// Something that is in a calendar.
pub(super) struct Member {
    pub(super) id: Uuid,
    /// The number of its events.
    pub(super) version: u64,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    /// It is in the calendar for as long as this is within its days.
    pub(super) old_by: DateTime<Utc>,
    /// As iCalendar.
    pub(super) text: String,
    /// Of these bytes, with the quotes.
    pub(super) etag: String,
    /// What else it is told by, and may change without it.
    pub(super) told_by: Uuid,
    pub(super) kept: Kept,
}

/// Whether what is in a calendar keeps its resource or client from anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept {
    Busy,
    /// It is held.
    Tentatively,
    Free,
}

impl<'a> Opened<'a> {
    /// # Errors
    /// When the key is not one of resources, or of a client, and nothing else.
    pub(super) fn by(app: &'a App, caller: &'a Asking) -> Result<Self, Problem> {
        let Credential::Key(key) = &caller.credential else { return Err(not_of_calendars()) };
        let of = match &caller.limits {
            Limits {
                locations: None,
                resource_ids: Some(resources),
                categories: None,
                client_id: None,
                appointment_id: None,
            } => Of::Resources(resources.iter().map(|id| id.uuid()).collect()),
            Limits {
                locations: None,
                resource_ids: None,
                categories: None,
                client_id: Some(client),
                appointment_id: None,
            } => Of::Client(client.uuid()),
            _ => return Err(not_of_calendars()),
        };
        Ok(Self { app, caller, who: key.lineage, of, now: app.engine.clock().now() })
    }

    /// All of them.
    pub(super) async fn calendars(&self) -> Result<Vec<Calendar>, Refused> {
        match &self.of {
            Of::Resources(ids) => self.of_resources(ids).await,
            Of::Client(id) => Ok(vec![self.of_client(*id).await?]),
        }
    }

    /// One of them.
    pub(super) async fn calendar(&self, id: Uuid) -> Result<Option<Calendar>, Refused> {
        Ok(match &self.of {
            Of::Resources(ids) if ids.contains(&id) => self.of_resources(&[id]).await?.pop(),
            Of::Client(client) if *client == id => Some(self.of_client(id).await?),
            _ => None,
        })
    }

    /// Up to where all is known that calendars are told by.
    async fn position(&self) -> Result<Position, Refused> {
        let tenant = &self.caller.tenant;
        let places = self.app.progress.position(tenant, Appointments::ID).await?;
        let names = self.app.progress.position(tenant, Catalogue::ID).await?;
        Ok(places.min(names))
    }

    async fn of_resources(&self, ids: &[Uuid]) -> Result<Vec<Calendar>, Refused> {
        // Before anything is read: what is new meanwhile is told again.
        let position = self.position().await?;
        let (tenant, ids) = (&self.caller.tenant, ids.iter().copied().collect());
        let found = self.app.views::<Resource>(tenant, ids, NOW, ResourceView::in_a_list).await?;
        let calendars = found.into_iter().filter_map(|(id, resource)| {
            let this = vec![ResourceId::from(id)].try_into().ok()?;
            let limits = Limits { resource_ids: Some(this), ..Limits::default() };
            let (name, zone) = (Some(resource.name().clone()), Some(resource.time_zone()));
            Some(self.with_terms(id, zone, (name, limits), position))
        });
        Ok(calendars.collect())
    }

    async fn of_client(&self, id: Uuid) -> Result<Calendar, Refused> {
        let position = self.position().await?;
        let (tenant, ids) = (&self.caller.tenant, [id].into());
        let mut name = None;
        if self.caller.has::<Personal>() {
            let found = self.app.views::<Client>(tenant, ids, NOW, ClientView::without_notes);
            name = found.await?.get(&id).and_then(ClientView::name).cloned();
        }
        Ok(self.with_terms(id, None, (name, self.caller.limits.clone()), position))
    }

    fn with_terms(
        &self,
        id: Uuid,
        zone: Option<Tz>,
        (name, limits): (Option<Name>, Limits),
        position: Position,
    ) -> Calendar {
        let is_told = self.caller.has::<Personal>();
        let personal = if is_told { Privacy::Told } else { Privacy::Withheld };
        let called = name.as_ref().map_or(UNNAMED, Name::as_str).to_owned();
        let terms = FeedTerms {
            name: name.unwrap_or_else(Name::withheld),
            limits,
            tags: Tags::default(),
            detail: Detail::Full,
            personal,
        };
        Calendar { id, name: called, zone, position, terms }
    }

    /// From when to when what starts is in a calendar, and time off that has a part in it.
    pub(super) fn days(&self) -> Option<Interval> {
        days(self.now)
    }

    /// What is in a calendar, by start: of all its days, or of some of them.
    pub(super) async fn members(
        &self,
        calendar: &Calendar,
        some: Option<Interval>,
    ) -> Result<Vec<Member>, Refused> {
        let days = self.days();
        let days = match some {
            Some(some) => days.and_then(|days| days.intersection(&some)),
            None => days,
        };
        match days {
            Some(days) => self.taking_place(calendar, Part::all(days)).await,
            None => Ok(Vec::new()),
        }
    }

    /// Those of these that are in a calendar.
    pub(super) async fn these(
        &self,
        calendar: &Calendar,
        ids: &[Uuid],
    ) -> Result<Vec<Member>, Refused> {
        let Some(during) = self.days() else { return Ok(Vec::new()) };
        self.taking_place(calendar, Part { during, these: Some(ids) }).await
    }

    /// One of what is in a calendar.
    pub(super) async fn member(
        &self,
        calendar: &Calendar,
        id: Uuid,
    ) -> Result<Option<Member>, Refused> {
        Ok(self.these(calendar, &[id]).await?.pop())
    }

    /// One of the events that are in a calendar. Its time off is no such thing.
    pub(super) async fn event(
        &self,
        calendar: &Calendar,
        id: Uuid,
    ) -> Result<Option<Member>, Refused> {
        let Some(during) = self.days() else { return Ok(None) };
        Ok(self.events(calendar, Part { during, these: Some(&[id]) }).await?.pop())
    }

    async fn events(&self, calendar: &Calendar, part: Part<'_>) -> Result<Vec<Member>, Refused> {
        let (tenant, terms) = (&self.caller.tenant, &calendar.terms);
        let events = self.app.calendar_events(tenant, terms, part, self.now).await?;
        Ok(events.iter().map(Member::of).collect())
    }

    /// What starts in some time, and time off that has a part in it, whether a calendar has it today or not.
    pub(super) async fn taking_place(
        &self,
        calendar: &Calendar,
        part: Part<'_>,
    ) -> Result<Vec<Member>, Refused> {
        let mut members = self.events(calendar, part).await?;
        if let Some(off) = TimeOff::of(self, calendar).await? {
            let is_asked_for =
                |member: &Member| part.these.is_none_or(|ids| ids.contains(&member.id));
            members.extend(off.within(&part.during).filter(is_asked_for));
            members.sort_by_key(|member| (member.start, member.id));
            members.truncate(MAX_EVENTS);
        }
        Ok(members)
    }

    /// Where something is.
    pub(super) fn place_of(&self, calendar: Uuid, id: Uuid) -> Place {
        Place::Member { who: self.who, calendar, id }
    }
}

impl Member {
    fn of(event: &Event) -> Self {
        let text = written::alone(event);
        let version = event.sequence + 1;
        let etag = tag(version, &text);
        let (start, end) = (event.span.start, event.span.end);
        let kept = match event {
            Event { is_transparent: true, .. } => Kept::Free,
            Event { is_held: true, .. } => Kept::Tentatively,
            _ => Kept::Busy,
        };
        let (id, told_by) = (event.id, event.told_by);
        Self { id, version, start, end, old_by: start, text, etag, told_by, kept }
    }
}

/// What something is known by at a version, with these bytes.
pub(super) fn tag(version: u64, text: &str) -> String {
    let digest = short(&Sha256::digest(text.as_bytes()));
    format!("\"{version}-{digest}\"")
}

/// What changes when anything in a calendar does.
pub(super) fn ctag(members: &[Member]) -> String {
    let mut hasher = Sha256::new();
    for member in members {
        hasher.update(member.id.as_bytes());
        hasher.update(member.etag.as_bytes());
    }
    short(&hasher.finalize())
}

/// The first 64 bits of a digest.
pub(super) fn short(digest: &[u8]) -> String {
    let first = digest.first_chunk().copied().map_or(0, u64::from_be_bytes);
    format!("{first:016x}")
}

fn not_of_calendars() -> Problem {
    let title = "The key opens no calendar";
    let detail = "calendars are opened by a key with `limits` of `resource_ids`, or of a `client_id`, and of nothing else";
    forbidden("no-calendar-of-key", title, detail)
}

/// Something with a title, from then to then.
#[cfg(test)]
pub(super) fn member(start: DateTime<Utc>, end: DateTime<Utc>) -> Member {
    let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Check-up\\, long\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    Member {
        id: Uuid::nil(),
        version: 1,
        start,
        end,
        old_by: start,
        text: text.to_owned(),
        etag: String::new(),
        told_by: Uuid::nil(),
        kept: Kept::Busy,
    }
}

//! What the events of one UID come to.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::{Copied, Takes};
use daybook_domain::time::{Interval, day_bounds};
use daybook_domain::{Name, Tags, Title};
use daybook_ical::event::{Event, Status, Version};
use daybook_ical::series::{self, Occurrence, OccurrenceId, Span, Window};
use daybook_ical::{Calendar, Index, Method, Zones};

use super::category::{CategoryFrom, at_end_of};
use super::entry::{Entry, Person, Place, ToBook, Wanted};
use super::error::{PRIVATE, Refusal, RefusalReason, shown};
use super::file::Group;
use super::place::Location;
use super::texts;

/// The years that can be booked.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2199;

/// What an event that takes no time is shown with.
const MOMENT: TimeDelta = TimeDelta::minutes(1);

/// How a file is to be read: what it does not say itself.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The zone of whole days, and of times that name none, where the calendar names none either.
    pub time_zone: Tz,
    /// Up to when rules of recurrence are followed.
    pub horizon: DateTime<Utc>,
    /// From where the category of an event comes that names none. `None`: from nowhere.
    pub category_from: Option<CategoryFrom>,
    /// What a calendar is called that does not say so.
    pub calendar_name: Name,
}

impl Reading {
    /// The zones that times of a calendar can be in.
    pub(super) fn zones(&self, index: &Index, calendar: u32) -> Zones {
        let of_file = calendar_of(index, calendar).and_then(|of| of.time_zone.as_deref());
        index.zones.with_default(of_file, Some(self.time_zone))
    }
}

fn calendar_of(index: &Index, calendar: u32) -> Option<&Calendar> {
    index.calendars.get(usize::try_from(calendar).ok()?)
}

/// How the events of one calendar are understood.
pub(super) struct Meaning<'r> {
    reading: &'r Reading,
    /// The zone of whole days.
    time_zone: Tz,
    name: Name,
    method: Method,
}

impl<'r> Meaning<'r> {
    pub(super) fn new(reading: &'r Reading, index: &Index, calendar: u32) -> Self {
        let of = calendar_of(index, calendar);
        let name = of.and_then(|of| Name::new(of.name.as_deref()?).ok());
        let zone = reading.zones(index, calendar).shown_for_utc().iana();
        Self {
            reading,
            time_zone: zone.unwrap_or(reading.time_zone),
            name: name.unwrap_or_else(|| reading.calendar_name.clone()),
            method: of.map(|of| of.method).unwrap_or_default(),
        }
    }

    /// Adds what these events of one UID come to; how much was looked at for their rules.
    pub(super) fn of(&self, uid: Option<String>, events: &[&Event], group: &mut Group) -> u64 {
        let Some(uid) = uid else {
            let alone = events.iter().map(|event| self.add(&without_uid(event), &[event], group));
            return alone.sum();
        };
        let steps = self.add(&uid, events, group);
        let of_all = |event: &&&Event| event.replaces.is_none();
        if self.method == Method::Publish && events.iter().any(|event| of_all(&event)) {
            group.all_of = Some(uid);
        }
        steps
    }

    fn add(&self, uid: &str, events: &[&Event], group: &mut Group) -> u64 {
        let first = NaiveDate::from_ymd_opt(*YEARS.start(), 1, 1).unwrap_or_default();
        let window = Window { first, horizon: self.reading.horizon };
        let found = match series::occurrences(events, window) {
            Ok(found) => found,
            Err(fault) => {
                let event = events.iter().find(|event| event.replaces.is_none());
                let refusals = event.map(|event| refusal(event, fault.clone().into()));
                group.entries.extend(refusals.map(Err));
                return series::MAX_STEPS;
            }
        };
        group.goes_on |= found.goes_on;
        // A version of the series is one of each of its occurrences.
        let master = events.iter().filter(|event| event.replaces.is_none());
        let version = master.map(|event| event.version).max().unwrap_or_default();
        for occurrence in found.all {
            match self.entry(uid, version, &occurrence) {
                Ok(entry) => group.take(entry),
                Err(reason) => group.entries.push(Err(refusal(occurrence.event, reason))),
            }
        }
        found.steps
    }

    fn entry(
        &self,
        uid: &str,
        of_series: Version,
        occurrence: &Occurrence,
    ) -> Result<Entry, RefusalReason> {
        let event = occurrence.event;
        let wanted = if occurrence.is_cancelled || self.method == Method::Cancel {
            Wanted::Cancelled
        } else {
            Wanted::Booked(Box::new(self.to_book(occurrence)?))
        };
        Ok(Entry {
            uid: uid.to_owned(),
            occurrence: occurrence.id,
            line: event.line,
            shown: name_of(event),
            version: event.version.max(of_series),
            wanted,
        })
    }

    fn to_book(&self, occurrence: &Occurrence) -> Result<ToBook, RefusalReason> {
        let event = occurrence.event;
        let location = Location::of(event.location.as_deref().unwrap_or_default());
        let elsewhere = event.location.as_deref().filter(|_| location.says_more);
        let place = match location.place {
            Some(place) => Place::Named(place),
            None => Place::Calendar(self.name.clone()),
        };
        let (copied, time_zone) = self.time(occurrence, &place)?;
        let person = event.attendee.as_ref().and_then(Person::of);
        let description = event.description.as_deref().unwrap_or_default();
        // What the description says already need not be said again.
        let elsewhere = elsewhere.filter(|text| !description.contains(text)).unwrap_or_default();
        if event.is_private {
            let summary = event.summary.as_deref().unwrap_or_default();
            return Ok(ToBook {
                title: Title::new(PRIVATE).ok(),
                category: None,
                tags: Tags::default(),
                note: texts::note([summary, description, elsewhere])?,
                person,
                private: true,
                place,
                copied,
                time_zone,
            });
        }
        let categories = self.categories(event);
        let (category, tags) = match categories.split_first() {
            Some((first, others)) => (Some(texts::category(first)?), others),
            None => (None, &[][..]),
        };
        let summary = event.summary.as_deref().map(texts::title_of).transpose()?;
        let (title, whole) = summary.map_or((None, None), |(title, whole)| (Some(title), whole));
        Ok(ToBook {
            title,
            category,
            tags: texts::tags(tags.iter().copied(), event.status == Status::Tentative)?,
            note: texts::note([whole.unwrap_or_default(), description, elsewhere])?,
            person,
            private: false,
            place,
            copied,
            time_zone,
        })
    }

    /// The first is the category, the others are tags.
    fn categories<'e>(&self, event: &'e Event) -> Vec<&'e str> {
        if !event.categories.is_empty() {
            return event.categories.iter().map(String::as_str).collect();
        }
        let summary = event.summary.as_deref();
        match self.reading.category_from {
            Some(CategoryFrom::SummaryParentheses) => {
                summary.and_then(at_end_of).into_iter().collect()
            }
            None => Vec::new(),
        }
    }

    /// When it is, how it takes that time, and where it is shown.
    fn time(&self, occurrence: &Occurrence, place: &Place) -> Result<(Copied, Tz), RefusalReason> {
        let exclusive = match (place, &occurrence.span) {
            // A day is called something, and so may another one be there: it keeps bookings away, and no other event.
            (Place::Calendar(_), _) | (_, Some(Span::Days { .. })) => Takes::PlaceOrMore,
            (Place::Named(_), _) => Takes::Place,
        };
        let takes = if occurrence.event.takes_time { exclusive } else { Takes::Nothing };
        match &occurrence.span {
            Some(Span::Days { first, last }) => {
                in_calendar(first.year())?;
                in_calendar(last.year())?;
                let zone = self.time_zone;
                let none = || RefusalReason::NoSuchDays { time_zone: zone.name() };
                let during = day_bounds(zone, *first, *last).ok_or_else(none)?;
                Ok((Copied { during, takes }, zone))
            }
            Some(Span::Time { start, end, zone }) => {
                in_calendar(start.year())?;
                in_calendar(end.year())?;
                let zone = zone.iana().unwrap_or(self.time_zone);
                let (takes, end) =
                    if start == end { (Takes::Nothing, *start + MOMENT) } else { (takes, *end) };
                // Its end is after its start by now.
                let during =
                    Interval::new(*start, end).map_err(|_| out_of_calendar(start.year()))?;
                Ok((Copied { during, takes }, zone))
            }
            None => Err(out_of_calendar(*YEARS.end() + 1)),
        }
    }
}

pub(crate) fn in_calendar(year: i32) -> Result<(), RefusalReason> {
    if YEARS.contains(&year) { Ok(()) } else { Err(out_of_calendar(year)) }
}

const fn out_of_calendar(year: i32) -> RefusalReason {
    RefusalReason::OutOfCalendar { year }
}

fn name_of(event: &Event) -> String {
    shown(event.summary.as_deref(), event.is_private)
}

pub(super) fn refusal(event: &Event, reason: RefusalReason) -> Refusal {
    Refusal { line: event.line, shown: name_of(event), reason }
}

/// What stands for a UID that is missing: the same for the same event in every file. A control character
/// keeps it from being a UID that somebody wrote.
fn without_uid(event: &Event) -> String {
    let start = match &event.start {
        daybook_ical::Moment::Day(day) => day.to_string(),
        daybook_ical::Moment::Time(time) => time.instant.to_rfc3339(),
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    ["", &start, &text(&event.summary), &text(&event.location)].join("\u{1}")
}

/// For ids and tables: which occurrence an entry is, as text. Nothing, where it is no series.
impl Entry {
    #[must_use]
    pub fn occurrence_text(&self) -> String {
        match self.occurrence {
            None => String::new(),
            Some(OccurrenceId::Day(day)) => day.to_string(),
            Some(OccurrenceId::At(at)) => at.timestamp().to_string(),
        }
    }

    /// When the occurrence was to be, in UTC: midnight of a whole day.
    #[must_use]
    pub fn occurs_at(&self) -> Option<DateTime<Utc>> {
        self.occurrence.map(|occurrence| match occurrence {
            OccurrenceId::Day(day) => day.and_time(chrono::NaiveTime::MIN).and_utc(),
            OccurrenceId::At(at) => at,
        })
    }
}

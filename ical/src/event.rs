//! A VEVENT as what it says: who it is, when it is, how it recurs, and its texts.

mod recurrence;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::component::Component;
use crate::duration::Duration;
use crate::fault::Fault;
use crate::property::Property;
use crate::text::{excerpt, one_line};
use crate::time::{Form, Moment, read};
use crate::zone::Zones;

pub use recurrence::{Extra, Recurrence};

/// The properties that are read of an event; nobody minds what the others say.
pub(crate) const READ: [&str; 22] = [
    "UID",
    "RECURRENCE-ID",
    "SEQUENCE",
    "DTSTAMP",
    "LAST-MODIFIED",
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "EXRULE",
    "RDATE",
    "EXDATE",
    "STATUS",
    "TRANSP",
    "CLASS",
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "CATEGORIES",
    "X-MICROSOFT-CDO-BUSYSTATUS",
    "ORGANIZER",
    "ATTENDEE",
];

/// Those whose lines may be wrong, or too many, without a word.
pub(crate) const OPTIONAL: [&str; 2] = ["ORGANIZER", "ATTENDEE"];

/// After so many properties of an event, none of these is looked at.
pub(crate) const MAX_OPTIONAL: usize = 200;

/// Those of which there can be one (RFC 5545 §3.6.1), and of which it matters which.
const ONCE: [&str; 9] = [
    "UID",
    "RECURRENCE-ID",
    "DTSTART",
    "DTEND",
    "DURATION",
    "STATUS",
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
];

/// More categories than anybody keeps.
const MAX_CATEGORIES: usize = 1_000;

/// An event, as its file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where its `BEGIN:VEVENT` is in the file, counted from 1.
    pub line: u32,
    /// What its maker calls it, for ever and everywhere (RFC 5545 §3.8.4.7).
    pub uid: Option<String>,
    /// Which occurrences of the series `uid` it is instead of.
    pub replaces: Option<Replaces>,
    pub version: Version,
    pub start: Moment,
    pub length: Length,
    pub recurrence: Recurrence,
    pub status: Status,
    /// Whether it takes time, as its owner says (TRANSP).
    pub takes_time: bool,
    /// Whether its texts are for its owner alone (CLASS).
    pub is_private: bool,
    /// On one line.
    pub summary: Option<String>,
    /// With its line breaks.
    pub description: Option<String>,
    /// On one line.
    pub location: Option<String>,
    /// Each on one line, in the order of the file; a thousand at most.
    pub categories: Vec<String>,
    /// The one person whom it is with, where its file names one and no others (ATTENDEE).
    pub attendee: Option<Attendee>,
}

/// A person whom an event is with (RFC 5545 §3.8.4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    /// Their mail address, in lower case.
    pub address: String,
    /// What they are called (CN), on one line.
    pub name: Option<String>,
}

/// Which occurrences an event is instead of (RFC 5545 §3.8.4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// When the occurrence was to be.
    pub at: Moment,
    /// Whether it is instead of those after it, too (RANGE=THISANDFUTURE).
    pub and_future: bool,
}

/// Which of two events of one identity counts: the one of the later version (RFC 5546 §2.1.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// How many times its owner has changed it (SEQUENCE).
    pub sequence: u32,
    /// When it was written (DTSTAMP), else last changed (LAST-MODIFIED).
    pub stamp: Option<DateTime<Utc>>,
}

/// How long an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// It takes no time.
    None,
    /// So many whole days: one at least.
    Days(u32),
    /// Exactly so long, whatever clocks do.
    Exact(TimeDelta),
    /// So many days of the calendar, and then exactly so long.
    Calendar(Duration),
}

/// Whether an event takes place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Confirmed,
    Tentative,
    Cancelled,
}

/// An event that cannot be read, with what a person needs to find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Where its `BEGIN:VEVENT` is in the file, counted from 1.
    pub line: u32,
    pub uid: Option<String>,
    /// Its SUMMARY; shortened, and safe to print.
    pub summary: Option<String>,
    /// Whether its texts are for its owner alone (CLASS).
    pub is_private: bool,
    pub fault: Fault,
}

impl Event {
    /// Reads an event from the bytes of its component.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8], first_line: u32, zones: &Zones) -> Result<Self, Box<Unread>> {
        let component = Component::with(&READ, bytes, first_line);
        Self::of(&component, zones).map_err(|fault| {
            let text = |name| text(&component, name).filter(|text| !text.is_empty());
            Box::new(Unread {
                line: first_line,
                uid: text("UID"),
                summary: text("SUMMARY").map(|summary| excerpt(&one_line(&summary))),
                is_private: is_private(&component),
                fault,
            })
        })
    }

    fn of(component: &Component, zones: &Zones) -> Result<Self, Fault> {
        if let Some(fault) = component.faults.first() {
            return Err(fault.clone());
        }
        for name in ONCE {
            let mut all = component.all(name);
            let first = all.next();
            if all.any(|other| first.is_some_and(|first| first.value != other.value)) {
                return Err(Fault::Repeated { property: name.to_owned() });
            }
        }
        let line =
            |name| text(component, name).map(|text| one_line(&text)).filter(|t| !t.is_empty());
        let replaces = component.get("RECURRENCE-ID").map(|id| replaces(id, zones)).transpose()?;
        let value = |name| word(component, name);
        let status = match value("STATUS").as_str() {
            // Some spell it as Americans do.
            "CANCELLED" | "CANCELED" => Status::Cancelled,
            "TENTATIVE" => Status::Tentative,
            _ => Status::Confirmed,
        };
        let start = match component.get("DTSTART") {
            Some(start) => Moment::read(start, zones)?,
            // A cancellation need not say when it would have been (RFC 5546 §3.2.5).
            None if status == Status::Cancelled => {
                let at = replaces.as_ref().map(|replaces| replaces.at.clone());
                at.unwrap_or(Moment::Day(NaiveDate::default()))
            }
            None => return Err(Fault::NoStart),
        };
        Ok(Self {
            line: component.line,
            uid: text(component, "UID").map(|uid| uid.trim().to_owned()).filter(|t| !t.is_empty()),
            replaces,
            version: version(component),
            length: length(component, &start, zones)?,
            recurrence: recurrence::read(component, zones)?,
            status,
            takes_time: match value("TRANSP").as_str() {
                "TRANSPARENT" => false,
                "" => value("X-MICROSOFT-CDO-BUSYSTATUS") != "FREE",
                _ => true,
            },
            is_private: is_private(component),
            summary: line("SUMMARY"),
            description: text(component, "DESCRIPTION")
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty()),
            location: line("LOCATION"),
            categories: categories(component),
            attendee: attendee(component),
            start,
        })
    }
}

/// A value that is one of a few words, in capitals.
fn word(component: &Component, name: &str) -> String {
    component.get(name).map(|it| it.value.trim().to_ascii_uppercase()).unwrap_or_default()
}

/// Whoever does not know a class is to take it for PRIVATE (RFC 5545 §3.8.1.3).
fn is_private(component: &Component) -> bool {
    !matches!(word(component, "CLASS").as_str(), "" | "PUBLIC")
}

fn text(component: &Component, name: &str) -> Option<String> {
    component.get(name).map(Property::text)
}

fn categories(component: &Component) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for item in component.all("CATEGORIES").flat_map(Property::texts) {
        let item = one_line(&item);
        if !item.is_empty() && !found.contains(&item) {
            found.push(item);
        }
        if found.len() == MAX_CATEGORIES {
            break;
        }
    }
    found
}

/// Who is there but for whoever has made the event. Rooms and groups are nobody.
fn attendee(component: &Component) -> Option<Attendee> {
    let organizer = component.get("ORGANIZER").and_then(address);
    let is_person = |it: &&Property| {
        let kind = it.parameter("CUTYPE").unwrap_or("INDIVIDUAL").trim();
        kind.eq_ignore_ascii_case("INDIVIDUAL")
    };
    let people = component.all("ATTENDEE").filter(is_person);
    let mut people = people.filter_map(|it| Some((address(it)?, it)));
    let is_other = |address: &String| organizer.as_ref() != Some(address);
    let (address, first) = people.find(|(address, _)| is_other(address))?;
    if people.any(|(other, _)| is_other(&other) && other != address) {
        return None;
    }
    let name = first.parameter("CN").map(one_line).filter(|name| !name.is_empty());
    Some(Attendee { address, name })
}

/// The mail address that a property is.
fn address(property: &Property) -> Option<String> {
    let (scheme, address) = property.value.trim().split_once(':')?;
    let is_mail = scheme.eq_ignore_ascii_case("mailto") && !address.is_empty();
    is_mail.then(|| address.to_lowercase())
}

fn version(component: &Component) -> Version {
    let sequence = component.get("SEQUENCE").and_then(|it| it.value.trim().parse::<u32>().ok());
    let at = |name| match read(&component.get(name)?.value)? {
        Form::Utc(at) | Form::Local(at) => Some(at.and_utc()),
        Form::Day(day) => day.and_hms_opt(0, 0, 0).map(|at| at.and_utc()),
    };
    Version {
        sequence: sequence.unwrap_or(0),
        stamp: at("DTSTAMP").or_else(|| at("LAST-MODIFIED")),
    }
}

fn replaces(id: &Property, zones: &Zones) -> Result<Replaces, Fault> {
    let range = id.parameter("RANGE").map(str::trim);
    let and_future = range.is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
    Ok(Replaces { at: Moment::read(id, zones)?, and_future })
}

/// Where both are given, which RFC 5545 forbids, DTEND counts, as it does for those who write both.
fn length(component: &Component, start: &Moment, zones: &Zones) -> Result<Length, Fault> {
    if let Some(end) = component.get("DTEND") {
        // An end that names no zone is in the start's.
        let end = match start {
            Moment::Time(time) => Moment::read(end, &zones.floating_in(&time.zone)),
            Moment::Day(_) => Moment::read(end, zones),
        };
        return until(start, &end?).ok_or(Fault::EndNotAfterStart);
    }
    let Some(duration) = component.get("DURATION") else {
        return Ok(match start {
            Moment::Day(_) => Length::Days(1),
            Moment::Time(_) => Length::None,
        });
    };
    let bad = || Fault::BadDuration { value: excerpt(duration.value.trim()) };
    lasting(start, Duration::parse(&duration.value).ok_or_else(bad)?)
}

/// From a start to an end. `None`: the end is before the start.
fn until(start: &Moment, end: &Moment) -> Option<Length> {
    match (start, end) {
        (Moment::Day(first), end) => {
            // An end within a day takes that day, too.
            let into_day = matches!(end, Moment::Time(time) if time.local.time() != midnight());
            let days = (end.date() - *first).num_days() + i64::from(into_day);
            // Many write a day that ends on the day it begins.
            u32::try_from(days).ok().map(|days| Length::Days(days.max(1)))
        }
        (Moment::Time(start), Moment::Day(day)) => {
            let end = start.zone.instant(day.and_time(midnight()));
            exact(end - start.instant)
        }
        (Moment::Time(start), Moment::Time(end)) => {
            // A start that clocks jump over is later than it is written, and its end may be not.
            let written = end.local - start.local;
            let same_zone =
                start.zone == end.zone && start.zone.local(start.instant) != start.local;
            exact(if same_zone { written } else { end.instant - start.instant })
        }
    }
}

fn midnight() -> chrono::NaiveTime {
    chrono::NaiveTime::MIN
}

fn exact(length: TimeDelta) -> Option<Length> {
    match length.cmp(&TimeDelta::zero()) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal => Some(Length::None),
        std::cmp::Ordering::Greater => Some(Length::Exact(length)),
    }
}

fn lasting(start: &Moment, duration: Duration) -> Result<Length, Fault> {
    let all = duration.nominal();
    if all < TimeDelta::zero() {
        return Err(Fault::EndNotAfterStart);
    }
    Ok(match start {
        Moment::Day(_) => {
            let days = all.num_days() + i64::from(all > TimeDelta::days(all.num_days()));
            Length::Days(u32::try_from(days).unwrap_or(u32::MAX).max(1))
        }
        Moment::Time(_) if all.is_zero() => Length::None,
        Moment::Time(_) if duration.days.is_zero() => Length::Exact(duration.exact),
        Moment::Time(_) => Length::Calendar(duration),
    })
}

/// The first and last day of an event of whole days.
#[must_use]
pub fn last_day(first: NaiveDate, days: u32) -> Option<NaiveDate> {
    first.checked_add_days(chrono::Days::new(u64::from(days.max(1)) - 1))
}

//! The sample calendar, read a second time and differently: what the tests expect is counted from the
//! file, not from what the program made of it.
//!
//! It reads just what is in that one file, and fails on everything else.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// The sample calendar.
pub(crate) struct CalendarFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) sessions: Vec<Session>,
}

/// A VEVENT of it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) summary: String,
    /// The first of its categories, or the words in the last parentheses of the summary.
    pub(crate) category: String,
    /// Its other categories.
    pub(crate) tags: Vec<String>,
    pub(crate) location: String,
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
}

impl CalendarFile {
    /// The 61 sessions of a made-up conference.
    pub(crate) fn of_the_conference() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/conference.ics");
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("the tests need {}: {error}", path.display()));
        let sessions = sessions(&text);
        Self { path, text, sessions }
    }
}

fn sessions(text: &str) -> Vec<Session> {
    let unfolded = text.replace("\r\n ", "").replace("\r\n", "\n");
    let events = unfolded.split("BEGIN:VEVENT\n").skip(1);
    events.map(|event| session(event.split("END:VEVENT").next().unwrap())).collect()
}

fn session(event: &str) -> Session {
    let found = |name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix([':', ';']))
    };
    let value = |name| found(name).unwrap_or_else(|| panic!("no {name} in {event}"));
    let text = |name| value(name).replace("\\,", ",").replace("\\;", ";").replace("\\n", " ");
    let time = |value: &str| {
        let (zone, local) = value.strip_prefix("TZID=").unwrap().split_once(':').unwrap();
        let local = NaiveDateTime::parse_from_str(local, "%Y%m%dT%H%M%S").unwrap();
        zone.parse::<Tz>().unwrap().from_local_datetime(&local).unwrap().to_utc()
    };
    let start = time(value("DTSTART"));
    let end = found("DTEND").map_or_else(|| start + hours_and_minutes(value("DURATION")), time);
    let summary = text("SUMMARY");
    let at_its_end = || summary.strip_suffix(')')?.rsplit_once('(').map(|(_, category)| category);
    let categories = found("CATEGORIES").or_else(at_its_end);
    let mut categories = categories.unwrap_or_else(|| panic!("no category: {event}")).split(',');
    let category = categories.next().unwrap().to_owned();
    let tags = categories.map(str::to_owned).collect();
    Session { category, tags, location: text("LOCATION"), start, end, summary }
}

/// `PT1H45M`.
fn hours_and_minutes(duration: &str) -> TimeDelta {
    let (hours, minutes) =
        duration.strip_prefix("PT").unwrap().strip_suffix('M').unwrap().split_once('H').unwrap();
    TimeDelta::hours(hours.parse().unwrap()) + TimeDelta::minutes(minutes.parse().unwrap())
}

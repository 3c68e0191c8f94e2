//! The sample calendar, read a second time and differently: what the tests expect is counted from the
//! file, not from what the program made of it.
//!
//! It reads just what is in that one file, and fails on everything else.

use std::env;
use std::fs;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDateTime, TimeZone as _, Utc};
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
    /// The words in the last parentheses of the summary.
    pub(crate) category: String,
    pub(crate) location: String,
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
}

impl CalendarFile {
    /// The 113 sessions of a conference, in the folder `shared` beside the workspace.
    pub(crate) fn of_the_conference() -> Self {
        let workspace =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
        let path = workspace.parent().unwrap().join("shared/data/railsconf-2017.ics");
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("the tests need {}: {error}", path.display()));
        let sessions = sessions(&text);
        Self { path, text, sessions }
    }
}

fn sessions(text: &str) -> Vec<Session> {
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "");
    let events = unfolded.split("BEGIN:VEVENT\n").skip(1);
    events.map(|event| session(event.split("END:VEVENT").next().unwrap())).collect()
}

fn session(event: &str) -> Session {
    let value = |name: &str| {
        let line = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix([':', ';']));
        line.unwrap_or_else(|| panic!("no {name} in {event}"))
    };
    let text = |name| value(name).replace("\\,", ",").replace("\\;", ";").replace("\\n", " ");
    let time = |name| {
        let (zone, local) = value(name).strip_prefix("TZID=").unwrap().split_once(':').unwrap();
        let local = NaiveDateTime::parse_from_str(local, "%Y%m%dT%H%M%S").unwrap();
        zone.parse::<Tz>().unwrap().from_local_datetime(&local).unwrap().to_utc()
    };
    let summary = text("SUMMARY");
    let category = summary.trim_end().strip_suffix(')').and_then(|s| s.rsplit_once('('));
    let category = category.unwrap_or_else(|| panic!("no category in {summary}")).1.to_owned();
    let location = text("LOCATION");
    Session { category, location, start: time("DTSTART"), end: time("DTEND"), summary }
}

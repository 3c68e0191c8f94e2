//! The sample of the repository, a made-up conference; and any calendar files that somebody has.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use chrono_tz::America::Denver;

use super::*;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data")
}

fn programme() -> Vec<CalendarEvent> {
    let file = samples().join("conference.ics");
    let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let events = read(&bytes, None).expect("the sample is sound").events;
    events.into_iter().collect::<Result<_, _>>().expect("every event can be booked")
}

#[test]
fn every_event_of_the_programme_can_be_booked() {
    let events = programme();
    assert_eq!(events.len(), 61);
    assert!(events.iter().all(|event| event.time_zone == Denver));
    assert!(events.iter().all(|event| event.summary.is_some() && event.location.is_some()));
}

#[test]
fn the_programme_has_its_categories_tags_and_halls() {
    let events = programme();
    let of = |name| events.iter().filter(|e| e.category.as_deref() == Some(name)).count();
    // Of the panels and social events, three name their category only at the end of the summary.
    assert_eq!((of("Workshop"), of("Talk"), of("Panel"), of("Social")), (5, 35, 3, 2));
    let categories: BTreeSet<_> = events.iter().filter_map(|e| e.category.as_deref()).collect();
    assert_eq!(categories.len(), 7);
    let halls: BTreeSet<_> = events.iter().filter_map(|e| e.location.as_deref()).collect();
    assert_eq!(halls, ["Garden Hall", "Great Hall", "River Hall"].into());
    let tags: BTreeSet<_> = events.iter().flat_map(|e| &e.tags).map(String::as_str).collect();
    assert_eq!(tags, ["Beginners", "Hands-on", "Recorded"].into());
}

#[test]
fn an_event_of_the_programme_has_its_text_and_its_times() {
    let events = programme();
    let event = events
        .iter()
        .find(|event| event.uid == "6cae5112-34f8-5b8f-b491-ed774bd0d596")
        .expect("the first workshop");
    assert_eq!(event.line, 130);
    assert_eq!(event.category.as_deref(), Some("Workshop"));
    assert_eq!(event.title(), Some("Draw your own week"));
    let description = "Paper, ruler, three colours. Bring nothing; leave with a week.";
    assert_eq!(event.description.as_deref(), Some(description));
    assert_eq!(event.location.as_deref(), Some("River Hall"));
    assert_eq!(event.start.to_rfc3339(), "2027-06-08T19:30:00+00:00");
    assert_eq!(event.end.to_rfc3339(), "2027-06-08T21:15:00+00:00");
}

/// The repository's samples, or those of the folder that `DAYBOOK_CALENDAR_FILES` names: large ones,
/// and real ones, which are not ours to publish.
fn calendar_files() -> Vec<PathBuf> {
    let folder = env::var_os("DAYBOOK_CALENDAR_FILES").map_or_else(samples, PathBuf::from);
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.map(|entry| entry.expect("an entry of the folder").path());
    let files: Vec<_> = files.filter(|file| file.extension().is_some_and(|e| e == "ics")).collect();
    assert!(!files.is_empty(), "{} has no file *.ics", folder.display());
    files
}

#[test]
fn a_calendar_file_is_read_whole_and_no_part_of_it_passes_for_the_whole() {
    for file in calendar_files() {
        let shown = file.display();
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{shown}: {error}"));
        let calendar = read(&bytes, None).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert!(!calendar.events.is_empty(), "{shown}");
        // At the same number of places however large it is, and at odd distances from them.
        let whole = bytes.trim_ascii_end().len();
        for cut in (0..whole).step_by((whole / 150) | 1) {
            assert!(read(&bytes[..cut], None).is_err(), "{shown}: cut at byte {cut}");
        }
    }
}

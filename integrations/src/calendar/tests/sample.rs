//! The sample of the repository, a made-up conference; and any calendar files that somebody has.

use daybook_domain::{Note, Personal};
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use chrono_tz::America::Denver;

use super::*;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data")
}

fn programme() -> Vec<ToBook> {
    let file = samples().join("conference.ics");
    let text =
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let by_rule = Reading { category_from: Some(CategoryFrom::SummaryParentheses), ..reading() };
    let entries = groups(&text, &by_rule).into_iter().flat_map(|group| group.entries);
    let to_book =
        |entry: Result<Entry, Refusal>| match entry.expect("every event can be booked").wanted {
            Wanted::Booked(to_book) => *to_book,
            Wanted::Cancelled => panic!("none is cancelled"),
        };
    entries.map(to_book).collect()
}

#[test]
fn every_event_of_the_programme_can_be_booked() {
    let events = programme();
    assert_eq!(events.len(), 61);
    assert!(events.iter().all(|event| event.time_zone == Denver));
    assert!(events.iter().all(|event| event.title.is_some()));
}

#[test]
fn the_programme_has_its_categories_tags_and_halls() {
    let events = programme();
    let category = |event: &ToBook| event.category.as_ref().map(|c| c.as_str().to_owned());
    let of = |name: &str| events.iter().filter(|e| category(e).as_deref() == Some(name)).count();
    // Of the panels and social events, three name their category only at the end of the summary.
    assert_eq!((of("Workshop"), of("Talk"), of("Panel"), of("Social")), (5, 35, 3, 2));
    let categories: BTreeSet<_> = events.iter().filter_map(category).collect();
    assert_eq!(categories.len(), 7);
    let halls: BTreeSet<_> = events.iter().map(|e| e.place.name().as_str()).collect();
    assert_eq!(halls, ["Garden Hall", "Great Hall", "River Hall"].into());
    let tags: BTreeSet<_> =
        events.iter().flat_map(|e| e.tags.iter()).map(daybook_domain::Tag::as_str).collect();
    assert_eq!(tags, ["Beginners", "Hands-on", "Recorded"].into());
}

#[test]
fn an_event_of_the_programme_has_its_text_and_its_times() {
    let events = programme();
    let title = |e: &&ToBook| e.title.as_ref().is_some_and(|t| t.as_str() == "Draw your own week");
    let event = events.iter().find(title).expect("the first workshop");
    assert_eq!(event.category.as_ref().map(daybook_domain::Category::as_str), Some("Workshop"));
    let description = "Paper, ruler, three colours. Bring nothing; leave with a week.";
    assert_eq!(event.note.as_ref().and_then(Personal::reveal).map(Note::as_str), Some(description));
    assert_eq!(event.place.name().as_str(), "River Hall");
    let during = event.copied.during;
    assert_eq!(during.start().to_rfc3339(), "2027-06-08T19:30:00+00:00");
    assert_eq!(during.end().to_rfc3339(), "2027-06-08T21:15:00+00:00");
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
        let open = |bytes: &[u8]| CalendarFile::open(Cursor::new(bytes.to_vec()));
        let calendar = open(&bytes).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert!(calendar.event_count() > 0, "{shown}");
        // At the same number of places however large it is, and at odd distances from them.
        let whole = bytes.trim_ascii_end().len();
        for cut in (0..whole).step_by((whole / 150) | 1) {
            assert!(open(&bytes[..cut]).is_err(), "{shown}: cut at byte {cut}");
        }
    }
}

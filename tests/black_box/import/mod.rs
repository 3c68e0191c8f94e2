//! `daybook import`: a conference, booked into its rooms and found again.
//!
//! * `meaning`: what single events come to. `again`: sources that are imported again and again.
//! * `files`: folders, tables, standard input, dry runs. `over_http`: the same over HTTP.
//! * `outage`: a database that goes away meanwhile.

mod again;
mod files;
mod meaning;
mod outage;
mod over_http;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Api, CalendarFile, Finished, Server, Session, a_tenant, eventually};

/// A tenant into which a calendar is imported while the server runs.
struct Importer {
    tenant: String,
    api: Api,
    folder: TempDir,
}

fn an_importer() -> Importer {
    let server = Server::shared();
    let tenant = a_tenant();
    let api = server.api(Some(server.database.key(&tenant, "read")));
    Importer { tenant, api, folder: tempfile::tempdir().unwrap() }
}

impl Importer {
    fn file(&self, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join("calendar.ics");
        fs::write(&path, content).unwrap();
        path
    }

    fn imports(&self, content: impl AsRef<[u8]>) -> Finished {
        self.imports_with(content, &[])
    }

    fn imports_with(&self, content: impl AsRef<[u8]>, options: &[&str]) -> Finished {
        Server::shared().database.import(&self.file(content.as_ref()), &self.tenant, options)
    }

    /// All that is there once there is so much: titles and starts, those that are cancelled apart.
    fn standing(&self, count: usize) -> Vec<(String, String)> {
        eventually("the list is up to date", || {
            let found = self.found("status=booked");
            let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
            let all = found.iter().map(|item| (text(item, "title"), text(item, "start_at")));
            Some(all.collect::<Vec<_>>()).filter(|all| all.len() == count)
        })
    }

    fn found(&self, query: &str) -> Vec<Value> {
        self.api.found(&format!("{query}&limit=50"))
    }

    /// These names are in one list of the catalogue, once it is up to date, and no others.
    #[track_caller]
    fn names_are(&self, path: &str, expected: &BTreeSet<String>) {
        eventually(&format!("{path} has {expected:?}"), || {
            let list = self.api.get(&format!("{path}?limit=100")).send().is(200);
            let items = list["items"].as_array().unwrap();
            let names = items.iter().map(|item| item["name"].as_str().unwrap().to_owned());
            (names.collect::<BTreeSet<_>>() == *expected).then_some(())
        });
    }

    /// These are there, once the list is up to date, and no others.
    #[track_caller]
    fn stands(&self, expected: &[(String, String)]) {
        let mut last = Vec::new();
        for _ in 0..200 {
            last = self.standing(expected.len());
            if last == expected {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{last:?} is not {expected:?}");
    }

    fn has_nothing(&self) {
        for path in ["/v1/appointments", "/v1/services", "/v1/resources"] {
            let list = self.api.get(path).send().is(200);
            assert!(list["items"].as_array().unwrap().is_empty(), "{path}: {list}");
        }
    }
}

/// Start, end and category: what must be equal. The title is compared by `is_title_of`.
fn key(appointment: &Value) -> (DateTime<Utc>, DateTime<Utc>, String) {
    let time = |name: &str| appointment[name].as_str().unwrap().parse().unwrap();
    (time("start_at"), time("end_at"), appointment["category"].as_str().unwrap().to_owned())
}

#[track_caller]
fn are_the_sessions(query: &str, found: &[Value], expected: &[&Session]) {
    let mut found: Vec<_> = found.iter().map(|a| (key(a), a["title"].as_str().unwrap())).collect();
    let mut expected: Vec<_> =
        expected.iter().map(|s| ((s.start, s.end, s.category.clone()), &*s.summary)).collect();
    found.sort();
    expected.sort();
    assert_eq!(found.len(), expected.len(), "{query}");
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.0, expected.0, "{query}");
        assert!(expected.1.starts_with(found.1), "{query}: {} is not {}", found.1, expected.1);
    }
}

#[test]
fn a_conference_is_booked_once_and_found_by_day_category_and_zone() {
    let file = CalendarFile::of_the_conference();
    assert_eq!(file.sessions.len(), 61);
    let importer = an_importer();
    let database = &Server::shared().database;
    let by_rule = ["--category-from", "summary-parentheses"];
    let first = database.import(&file.path, &importer.tenant, &by_rule);
    assert_eq!(first.last_line(), "booked 61, already there 0, refused 0", "{first:#?}");
    first.succeeded();
    let second = database.import(&file.path, &importer.tenant, &by_rule);
    assert_eq!(second.last_line(), "booked 0, already there 61, refused 0", "{second:#?}");
    second.succeeded();
    eventually("the read model has all", || (importer.found("").len() >= 61).then_some(()));

    // The README's question, word for word.
    let path = "/v1/appointments?from=2027-06-09&to=2027-06-09&category=Workshop&tz=America/Denver";
    let workshops = importer.api.get(path).send().is(200);
    let day = |session: &Session, zone: Tz| session.start.with_timezone(&zone).date_naive();
    let date = |day| NaiveDate::from_ymd_opt(2027, 6, day).unwrap();
    let of_the_9th =
        |s: &&Session| day(s, Tz::America__Denver) == date(9) && s.category == "Workshop";
    let expected: Vec<_> = file.sessions.iter().filter(of_the_9th).collect();
    assert!(expected.len() > 1, "the file has workshops on that day");
    are_the_sessions(path, workshops["items"].as_array().unwrap(), &expected);

    let categories: BTreeSet<&str> = file.sessions.iter().map(|s| &*s.category).collect();
    for zone in [Tz::America__Denver, Tz::UTC, Tz::Asia__Tokyo] {
        for (from, to) in [(8, 8), (9, 9), (10, 10), (9, 11), (7, 7)] {
            let days = format!("from={}&to={}&tz={zone}", date(from), date(to));
            let in_days = |s: &&Session| (date(from)..=date(to)).contains(&day(s, zone));
            let expected: Vec<_> = file.sessions.iter().filter(in_days).collect();
            are_the_sessions(&days, &importer.found(&days), &expected);
            for category in ["Workshop", "Talk", "Social"] {
                let query = format!("{days}&category={category}");
                let of = |s: &&&Session| s.category == category;
                let expected: Vec<_> = expected.iter().filter(of).copied().collect();
                are_the_sessions(&query, &importer.found(&query), &expected);
            }
        }
    }
    for category in categories {
        let query = format!("category={}", category.replace(' ', "%20"));
        let of = |s: &&Session| s.category == category;
        let expected: Vec<_> = file.sessions.iter().filter(of).collect();
        are_the_sessions(&query, &importer.found(&query), &expected);
    }
    let recorded = |s: &&Session| s.tags.iter().any(|tag| tag == "Recorded");
    let expected: Vec<_> = file.sessions.iter().filter(recorded).collect();
    are_the_sessions("tags=Recorded", &importer.found("tags=Recorded"), &expected);
    assert!(importer.found("category=Nowhere").is_empty());
    are_its_rooms_and_categories(&importer, &file);
}

/// A service per category, a resource per location.
fn are_its_rooms_and_categories(importer: &Importer, file: &CalendarFile) {
    let of = |part: fn(&Session) -> &String| -> BTreeSet<String> {
        file.sessions.iter().map(part).cloned().collect()
    };
    importer.names_are("/v1/services", &of(|session| &session.category));
    importer.names_are("/v1/resources", &of(|session| &session.location));
}

#[test]
fn a_file_that_is_cut_off_is_a_clear_error_and_books_nothing() {
    let importer = an_importer();
    let text = CalendarFile::of_the_conference().text;
    let last_end = text.rfind("END:VCALENDAR").unwrap();
    let between = text[..text.len() / 2].rfind("BEGIN:VEVENT").unwrap();
    for length in [text.len() / 2, between, last_end, last_end + 5, 100] {
        let complaint = importer.imports(&text[..length]).failed();
        assert!(!complaint.trim().is_empty());
        importer.has_nothing();
    }
}

#[test]
fn what_is_not_a_calendar_is_a_clear_error_and_books_nothing() {
    let importer = an_importer();
    let deep = "BEGIN:VCALENDAR\r\n".repeat(50_000);
    for content in [
        &b""[..],
        b"Dear all, the meeting is at nine.\n",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Nobody\r\nEND:VCARD\r\n",
        b"{\"events\": []}",
        deep.as_bytes(),
    ] {
        let complaint = importer.imports(content).failed();
        assert!(complaint.contains("calendar.ics"), "it names the file: {complaint}");
        importer.has_nothing();
    }
    let missing = importer.folder.path().join("missing.ics");
    let complaint = Server::shared().database.import(&missing, &importer.tenant, &[]).failed();
    assert!(complaint.contains("missing.ics"), "{complaint}");
}

/// A calendar of these events: summary, start and end.
fn a_calendar(events: &[(&str, &str, &str)]) -> String {
    let event = |(number, (summary, start, end)): (usize, &(&str, &str, &str))| {
        format!(
            "BEGIN:VEVENT\r\nUID:event-{number}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:{summary}\r\n\
             DTSTART:{start}\r\nDTEND:{end}\r\nLOCATION:Hall\r\nEND:VEVENT\r\n"
        )
    };
    let events: Vec<String> = events.iter().enumerate().map(event).collect();
    let head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n";
    format!("{head}{}END:VCALENDAR\r\n", events.concat())
}

#[test]
fn an_event_that_cannot_be_booked_is_listed_with_its_reason_and_the_others_are_booked() {
    let importer = an_importer();
    let calendar = a_calendar(&[
        ("Opening (Talk)", "20260601T090000Z", "20260601T100000Z"),
        ("In its way (Talk)", "20260601T093000Z", "20260601T103000Z"),
        ("Ends first (Talk)", "20260601T120000Z", "20260601T110000Z"),
        ("Closing (Talk)", "20260601T160000Z", "20260601T170000Z"),
    ]);
    let done = importer.imports(&calendar);
    assert_eq!(done.last_line(), "booked 2, already there 0, refused 2", "{done:#?}");
    let said = format!("{}{}", done.stdout, done.stderr);
    for refused in ["In its way", "Ends first"] {
        assert!(said.contains(refused), "{refused}: {said}");
    }
    // The place by its name, and when it is taken.
    assert!(
        said.contains("Hall is taken from 2026-06-01 09:00 to 2026-06-01 10:00 (UTC)"),
        "{said}"
    );
    assert!(done.failed().contains("2 were refused"));
    let found =
        eventually("both are there", || Some(importer.found("")).filter(|found| found.len() >= 2));
    let titles: Vec<_> = found.iter().map(|a| a["title"].as_str().unwrap()).collect();
    assert_eq!(titles.len(), 2);
    assert!(titles[0].starts_with("Opening") && titles[1].starts_with("Closing"), "{titles:?}");

    let again = importer.imports(&calendar);
    assert_eq!(again.last_line(), "booked 0, already there 2, refused 2", "{again:#?}");
    importer.imports_with(&calendar, &["--allow-refusals"]).succeeded();
}

#[test]
fn what_was_added_to_a_calendar_is_booked_by_the_next_import() {
    let importer = an_importer();
    let events = [
        ("Opening (Talk)", "20260601T090000Z", "20260601T100000Z"),
        // Later than the hall was open so far, and of a new category.
        ("Dinner (Social)", "20260601T190000Z", "20260601T220000Z"),
    ];
    let first = importer.imports(a_calendar(&events[..1]));
    assert_eq!(first.last_line(), "booked 1, already there 0, refused 0", "{first:#?}");
    let second = importer.imports(a_calendar(&events));
    assert_eq!(second.last_line(), "booked 1, already there 1, refused 0", "{second:#?}");
}

#[test]
fn categories_of_the_file_become_category_and_tags() {
    let importer = an_importer();
    let calendar = a_calendar(&[("Opening (Talk)", "20260601T090000Z", "20260601T100000Z")]);
    let calendar = calendar.replace("LOCATION", "CATEGORIES:Keynote,Recorded\r\nLOCATION");
    importer.imports(calendar).succeeded();
    let found = eventually("it is there", || importer.found("tags=Recorded").pop());
    assert_eq!(found["category"], "Keynote");
    assert_eq!(importer.found("category=Keynote").len(), 1);
}

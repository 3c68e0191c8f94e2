//! A source that is imported again and again: what has changed there since is changed, and what was changed here
//! is left.

use serde_json::json;

use super::*;

/// A calendar of these events: UID, SEQUENCE, and what else they have.
fn versions(events: &[(&str, u32, &str)]) -> String {
    let event = |(uid, sequence, lines): &(&str, u32, &str)| {
        format!(
            "BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260901T080000Z\nSEQUENCE:{sequence}\nLOCATION:Room 10\n{}\nEND:VEVENT\n",
            lines.trim_end()
        )
    };
    let all: String = events.iter().map(event).collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{all}END:VCALENDAR\n")
        .replace('\n', "\r\n")
}

const EIGHT: &str = "DTSTART:20270614T080000Z\nDTEND:20270614T090000Z\nSUMMARY:Visit";
const TEN: &str = "DTSTART:20270614T100000Z\nDTEND:20270614T110000Z\nSUMMARY:Visit";
const TWELVE: &str = "DTSTART:20270614T120000Z\nDTEND:20270614T130000Z\nSUMMARY:Old title";

fn pair(title: &str, start: &str) -> (String, String) {
    (title.to_owned(), start.to_owned())
}

#[test]
fn what_has_moved_was_renamed_or_cancelled_since_is_moved_renamed_and_cancelled() {
    let importer = an_importer();
    importer.imports(versions(&[("m1", 0, EIGHT), ("m2", 0, TEN), ("m3", 0, TWELVE)])).succeeded();
    let before = importer.standing(3);
    assert_eq!(before[0], pair("Visit", "2027-06-14T08:00:00Z"));
    let ids: BTreeSet<String> =
        importer.found("").iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    let after = versions(&[
        ("m1", 1, "DTSTART:20270615T080000Z\nDTEND:20270615T100000Z\nSUMMARY:Visit"),
        ("m2", 1, &format!("{TEN}\nSTATUS:CANCELLED")),
        ("m3", 1, &TWELVE.replace("Old", "New")),
    ]);
    let tried = importer.imports_with(&after, &["--dry-run"]);
    let said = tried.succeeded();
    for line in [
        "would be moved: line 4: Visit: Room 10, from 2027-06-15 08:00 to 2027-06-15 10:00 (UTC)",
        "would be cancelled: line 13: Visit: it does not take place any longer",
        "would be changed: line 23: New title: Room 10, from 2027-06-14 12:00 to 2027-06-14 13:00 (UTC)",
    ] {
        assert!(said.lines().any(|found| found == line), "{line}: {said}");
    }
    assert_eq!(importer.standing(3), before, "nothing has happened");

    let done = importer.imports(&after);
    let counts = "booked 0, moved 1, changed 1, cancelled 1, already there 0, refused 0";
    assert_eq!(done.last_line(), counts, "{done:#?}");
    let expected =
        [pair("New title", "2027-06-14T12:00:00Z"), pair("Visit", "2027-06-15T08:00:00Z")];
    importer.stands(&expected);
    let found = importer.found("");
    let same: BTreeSet<String> =
        found.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(same, ids, "they are the same appointments");
    let visit = found.iter().find(|it| it["start_at"] == "2027-06-15T08:00:00Z").unwrap();
    assert_eq!(visit["end_at"], "2027-06-15T10:00:00Z", "it has the length that it has there");

    let again = importer.imports(&after);
    assert_eq!(again.last_line(), "booked 0, already there 3, refused 0", "{again:#?}");
    let old = importer.imports(versions(&[("m1", 0, EIGHT)]));
    assert_eq!(
        old.last_line(),
        "booked 0, already there 1, refused 0",
        "an older version: {old:#?}"
    );
    importer.stands(&expected);
}

#[test]
fn of_two_versions_in_one_file_the_later_counts() {
    let importer = an_importer();
    let cancelled = format!("{EIGHT}\nSTATUS:CANCELLED");
    let done = importer.imports(versions(&[
        ("a", 0, EIGHT),
        ("a", 1, &cancelled),
        ("b", 3, TEN),
        ("b", 2, TWELVE),
    ]));
    let counts = "booked 1, already there 0, not taking place 1, refused 0";
    assert_eq!(done.last_line(), counts, "{done:#?}");
    assert_eq!(importer.standing(1), [pair("Visit", "2027-06-14T10:00:00Z")]);
}

#[test]
fn a_message_that_cancels_cancels_and_what_takes_place_again_is_booked_again() {
    let importer = an_importer();
    importer.imports(versions(&[("a", 0, EIGHT)])).succeeded();
    importer.standing(1);
    let cancel = versions(&[("a", 1, EIGHT)]).replace("VERSION", "METHOD:CANCEL\r\nVERSION");
    let done = importer.imports(&cancel);
    assert_eq!(done.last_line(), "booked 0, cancelled 1, already there 0, refused 0", "{done:#?}");
    importer.standing(0);
    assert_eq!(importer.imports(&cancel).last_line(), "booked 0, already there 1, refused 0");
    let request = versions(&[("a", 2, EIGHT)]).replace("VERSION", "METHOD:REQUEST\r\nVERSION");
    let done = importer.imports(&request);
    assert_eq!(done.last_line(), "booked 1, already there 0, refused 0", "{done:#?}");
    importer.standing(1);
}

#[test]
fn what_was_changed_here_meanwhile_is_left_and_told() {
    let importer = an_importer();
    importer.imports(versions(&[("a", 0, EIGHT), ("b", 0, TEN)])).succeeded();
    let id = |start: &str| {
        let found = importer.found("");
        found.iter().find(|it| it["start_at"] == start).unwrap()["id"].as_str().unwrap().to_owned()
    };
    importer.standing(2);
    let server = Server::shared();
    let desk = server.api(Some(server.database.key(&importer.tenant, "manage")));
    let path = format!("/v1/appointments/{}/reschedule", id("2027-06-14T08:00:00Z"));
    desk.post(&path, &json!({"start_at": "2027-06-20T08:00:00Z"})).send().is(200);
    let moved = EIGHT.replace("20270614", "20270616");
    let done =
        importer.imports(versions(&[("a", 1, &moved), ("b", 1, &TEN.replace("Visit", "Fitting"))]));
    let counts = "booked 0, changed 1, already there 0, left as changed here 1, refused 0";
    assert_eq!(done.last_line(), counts, "{done:#?}");
    let told = "left: line 4: Visit: it has changed in its calendar, and was changed here since: it is left as it is";
    assert!(done.succeeded().lines().any(|line| line == told));
    let expected = [pair("Fitting", "2027-06-14T10:00:00Z"), pair("Visit", "2027-06-20T08:00:00Z")];
    importer.stands(&expected);
}

#[test]
fn an_occurrence_that_its_series_no_longer_has_is_cancelled() {
    let importer = an_importer();
    let series = |count: u32, more: &str| {
        format!(
            "DTSTART;TZID=Europe/Berlin:20270308T090000\nDURATION:PT1H\nSUMMARY:Visit\nRRULE:FREQ=WEEKLY;COUNT={count}\n{more}"
        )
    };
    importer.imports(versions(&[("s", 0, &series(4, ""))])).succeeded();
    importer.standing(4);
    let exdate = "EXDATE;TZID=Europe/Berlin:20270315T090000";
    let done = importer.imports(versions(&[("s", 1, &series(3, exdate))]));
    assert_eq!(done.last_line(), "booked 0, cancelled 2, already there 2, refused 0", "{done:#?}");
    let expected = [pair("Visit", "2027-03-08T08:00:00Z"), pair("Visit", "2027-03-22T08:00:00Z")];
    importer.stands(&expected);
    // A message about one occurrence says nothing of the others.
    let one =
        "RECURRENCE-ID:20270322T080000Z\nDTSTART:20270323T080000Z\nDURATION:PT1H\nSUMMARY:Visit";
    let done = importer.imports(versions(&[("s", 2, one)]));
    assert_eq!(done.last_line(), "booked 0, moved 1, already there 0, refused 0", "{done:#?}");
    importer.standing(2);
}

#[test]
fn two_that_change_places_do() {
    let importer = an_importer();
    importer.imports(versions(&[("a", 0, EIGHT), ("b", 0, TEN)])).succeeded();
    let away = EIGHT.replace("20270614", "20270617");
    let done =
        importer.imports(versions(&[("b", 1, &EIGHT.replace("Visit", "Second")), ("a", 1, &away)]));
    assert_eq!(done.last_line(), "booked 0, moved 2, already there 0, refused 0", "{done:#?}");
    let expected = [pair("Second", "2027-06-14T08:00:00Z"), pair("Visit", "2027-06-17T08:00:00Z")];
    importer.stands(&expected);
}

#[test]
fn the_same_uid_of_two_sources_is_two_events() {
    let importer = an_importer();
    let invitation = versions(&[("a", 0, EIGHT)]).replace("LOCATION:Room 10\r\n", "");
    for person in ["Chair 1", "Chair 2"] {
        let done = importer.imports_with(&invitation, &["--resource", person]);
        assert_eq!(done.last_line(), "booked 1, already there 0, refused 0", "{done:#?}");
    }
    importer.standing(2);
    let done = importer.imports_with(&invitation, &["--resource", "Chair 1"]);
    assert_eq!(done.last_line(), "booked 0, already there 1, refused 0", "{done:#?}");
    let named = importer.imports_with(&invitation, &["--resource", "Chair 1", "--source", "new"]);
    assert_eq!(named.last_line(), "booked 1, already there 0, refused 0", "{named:#?}");
}

#[test]
fn the_log_of_what_imports_have_done_is_whole() {
    let importer = an_importer();
    let transparent = format!("{TWELVE}\nTRANSP:TRANSPARENT");
    importer.imports(versions(&[("a", 0, EIGHT), ("b", 0, &transparent)])).succeeded();
    importer
        .imports(versions(&[("a", 1, &TEN.replace("LOCATION:Room 10", "")), ("b", 1, TWELVE)]))
        .succeeded();
    let verify = Server::shared().database.run(&["verify", "--tenant", &importer.tenant]);
    verify.succeeded();
}

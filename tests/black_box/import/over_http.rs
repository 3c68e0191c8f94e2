//! `POST /v1/imports`: the same as the subcommand, with a report that is kept.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::harness::within;

/// More than is looked at within the time that an answer waits.
const SERIES: u32 = 40;
const OCCURRENCES: u32 = 300;

fn manager(importer: &Importer) -> Api {
    let server = Server::shared();
    server.api(Some(server.database.key(&importer.tenant, "manage")))
}

fn two_that_overlap() -> String {
    a_calendar(&[
        ("Opening", "20260601T090000Z", "20260601T100000Z"),
        ("In its way", "20260601T093000Z", "20260601T103000Z"),
    ])
}

#[test]
fn a_calendar_is_imported_and_its_report_is_kept() {
    let importer = an_importer();
    let api = manager(&importer);
    let sent = api.request("POST", "/v1/imports").body("text/calendar", two_that_overlap()).send();
    let report = sent.is(201);
    let path = sent.header("location").unwrap().to_owned();
    assert_eq!(path, format!("/v1/imports/{}", report["id"].as_str().unwrap()));
    assert_eq!(
        (&report["status"], &report["events"], &report["done"]),
        (&json!("finished"), &json!(2), &json!(2))
    );
    assert_eq!((&report["counts"]["booked"], &report["counts"]["refused"]), (&json!(1), &json!(1)));
    let refused = json!([{
        "outcome": "refused", "line": 12, "event": "In its way",
        "message": "Hall is taken from 2026-06-01 09:00 to 2026-06-01 10:00 (UTC)",
    }]);
    assert_eq!(report["outcomes"], refused);
    assert_eq!(importer.api.get(&path).send().is(200), report);
    importer.standing(1);
    // As the subcommand has it.
    let again = importer.imports(two_that_overlap());
    assert_eq!(again.last_line(), "booked 0, already there 1, refused 1", "{again:#?}");
    let other = an_importer();
    other.api.get(&path).send().is_refused(404, "not-found");
}

#[test]
fn a_form_with_a_file_is_a_calendar_too() {
    let importer = an_importer();
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\nHere it is\r\n\
         --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.ics\"\r\n\
         Content-Type: text/calendar\r\n\r\n{}\r\n--x--\r\n",
        a_calendar(&[("Opening", "20260601T090000Z", "20260601T100000Z")])
    );
    let api = manager(&importer);
    let path = "/v1/imports?resource=Chair%201&source=week";
    let report =
        api.request("POST", path).body("multipart/form-data; boundary=x", form).send().is(201);
    assert_eq!(report["counts"]["booked"], 1, "{report}");
    let empty = "--x\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\nNone\r\n--x--\r\n";
    let sent = api.request("POST", path).body("multipart/form-data; boundary=x", empty).send();
    sent.is_refused(400, "invalid-query");
}

#[test]
fn what_cannot_be_imported_says_why_and_books_nothing() {
    let importer = an_importer();
    let api = manager(&importer);
    let send =
        |path: &str, kind: &str, body: &str| api.request("POST", path).body(kind, body).send();
    let calendar = two_that_overlap();
    let cut = send("/v1/imports", "text/calendar", &calendar[..90]);
    let problem = cut.is_refused(422, "not-a-calendar");
    assert!(problem["detail"].as_str().unwrap().contains("truncated"), "{problem}");
    send("/v1/imports", "application/json", "{}").is_refused(415, "unsupported-media-type");
    for (query, parameter) in [
        ("resource=00000000-0000-0000-0000-000000000001", "resource"),
        ("category_from=summary", "category_from"),
        ("tz=Mars/Base", "tz"),
        ("dry_run=perhaps", "dry_run"),
    ] {
        let path = format!("/v1/imports?{query}");
        let answer = send(&path, "text/calendar", &calendar);
        assert_eq!(answer.status, 400, "{answer:#?}");
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(parameter)
                || answer.json()["parameter"] == parameter,
            "{answer:#?}"
        );
    }
    let books = Server::shared().api(Some(Server::shared().database.key(&importer.tenant, "book")));
    let answer = books.request("POST", "/v1/imports").body("text/calendar", &*calendar).send();
    answer.is_refused(403, "insufficient-scope");
    importer.has_nothing();
}

#[test]
fn a_dry_run_is_answered_with_what_would_happen() {
    let importer = an_importer();
    let api = manager(&importer);
    let path = "/v1/imports?dry_run=true";
    let tried = api.request("POST", path).body("text/calendar", two_that_overlap()).send();
    let report = tried.is(200);
    let outcomes: Vec<&str> = report["outcomes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["booked", "refused"], "{report}");
    let path = format!("/v1/imports/{}", report["id"].as_str().unwrap());
    api.get(&path).send().is_refused(404, "not-found");
    importer.has_nothing();
}

#[test]
fn a_dry_run_that_takes_long_has_a_report_as_an_import_has() {
    let importer = an_importer();
    let api = manager(&importer);
    let daily = |n: u32| {
        format!(
            "BEGIN:VEVENT\r\nUID:{n}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Daily\r\nLOCATION:Room {n}\r\n\
             DTSTART:20260601T090000Z\r\nDURATION:PT30M\r\nRRULE:FREQ=DAILY;COUNT={OCCURRENCES}\r\nEND:VEVENT\r\n"
        )
    };
    let daily: String = (0..SERIES).map(daily).collect();
    let calendar = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{daily}END:VCALENDAR\r\n");
    let send = |path: &str, calendar: String| {
        let request = api.request("POST", path).header("idempotency-key", "next-year");
        request.body("text/calendar", calendar).send()
    };
    let begun = send("/v1/imports?dry_run=true", calendar);
    assert_eq!(begun.is(201)["status"], "running");
    let path = begun.header("location").unwrap().to_owned();
    let report = within(Duration::from_mins(5), "the dry run is done", || {
        Some(api.get(&path).send().is(200)).filter(|report| report["status"] != "running")
    });
    assert_eq!((&report["status"], &report["dry_run"]), (&json!("finished"), &json!(true)));
    assert_eq!(report["counts"]["booked"], SERIES * OCCURRENCES, "{}", report["counts"]);
    importer.has_nothing();
    // With the same key it is still another one that books.
    let books = send("/v1/imports", two_that_overlap()).is(201);
    assert_ne!(books["id"], report["id"]);
    assert_eq!(books["dry_run"], false);
}

#[test]
fn sent_again_with_its_key_it_is_the_same_import() {
    let importer = an_importer();
    let api = manager(&importer);
    let send = || {
        let request = api.request("POST", "/v1/imports").header("idempotency-key", "week-23");
        request.body("text/calendar", two_that_overlap()).send().is(201)
    };
    let first = send();
    assert_eq!(send(), first);
}

//! `POST /v1/imports`: the same as the subcommand, with a report that is kept.

use serde_json::json;

use super::*;

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
fn what_is_not_waited_for_goes_on_and_has_a_report() {
    let importer = an_importer();
    let api = manager(&importer);
    let send = |path: &str, prefer: &str| {
        let request = api.request("POST", path).header("idempotency-key", "next-year");
        request.header("prefer", prefer).body("text/calendar", two_that_overlap()).send()
    };
    let done = |path: &str| {
        eventually("it is done", || {
            Some(api.get(path).send().is(200)).filter(|report| report["status"] != "running")
        })
    };
    let begun = send("/v1/imports?dry_run=true", "return=minimal, Respond-Async; x=1");
    let running = begun.is(201);
    assert_eq!((&running["dry_run"], &running["events"]), (&json!(true), &json!(2)));
    let report = done(begun.header("location").unwrap());
    assert_eq!((&report["status"], &report["dry_run"]), (&json!("finished"), &json!(true)));
    assert_eq!(report["counts"]["booked"], 1, "{report}");
    assert_eq!(report["started_at"], running["started_at"]);
    importer.has_nothing();
    // A dry run leaves no answer to its key.
    let books = send("/v1/imports", "respond-async");
    assert_eq!(books.is(201)["dry_run"], false);
    assert_eq!(done(books.header("location").unwrap())["counts"]["booked"], 1);
    importer.standing(1);
}

#[test]
fn sent_again_with_its_key_it_is_the_same_import_and_no_other_has_it() {
    let importer = an_importer();
    let api = manager(&importer);
    let send = |path: &str, calendar: String| {
        let request = api.request("POST", path).header("idempotency-key", "week-23");
        request.body("text/calendar", calendar).send()
    };
    let first = send("/v1/imports", two_that_overlap());
    let again = send("/v1/imports", two_that_overlap());
    assert_eq!(again.is(201), first.is(201));
    let replayed = [&first, &again].map(|answer| answer.header("idempotent-replayed").is_some());
    assert_eq!(replayed, [false, true]);
    let other = a_calendar(&[("Other", "20260602T090000Z", "20260602T100000Z")]);
    send("/v1/imports", other).is_refused(422, "idempotency-key-reused");
    send("/v1/imports?source=other", two_that_overlap()).is_refused(422, "idempotency-key-reused");
    importer.standing(1);
}

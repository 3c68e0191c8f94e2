//! What events of other programs come to.

use serde_json::json;

use super::*;
use crate::harness::utc;

/// A calendar of these events, each with what all of them have.
fn events(events: &[(&str, &str)]) -> String {
    let event = |(uid, lines): &(&str, &str)| {
        format!(
            "BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260101T000000Z\n{}\nEND:VEVENT\n",
            lines.trim_end()
        )
    };
    let all: String = events.iter().map(event).collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{all}END:VCALENDAR\n")
        .replace('\n', "\r\n")
}

const NINE: &str = "DTSTART:20270601T090000Z\nDTEND:20270601T100000Z";

fn at_nine(lines: &str) -> String {
    format!("{NINE}\n{lines}")
}

fn booked(done: &Finished, count: usize) {
    assert_eq!(
        done.last_line(),
        format!("booked {count}, already there 0, refused 0"),
        "{done:#?}"
    );
}

#[test]
fn a_series_is_booked_in_local_time_with_what_was_moved_and_left_out() {
    let importer = an_importer();
    let weekly = "DTSTART;TZID=W. Europe Standard Time:20270308T090000\nDURATION:PT1H\nSUMMARY:Visit\n\
                  LOCATION:Room 1\nRRULE:FREQ=WEEKLY;COUNT=5\nEXDATE;TZID=Europe/Berlin:20270322T090000";
    let moved = "RECURRENCE-ID;TZID=/citadel.org/2026_1/Europe/Berlin:20270329T090000\n\
                 DTSTART;TZID=europe/berlin:20270329T140000\nDURATION:PT1H\nSUMMARY:Moved\nLOCATION:Room 1";
    let calendar = events(&[("a", weekly), ("a", moved)]);
    booked(&importer.imports(&calendar), 4);
    let found = importer.standing(4);
    let starts: Vec<_> = found.iter().map(|(title, start)| format!("{title} {start}")).collect();
    assert_eq!(
        starts,
        [
            "Visit 2027-03-08T08:00:00Z",
            "Visit 2027-03-15T08:00:00Z",
            "Moved 2027-03-29T12:00:00Z",
            "Visit 2027-04-05T07:00:00Z",
        ]
    );
}

#[test]
fn an_endless_series_is_followed_as_far_as_the_tenant_says_and_further_by_the_next_import() {
    let importer = an_importer();
    let database = &Server::shared().database;
    let set = |days| database.run(&["tenant", "set", &importer.tenant, "--import-days", days]);
    let numbers = |said: &str| -> Vec<usize> {
        said.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
    };
    set("7").succeeded();
    let today = DateTime::<Utc>::from(std::time::SystemTime::now()).format("%Y%m%d");
    let daily = format!(
        "DTSTART;VALUE=DATE:{today}\nRRULE:FREQ=DAILY\nSUMMARY:Opening\nTRANSP:TRANSPARENT"
    );
    let first = importer.imports(events(&[("a", &daily)]));
    assert!(first.stdout.contains("1 series go on after"), "{first:#?}");
    let booked = numbers(first.last_line())[0];
    assert!((6..=8).contains(&booked), "{first:#?}");
    set("30").succeeded();
    let second = importer.imports(events(&[("a", &daily)]));
    let said = second.last_line().to_owned();
    let numbers = numbers(&said);
    assert!((20..=24).contains(&numbers[0]) && (6..=9).contains(&numbers[1]), "{said}");
}

#[test]
fn whole_days_take_the_local_days_and_what_is_transparent_takes_no_time() {
    let importer = an_importer();
    let calendar = events(&[
        (
            "a",
            "DTSTART;VALUE=DATE:20270505\nDTEND;VALUE=DATE:20270506\nSUMMARY:Stocktaking\nLOCATION:Room 1",
        ),
        (
            "b",
            "DTSTART;VALUE=DATE:20270505\nDTEND;VALUE=DATE:20270505\nSUMMARY:A holiday\nTRANSP:TRANSPARENT\nLOCATION:Room 1",
        ),
        ("c", "DTSTART:20270505T080000Z\nSUMMARY:A reminder\nLOCATION:Room 1"),
        ("e", "DTSTART;VALUE=DATE:20270505\nSUMMARY:A fair\nLOCATION:Room 1"),
        (
            "d",
            "DTSTART;TZID=Europe/Oslo:20270505T120000\nDURATION:PT1H\nSUMMARY:In the way\nLOCATION:Room 1",
        ),
    ]);
    let tried = importer.imports_with(&calendar, &["--time-zone", "Europe/Oslo", "--dry-run"]);
    assert_eq!(tried.last_line(), "booked 4, already there 0, refused 1", "{tried:#?}");
    let done = importer.imports_with(&calendar, &["--time-zone", "Europe/Oslo"]);
    assert_eq!(done.last_line(), "booked 4, already there 0, refused 1", "{done:#?}");
    assert!(
        done.stdout.contains(
            "In the way: Room 1 is taken from 2027-05-05 00:00 to 2027-05-06 00:00 (Europe/Oslo)"
        ),
        "{done:#?}"
    );
    let found = importer.standing(4);
    assert!(
        found.contains(&("Stocktaking".to_owned(), "2027-05-04T22:00:00Z".to_owned())),
        "{found:?}"
    );
    // Only one of them keeps others away.
    importer.names_are("/v1/resources", &["Room 1".to_owned()].into());
    let room = importer.api.get("/v1/resources").send().is(200)["items"][0]["id"].clone();
    let agenda = format!("/v1/agenda?resource_id={}&date=2027-05-05", room.as_str().unwrap());
    let agenda = importer.api.get(&agenda).send().is(200);
    assert_eq!(agenda["time_zone"].as_str().unwrap_or("Europe/Oslo"), "Europe/Oslo", "{agenda}");
    let holiday = importer.found("q=holiday").remove(0);
    let path = format!("/v1/appointments/{}", holiday["id"].as_str().unwrap());
    assert_eq!(importer.api.get(&path).send().is(200)["transparent"], true);
}

#[test]
fn without_a_place_events_are_in_their_calendar_and_may_lie_over_each_other() {
    let importer = an_importer();
    let calendar = events(&[
        ("a", &at_nine("SUMMARY:One")),
        ("b", &at_nine("SUMMARY:Two\nLOCATION:")),
        ("c", &at_nine("SUMMARY:Three\nLOCATION:Microsoft Teams Meeting")),
        ("d", &at_nine("SUMMARY:Four\nLOCATION:https://example.org/j/1")),
    ]);
    booked(&importer.imports(&calendar), 4);
    importer.standing(4);
    importer.names_are("/v1/resources", &["calendar".to_owned()].into());
    // For others, the time is taken.
    let server = Server::shared();
    let api = server.api(Some(server.database.key(&importer.tenant, "admin")));
    let first = |path: &str| {
        eventually(path, || {
            Some(api.get(path).send().is(200)["items"][0]["id"].as_str()?.to_owned())
        })
    };
    let (service, room) = (first("/v1/services"), first("/v1/resources"));
    let client = api.post("/v1/clients", &json!({"name": "A client"})).send().is(201);
    let start = utc("2027-06-01T09:30:00Z".parse().unwrap());
    let booking = json!({"service_id": service, "resource_ids": [room], "client_id": client["id"], "start_at": start});
    api.post("/v1/appointments", &booking).send().is_refused(409, "slot-taken");

    let named = calendar.replace("VERSION", "X-WR-CALNAME:My week\r\nVERSION");
    let other = an_importer();
    booked(&other.imports(&named), 4);
    other.standing(4);
    other.names_are("/v1/resources", &["My week".to_owned()].into());
    let third = an_importer();
    booked(&third.imports_with(&named, &["--resource", "Chair 2"]), 4);
    third.standing(4);
    third.names_are("/v1/resources", &["Chair 2".to_owned()].into());
}

#[test]
fn one_fault_spoils_one_event_and_is_told_with_its_line() {
    let importer = an_importer();
    let calendar = events(&[
        (
            "a",
            "DTSTART:20270801T080000Z\nDTEND:20270915T080000Z\nSUMMARY:Building work\nLOCATION:Room 1\nCATEGORIES:Care",
        ),
        (
            "b",
            "DTSTART:20271001T080000Z\nDTEND:20271001T090000Z\nSUMMARY:Check-up\nLOCATION:Room 2\nCATEGORIES:Care",
        ),
        ("c", "DTSTART:99991231T230000Z\nDURATION:PT10M\nSUMMARY:Far away\nLOCATION:Room 2"),
        ("d", "DTSTART;TZID=Mars/Base:20271001T080000\nDURATION:PT10M\nSUMMARY:Elsewhere"),
        (
            "e",
            "DTSTART:20271003T080000Z\nDURATION:PT10M\nSUMMARY:Soft\nDESCRIPTION:One\u{b}two\nX-1:\u{7}",
        ),
    ]);
    let long = format!(
        "BEGIN:VEVENT\r\nUID:f\r\nDTSTART:20271004T080000Z\r\nSUMMARY:Long\r\nDESCRIPTION:{}\r\nEND:VEVENT\r\nEND:VCALENDAR",
        "word ".repeat(4_000)
    );
    let done = importer.imports(calendar.replace("END:VCALENDAR", &long));
    assert_eq!(done.last_line(), "booked 3, already there 0, refused 3", "{done:#?}");
    let refused: Vec<&str> =
        done.stdout.lines().filter(|line| line.starts_with("refused")).collect();
    assert_eq!(
        refused,
        [
            "refused: line 22: Far away: it is in the year 9999; only the years 1970 to 2199 can be booked",
            "refused: line 30: Elsewhere: the time zone \"Mars/Base\" is not known",
            "refused: line 46: Long: DESCRIPTION has 19999 characters, and at most 16000 can be kept",
        ]
    );
    importer.standing(3);
}

#[test]
fn what_is_private_is_busy_for_whoever_may_only_read() {
    let importer = an_importer();
    let private = at_nine(
        "CLASS:PRIVATE\nSUMMARY:Visit to the physician\nDESCRIPTION:Left knee\nCATEGORIES:Health\nLOCATION:Room 1",
    );
    booked(&importer.imports(events(&[("a", &private)])), 1);
    let found = eventually("it is there", || importer.found("").pop());
    assert_eq!((&found["title"], &found["category"]), (&json!("Busy"), &json!("Uncategorised")));
    let server = Server::shared();
    let books = server.api(Some(server.database.key(&importer.tenant, "book")));
    let path = format!("/v1/appointments/{}", found["id"].as_str().unwrap());
    let seen = |api: &Api, path: &str| api.get(path).send().is(200);
    assert_eq!(seen(&books, &path)["note"], "Visit to the physician\n\nLeft knee");
    let events = format!("{path}/events");
    assert!(seen(&books, &events).to_string().contains("Left knee"));
    for path in [&path, &events, &format!("{path}/diff?from=position:1")] {
        let seen = seen(&importer.api, path).to_string();
        assert!(!seen.contains("knee") && !seen.contains("physician"), "{seen}");
    }
}

#[test]
fn of_what_is_private_no_message_tells_the_text() {
    let importer = an_importer();
    let private = at_nine("CLASS:CONFIDENTIAL\nSUMMARY:Visit to the physician\nLOCATION:Room 1");
    let elsewhere = private.replace(":20270601T090000Z", ";TZID=Mars/Base:20270601T090000");
    let nobodys = at_nine("LOCATION:Room 1");
    let calendar =
        events(&[("a", &private), ("b", &elsewhere), ("c", &private), ("6f1c", &nobodys)]);
    let done = importer.imports(calendar);
    assert_eq!(done.last_line(), "booked 1, already there 0, refused 3", "{done:#?}");
    let mut refused: Vec<&str> =
        done.stdout.lines().filter(|line| line.starts_with("refused")).collect();
    refused.sort_unstable();
    let taken = "Room 1 is taken from 2027-06-01 09:00 to 2027-06-01 10:00 (UTC)";
    let expected = [
        "refused: line 13: Busy: the time zone \"Mars/Base\" is not known".to_owned(),
        format!("refused: line 22: Busy: {taken}"),
        format!("refused: line 31: an event without a name: {taken}"),
    ];
    assert_eq!(refused, expected);
    assert!(!done.stderr.contains("slot-taken"), "it is told once, without ids: {done:#?}");
}

#[test]
fn texts_are_kept_whole_wherever_they_fit() {
    let importer = an_importer();
    let long = "A long way to say it. ".repeat(20);
    let calendar = events(&[
        ("a", &at_nine(&format!("SUMMARY:{}", long.trim_end()))),
        ("b", &at_nine("SUMMARY:B")),
    ]);
    // What is not UTF-8 was written by a program of before it.
    let calendar = calendar.replace("SUMMARY:B\r\n", "SUMMARY:Caf");
    let (before, after) = calendar.split_once("SUMMARY:Caf").unwrap();
    let bytes = [before.as_bytes(), b"SUMMARY:Caf\xe9 \x80\r\n", after.as_bytes()].concat();
    booked(&importer.imports(bytes), 2);
    let titles: Vec<String> = importer.standing(2).into_iter().map(|(title, _)| title).collect();
    assert!(titles.contains(&"Café €".to_owned()), "{titles:?}");
    let server = Server::shared();
    let books = server.api(Some(server.database.key(&importer.tenant, "book")));
    let found = importer.found("q=say").remove(0);
    let title = found["title"].as_str().unwrap();
    assert!(title.chars().count() <= 300 && title.ends_with('…'), "{title}");
    let path = format!("/v1/appointments/{}", found["id"].as_str().unwrap());
    assert_eq!(books.get(&path).send().is(200)["note"], long.trim_end());
}

/// Twelve weekly exports, each with a visit on every weekday an hour later than the week before.
#[test]
fn week_after_week_can_be_imported_whatever_hours_that_takes() {
    let importer = an_importer();
    for week in 0..12_u32 {
        let day = |day: u32| {
            NaiveDate::from_ymd_opt(2027, 1, 4).unwrap()
                + chrono::Days::new((7 * week + day).into())
        };
        let visit = |n: u32| {
            let at = format!("{}T{:02}0000Z", day(n).format("%Y%m%d"), 8 + week);
            (
                format!("w{week}d{n}"),
                format!("DTSTART:{at}\nDURATION:PT30M\nSUMMARY:Visit\nLOCATION:Room 43"),
            )
        };
        let visits: Vec<(String, String)> = (0..5).map(visit).collect();
        let visits: Vec<(&str, &str)> =
            visits.iter().map(|(uid, lines)| (&**uid, &**lines)).collect();
        booked(&importer.imports(events(&visits)), 5);
    }
}

#[test]
fn the_repeated_hour_and_the_one_that_is_jumped_over_are_booked() {
    let importer = an_importer();
    let calendar = events(&[
        (
            "a",
            "DTSTART:20271107T063000Z\nDTEND:20271107T064500Z\nSUMMARY:The second\nLOCATION:Room 1",
        ),
        ("b", "DTSTART:20271107T054500Z\nDTEND:20271107T061500Z\nSUMMARY:Over it\nLOCATION:Room 1"),
        (
            "c",
            "DTSTART;TZID=America/New_York:20270314T023000\nDTEND;TZID=America/New_York:20270314T031500\nSUMMARY:Jumped over\nLOCATION:Room 1",
        ),
    ]);
    let calendar = calendar.replace("VERSION", "X-WR-TIMEZONE:America/New_York\r\nVERSION");
    booked(&importer.imports(calendar), 3);
    let found = importer.standing(3);
    assert_eq!(found[0], ("Jumped over".to_owned(), "2027-03-14T07:30:00Z".to_owned()));
}

#[test]
fn a_tenants_zone_is_not_the_first_events() {
    let importer = an_importer();
    let tenant = format!("{}-new", importer.tenant);
    let database = &Server::shared().database;
    let tokyo = events(&[("a", "DTSTART;TZID=Asia/Tokyo:20270601T090000\nDURATION:PT1H")]);
    let file = importer.file(tokyo.as_bytes());
    database.import(&file, &tenant, &[]).succeeded();
    let zone = || {
        database.run(&["tenant", "show", &tenant]).succeeded().lines().next().unwrap().to_owned()
    };
    assert_eq!(zone(), "time zone: UTC");
    database.import(&file, &tenant, &["--time-zone", "Europe/Oslo"]).succeeded();
    assert_eq!(zone(), "time zone: UTC", "it is a setting");
    database.run(&["tenant", "set", &tenant, "--time-zone", "Europe/Oslo"]).succeeded();
    assert_eq!(zone(), "time zone: Europe/Oslo");
}

#[test]
fn whom_an_event_is_with_is_its_client_and_can_be_forgotten_alone() {
    let importer = an_importer();
    let guest = "ATTENDEE;CN=A. Guest:mailto:Guest@example.org";
    let calendar = events(&[
        (
            "a",
            &at_nine(&format!(
                "SUMMARY:One\nLOCATION:Room 1\nDESCRIPTION:About the guest\n{guest}"
            )),
        ),
        ("b", &at_nine(&format!("SUMMARY:Two\nLOCATION:Room 2\nDESCRIPTION:More of it\n{guest}"))),
        ("c", &at_nine("SUMMARY:Three\nLOCATION:Room 3\nDESCRIPTION:About nobody")),
    ]);
    booked(&importer.imports(&calendar), 3);
    importer.standing(3);
    let server = Server::shared();
    let admin = server.api(Some(server.database.key(&importer.tenant, "admin")));
    let client_of = |title: &str| {
        let found = importer.found("expand=client");
        let item = found.iter().find(|item| item["title"] == title).unwrap().clone();
        (item["client"].clone(), format!("/v1/appointments/{}", item["id"].as_str().unwrap()))
    };
    let ((one, of_one), (two, _), (three, of_three)) =
        (client_of("One"), client_of("Two"), client_of("Three"));
    assert_eq!((&one["name"], &one["email"]), (&json!("A. Guest"), &json!("guest@example.org")));
    assert_eq!(one["id"], two["id"]);
    assert_eq!(three["name"], "Imported calendar");
    assert_eq!(admin.get(&of_one).send().is(200)["note"], "About the guest");
    let again = importer.imports(&calendar);
    assert_eq!(again.last_line(), "booked 0, already there 3, refused 0", "{again:#?}");
    let erase = format!("/v1/clients/{}/erase", one["id"].as_str().unwrap());
    let body = json!({"reason": "requested", "upcoming": "cancel"});
    admin.post(&erase, &body).send().is(200);
    assert!(admin.get(&of_one).send().is(200).get("note").is_none());
    assert_eq!(admin.get(&of_three).send().is(200)["note"], "About nobody");
}

//! What is in a calendar, asked for in each way that there is.

use serde_json::json;

use super::{Dav, key_with, member, of_room, responses, within};
use crate::harness::{Answer, a_practice, eventually, id_of, monday, utc};

const DATA: &str = "<D:prop><D:getetag/><C:calendar-data/></D:prop>";

fn query(filter: &str) -> String {
    format!(
        r#"<C:calendar-query>{DATA}<C:filter><C:comp-filter name="VCALENDAR">{filter}</C:comp-filter></C:filter></C:calendar-query>"#
    )
}

fn multiget(paths: &[&str]) -> String {
    let paths = paths.join("</D:href><D:href>");
    format!("<C:calendar-multiget>{DATA}<D:href>{paths}</D:href></C:calendar-multiget>")
}

/// The paths that are told of.
fn paths(answer: &Answer) -> Vec<&str> {
    answer.has_status(207);
    responses(answer).into_iter().map(|it| within(it, "D:href").unwrap()).collect()
}

#[test]
fn an_appointment_has_the_same_tag_wherever_it_is_told() {
    let practice = a_practice();
    let dav = of_room(&practice);
    let calendar = dav.calendar();
    // So long that it would be compressed.
    let booking = practice.booking(monday(8, 0)).with("title", &*"🌿".repeat(200));
    let path = member(&calendar, &booking.send().is(201));
    let members = dav.members_once(&calendar, 1);
    let (listed, tag) = &members[0];
    assert_eq!(listed, &path);
    let got = dav.request("GET", &path).header("accept-encoding", "gzip, br").send();
    got.has_status(200);
    assert!(got.text.len() > 1_024, "{got:?}");
    assert_eq!(got.header("etag"), Some(&**tag));
    let of_type = got.header("content-type").unwrap();
    assert_eq!(of_type, "text/calendar; charset=utf-8; component=VEVENT");
    let multiget = dav.report(&calendar, &multiget(&[&path]));
    let told = responses(&multiget)[0].to_owned();
    assert_eq!(within(&told, "D:getetag").unwrap().replace("&quot;", "\""), *tag);
    let data = within(&told, "C:calendar-data").unwrap().replace("&#13;", "\r");
    assert!(data.contains("SUMMARY:🌿🌿"), "{data}");
    let known = dav.request("GET", &path).header("if-none-match", tag).send();
    known.has_status(304);
    assert_eq!(dav.members(&calendar), members, "nothing has changed");
}

#[test]
fn what_is_asked_for_by_its_address_is_told_or_said_to_be_nowhere() {
    let practice = a_practice();
    let dav = of_room(&practice);
    let calendar = dav.calendar();
    let [first, second] = [8, 9].map(|hour| member(&calendar, &practice.booked(monday(hour, 0))));
    dav.members_once(&calendar, 2);
    let nowhere = format!("{calendar}{}.ics", practice.client);
    let whole_url = format!("{}{second}", practice.api.url);
    let answer = dav.report(&calendar, &multiget(&[&first, &nowhere, &whole_url, "/elsewhere"]));
    assert_eq!(paths(&answer), [&*first, &*nowhere, &*whole_url, "/elsewhere"]);
    let has_data: Vec<bool> =
        responses(&answer).iter().map(|it| it.contains("BEGIN:VEVENT")).collect();
    assert_eq!(has_data, [true, false, true, false]);
    dav.request("GET", &nowhere).send().is_refused(404, "not-found");
}

#[test]
fn what_is_asked_for_by_its_time_and_its_properties_is_found() {
    let practice = a_practice();
    let dav = of_room(&practice);
    let calendar = dav.calendar();
    let early = practice.booking(monday(8, 0)).with("title", "Early");
    let early = member(&calendar, &early.send().is(201));
    let late = practice.booking(monday(15, 0)).with("title", "Late").with("location", "North");
    let late = member(&calendar, &late.send().is(201));
    dav.members_once(&calendar, 2);
    let range = |from: u32, to: u32| {
        let at = |hour| monday(hour, 0).format("%Y%m%dT%H%M%SZ").to_string();
        format!(r#"<C:time-range start="{}" end="{}"/>"#, at(from), at(to))
    };
    let text = |name: &str, text: &str| {
        format!(
            r#"<C:prop-filter name="{name}"><C:text-match>{text}</C:text-match></C:prop-filter>"#
        )
    };
    for (asked, found) in [
        (String::new(), vec![&early, &late]),
        (range(8, 9), vec![&early]),
        (range(9, 15), vec![]),
        (range(9, 16), vec![&late]),
        (text("SUMMARY", "eARLY"), vec![&early]),
        (text("LOCATION", "north"), vec![&late]),
        (text("SUMMARY", "neither"), vec![]),
    ] {
        let asked = format!(r#"<C:comp-filter name="VEVENT">{asked}</C:comp-filter>"#);
        assert_eq!(paths(&dav.report(&calendar, &query(&asked))), found, "{asked}");
    }
    for component in ["VTODO", "VJOURNAL"] {
        let asked = format!(r#"<C:comp-filter name="{component}"></C:comp-filter>"#);
        assert!(paths(&dav.report(&calendar, &query(&asked))).is_empty(), "{component}");
    }
    let bad = r#"<C:comp-filter name="VEVENT"><C:time-range start="now"/></C:comp-filter>"#;
    let refused = dav.report(&calendar, &query(bad));
    refused.has_status(403);
    assert!(refused.text.contains("<C:valid-filter/>"), "{refused:?}");
}

#[test]
fn when_it_is_busy_is_told_without_what_it_is() {
    let practice = a_practice();
    let dav = of_room(&practice);
    let calendar = dav.calendar();
    for (hour, minute) in [(8, 0), (8, 30), (10, 0)] {
        practice.booked(monday(hour, minute));
    }
    dav.members_once(&calendar, 3);
    let at = |hour, minute| monday(hour, minute).format("%Y%m%dT%H%M%SZ").to_string();
    let ask = |from: &str, to: &str| {
        let range = format!(r#"<C:time-range start="{from}" end="{to}"/>"#);
        dav.report(&calendar, &format!("<C:free-busy-query>{range}</C:free-busy-query>"))
    };
    let answer = ask(&at(8, 15), &at(12, 0));
    answer.has_status(200);
    assert_eq!(answer.header("content-type"), Some("text/calendar; charset=utf-8"));
    let busy = |line: &str| line.strip_prefix("FREEBUSY;FBTYPE=BUSY:").map(str::to_owned);
    let told: Vec<String> = answer.text.lines().filter_map(busy).collect();
    let first = format!("{}/{}", at(8, 15), at(9, 0));
    assert_eq!(told, [first, format!("{}/{}", at(10, 0), at(10, 30))], "{answer:?}");
    assert!(!answer.text.contains("SUMMARY"), "{answer:?}");
    let free = ask(&at(9, 0), &at(10, 0));
    assert!(free.text.contains("BEGIN:VFREEBUSY") && !free.text.contains("FREEBUSY;"), "{free:?}");
    ask("now", "then").has_status(403);
}

/// What is not in the appointment changes what is told of it, too.
#[test]
fn another_name_and_an_erasure_change_the_tag_and_a_cancellation_ends_it() {
    let practice = a_practice();
    let dav = of_room(&practice);
    let calendar = dav.calendar();
    let client = practice.a_client("Somebody");
    let booking = practice.booking(monday(8, 0)).with("client_id", &*client);
    let path = member(&calendar, &booking.send().is(201));
    let other = practice.booked(monday(9, 0));
    dav.members_once(&calendar, 2);
    let summary = |summary: &str| {
        eventually("the summary is so", || {
            let got = dav.request("GET", &path).send();
            let is_so = got.text.contains(&format!("SUMMARY:{summary}\r\n"));
            is_so.then(|| got.header("etag").unwrap().to_owned())
        })
    };
    let ctag = || {
        let answer = dav.propfind(&calendar, "0", "<CS:getctag/>");
        within(&answer.text, "CS:getctag").unwrap().to_owned()
    };
    let (first, before) = (summary("Check-up (Somebody)"), ctag());
    let rename = json!({"name": "Somebody else"});
    practice.api.patch(&format!("/v1/clients/{client}"), &rename).send().is(200);
    let renamed = summary("Check-up (Somebody else)");
    assert_ne!(first, renamed);
    assert_ne!(before, ctag());
    practice.act(&other, "cancel", &json!({"by": "staff"})).is(200);
    dav.members_once(&calendar, 1);
    assert_eq!(summary("Check-up (Somebody else)"), renamed, "nothing has changed in it");
    let cancelled = dav.request("GET", &member(&calendar, &other)).send();
    cancelled.is_refused(404, "not-found");
}

#[test]
fn a_calendar_has_what_is_of_its_resource_or_client_and_nothing_else() {
    let practice = a_practice();
    let (room, client) = (practice.a_room(), practice.a_client("Ada"));
    let booked = practice.booked(monday(8, 0));
    let other = practice.booking(monday(9, 0)).with("resource_ids", json!([room]));
    let other = other.with("client_id", &*client).send().is(201);
    for (limits, own, unseen) in [
        (json!({"resource_ids": [practice.room]}), &booked, &other),
        (json!({"client_id": client}), &other, &booked),
        (json!({"resource_ids": [room]}), &other, &booked),
    ] {
        let dav = Dav::by(&practice, &key_with(&practice, &limits));
        let calendar = dav.calendar();
        let members = dav.members_once(&calendar, 1);
        assert_eq!(members[0].0, member(&calendar, own), "{limits}");
        dav.request("GET", &member(&calendar, unseen)).send().is_refused(404, "not-found");
    }
}

#[test]
fn who_comes_is_told_to_whoever_is_told_what_is_personal() {
    let practice = a_practice();
    let booked = practice.booked(monday(8, 0));
    let limits = json!({"resource_ids": [practice.room]});
    let key = json!({"name": "A calendar", "scopes": ["appointments"], "limits": limits});
    let dav = Dav::by(&practice, &practice.api.post("/v1/keys", &key).send().is(201));
    let calendar = dav.calendar();
    dav.members_once(&calendar, 1);
    let got = dav.request("GET", &member(&calendar, &booked)).send();
    assert!(got.text.contains("SUMMARY:Check-up\r\n"), "{got:?}");
    let told = of_room(&practice);
    let calendar = told.calendar();
    let got = told.request("GET", &member(&calendar, &booked)).send();
    assert!(got.text.contains("SUMMARY:Check-up ("), "{got:?}");
    for name in ["ORGANIZER", "ATTENDEE", "METHOD"] {
        assert!(!got.text.contains(name), "{got:?}");
    }
}

/// It is gone from the one and new in the other.
#[test]
fn what_is_moved_to_another_room_is_in_its_calendar() {
    let practice = a_practice();
    let room = practice.a_room();
    let booked = practice.booked(monday(8, 0));
    let dav = of_room(&practice);
    let other = Dav::by(&practice, &key_with(&practice, &json!({"resource_ids": [room]})));
    let (from, to) = (dav.calendar(), other.calendar());
    dav.members_once(&from, 1);
    let moved = json!({"start_at": utc(monday(9, 0)), "resource_ids": [room]});
    practice.act(&booked, "reschedule", &moved).is(200);
    dav.members_once(&from, 0);
    let members = other.members_once(&to, 1);
    assert!(members[0].0.contains(&id_of(&booked)), "{members:?}");
}

//! Time off: something new that is put into the calendar of a resource, and nobody is booked there.

use chrono::{Datelike as _, NaiveDate, TimeDelta, Weekday};
use serde_json::{Value, json};

use super::sync::Program;
use super::writing::{a_key_of_room, moved};
use super::{Dav, responses, within};
use crate::harness::{Practice, a_practice, at_once, monday, utc};

/// Whoever may also say when the room is not to be had.
fn an_owner(practice: &Practice) -> Dav {
    a_key_of_room(practice, &["appointments", "book", "manage", "personal"])
}

fn an_event(uid: &str, times: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
         DTSTAMP:20270101T000000Z\r\n{times}\r\nSUMMARY:Training\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// From one hour of the monday to another.
fn hours(from: u32, to: u32) -> String {
    let at = |hour| monday(hour, 0).format("%Y%m%dT%H%M%SZ");
    format!("DTSTART:{}\r\nDTEND:{}", at(from), at(to))
}

fn exceptions(practice: &Practice) -> Vec<Value> {
    let room = practice.api.get(&format!("/v1/resources/{}", practice.room)).send().is(200);
    room["exceptions"].as_array().unwrap().clone()
}

const ID: &str = "8c1b1d5e-6d8a-4f3c-9d0a-3f1c2b4a5d6e";

#[test]
fn something_new_is_time_off_and_nobody_is_booked_there() {
    let practice = a_practice();
    let dav = an_owner(&practice);
    let calendar = dav.calendar();
    let privileges = dav.propfind(&calendar, "0", "<D:current-user-privilege-set/>").text;
    assert!(privileges.contains("<D:bind/>"), "{privileges}");
    let mut program = Program::of(&dav);
    program.has_once(0);
    let path = format!("{calendar}{ID}.ics");
    let new = dav.request("PUT", &path).header("if-none-match", "*");
    new.body("text/calendar", an_event(ID, &hours(9, 12))).send().has_status(201);
    let off = &exceptions(&practice)[0];
    assert_eq!(
        (&off["id"], &off["kind"], &off["reason"]),
        (&json!(ID), &json!("time-off"), &json!("Training"))
    );
    practice.booking(monday(10, 0)).send().is_refused(422, "outside-opening-hours");
    // At once, and where it was put.
    let (text, tag) = dav.got(&path);
    assert!(
        text.contains("SUMMARY:Training\r\n") && text.contains(&format!("UID:{ID}\r\n")),
        "{text}"
    );
    program.has_once(1);
    assert_eq!(program.has.get(&path), Some(&tag));
    let again = dav.request("PUT", &path).header("if-none-match", "*");
    again.body("text/calendar", text.clone()).send().is_refused(412, "stale-version");

    dav.put(&path, Some(&tag), &text).has_status(204);
    assert_eq!(dav.got(&path).1, tag, "nothing has changed");
    dav.put(&path, Some(&tag), &moved(&text, monday(14, 0))).has_status(204);
    let (_, now) = dav.got(&path);
    assert_ne!(now, tag);
    practice.booking(monday(10, 0)).send().is(201);
    practice.booking(monday(14, 0)).send().is_refused(422, "outside-opening-hours");
    dav.put(&path, Some(&tag), &text).is_refused(412, "stale-version");
    program.has_once(2);

    dav.request("DELETE", &path).header("if-match", &tag).send().is_refused(412, "stale-version");
    dav.request("DELETE", &path).header("if-match", &now).send().has_status(204);
    assert!(exceptions(&practice).is_empty());
    dav.request("GET", &path).send().is_refused(404, "not-found");
    program.has_once(1);
    practice.booking(monday(14, 0)).send().is(201);
}

#[test]
fn whole_days_and_names_that_are_no_ids_are_taken() {
    let practice = a_practice();
    let dav = an_owner(&practice);
    let calendar = dav.calendar();
    let path = format!("{calendar}khal-7XQ2.ics");
    let day = monday(0, 0).format("%Y%m%d").to_string();
    let whole = an_event("khal-7XQ2", &format!("DTSTART;VALUE=DATE:{day}"));
    let put = dav.put(&path, None, &whole);
    put.has_status(201);
    let (text, tag) = dav.got(&path);
    assert!(text.contains(&format!("DTSTART;VALUE=DATE:{day}\r\n")), "{text}");
    let days = json!({"first": utc(monday(0, 0))[..10], "last": utc(monday(0, 0))[..10]});
    assert_eq!(exceptions(&practice)[0]["days"], days);
    let members = dav.members(&calendar);
    assert_eq!(members.len(), 1);
    assert_eq!(dav.got(&members[0].0), (text, tag), "it is the same under its own name");
    assert_eq!(put.header("location"), Some(&*members[0].0), "which is told");
    // A program that asks for it by the name that it knows is answered by that.
    let asked = format!("<D:prop><D:getetag/></D:prop><D:href>{path}</D:href>");
    let asked = format!("<C:calendar-multiget>{asked}</C:calendar-multiget>");
    let told = dav.report(&calendar, &asked);
    let told = responses(&told)[0].to_owned();
    assert!(within(&told, "D:href") == Some(&*path) && told.contains("<D:getetag>"), "{told}");
    let range = format!("<C:time-range start=\"{day}T000000Z\" end=\"{day}T030000Z\"/>");
    let busy = dav.report(&calendar, &format!("<C:free-busy-query>{range}</C:free-busy-query>"));
    assert!(busy.text.contains(&format!("FBTYPE=BUSY:{day}T000000Z/{day}T030000Z")), "{busy:?}");
}

#[test]
fn what_is_no_time_off_is_a_conflict() {
    let practice = a_practice();
    let dav = an_owner(&practice);
    let path = format!("{}{ID}.ics", dav.calendar());
    let free = format!("{}\r\nTRANSP:TRANSPARENT", hours(9, 10));
    let again = format!("{}\r\nRRULE:FREQ=DAILY", hours(9, 10));
    let seconds = hours(9, 10).replace("0000Z", "0030Z");
    let title = format!("{}\r\nX-LONG:1", hours(9, 10));
    let far = "DTSTART:20800101T090000Z\r\nDTEND:20800101T100000Z";
    for bad in [&*free, &*again, &*seconds, far] {
        let refused = dav.put(&path, None, &an_event(ID, bad));
        assert_eq!((refused.status, &*refused.slug()), (409, "not-as-calendar"), "{bad}");
    }
    let long = an_event(ID, &title).replace("Training", &"t".repeat(501));
    dav.put(&path, None, &long).is_refused(409, "not-as-calendar");
    // Whoever may only move and cancel says nothing new.
    let desk = a_key_of_room(&practice, &["appointments", "book", "personal"]);
    let theirs = format!("{}{ID}.ics", desk.calendar());
    desk.put(&theirs, None, &an_event(ID, &hours(9, 10))).is_refused(409, "not-as-calendar");
    assert!(exceptions(&practice).is_empty());
    // Nor do they change what the owner has said.
    dav.put(&path, None, &an_event(ID, &hours(9, 10))).has_status(201);
    let (text, tag) = desk.got(&theirs);
    desk.put(&theirs, Some(&tag), &moved(&text, monday(14, 0))).is_refused(409, "not-as-calendar");
    let deleted = desk.request("DELETE", &theirs).header("if-match", &tag).send();
    deleted.is_refused(409, "not-as-calendar");
    assert_eq!(desk.got(&theirs), (text, tag));
    assert_eq!(exceptions(&practice).len(), 1);
}

/// When clocks go back in Europe next, after the monday: on the last Sunday of October.
fn clocks_go_back() -> NaiveDate {
    let is_so = |day: &NaiveDate| {
        (day.weekday(), day.month(), (*day + TimeDelta::days(7)).month()) == (Weekday::Sun, 10, 11)
    };
    monday(0, 0).date_naive().iter_days().find(is_so).unwrap()
}

/// The second of two hours that clocks show alike cannot be told by them.
#[test]
fn time_off_is_what_clocks_of_the_place_show() {
    let practice = a_practice();
    let oslo = practice.a_resource(&json!({"time_zone": "Europe/Oslo"}));
    let limits = json!({"resource_ids": [oslo]});
    let key =
        json!({"name": "Oslo", "scopes": ["appointments", "book", "manage"], "limits": limits});
    let dav = Dav::by(&practice, &practice.api.post("/v1/keys", &key).send().is(201));
    let path = format!("{}{ID}.ics", dav.calendar());
    let day = clocks_go_back();
    let event = |from: &str, to: &str| {
        let day = day.format("%Y%m%d");
        an_event(ID, &format!("DTSTART:{day}T{from}00Z\r\nDTEND:{day}T{to}00Z"))
    };
    let second = event("0115", "0145");
    dav.put(&path, None, &second).is_refused(409, "not-as-calendar");
    let first = event("0015", "0045");
    dav.put(&path, None, &first).has_status(201);
    let room = practice.api.get(&format!("/v1/resources/{oslo}")).send().is(200);
    let span = json!({"from": format!("{day}T02:15"), "to": format!("{day}T02:45")});
    assert_eq!(room["exceptions"][0]["hours"], span, "{room}");
    let soon = format!("{}soon.ics", dav.calendar());
    dav.put(&soon, None, &an_event("soon", &hours(9, 10))).has_status(201);
    let (text, _) = dav.got(&soon);
    assert!(text.contains("DTSTART;TZID=Europe/Oslo:"), "{text}");
    assert!(text.contains("BEGIN:VTIMEZONE"), "{text}");
}

/// Programs move an event to another calendar by putting it there, and deleting it where it was once that is done.
#[test]
fn an_appointment_of_another_resource_is_not_made_time_off_of_this_one() {
    let practice = a_practice();
    let other = practice.a_room();
    let booked = practice.booked(monday(8, 0));
    let limits = json!({"resource_ids": [practice.room, other]});
    let scopes = ["appointments", "book", "manage"];
    let key = json!({"name": "Both rooms", "scopes": scopes, "limits": limits});
    let dav = Dav::by(&practice, &practice.api.post("/v1/keys", &key).send().is(201));
    let home =
        dav.path_at(&dav.path_at("/dav/", "D:current-user-principal"), "C:calendar-home-set");
    let (from, to) = (format!("{home}{}/", practice.room), format!("{home}{other}/"));
    dav.members_once(&from, 1);
    let (text, _) = dav.got(&super::member(&from, &booked));
    for path in [super::member(&to, &booked), format!("{to}copy.ics")] {
        dav.put(&path, None, &text).is_refused(409, "not-as-calendar");
    }
    assert!(dav.members(&to).is_empty());
    let room = practice.api.get(&format!("/v1/resources/{other}")).send().is(200);
    assert_eq!(room["exceptions"], json!([]));
}

/// Why somebody is away is personal.
#[test]
fn why_it_is_is_told_to_whoever_is_told_what_is_personal() {
    let practice = a_practice();
    let dav = an_owner(&practice);
    dav.put(&format!("{}{ID}.ics", dav.calendar()), None, &an_event(ID, &hours(9, 10)))
        .has_status(201);
    let other = a_key_of_room(&practice, &["appointments", "book", "manage"]);
    let path = format!("{}{ID}.ics", other.calendar());
    let (text, tag) = other.got(&path);
    assert!(text.contains("SUMMARY:Time off\r\n") && !text.contains("Training"), "{text}");
    other.put(&path, Some(&tag), &moved(&text, monday(14, 0))).is_refused(409, "not-as-calendar");
    other.put(&path, Some(&tag), &text).has_status(204);
    assert_eq!(exceptions(&practice)[0]["reason"], "Training");
}

/// What is said elsewhere is told here.
#[test]
fn time_off_that_is_said_elsewhere_is_in_the_calendar() {
    let practice = a_practice();
    let dav = super::of_room(&practice);
    let mut program = Program::of(&dav);
    program.has_once(0);
    let days = json!({"first": utc(monday(0, 0))[..10], "last": utc(monday(0, 0))[..10]});
    let path = format!("/v1/resources/{}/exceptions", practice.room);
    for (kind, count) in [("extra-hours", 0), ("time-off", 1)] {
        practice.api.post(&path, &json!({"kind": kind, "days": days})).send().is(201);
        program.has_once(count);
    }
    let told = dav.propfind(&program.calendar, "1", "<C:calendar-data/>");
    let titles = responses(&told).iter().filter_map(|it| within(it, "C:calendar-data")).count();
    assert_eq!(titles, 1, "{told:?}");
    program.is_told_no_more();
}

#[test]
fn of_all_who_move_the_same_time_off_at_once_one_does() {
    let practice = a_practice();
    let dav = an_owner(&practice);
    let path = format!("{}{ID}.ics", dav.calendar());
    dav.put(&path, None, &an_event(ID, &hours(9, 10))).has_status(201);
    let (text, tag) = dav.got(&path);
    let answers = at_once(8, |n| {
        let start = monday(10 + u32::try_from(n).unwrap(), 0);
        dav.put(&path, Some(&tag), &moved(&text, start)).status
    });
    assert_eq!(answers.iter().filter(|status| **status == 204).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [204, 412].contains(status)), "{answers:?}");
    assert_eq!(exceptions(&practice).len(), 1);
}

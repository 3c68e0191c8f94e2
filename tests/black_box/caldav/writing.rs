//! What of a calendar is changed by changing it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Dav, member};
use crate::harness::{Answer, Practice, a_practice, at_once, id_of, monday, utc};

/// Whoever may move what is in the calendar of the practice's room.
fn a_desk(practice: &Practice) -> Dav {
    a_key_of_room(practice, &["appointments", "book", "personal"])
}

/// Whoever may do that in the calendar of the practice's room.
pub(super) fn a_key_of_room(practice: &Practice, scopes: &[&str]) -> Dav {
    let limits = json!({"resource_ids": [practice.room]});
    let body = json!({"name": "A desk", "scopes": scopes, "limits": limits});
    Dav::by(practice, &practice.api.post("/v1/keys", &body).send().is(201))
}

impl Dav {
    pub(super) fn put(&self, path: &str, tag: Option<&str>, text: &str) -> Answer {
        let mut request = self.request("PUT", path);
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        request.body("text/calendar; charset=utf-8", text).send()
    }

    /// What is there, and its tag.
    #[track_caller]
    pub(super) fn got(&self, path: &str) -> (String, String) {
        let got = self.request("GET", path).send();
        got.has_status(200);
        (got.text.clone(), got.header("etag").unwrap().to_owned())
    }
}

/// The same event, half an hour long, from then on.
pub(super) fn moved(text: &str, start: DateTime<Utc>) -> String {
    let lines = text.split("\r\n").map(|line| match line.split_once(':') {
        Some(("DTSTART", _)) => format!("DTSTART:{}", start.format("%Y%m%dT%H%M%SZ")),
        Some(("DTEND", _)) => {
            let end = start + TimeDelta::minutes(30);
            format!("DTEND:{}", end.format("%Y%m%dT%H%M%SZ"))
        }
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\r\n")
}

/// The number of its events, and when it begins.
fn known(practice: &Practice, appointment: &Value) -> (u64, String) {
    let now = practice.appointment(&id_of(appointment));
    (now["version"].as_u64().unwrap(), now["start_at"].as_str().unwrap().to_owned())
}

/// A practice, what is booked there, a program that shows it, and where it does.
fn one_event() -> (Practice, Value, Dav, String) {
    let practice = a_practice();
    let booked = practice.booked(monday(8, 0));
    let dav = a_desk(&practice);
    let calendar = dav.calendar();
    dav.members_once(&calendar, 1);
    let path = member(&calendar, &booked);
    (practice, booked, dav, path)
}

#[test]
fn an_event_that_is_moved_is_an_appointment_that_is() {
    let (practice, booked, dav, path) = one_event();
    let (text, tag) = dav.got(&path);
    let put = dav.put(&path, Some(&tag), &moved(&text, monday(10, 0)));
    put.has_status(204);
    assert_eq!(put.header("etag"), None, "other bytes are there than were put");
    assert_eq!(known(&practice, &booked), (2, utc(monday(10, 0))));
    // At once: the program asks for what it has become.
    let (text, now) = dav.got(&path);
    assert!(text.contains("SEQUENCE:1\r\n") && now != tag, "{text}");
    dav.put(&path, Some(&tag), &moved(&text, monday(11, 0))).is_refused(412, "stale-version");
    let events = practice.api.get(&format!("/v1/appointments/{}/events", id_of(&booked)));
    let last = events.send().is(200)["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["data"]["by"], "staff", "{last}");
}

#[test]
fn what_daybook_does_not_know_of_an_event_changes_nothing() {
    let (practice, booked, dav, path) = one_event();
    let (text, tag) = dav.got(&path);
    let dismissed = "X-MOZ-LASTACK:20270301T080000Z\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\n\
                     TRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT";
    dav.put(&path, Some(&tag), &text.replace("END:VEVENT", dismissed)).has_status(204);
    assert_eq!(known(&practice, &booked).0, 1);
    assert_eq!(dav.got(&path), (text, tag));
}

#[test]
fn what_cannot_be_so_is_a_conflict_and_the_next_look_shows_what_is() {
    let practice = a_practice();
    let [booked, other] = [8, 9].map(|hour| practice.booked(monday(hour, 0)));
    let dav = a_desk(&practice);
    let calendar = dav.calendar();
    dav.members_once(&calendar, 2);
    let path = member(&calendar, &booked);
    let (text, tag) = dav.got(&path);
    dav.put(&path, Some(&tag), &moved(&text, monday(9, 0))).is_refused(409, "slot-taken");
    let uid = id_of(&booked);
    let day = monday(8, 0).format("%Y%m%d").to_string();
    for (what, bad) in [
        ("no calendar", "nonsense".to_owned()),
        ("no event", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n".to_owned()),
        ("another's", text.replace(&uid, &id_of(&other))),
        ("longer", text.replace(&format!("DTEND:{day}T0830"), &format!("DTEND:{day}T0900"))),
        (
            "a day",
            text.replace(&format!("DTSTART:{day}T080000Z"), &format!("DTSTART;VALUE=DATE:{day}")),
        ),
        // Later than the days that a calendar has.
        ("far away", moved(&text, monday(9, 0) + TimeDelta::days(420))),
        ("again", text.replace("END:VEVENT", "RRULE:FREQ=DAILY\r\nEND:VEVENT")),
        ("cancelled", text.replace("STATUS:CONFIRMED", "STATUS:CANCELLED")),
    ] {
        assert_ne!(bad, text, "{what}");
        let refused = dav.put(&path, Some(&tag), &bad);
        assert_eq!(
            (refused.status, &*refused.slug()),
            (409, "not-as-calendar"),
            "{what}: {refused:?}"
        );
    }
    let nowhere = format!("{calendar}{}.ics", practice.client);
    dav.put(&nowhere, None, &text.replace(&uid, &practice.client))
        .is_refused(409, "not-as-calendar");
    dav.put(&nowhere, Some("*"), &text).is_refused(412, "stale-version");
    let request = dav.request("PUT", &path).header("if-none-match", "*");
    request.body("text/calendar", text.clone()).send().is_refused(412, "stale-version");
    assert_eq!(dav.got(&path), (text, tag));
    assert_eq!(known(&practice, &booked), (1, utc(monday(8, 0))));
}

#[test]
fn an_event_that_is_deleted_is_an_appointment_that_is_cancelled() {
    let (practice, booked, dav, path) = one_event();
    let stale = dav.request("DELETE", &path).header("if-match", "\"7-00\"").send();
    stale.is_refused(412, "stale-version");
    let tag = dav.got(&path).1;
    dav.request("DELETE", &path).header("if-match", &tag).send().has_status(204);
    assert_eq!(practice.appointment(&id_of(&booked))["status"], "cancelled");
    assert!(dav.members(&dav.calendar()).is_empty(), "at once");
    dav.request("DELETE", &path).send().is_refused(404, "not-found");
}

/// Whoever comes to it is not told apart, so neither is it moved nor ended here.
#[test]
fn a_session_is_one_event_and_stays_as_it_is() {
    let practice = a_practice();
    let class = practice.a_service(&json!({"session_places": 3, "name": "Yoga"}));
    let body = json!({"service_id": class, "resource_ids": [practice.room], "start_at": utc(monday(8, 0))});
    let session = practice.created("/v1/sessions", &body);
    let place = json!({"client_id": practice.client});
    practice.created(&format!("/v1/sessions/{session}/appointments"), &place);
    let dav = a_desk(&practice);
    let calendar = dav.calendar();
    let path = format!("{calendar}{session}.ics");
    assert_eq!(dav.members_once(&calendar, 1)[0].0, path);
    let (text, tag) = dav.got(&path);
    assert!(text.contains("SUMMARY:Yoga\r\n"), "{text}");
    assert_eq!(dav.put(&path, Some(&tag), &moved(&text, monday(12, 0))).status, 409);
    assert_eq!(dav.request("DELETE", &path).header("if-match", &tag).send().status, 409);
    assert_eq!(dav.got(&path), (text, tag));
}

#[test]
fn of_all_who_move_the_same_event_at_once_one_does() {
    let (practice, booked, dav, path) = one_event();
    let (text, tag) = dav.got(&path);
    let answers = at_once(8, |n| {
        let start = monday(10 + u32::try_from(n).unwrap(), 0);
        dav.put(&path, Some(&tag), &moved(&text, start)).status
    });
    assert_eq!(answers.iter().filter(|status| **status == 204).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [204, 412].contains(status)), "{answers:?}");
    assert_eq!(known(&practice, &booked).0, 2);
}

#[test]
fn whoever_may_only_look_is_told_so_and_changes_nothing() {
    let practice = a_practice();
    let booked = practice.booked(monday(8, 0));
    let (reader, desk) = (super::of_room(&practice), a_desk(&practice));
    let calendar = reader.calendar();
    reader.members_once(&calendar, 1);
    let privileges = |dav: &Dav| {
        let path = dav.calendar();
        dav.propfind(&path, "0", "<D:current-user-privilege-set/>").text
    };
    assert!(!privileges(&reader).contains("<D:write-content/>"));
    assert!(privileges(&desk).contains("<D:write-content/>"));
    let path = member(&calendar, &booked);
    let (text, tag) = reader.got(&path);
    let put = reader.put(&path, Some(&tag), &moved(&text, monday(10, 0)));
    let deleted = reader.request("DELETE", &path).send();
    for refused in [put, deleted] {
        refused.has_status(403);
        assert!(refused.text.contains("<D:need-privileges/>"), "{refused:?}");
    }
    assert_eq!(known(&practice, &booked), (1, utc(monday(8, 0))));
}

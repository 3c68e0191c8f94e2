//! An appointment from its booking to its end, one action after another.

use serde_json::{Value, json};

use crate::harness::{Practice, a_practice, monday, utc};

/// Does what must succeed, and checks what is true of every action: the version goes up by one, the
/// answer is the appointment as a GET shows it, and the position moves on.
#[track_caller]
fn after(practice: &Practice, before: &Value, action: &str, body: &Value) -> Value {
    let id = before["id"].as_str().unwrap();
    let answer = practice.act(before, action, body);
    let appointment = answer.is(200);
    let version = before["version"].as_u64().unwrap() + 1;
    assert_eq!(appointment["version"], version);
    assert_eq!(answer.header("etag"), Some(&*format!("\"{version}\"")));
    assert!(answer.position() > 0);
    assert_eq!(practice.appointment(id), appointment);
    appointment
}

/// The types of the events of an appointment, in their order.
fn event_types(practice: &Practice, appointment: &Value) -> Vec<String> {
    let path = format!("/v1/appointments/{}/events", appointment["id"].as_str().unwrap());
    let events = practice.api.get(&path).send().is(200);
    let events = events["items"].as_array().expect("items");
    let positions: Vec<_> = events.iter().map(|event| event["position"].as_u64()).collect();
    assert!(positions.is_sorted() && positions.iter().all(Option::is_some), "{events:#?}");
    events.iter().map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_held_slot_is_confirmed_and_the_client_comes_and_is_served() {
    let practice = a_practice();
    let held = practice.booking(monday(10, 0)).held(30).send().is(201);
    assert_eq!(held["status"], "held");
    assert!(held["hold_expires_at"].is_string(), "{held}");
    practice.booking(monday(10, 0)).send().is_refused(409, "slot-taken");

    let confirmed = after(&practice, &held, "confirm", &json!({}));
    assert_eq!(confirmed["status"], "booked");
    assert_eq!(confirmed["hold_expires_at"], Value::Null);
    let here = after(&practice, &confirmed, "check-in", &json!({}));
    assert_eq!(here["status"], "checked-in");
    let served = after(&practice, &here, "complete", &json!({}));
    assert_eq!(served["status"], "fulfilled");
    assert_eq!(
        event_types(&practice, &served),
        ["AppointmentHeld", "AppointmentConfirmed", "AppointmentCheckedIn", "AppointmentCompleted"]
    );
}

#[test]
fn an_appointment_is_moved_and_then_called_off() {
    let practice = a_practice();
    let other_room = practice.a_room();
    let booked = practice.booked(monday(10, 0));
    let moved = after(&practice, &booked, "reschedule", &json!({"start_at": utc(monday(10, 15))}));
    assert_eq!(moved["start_at"], utc(monday(10, 15)), "its own old time is not in its way");
    assert_eq!(moved["end_at"], utc(monday(10, 45)));
    assert_eq!(moved["resource_ids"], json!([practice.room]));
    let body = json!({"start_at": utc(monday(12, 0)), "resource_ids": [other_room]});
    let moved = after(&practice, &moved, "reschedule", &body);
    assert_eq!(moved["resource_ids"], json!([other_room]));
    assert_eq!(moved["status"], "booked");

    let body = json!({"reason": "The train is late", "by": "client"});
    let cancelled = after(&practice, &moved, "cancel", &body);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["cancellation"], body);
    assert_eq!(
        event_types(&practice, &cancelled),
        [
            "AppointmentBooked",
            "AppointmentRescheduled",
            "AppointmentRescheduled",
            "AppointmentCancelled"
        ]
    );
}

#[test]
fn a_hold_can_be_moved_and_given_up() {
    let practice = a_practice();
    let held = practice.booking(monday(10, 0)).held(30).send().is(201);
    let moved = after(&practice, &held, "reschedule", &json!({"start_at": utc(monday(11, 0))}));
    assert_eq!(moved["status"], "held");
    assert_eq!(moved["hold_expires_at"], held["hold_expires_at"]);
    practice.booked(monday(10, 0));
    after(&practice, &moved, "cancel", &json!({"by": "staff"}));
    practice.booked(monday(11, 0));
}

#[test]
fn a_client_who_does_not_come_is_a_no_show() {
    let practice = a_practice();
    let booked = practice.booked(monday(10, 0));
    let no_show = after(&practice, &booked, "no-show", &json!({}));
    assert_eq!(no_show["status"], "no-show");
    assert_eq!(event_types(&practice, &no_show), ["AppointmentBooked", "AppointmentMarkedNoShow"]);
}

#[test]
fn a_desk_that_checks_nobody_in_can_still_complete() {
    let practice = a_practice();
    let booked = practice.booked(monday(10, 0));
    assert_eq!(after(&practice, &booked, "complete", &json!({}))["status"], "fulfilled");
}

#[test]
fn category_and_tags_are_changed_each_by_itself_and_at_any_time() {
    let practice = a_practice();
    let booked = practice.booked(monday(10, 0));
    let tagged = after(&practice, &booked, "change", &json!({"tags": ["b", "a"]}));
    assert_eq!((&tagged["category"], &tagged["tags"]), (&json!("check-up"), &json!(["a", "b"])));
    let cancelled = after(&practice, &tagged, "cancel", &json!({"by": "client"}));
    let tagged = after(&practice, &cancelled, "change", &json!({"category": "lost"}));
    assert_eq!((&tagged["category"], &tagged["tags"]), (&json!("lost"), &json!(["a", "b"])));
    assert_eq!(tagged["status"], "cancelled");
}

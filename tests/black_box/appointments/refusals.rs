//! What is refused, and by which type a client knows it.

use serde_json::{Value, json};

use crate::harness::{Practice, a_practice, date, monday, utc};

/// An id that is well formed and names nothing.
const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

const ACTIONS: [&str; 7] =
    ["confirm", "reschedule", "cancel", "check-in", "complete", "no-show", "change"];

fn body_of(action: &str) -> Value {
    match action {
        "reschedule" => json!({"start_at": utc(monday(18, 0))}),
        "cancel" => json!({"by": "staff"}),
        "change" => json!({"tags": ["x"]}),
        _ => json!({}),
    }
}

/// One appointment in each status.
fn in_status(practice: &Practice, status: &str) -> Value {
    let start = monday(10, 0);
    let booking = practice.booking(start).with("resource_ids", json!([practice.a_room()]));
    if status == "held" {
        // One client cannot hold them all.
        let booking = booking.with("client_id", practice.a_client("One who holds"));
        return booking.held(30).send().is(201);
    }
    let booked = booking.send().is(201);
    let actions: &[&str] = match status {
        "booked" => &[],
        "checked-in" => &["check-in"],
        "fulfilled" => &["check-in", "complete"],
        "cancelled" => &["cancel"],
        "no-show" => &["no-show"],
        other => panic!("no status {other}"),
    };
    actions.iter().fold(booked, |appointment, action| {
        practice.act(&appointment, action, &body_of(action)).is(200)
    })
}

#[test]
fn each_status_allows_its_own_actions_and_refuses_the_others() {
    let practice = a_practice();
    let allowed = [
        ("held", &["confirm", "reschedule", "cancel", "change"][..]),
        ("booked", &["reschedule", "cancel", "check-in", "complete", "no-show", "change"]),
        ("checked-in", &["complete", "change"]),
        ("fulfilled", &["change"]),
        ("cancelled", &["change"]),
        ("no-show", &["change"]),
    ];
    for (status, allowed) in allowed {
        for action in ACTIONS {
            let appointment = in_status(&practice, status);
            assert_eq!(appointment["status"], status);
            let answer = practice.act(&appointment, action, &body_of(action));
            if allowed.contains(&action) {
                answer.is(200);
            } else {
                answer.is_refused(409, "wrong-status");
                let id = appointment["id"].as_str().unwrap();
                assert_eq!(practice.appointment(id), appointment, "nothing has changed");
            }
        }
    }
}

#[test]
fn an_appointment_that_does_not_exist_is_not_found() {
    let practice = a_practice();
    let path = format!("/v1/appointments/{NOBODY}");
    practice.api.get(&path).send().is_refused(404, "not-found");
    practice.api.get(&format!("{path}/events")).send().is_refused(404, "not-found");
    for action in ACTIONS {
        let answer = practice.api.post(&format!("{path}/{action}"), &body_of(action)).send();
        answer.is_refused(404, "not-found");
    }
}

#[test]
fn the_past_cannot_be_booked() {
    let practice = a_practice();
    let past = "2020-03-02T10:00:00Z";
    let booking = practice.booking(monday(10, 0)).with("start_at", past);
    booking.send().is_refused(422, "in-the-past");
    let appointment = practice.booked(monday(10, 0));
    let answer = practice.act(&appointment, "reschedule", &json!({"start_at": past}));
    answer.is_refused(422, "in-the-past");
}

#[test]
fn only_what_is_known_and_not_retired_can_be_booked() {
    let practice = a_practice();
    let booking = || practice.booking(monday(10, 0));
    let refused = [
        (booking().with("service_id", NOBODY), "unknown-service"),
        (booking().with("resource_ids", json!([NOBODY])), "unknown-resource"),
        (booking().with("resource_ids", json!([practice.room, NOBODY])), "unknown-resource"),
        (booking().with("client_id", NOBODY), "unknown-client"),
    ];
    for (booking, slug) in refused {
        booking.send().is_refused(422, slug);
    }
    let (service, room) = (practice.a_service(&json!({})), practice.a_room());
    for path in [format!("/v1/services/{service}"), format!("/v1/resources/{room}")] {
        practice.api.post(&format!("{path}/retire"), &json!({})).send().is(200);
    }
    booking().with("service_id", service).send().is_refused(422, "retired-service");
    booking().with("resource_ids", json!([room])).send().is_refused(422, "retired-resource");
    booking().send().is(201);
}

#[test]
fn a_move_is_refused_for_the_reasons_of_a_booking() {
    let practice = a_practice();
    let half_day = practice.a_resource(&json!({
        "weekly_hours": [{"days": ["mon"], "from": "08:00", "to": "12:00"}],
    }));
    let appointment = practice.booked(monday(10, 0));
    practice.booked(monday(11, 0));
    let moved = |body: &Value| practice.act(&appointment, "reschedule", body);
    moved(&json!({"start_at": utc(monday(11, 0))})).is_refused(409, "slot-taken");
    moved(&json!({"start_at": utc(monday(13, 0)), "resource_ids": [half_day]}))
        .is_refused(422, "outside-opening-hours");
    moved(&json!({"start_at": utc(monday(9, 0)), "resource_ids": [NOBODY]}))
        .is_refused(422, "unknown-resource");
    // Still where it was.
    practice.booking(monday(10, 0)).send().is_refused(409, "slot-taken");
    moved(&json!({"start_at": utc(monday(9, 0)), "resource_ids": [half_day]})).is(200);
}

#[test]
fn a_closed_day_is_outside_opening_hours() {
    let practice = a_practice();
    let closed = practice.a_resource(&json!({"weekly_hours": []}));
    let booking = practice.booking(monday(10, 0)).with("resource_ids", json!([closed]));
    booking.send().is_refused(422, "outside-opening-hours");
    assert!(practice.found(&format!("from={}", date(0))).is_empty());
}

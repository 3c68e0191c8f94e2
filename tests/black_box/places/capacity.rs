//! A resource that several can have at once.

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::{a_practice, monday, utc};

#[test]
fn as_many_appointments_overlap_on_a_resource_as_it_has_places() {
    let practice = a_practice();
    let chairs = practice.a_resource(&json!({"name": "Chairs", "capacity": 3}));
    let at = |minute| practice.booking(monday(10, minute)).with("resource_ids", json!([chairs]));
    for minute in [0, 10, 20] {
        at(minute).send().is(201);
    }
    // At half past ten the first has gone, and each refusal says when a place is free first.
    let problem = at(25).send().is_refused(409, "slot-taken");
    assert_eq!(problem["resource_id"], chairs);
    assert_eq!(problem["end_at"], utc(monday(10, 30)));
    at(30).send().is(201);
    practice.is_whole();
}

#[test]
fn a_place_is_free_again_when_its_appointment_is_cancelled_or_moved() {
    let practice = a_practice();
    let chairs = practice.a_resource(&json!({"capacity": 2}));
    let book = || practice.booking(monday(10, 0)).with("resource_ids", json!([chairs])).send();
    let [first, second] = [book().is(201), book().is(201)];
    book().is_refused(409, "slot-taken");
    practice.act(&first, "cancel", &json!({})).is(200);
    let third = book().is(201);
    book().is_refused(409, "slot-taken");
    practice.act(&second, "reschedule", &json!({"start_at": utc(monday(12, 0))})).is(200);
    book().is(201);
    // Into time that is full, and within its own.
    let into = |start| json!({"start_at": utc(start)});
    let answer = practice.act(&second, "reschedule", &into(monday(10, 15)));
    answer.is_refused(409, "slot-taken");
    let later = monday(10, 0) + TimeDelta::minutes(20);
    practice.act(&third, "reschedule", &into(later)).is(200);
    practice.is_whole();
}

#[test]
fn a_resource_gets_more_places_and_fewer_and_what_was_booked_stands() {
    let practice = a_practice();
    let path = format!("/v1/resources/{}", practice.room);
    let room = practice.api.get(&path).send().is(200);
    assert_eq!(room["capacity"], 1);
    let changed =
        |capacity: u32| practice.api.patch(&path, &json!({"capacity": capacity})).send().is(200);
    let book = || practice.booking(monday(10, 0)).send();
    book().is(201);
    book().is_refused(409, "slot-taken");
    assert_eq!(changed(2)["capacity"], 2);
    let second = book().is(201);
    changed(1);
    book().is_refused(409, "slot-taken");
    assert_eq!(practice.appointment(second["id"].as_str().unwrap())["status"], "booked");
    practice.is_whole();
}

#[test]
fn a_number_of_places_is_one_to_a_thousand() {
    let practice = a_practice();
    let path = format!("/v1/resources/{}", practice.room);
    for bad in [json!(0), json!(1_001), json!(-1), json!("2")] {
        let answer = practice.api.patch(&path, &json!({"capacity": bad})).send();
        answer.is_refused(422, "invalid-body");
    }
    practice.a_resource(&json!({"capacity": 1_000}));
}

//! `POST /v1/appointments`, `GET /v1/appointments/{id}`, and what a booking takes.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, a_practice, monday, utc};

#[test]
fn a_booking_is_answered_with_the_appointment_and_where_it_is() {
    let practice = a_practice();
    let start = monday(10, 0);
    let answer = practice.booking(start).with("note", "Comes by\ntaxi").send();
    let appointment = answer.is(201);
    let id = appointment["id"].as_str().unwrap();
    assert_eq!(
        appointment,
        json!({
            "id": id, "status": "booked", "version": 1,
            "service_id": practice.service, "resource_ids": [practice.room],
            "client_id": practice.client,
            "start_at": utc(start), "end_at": utc(start + TimeDelta::minutes(30)),
            "title": "Check-up", "category": "check-up", "tags": ["first", "short"],
            "note": "Comes by\ntaxi",
        })
    );
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert!(answer.position() > 0);
    let location = answer.header("location").expect("a Location");
    assert!(location.ends_with(&format!("/v1/appointments/{id}")), "{location}");
    assert_eq!(practice.api.get(location).send().is(200), appointment);
}

#[test]
fn ids_are_of_uuid_version_7() {
    let practice = a_practice();
    let appointment = practice.booked(monday(10, 0));
    for id in [appointment["id"].as_str().unwrap(), &practice.service, &practice.client] {
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(id.as_bytes()[14], b'7', "{id}");
    }
}

#[test]
fn category_tags_and_title_are_the_services_unless_the_booking_has_its_own() {
    let practice = a_practice();
    let of = |body: &Value| ["title", "category", "tags"].map(|name| body[name].clone());
    let default = practice.booked(monday(9, 0));
    assert_eq!(of(&default), [json!("Check-up"), json!("check-up"), json!(["first", "short"])]);
    let own = practice
        .booking(monday(10, 0))
        .with("title", "Second opinion")
        .with("category", "consultation")
        .with("tags", json!(["urgent"]));
    let own = own.send().is(201);
    assert_eq!(of(&own), [json!("Second opinion"), json!("consultation"), json!(["urgent"])]);
    let untagged = practice.booking(monday(11, 0)).with("tags", json!([])).send().is(201);
    assert_eq!(of(&untagged), [json!("Check-up"), json!("check-up"), json!([])]);
}

#[test]
fn an_appointment_stays_as_it_was_booked_when_its_service_is_revised() {
    let practice = a_practice();
    let appointment = practice.booked(monday(9, 0));
    let revision = json!({
        "name": "Long check-up", "category": "long", "tags": [], "duration_minutes": 60,
    });
    let path = format!("/v1/services/{}", practice.service);
    practice.api.patch(&path, &revision).send().is(200);
    assert_eq!(practice.appointment(appointment["id"].as_str().unwrap()), appointment);
    let next = practice.booked(monday(10, 0));
    assert_eq!(next["end_at"], utc(monday(11, 0)));
    assert_eq!(next["category"], "long");
}

#[test]
fn a_start_with_any_offset_is_the_same_instant() {
    let practice = a_practice();
    let start = monday(10, 0);
    let local = start.with_timezone(&chrono_tz::Asia::Kathmandu).to_rfc3339();
    let appointment = practice.booking(start).with("start_at", local).send().is(201);
    assert_eq!(appointment["start_at"], utc(start));
}

#[test]
fn a_taken_slot_is_refused_with_what_takes_it() {
    let practice = a_practice();
    practice.booked(monday(10, 0));
    let problem = practice.booking(monday(10, 15)).send().is_refused(409, "slot-taken");
    assert_eq!(problem["resource_id"], practice.room);
    assert_eq!(problem["start_at"], utc(monday(10, 0)));
    assert_eq!(problem["end_at"], utc(monday(10, 30)));
}

#[test]
fn appointments_that_only_touch_do_not_overlap() {
    let practice = a_practice();
    practice.booked(monday(10, 0));
    practice.booked(monday(10, 30));
    practice.booked(monday(9, 30));
    practice.booking(monday(9, 59)).send().is_refused(409, "slot-taken");
}

#[test]
fn buffers_keep_the_neighbours_apart() {
    let practice = a_practice();
    let buffered = practice.a_service(&json!({
        "buffer_before_minutes": 10, "buffer_after_minutes": 20,
    }));
    let appointment = practice.booking(monday(12, 0)).with("service_id", &*buffered).send().is(201);
    assert_eq!(appointment["start_at"], utc(monday(12, 0)), "the buffers are not part of it");
    assert_eq!(appointment["end_at"], utc(monday(12, 30)));
    // Half an hour each: 11:50 to 12:50 is taken.
    let problem = practice.booking(monday(12, 49)).send().is_refused(409, "slot-taken");
    assert_eq!(problem["start_at"], utc(monday(11, 50)));
    assert_eq!(problem["end_at"], utc(monday(12, 50)));
    practice.booking(monday(11, 21)).send().is_refused(409, "slot-taken");
    practice.booked(monday(12, 50));
    practice.booked(monday(11, 20));
}

#[test]
fn a_booking_takes_all_of_its_resources_or_none() {
    let practice = a_practice();
    let doctor = practice.a_resource(&json!({"kind": "staff", "name": "A doctor"}));
    let both = |at| practice.booking(at).with("resource_ids", json!([doctor, practice.room]));
    practice.booked(monday(10, 0));
    let problem = both(monday(10, 0)).send().is_refused(409, "slot-taken");
    assert_eq!(problem["resource_id"], practice.room);
    // So the doctor is still free.
    let alone = practice.booking(monday(10, 0)).with("resource_ids", json!([doctor]));
    alone.send().is(201);
    let appointment = both(monday(11, 0)).send().is(201);
    assert_eq!(appointment["resource_ids"], json!([doctor, practice.room]));
    practice.booking(monday(11, 0)).send().is_refused(409, "slot-taken");
}

#[test]
fn what_is_no_longer_needed_can_be_booked_again() {
    let practice = a_practice();
    let start = monday(10, 0);
    let free_again = |answer: Answer| {
        answer.is(200);
        practice.booked(start)
    };
    let first = practice.booked(start);
    let second = free_again(practice.act(&first, "cancel", &json!({"by": "staff"})));
    let third = free_again(practice.act(&second, "no-show", &json!({})));
    let elsewhere = json!({"start_at": utc(monday(15, 0))});
    free_again(practice.act(&third, "reschedule", &elsewhere));
    practice.booking(start).send().is_refused(409, "slot-taken");
}

#[test]
fn what_was_done_and_who_is_there_keep_their_time() {
    let practice = a_practice();
    let appointment = practice.booked(monday(10, 0));
    for action in ["check-in", "complete"] {
        practice.act(&appointment, action, &json!({})).is(200);
        practice.booking(monday(10, 0)).send().is_refused(409, "slot-taken");
    }
}

#[test]
fn opening_hours_are_in_the_resources_own_zone() {
    let practice = a_practice();
    let surgery = practice.a_resource(&json!({
        "time_zone": "America/Phoenix",
        "weekly_hours": [{"days": ["mon"], "from": "09:00", "to": "12:00"}],
    }));
    let at = |start| practice.booking(start).with("resource_ids", json!([surgery]));
    // Phoenix is at -07:00 all year.
    at(monday(16, 0)).send().is(201);
    at(monday(18, 30)).send().is(201);
    for outside in [monday(15, 59), monday(18, 31), monday(16, 0) + TimeDelta::days(1)] {
        let problem = at(outside).send().is_refused(422, "outside-opening-hours");
        assert_eq!(problem["resource_id"], surgery);
    }
}

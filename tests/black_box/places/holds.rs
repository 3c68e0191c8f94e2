//! `/v1/holds`.

use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Answer, Practice, a_practice, monday};

fn hold(practice: &Practice, hour: u32, but: &Value) -> Answer {
    let mut body = practice.booking(monday(hour, 0)).body;
    for (name, value) in but.as_object().unwrap() {
        body[name] = value.clone();
    }
    practice.api.post("/v1/holds", &body).send()
}

fn confirm(practice: &Practice, hold: &Value) -> Answer {
    let path = format!("/v1/holds/{}/confirm", hold["id"].as_str().unwrap());
    practice.api.post(&path, &json!({})).send()
}

fn release(practice: &Practice, hold: &Value) -> Answer {
    let path = format!("/v1/holds/{}", hold["id"].as_str().unwrap());
    practice.api.request("DELETE", &path).send()
}

fn lapses(hold: &Value) -> DateTime<Utc> {
    hold["hold_expires_at"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_hold_keeps_the_time_free_for_ten_minutes_or_as_long_as_it_says() {
    let practice = a_practice();
    for (hour, but, minutes) in [(9, json!({}), 10), (10, json!({"ttl_minutes": 60}), 60)] {
        let before = DateTime::<Utc>::from(std::time::SystemTime::now());
        let answer = hold(&practice, hour, &but);
        let after = DateTime::<Utc>::from(std::time::SystemTime::now());
        let held = answer.is(201);
        assert_eq!(held["status"], "held");
        let ttl = TimeDelta::minutes(minutes);
        // Whole microseconds.
        let early = before + ttl - TimeDelta::microseconds(1);
        assert!((early..=after + ttl).contains(&lapses(&held)), "{held}");
        let location = answer.header("location").unwrap();
        assert_eq!(practice.api.get(location).send().is(200), held);
        practice.booking(monday(hour, 0)).send().is_refused(409, "slot-taken");
    }
    practice.is_whole();
}

#[test]
fn a_hold_is_confirmed_whatever_has_become_of_its_service_and_resource() {
    let practice = a_practice();
    let held = hold(&practice, 9, &json!({})).is(201);
    let room = format!("/v1/resources/{}", practice.room);
    let post = |path: String, body: &Value| practice.api.post(&path, body).send().is(200);
    practice.api.patch(&room, &json!({"weekly_hours": []})).send().is(200);
    post(format!("{room}/retire"), &json!({}));
    post(format!("/v1/services/{}/retire", practice.service), &json!({}));
    let confirmed = confirm(&practice, &held).is(200);
    assert_eq!(confirmed["status"], "booked");
    assert_eq!(confirmed.get("hold_expires_at"), None);
    confirm(&practice, &held).is_refused(409, "wrong-status");
    practice.is_whole();
}

#[test]
fn a_released_hold_frees_its_time_and_what_is_booked_is_not_released() {
    let practice = a_practice();
    let held = hold(&practice, 9, &json!({})).is(201);
    let released = release(&practice, &held).is(200);
    assert_eq!((&released["status"], &released["version"]), (&json!("cancelled"), &json!(2)));
    release(&practice, &held).is_refused(409, "wrong-status");
    let booked = practice.booked(monday(9, 0));
    let problem = release(&practice, &booked).is_refused(409, "wrong-status");
    assert_eq!(problem["wanted"], "released");
    practice.booking(monday(9, 0)).send().is_refused(409, "slot-taken");
}

#[test]
fn a_hold_has_a_shape_and_an_idempotency_key() {
    let practice = a_practice();
    for (member, bad) in [
        ("ttl_minutes", json!(0)),
        ("ttl_minutes", json!(61)),
        ("ttl_minutes", json!("10")),
        ("ttl_minutes", json!(-1)),
        ("ttl_minutes", json!(1_000_000_000)),
        ("ttl_minutes", Value::Null),
        ("hold_minutes", json!(10)),
        ("resource_ids", json!([])),
        ("start_at", json!("soon")),
    ] {
        hold(&practice, 9, &json!({member: bad})).is_refused(422, "invalid-body");
    }
    let body = practice.booking(monday(9, 0)).body;
    let once = || practice.api.post("/v1/holds", &body).header("idempotency-key", "h1").send();
    assert_eq!(once().is(201), once().is(201));
}

/// It waits for a minute, the shortest hold there is.
#[test]
fn a_hold_that_lapses_stops_counting_and_blocking_at_that_instant() {
    let practice = a_practice();
    let a_minute = json!({"ttl_minutes": 1});
    let held = [9, 10, 11].map(|hour| hold(&practice, hour, &a_minute).is(201));
    hold(&practice, 12, &a_minute).is_refused(409, "client-hold-limit");
    let last = lapses(&held[2]);
    let wait = last - DateTime::<Utc>::from(std::time::SystemTime::now());
    thread::sleep(wait.to_std().unwrap() + Duration::from_millis(5));
    // At once, and before anything has recorded that they lapsed.
    for hour in [9, 10, 11] {
        hold(&practice, hour, &json!({})).is(201);
    }
    for hold in &held {
        assert!(["hold-expired", "wrong-status"].contains(&&*confirm(&practice, hold).slug()));
    }
    practice.is_whole();
}

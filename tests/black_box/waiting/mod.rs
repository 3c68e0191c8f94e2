//! `/v1/waiting-list`: waiting clients are offered what becomes available, in turn.

mod entries;
mod offers;
mod sessions;
mod turns;

use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::harness::{Answer, Api, Practice, a_practice, date, eventually, monday};

/// The practice's room, which is open on that Monday from nine to ten only, so that it has two places;
/// both are booked.
struct Full {
    practice: Practice,
    nine: Value,
    half_past: Value,
}

fn a_full_practice() -> Full {
    full(a_practice())
}

fn full(mut practice: Practice) -> Full {
    practice.room = practice.a_resource(&json!({"weekly_hours": [
        {"days": ["mon"], "from": "09:00", "to": "10:00",
         "valid_from": date(0).to_string(), "valid_until": date(0).to_string()},
    ]}));
    let nine = practice.booked(monday(9, 0));
    let half_past = practice.booked(monday(9, 30));
    Full { practice, nine, half_past }
}

/// Joins as a new client, with other wishes than "any time on that Monday".
fn join_as(practice: &Practice, client: &str, but: &Value) -> Answer {
    let mut body = json!({
        "service_id": practice.service, "client_id": client, "resource_ids": [practice.room],
        "from": date(0).to_string(), "to": date(0).to_string(), "time_zone": "UTC",
    });
    for (name, value) in but.as_object().unwrap() {
        body[name] = value.clone();
    }
    practice.api.post("/v1/waiting-list", &body).send()
}

fn join(practice: &Practice, but: &Value) -> Value {
    let client = practice.a_client("One who waits");
    join_as(practice, &client, but).is(201)
}

/// Times of that Monday.
fn times(from: &str, to: &str) -> Value {
    json!({"times": [{"days": ["mon"], "from": from, "to": to}]})
}

fn path(entry: &Value) -> String {
    format!("/v1/waiting-list/{}", entry["id"].as_str().unwrap())
}

fn read(api: &Api, entry: &Value) -> Value {
    api.get(&path(entry)).send().is(200)
}

fn status(practice: &Practice, entry: &Value) -> String {
    read(&practice.api, entry)["status"].as_str().unwrap().to_owned()
}

fn has_become(practice: &Practice, entry: &Value, status: &str) -> Value {
    eventually(&format!("{entry} is {status}"), || {
        let now = read(&practice.api, entry);
        (now["status"] == status).then_some(now)
    })
}

fn offered(practice: &Practice, entry: &Value) -> Value {
    has_become(practice, entry, "offered")
}

fn start(entry: &Value) -> DateTime<Utc> {
    entry["offer"]["start_at"].as_str().unwrap().parse().unwrap()
}

fn hold_of(entry: &Value) -> &str {
    entry["offer"]["appointment_id"].as_str().unwrap()
}

fn confirm(practice: &Practice, entry: &Value) -> Answer {
    practice.api.post(&format!("/v1/holds/{}/confirm", hold_of(entry)), &json!({})).send()
}

fn release(practice: &Practice, entry: &Value) -> Answer {
    practice.api.request("DELETE", &format!("/v1/holds/{}", hold_of(entry))).send()
}

fn cancel(practice: &Practice, appointment: &Value) -> Answer {
    let cancelled = practice.act(appointment, "cancel", &json!({}));
    cancelled.has_status(200);
    cancelled
}

/// Long enough for an offer that must not come: they come within a fraction of this.
fn a_while() {
    thread::sleep(Duration::from_millis(1_500));
}

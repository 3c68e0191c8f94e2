//! `/v1/series`: appointments that recur by a rule.

mod booking;
mod changing;
mod races;
mod refusals;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Value, json};

use crate::harness::{Answer, Practice, date};

/// This many days after the Monday, at this local time.
fn local(days: u64, time: &str) -> String {
    format!("{}T{time}", date(days))
}

/// The same as an instant in UTC, which is the zone of the tests but where they say otherwise.
fn instant(days: u64, time: &str) -> DateTime<Utc> {
    let local = format!("{}:00", local(days, time));
    local.parse::<NaiveDateTime>().unwrap().and_utc()
}

/// A series of the practice's service, room and client, not sent yet.
fn a_series(practice: &Practice, start: &str, rrule: &str) -> Value {
    json!({
        "service_id": practice.service,
        "resource_ids": [practice.room],
        "client_id": practice.client,
        "dtstart": start,
        "time_zone": "UTC",
        "rrule": rrule,
    })
}

/// The body with one more member.
fn with(mut body: Value, member: &str, value: impl Into<Value>) -> Value {
    body[member] = value.into();
    body
}

fn book(practice: &Practice, body: &Value) -> Answer {
    practice.api.post("/v1/series", body).send()
}

/// The series that this books.
#[track_caller]
fn booked(practice: &Practice, body: &Value) -> Value {
    book(practice, body).is(201)
}

/// `POST /v1/series/{id}/{action}`.
fn act(practice: &Practice, series: &Value, action: &str, body: &Value) -> Answer {
    let id = series["id"].as_str().unwrap();
    practice.api.post(&format!("/v1/series/{id}/{action}"), body).send()
}

/// The series as it is now.
#[track_caller]
fn now(practice: &Practice, series: &Value) -> Value {
    practice.api.get(&format!("/v1/series/{}", series["id"].as_str().unwrap())).send().is(200)
}

/// One member of each appointment of the series, as they are now, in order.
#[track_caller]
fn each(practice: &Practice, series: &Value, member: &str) -> Vec<String> {
    let series = now(practice, series);
    let occurrences = series["occurrences"].as_array().unwrap();
    let text = |one: &Value| one["appointment"][member].as_str().unwrap_or_default().to_owned();
    occurrences.iter().map(text).collect()
}

/// The occurrences that a list of the answer names.
fn ids(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    list.iter().map(|one| one["recurrence_id"].as_str().unwrap().to_owned()).collect()
}

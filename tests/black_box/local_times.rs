//! `tz`: whatever has a start and an end is shown with its local times beside, in the zone that is asked for.

use chrono::{DateTime, Utc};
use chrono_tz::America::St_Johns;
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::every_operation::house::House;
use crate::every_operation::{head, operations, send};
use crate::harness::{a_practice, date};

/// Everything in an answer that has a start.
fn timed<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            if members.contains_key("start_at") {
                found.push(value);
            }
            members.values().for_each(|member| timed(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| timed(item, found)),
        _ => {}
    }
}

/// Whether everything in it has local times, or nothing; and that they are those of the zone.
#[track_caller]
fn is_local(at: &str, answer: &Value, zone: Option<Tz>) {
    let mut found = Vec::new();
    timed(answer, &mut found);
    assert!(!found.is_empty(), "{at}: {answer}");
    for one in found {
        for name in ["start_at", "end_at"] {
            // Of an offer only its start is said.
            let Some(instant) = one[name].as_str() else { continue };
            let instant: DateTime<Utc> = instant.parse().unwrap();
            let local = one[&format!("local_{name}")].as_str().map(str::to_owned);
            let expected = zone.map(|zone| instant.with_timezone(&zone).to_rfc3339());
            assert_eq!(local, expected, "{at}: {one}");
        }
    }
}

/// Each read that takes `tz` and shows when something is; and whether it shows local times by itself.
fn reads(house: &House) -> Vec<(String, bool)> {
    let fresh = format!("min_position={}", head(house));
    let reads = [
        ("/v1/appointments/{id}", "", false),
        ("/v1/appointments", &*fresh, false),
        ("/v1/sessions/{id}", "", false),
        ("/v1/sessions", &*fresh, false),
        ("/v1/sessions/{id}/appointments", "", false),
        ("/v1/series/{id}", "", false),
        ("/v1/conflicts", &*fresh, false),
        ("/v1/reminders", &*fresh, false),
        ("/v1/appointments/{id}/reminders", &*fresh, false),
        ("/v1/clients/{id}/history", &*fresh, false),
        ("/v1/availability", "limit=3", false),
        ("/v1/availability", "by=resource&limit=3", false),
        ("/v1/agenda", &*fresh, true),
    ];
    let reads = reads.into_iter().map(|(path, query, always)| {
        let path = house.asked("GET", path).path;
        let path = format!("{path}{}", if path.contains('?') { "&" } else { "?" });
        let query = if query.is_empty() { String::new() } else { format!("{query}&") };
        (format!("{path}{query}"), always)
    });
    reads.collect()
}

/// A place of a session is booked, and a series is moved.
fn something_happens(house: &House) {
    for path in ["/v1/sessions/{id}/appointments", "/v1/series/{id}/reschedule"] {
        let asked = house.asked("POST", path);
        let answer = house.practice.api.post(&asked.path, &asked.body.unwrap()).send();
        assert!([200, 201].contains(&answer.status), "{path}: {}", answer.text);
    }
}

#[test]
fn every_read_that_shows_when_something_starts_takes_a_zone() {
    /// What the log says, as it says it; and what two moments differ in.
    const AS_IT_WAS_SAID: &[&str] = &[
        "/v1/events",
        "/v1/events/export",
        "/v1/appointments/{id}/events",
        "/v1/appointments/{id}/diff",
        "/v1/clients/{id}/personal-data",
    ];
    let house = House::new();
    something_happens(&house);
    let mut shown = Vec::new();
    for operation in operations() {
        let path = operation.path.clone();
        if !operation.is_get() || AS_IT_WAS_SAID.contains(&&*path) {
            continue;
        }
        let answer = send(&house, &operation, "");
        if answer.text.contains("\"start_at\"") {
            // Opening hours have them always, in the zone of the resource.
            let is_local = answer.text.contains("local_start_at");
            assert!(operation.has("tz") || is_local, "{path}: {}", answer.text);
            shown.push(path);
        }
    }
    assert!(shown.len() > 8, "{shown:?}");
}

#[test]
fn where_a_zone_is_asked_for_local_times_are_shown_beside() {
    let house = House::new();
    let practice = &house.practice;
    something_happens(&house);
    for (path, always) in reads(&house) {
        let read = |query: &str| practice.api.get(&format!("{path}{query}")).send().is(200);
        is_local(&path, &read("tz=America/St_Johns"), Some(St_Johns));
        // Without one, an agenda has its resource's.
        is_local(&path, &read(""), always.then_some(Tz::UTC));
        let wrong = practice.api.get(&format!("{path}tz=Mars/Base")).send();
        wrong.is_refused(400, "unknown-time-zone");
    }
}

#[test]
fn a_search_for_several_resources_shows_them_too() {
    let practice = a_practice();
    let mut body = json!({
        "resource_ids": [practice.room], "roles": [{"role": "room", "kind": "room"}],
        "duration_minutes": 30, "from": date(0), "to": date(0), "limit": 3,
    });
    let search = |body: &Value| practice.api.post("/v1/availability/search", body).send().is(200);
    is_local("without", &search(&body), None);
    body["time_zone"] = json!("America/St_Johns");
    is_local("with", &search(&body), Some(St_Johns));
}

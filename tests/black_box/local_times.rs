//! `tz`: whatever has a start and an end is shown with its local times beside, in the zone that is asked for.

use chrono::{DateTime, Utc};
use chrono_tz::America::St_Johns;
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::harness::{Practice, a_practice, date, id_of, monday, utc};

/// Everything in an answer that has a start and an end.
fn timed<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            if members.contains_key("start_at") && members.contains_key("end_at") {
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
            let instant: DateTime<Utc> = one[name].as_str().unwrap().parse().unwrap();
            let local = one[&format!("local_{name}")].as_str().map(str::to_owned);
            let expected = zone.map(|zone| instant.with_timezone(&zone).to_rfc3339());
            assert_eq!(local, expected, "{at}: {one}");
        }
    }
}

/// Each read that takes `tz` and shows when something is; and whether it shows local times by itself.
fn reads(practice: &Practice) -> Vec<(String, bool)> {
    let booked = practice.booked(monday(10, 0));
    let class = practice.a_service(&json!({"session_places": 2}));
    let hall = practice.a_room();
    let session =
        json!({"service_id": class, "resource_ids": [hall], "start_at": utc(monday(9, 0))});
    let session = practice.created("/v1/sessions", &session);
    let mut series = practice.booking(monday(16, 0)).without("start_at").body;
    series["dtstart"] = json!(monday(16, 0).format("%Y-%m-%dT%H:%M").to_string());
    series["time_zone"] = json!("UTC");
    series["rrule"] = json!("FREQ=DAILY;COUNT=2");
    let series = practice.created("/v1/series", &series);
    let off = json!({"kind": "time-off", "days": {"first": date(0), "last": date(0)}});
    let exceptions = format!("/v1/resources/{}/exceptions", practice.room);
    let position = practice.api.post(&exceptions, &off).send().position();
    let (service, client, room, day) =
        (&practice.service, &practice.client, &practice.room, date(0));
    let free = practice.a_room();
    vec![
        (format!("/v1/appointments/{}?", id_of(&booked)), false),
        (format!("/v1/appointments?client_id={client}&min_position={position}&"), false),
        (format!("/v1/sessions/{session}?"), false),
        (format!("/v1/sessions?min_position={position}&"), false),
        (format!("/v1/series/{series}?"), false),
        (format!("/v1/conflicts?min_position={position}&"), false),
        (format!("/v1/clients/{client}/history?min_position={position}&"), false),
        (
            format!(
                "/v1/availability?service_id={service}&resource_id={free}&from={day}&to={day}&limit=3&"
            ),
            false,
        ),
        (
            format!(
                "/v1/availability?service_id={service}&resource_id={free}&from={day}&to={day}&by=resource&limit=3&"
            ),
            false,
        ),
        (format!("/v1/agenda?resource_id={room}&date={day}&min_position={position}&"), true),
    ]
}

#[test]
fn where_a_zone_is_asked_for_local_times_are_shown_beside() {
    let practice = a_practice();
    for (path, always) in reads(&practice) {
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

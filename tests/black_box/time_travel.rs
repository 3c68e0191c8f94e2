//! `as_of`: what was known at a moment of the past. That its answers are right, whatever is asked, is seen in
//! `proof/history.rs`.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Practice, a_practice, date, monday, personal, utc};

fn get(practice: &Practice, path: &str) -> Value {
    practice.api.get(path).send().is(200)
}

/// When the event at a position was recorded.
fn recorded_at(practice: &Practice, appointment: &Value, sequence: usize) -> DateTime<Utc> {
    let path = format!("/v1/appointments/{}/events", appointment["id"].as_str().unwrap());
    let events = get(practice, &path);
    events["items"][sequence - 1]["recorded_at"].as_str().unwrap().parse().unwrap()
}

fn plus(instant: DateTime<Utc>, micros: i64) -> String {
    utc(instant + TimeDelta::microseconds(micros))
}

#[test]
fn an_appointment_is_shown_as_it_was_at_a_position_and_at_an_instant() {
    let practice = a_practice();
    let booked = practice.booking(monday(9, 0)).send();
    let (first, booked) = (booked.position(), booked.is(201));
    let moved = practice.act(&booked, "reschedule", &json!({"start_at": utc(monday(11, 0))}));
    let second = moved.position();
    practice.act(&booked, "cancel", &json!({"by": "client", "reason": "ill"})).is(200);
    let path = format!("/v1/appointments/{}", booked["id"].as_str().unwrap());
    let as_of = |moment: &str| practice.api.get(&format!("{path}?as_of={moment}")).send();
    assert_eq!(as_of(&format!("position:{first}")).is(200), booked);
    let answer = as_of(&format!("position:{second}"));
    assert_eq!(answer.header("etag"), Some("\"2\""));
    assert_eq!(answer.position(), second);
    assert_eq!(answer.is(200)["start_at"], utc(monday(11, 0)));
    as_of(&format!("position:{}", first - 1)).is_refused(404, "not-found");
    let at = recorded_at(&practice, &booked, 2);
    assert_eq!(as_of(&plus(at, 0)).position(), second);
    assert_eq!(as_of(&plus(at, -1)).position(), first);
    assert_eq!(as_of(&plus(recorded_at(&practice, &booked, 3), 0)).is(200)["status"], "cancelled");
    as_of("2020-01-01T00:00:00Z").is_refused(404, "not-found");
}

#[test]
fn a_moment_that_has_not_come_and_one_that_is_none_are_refused() {
    let practice = a_practice();
    let booked = practice.booking(monday(9, 0)).send();
    let (head, booked) = (booked.position(), booked.is(201));
    let day = format!("resource_id={}&date={}", practice.room, date(0));
    let free = format!(
        "service_id={}&resource_id={}&from={day}&to={day}",
        practice.service,
        practice.room,
        day = date(0)
    );
    for path in [
        format!("/v1/appointments/{}?", booked["id"].as_str().unwrap()),
        format!("/v1/services/{}?", practice.service),
        format!("/v1/resources/{}?", practice.room),
        format!("/v1/clients/{}?", practice.client),
        "/v1/appointments?".to_owned(),
        format!("/v1/agenda?{day}"),
        format!("/v1/availability?{free}"),
    ] {
        let ask = |moment: &str| practice.api.get(&format!("{path}&as_of={moment}")).send();
        ask(&format!("position:{head}")).has_status(200);
        let problem = ask(&format!("position:{}", head + 1)).is_refused(400, "position-ahead");
        assert_eq!(problem["head"], head);
        ask("position:0").is_refused(400, "position-ahead");
        ask("2190-01-01T00:00:00Z").is_refused(400, "moment-ahead");
        for bad in
            ["position:", "position:x", "position:99999999999999999999", "2026-02-30", "soon"]
        {
            ask(bad).is_refused(400, "invalid-query");
        }
    }
    let list = practice.api.get("/v1/appointments?as_of=position:1&min_position=1").send();
    list.is_refused(400, "invalid-query");
}

#[test]
fn a_list_is_as_it_was_with_every_filter_and_its_pages_are_of_that_moment() {
    let practice = a_practice();
    let all: Vec<Value> = (0..9).map(|hour| practice.booked(monday(hour, 0))).collect();
    let then = practice.booked(monday(20, 0));
    let then_position = practice.act(&then, "change", &json!({"tags": ["vip"]})).position();
    // Everything changes.
    for (n, appointment) in all.iter().enumerate() {
        match n % 3 {
            0 => practice.act(appointment, "cancel", &json!({"by": "client"})).is(200),
            1 => practice.act(appointment, "change", &json!({"tags": ["vip"]})).is(200),
            _ => {
                let start = utc(monday(10, 0) + TimeDelta::minutes(30 * i64::try_from(n).unwrap()));
                practice.act(appointment, "reschedule", &json!({"start_at": start})).is(200)
            }
        };
    }
    practice.booked(monday(22, 0));
    let as_of = format!("as_of=position:{then_position}");
    let found = |query: &str| -> Vec<Value> {
        let found = practice.found(&format!("{query}&{as_of}"));
        found.into_iter().map(|item| item["id"].clone()).collect()
    };
    let ids: Vec<Value> = all.iter().chain([&then]).map(|it| it["id"].clone()).collect();
    assert_eq!(found(""), ids);
    assert_eq!(found("limit=3"), ids);
    assert_eq!(found("status=cancelled"), Vec::<Value>::new());
    assert_eq!(found("tags=vip"), ids[9..]);
    assert_eq!(found("tags=first&limit=2"), ids[..9]);
    assert_eq!(found(&format!("resource_id={}&sort=-start_at", practice.room)).len(), 10);
    assert_eq!(found(&format!("client_id={}&limit=4", practice.client)), ids);
    assert_eq!(found(&format!("from={}&status=booked&q=check", date(0))), ids);
    let page = practice.api.get(&format!("/v1/appointments?limit=3&{as_of}")).send();
    assert_eq!(page.position(), then_position);
    let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();
    let next = |moment: &str| {
        practice.api.get(&format!("/v1/appointments?limit=3&cursor={cursor}{moment}")).send()
    };
    next("").is_refused(400, "invalid-cursor");
    next(&format!("&as_of=position:{}", then_position - 1)).is_refused(400, "invalid-cursor");
    next(&format!("&{as_of}")).has_status(200);
}

#[test]
fn services_resources_and_clients_are_shown_as_they_were() {
    let practice = a_practice();
    let booked = practice.booking(monday(9, 0)).send().position();
    let terms = json!({"name": "Other", "category": "other", "duration_minutes": 5});
    let service = format!("/v1/services/{}", practice.service);
    practice.api.patch(&service, &terms).send().is(200);
    let retire = format!("/v1/resources/{}/retire", practice.room);
    practice.api.post(&retire, &json!({})).send().is(200);
    let client = format!("/v1/clients/{}", practice.client);
    practice.api.patch(&client, &json!({"name": "Another"})).send().is(200);
    let as_of = |path: &str| get(&practice, &format!("{path}?as_of=position:{booked}"));
    assert_eq!(as_of(&format!("/v1/services/{}", practice.service))["name"], "Check-up");
    assert_eq!(as_of(&format!("/v1/resources/{}", practice.room))["status"], "active");
    assert_eq!(as_of(&format!("/v1/clients/{}", practice.client))["name"], personal::NAME);
}

#[test]
fn what_was_offered_then_is_told_by_the_claims_the_rules_and_the_hours_of_then() {
    let practice = a_practice();
    let hours = |to: &str| json!([{"days": ["mon"], "from": "09:00", "to": to}]);
    let room = practice.a_resource(&json!({"weekly_hours": hours("11:00")}));
    let needy = practice.a_service(&json!({"needs": [{"role": "room", "kind": "room"}]}));
    let day = date(0);
    let offered = |query: &str| -> Vec<String> {
        let path = format!("/v1/availability?from={day}&to={day}&tz=UTC&{query}");
        let slots = get(&practice, &path)["slots"].clone();
        let slots = slots.as_array().unwrap().iter();
        slots.map(|slot| slot["start_at"].as_str().unwrap()[11..16].to_owned()).collect()
    };
    let query = format!("service_id={}&resource_id={room}", practice.service);
    let booking =
        |hour, minute| practice.booking(monday(hour, minute)).with("resource_ids", json!([room]));
    let first = booking(9, 30).held(60).send();
    let (held, first) = (first.position(), first.is(201));
    let roles = format!("service_id={needy}&resource_id={room}");
    let (with_roles, then) = (offered(&roles), offered(&query));
    assert_eq!(then, ["09:00", "10:00", "10:15", "10:30"]);
    practice.api.request("DELETE", &format!("/v1/holds/{}", first["id"].as_str().unwrap())).send();
    booking(10, 0).send().is(201);
    let path = format!("/v1/resources/{room}");
    practice.api.patch(&path, &json!({"weekly_hours": hours("12:00")})).send().is(200);
    let terms = json!({"name": "Long", "category": "c", "duration_minutes": 60});
    let service = format!("/v1/services/{}", practice.service);
    practice.api.patch(&service, &terms).send().is(200);
    assert_eq!(offered(&query), ["09:00", "10:30", "10:45", "11:00"]);
    assert_eq!(offered(&format!("{query}&as_of=position:{held}")), then);
    assert_eq!(offered(&format!("{roles}&as_of=position:{held}")), with_roles);
    let free = ["09:00", "09:15", "09:30", "09:45", "10:00", "10:15", "10:30"];
    assert_eq!(offered(&format!("{query}&as_of=position:{}", held - 1)), free);
    let path = format!("/v1/availability?from={day}&to={day}&{query}&as_of=position:1");
    practice.api.get(&path).send().is_refused(422, "unknown-resource");
    let search = |as_of: &str| {
        let body = json!({
            "service_id": needy, "resource_ids": [room], "from": day, "to": day, "as_of": as_of,
        });
        practice.api.post("/v1/availability/search", &body).send()
    };
    let found = search(&format!("position:{held}"));
    assert_eq!(found.position(), held);
    assert_eq!(found.is(200)["slots"].as_array().unwrap().len(), with_roles.len());
    search("position:900000").is_refused(400, "position-ahead");
}

#[test]
fn what_changed_in_an_appointment_is_told_field_by_field() {
    let practice = a_practice();
    let booked = practice.booking(monday(9, 0)).send();
    let (first, booked) = (booked.position(), booked.is(201));
    practice.act(&booked, "change", &json!({"tags": ["vip"]})).is(200);
    practice.act(&booked, "cancel", &json!({"by": "client", "reason": "ill"})).is(200);
    let path = format!("/v1/appointments/{}/diff", booked["id"].as_str().unwrap());
    let diff = |query: &str| practice.api.get(&format!("{path}?{query}")).send();
    let all = diff(&format!("from=position:{first}")).is(200);
    let fields: Vec<&str> =
        all["changes"].as_array().unwrap().iter().map(|it| it["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["cancellation", "status", "tags"]);
    assert_eq!(
        all["changes"][1],
        json!({"field": "status", "before": "booked", "after": "cancelled"})
    );
    assert_eq!(all["changes"][2]["before"], json!(["first", "short"]));
    assert_eq!((&all["version_before"], &all["version_after"]), (&json!(1), &json!(3)));
    let tagged = diff(&format!("from=position:{first}&to=position:{}", first + 1)).is(200);
    assert_eq!(tagged["changes"].as_array().unwrap().len(), 1);
    // Before it was booked there was nothing of it; backwards is a difference too.
    let made = diff(&format!("from=position:{first}&to=2020-01-01T00:00:00Z")).is(200);
    assert!(made.get("version_after").is_none());
    assert!(made["changes"].as_array().unwrap().iter().all(|it| it.get("after").is_none()));
    diff("").is_refused(400, "invalid-query");
    diff("from=position:1&to=2190-01-01T00:00:00Z").is_refused(400, "moment-ahead");
    diff("from=position:1&to=position:1").is_refused(404, "not-found");
}

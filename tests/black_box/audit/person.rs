//! All that is known of a client, and who was told it: `GET /v1/clients/{id}/personal-data`.

use serde_json::{Value, json};

use super::{entries, some};
use crate::harness::{Answer, Server, a_practice, date, id_of, monday, utc};

fn lines(file: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'a>(all: &'a [Value], what: &str) -> Vec<&'a Value> {
    all.iter().filter(|line| line["what"] == what).collect()
}

#[test]
fn all_that_is_known_of_a_client_is_in_one_file_with_who_was_told_it() {
    let practice = a_practice();
    let api = &practice.api;
    let other = practice.a_client("Somebody else");
    practice
        .booking(monday(7, 0))
        .with("client_id", &*other)
        .with("note", "of another")
        .send()
        .is(201);
    let path = format!("/v1/clients/{}", practice.client);
    api.patch(&path, &json!({"name": "A later name"})).send().is(200);
    let booked = practice.booking(monday(9, 0)).with("note", "first note").send().is(201);
    let visit = format!("/v1/appointments/{}", id_of(&booked));
    api.patch(&visit, &json!({"note": "second note"})).send().is(200);
    api.post(&format!("{visit}/reschedule"), &json!({"start_at": utc(monday(10, 0))}))
        .send()
        .is(200);
    practice.booking(monday(12, 0)).held(60).send().is(201);
    let mut series = practice.booking(monday(14, 0)).without("start_at").body;
    series["dtstart"] = json!(format!("{}T14:00", date(2)));
    series["time_zone"] = json!("UTC");
    series["rrule"] = json!("FREQ=DAILY;COUNT=2");
    practice.created("/v1/series", &series);
    let shut = practice.a_resource(&json!({"weekly_hours": []}));
    let entry = json!({"service_id": practice.service, "client_id": practice.client,
                       "resource_ids": [shut], "from": date(0), "to": date(0)});
    practice.created("/v1/waiting-list", &entry);
    some(api, "personal-data-read", 2);

    let file = lines(&api.get(&format!("{path}/personal-data")).download());
    assert_eq!(of(&file, "client")[0]["name"], "A later name");
    let names: Vec<&Value> =
        of(&file, "client-event").iter().map(|it| &it["data"]["name"]).collect();
    assert_eq!(names, [crate::harness::personal::NAME, "A later name"]);
    assert_eq!(of(&file, "appointment").len(), 4, "two visits and a series of two");
    let moved = of(&file, "appointment");
    assert!(moved.iter().any(|it| it["note"] == "second note"), "{moved:?}");
    let events = of(&file, "appointment-event");
    assert!(events.iter().any(|it| it["data"]["note"] == "first note"), "{events:?}");
    assert!(events.iter().any(|it| it["event_type"] == "AppointmentRescheduled"), "{events:?}");
    assert_eq!((of(&file, "series").len(), of(&file, "waiting-entry").len()), (1, 1));
    let readings = of(&file, "reading");
    let routes: Vec<&str> = readings.iter().filter_map(|it| it["route"].as_str()).collect();
    assert!(routes.contains(&"PATCH /v1/clients/{id}"), "{routes:?}");
    assert!(routes.contains(&"GET /v1/clients/{id}/personal-data"), "that, too: {routes:?}");
    let whole = serde_json::to_string(&file).unwrap();
    assert!(!whole.contains("of another") && !whole.contains(&other), "of nobody else");
    let exported = entries(api, "kind=personal-data-exported");
    assert_eq!(exported[0]["subject_ids"], json!([practice.client]));
}

#[test]
fn only_privacy_has_the_file_and_of_whom_is_erased_there_is_nothing_personal_in_it() {
    let practice = a_practice();
    let path = format!("/v1/clients/{}/personal-data", practice.client);
    let scopes = "availability,appointments,analytics,personal,book,manage,keys,audit";
    let key = Server::shared().database.key_with(&practice.tenant, &["--scopes", scopes]);
    let refused: Answer = practice.api.with_key(Some(&key)).get(&path).send();
    refused.is_refused(403, "insufficient-scope");
    practice
        .api
        .get(&path.replace(&practice.client, &practice.room))
        .send()
        .is_refused(404, "not-found");
    let erase = format!("/v1/clients/{}/erase", practice.client);
    practice.api.post(&erase, &json!({"reason": "requested"})).send().is(200);
    let file = practice.api.get(&path).download();
    assert!(!String::from_utf8_lossy(&file).contains("personal-mark"));
    assert_eq!(of(&lines(&file), "client")[0]["erased"], json!(true));
}

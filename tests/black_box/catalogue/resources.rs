//! `/v1/resources`.

use serde_json::json;

use super::{each_is_listed_once, made, patched, retired};
use crate::harness::{a_practice, monday};

#[test]
fn a_resource_is_registered_changes_its_hours_and_is_retired() {
    let practice = a_practice();
    let body = json!({
        "name": "Room 4", "kind": "room", "tags": ["ground floor"], "time_zone": "UTC",
        "weekly_hours": [{"days": ["mon", "tue"], "from": "09:00", "to": "12:00"}],
    });
    let room = made(&practice, "/v1/resources", &body);
    let path = format!("/v1/resources/{}", room["id"].as_str().unwrap());
    let booking =
        |hour| practice.booking(monday(hour, 0)).with("resource_ids", json!([room["id"]])).send();
    booking(9).is(201);
    booking(13).is_refused(422, "outside-opening-hours");

    let afternoon = json!([{"days": ["mon"], "from": "13:00", "to": "17:00"}]);
    let hours = json!({"weekly_hours": afternoon});
    let later = patched(&practice, &path, &hours);
    assert_eq!(later["weekly_hours"], afternoon);
    let renamed = patched(&practice, &path, &json!({"name": "Room 5", "tags": null}));
    assert_eq!((&renamed["name"], &renamed["tags"]), (&json!("Room 5"), &json!([])));
    assert_eq!(renamed["weekly_hours"], afternoon);
    booking(10).is_refused(422, "outside-opening-hours");
    booking(13).is(201);

    retired(&practice, &path);
    booking(14).is_refused(422, "retired-resource");
    let again = practice.api.post(&format!("{path}/retire"), &json!({})).send();
    again.is_refused(409, "resource-retired");
    practice.api.patch(&path, &hours).send().is_refused(409, "resource-retired");
}

#[test]
fn a_room_gets_another_name_and_tag_and_is_listed_and_chosen_by_them() {
    let practice = a_practice();
    let room = practice.a_room();
    let path = format!("/v1/resources/{room}");
    let needs = json!([{"role": "room", "kind": "room", "tags": ["x-ray"]}]);
    let service = practice.a_service(&json!({"needs": needs}));
    let booking = practice.booking(monday(9, 0)).with("service_id", service);
    let booking = booking.without("resource_ids");
    booking.send().is_refused(422, "role-unfilled");
    let hours = json!([{"days": ["mon", "tue"], "from": "08:00", "to": "17:00"}]);
    let all = json!({"name": "The x-ray", "tags": ["x-ray"], "capacity": 2, "weekly_hours": hours});
    let changed = practice.api.patch(&path, &all).send();
    assert_eq!(changed.is(200)["version"], 4, "an event for each of three things that happened");
    assert_eq!(booking.send().is(201)["resource_ids"], json!([room]));
    let list = format!("/v1/resources?min_position={}", changed.position());
    let listed = practice.api.get(&list).send().is(200)["items"].clone();
    let one = listed.as_array().unwrap().iter().find(|one| one["id"] == *room).unwrap();
    assert_eq!((&one["name"], &one["capacity"]), (&json!("The x-ray"), &json!(2)));
}

#[test]
fn resources_of_every_kind_are_listed_in_pages() {
    let practice = a_practice();
    for kind in ["staff", "room", "equipment"] {
        let body =
            json!({"name": "R", "kind": kind, "time_zone": "Europe/Oslo", "weekly_hours": []});
        each_is_listed_once(&practice, "/v1/resources", &body);
    }
}

#[test]
fn what_is_no_kind_no_zone_and_no_opening_hours_is_refused() {
    let practice = a_practice();
    let window = |from, to| json!([{"days": ["mon"], "from": from, "to": to}]);
    for (member, value) in [
        ("kind", json!("ghost")),
        ("time_zone", json!("Mars/Olympus")),
        ("time_zone", json!("")),
        ("weekly_hours", window("12:00", "12:00")),
        ("weekly_hours", window("24:00", "09:00")),
        ("weekly_hours", window("9:00", "10:00")),
        ("weekly_hours", window("09:00", "24:01")),
        ("weekly_hours", json!([{"days": ["someday"], "from": "09:00", "to": "10:00"}])),
        ("weekly_hours", json!([{"days": [], "from": "09:00", "to": "10:00"}])),
        ("weekly_hours", json!([{"days": ["mon"], "from": "09:00", "to": "10:00", "x": 1}])),
    ] {
        let mut body = json!({"name": "R", "kind": "room", "time_zone": "UTC", "weekly_hours": []});
        body[member] = value;
        practice.api.post("/v1/resources", &body).send().is_refused(422, "invalid-body");
    }
}

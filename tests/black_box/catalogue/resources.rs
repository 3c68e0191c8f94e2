//! `/v1/resources`.

use serde_json::json;

use super::{changed, each_is_listed_once, made};
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
    let later = changed(&practice, &path, "change-hours", &hours);
    assert_eq!(later["weekly_hours"], afternoon);
    booking(10).is_refused(422, "outside-opening-hours");
    booking(13).is(201);

    changed(&practice, &path, "retire", &json!({}));
    booking(14).is_refused(422, "retired-resource");
    for (action, body) in [("retire", json!({})), ("change-hours", hours)] {
        let again = practice.api.post(&format!("{path}/{action}"), &body).send();
        assert_eq!(again.status, 409, "{again:#?}");
    }
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

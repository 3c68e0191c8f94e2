//! `/v1/services`.

use serde_json::json;

use super::{changed, each_is_listed_once, made};
use crate::harness::{a_practice, monday, utc};

#[test]
fn a_service_is_defined_revised_and_retired() {
    let practice = a_practice();
    let body = json!({
        "name": "Hearing test", "category": "diagnostics", "tags": ["ear", "quiet"],
        "duration_minutes": 45, "buffer_before_minutes": 5, "buffer_after_minutes": 10,
    });
    let service = made(&practice, "/v1/services", &body);
    let path = format!("/v1/services/{}", service["id"].as_str().unwrap());

    let revision = json!({
        "name": "Long hearing test", "category": "diagnostics", "tags": ["ear"],
        "duration_minutes": 60, "buffer_before_minutes": 0, "buffer_after_minutes": 0,
    });
    let revised = changed(&practice, &path, "revise", &revision);
    assert_eq!(revised["name"], "Long hearing test");
    assert_eq!(revised["duration_minutes"], 60);
    let booking = practice.booking(monday(9, 0)).with("service_id", service["id"].clone());
    assert_eq!(booking.send().is(201)["end_at"], utc(monday(10, 0)));

    changed(&practice, &path, "retire", &json!({}));
    for action in ["revise", "retire"] {
        let body = if action == "revise" { revision.clone() } else { json!({}) };
        let again = practice.api.post(&format!("{path}/{action}"), &body).send();
        assert_eq!(again.status, 409, "{again:#?}");
    }
}

#[test]
fn services_are_listed_in_pages() {
    let practice = a_practice();
    let body = json!({"name": "Listed", "category": "c", "tags": [], "duration_minutes": 5});
    each_is_listed_once(&practice, "/v1/services", &body);
}

#[test]
fn a_service_has_a_length() {
    let practice = a_practice();
    for minutes in [json!(0), json!(-5), json!(10_000_000), json!(1.5), json!("30")] {
        let body = json!({"name": "S", "category": "c", "tags": [], "duration_minutes": minutes});
        practice.api.post("/v1/services", &body).send().is_refused(422, "invalid-body");
    }
}

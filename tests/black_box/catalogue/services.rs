//! `/v1/services`.

use serde_json::json;

use super::{each_is_listed_once, made, patched, retired};
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
    let revised = patched(&practice, &path, &revision);
    assert_eq!(revised["name"], "Long hearing test");
    assert_eq!(revised["duration_minutes"], 60);
    let booking = practice.booking(monday(9, 0)).with("service_id", service["id"].clone());
    assert_eq!(booking.send().is(201)["end_at"], utc(monday(10, 0)));

    retired(&practice, &path);
    let again = practice.api.post(&format!("{path}/retire"), &json!({})).send();
    again.is_refused(409, "service-retired");
    practice.api.patch(&path, &revision).send().is_refused(409, "service-retired");
}

#[test]
fn of_a_price_and_of_rules_too_what_is_left_out_stays() {
    let practice = a_practice();
    let body = json!({
        "name": "S", "category": "c", "tags": ["t"], "duration_minutes": 30, "choose": "round-robin",
        "price": {"amount_minor": 500, "currency": "NOK"}, "limit_per_client_per_day": 3,
        "rules": {"slot_step_minutes": 15, "minimum_notice_minutes": 60},
    });
    let service = made(&practice, "/v1/services", &body);
    let path = format!("/v1/services/{}", service["id"].as_str().unwrap());
    let change = json!({
        "price": {"amount_minor": 700}, "rules": {"minimum_notice_minutes": null},
        "limit_per_client_per_day": null,
    });
    let changed = patched(&practice, &path, &change);
    let mut expected = service.clone();
    expected["version"] = json!(2);
    expected["price"]["amount_minor"] = json!(700);
    expected["rules"] = json!({"slot_step_minutes": 15});
    expected.as_object_mut().unwrap().remove("limit_per_client_per_day");
    assert_eq!(changed, expected);
    let rules = json!({"rules": {"slot_offset_minutes": 20}});
    let problem = practice.api.patch(&path, &rules).send().is_refused(422, "patch-misfit");
    assert_eq!(problem["member"], "rules", "the offset is less than the step: {problem}");
    patched(&practice, &path, &json!({"price": null}));
    let price = json!({"price": {"amount_minor": 1}});
    let problem = practice.api.patch(&path, &price).send().is_refused(422, "patch-misfit");
    assert_eq!(problem["member"], "price", "of which currency? {problem}");
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

//! `/v1/clients`.

use serde_json::json;

use super::{each_is_listed_once, made, patched};
use crate::harness::a_practice;

#[test]
fn a_client_is_registered_and_moves() {
    let practice = a_practice();
    let body =
        json!({"name": "A client", "email": "client@example.org", "phone": "+47 22 00 00 00"});
    let client = made(&practice, "/v1/clients", &body);
    let path = format!("/v1/clients/{}", client["id"].as_str().unwrap());
    let moved = patched(&practice, &path, &json!({"email": "new@example.org"}));
    assert_eq!(moved["email"], "new@example.org");
    assert_eq!((&moved["name"], &moved["phone"]), (&body["name"], &body["phone"]), "they stay");
    let unreachable = patched(&practice, &path, &json!({"phone": null, "notes": "Has moved"}));
    assert!(unreachable.get("phone").is_none_or(serde_json::Value::is_null), "{unreachable}");
    assert_eq!(unreachable["email"], "new@example.org");
}

#[test]
fn clients_are_listed_in_pages() {
    each_is_listed_once(&a_practice(), "/v1/clients", &json!({"name": "Listed"}));
}

#[test]
fn contact_details_have_a_shape() {
    let practice = a_practice();
    for (member, value) in [("email", "nowhere"), ("email", "a@b@c"), ("phone", "call me")] {
        let mut body = json!({"name": "A client"});
        body[member] = json!(value);
        let problem =
            practice.api.post("/v1/clients", &body).send().is_refused(422, "invalid-body");
        assert!(
            !problem.to_string().contains(value),
            "what is personal is not repeated: {problem}"
        );
    }
}

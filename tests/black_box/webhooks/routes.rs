//! What is refused, and what is shown.

use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::{add, server};
use crate::harness::{Practice, a_practice, id_of};

#[test]
fn what_cannot_be_an_endpoint_is_refused_by_its_member() {
    let practice = a_practice();
    let post = |body: &Value| practice.api.post("/v1/webhooks", body).send();
    let url = "https://example.org/daybook";
    for (member, body) in [
        ("url", json!({"url": "example.org"})),
        ("url", json!({"url": "ftp://example.org/"})),
        ("url", json!({"url": "https://user:word@example.org/"})),
        ("url", json!({"url": "https://example.org/#here"})),
        ("url", json!({"url": "http://127.0.0.1:9/"})),
        ("event_types", json!({"url": url, "event_types": ["AppointmentBoked"]})),
        ("event_types", json!({"url": url, "event_types": vec!["AppointmentBooked"; 51]})),
        ("categories", json!({"url": url, "categories": vec!["care"; 51]})),
        ("categories[0]", json!({"url": url, "categories": [""]})),
        ("personal", json!({"url": url, "personal": "all"})),
        ("after", json!({"url": url, "after": 1_000_000})),
    ] {
        let problem = post(&body).is_refused(422, "invalid-body");
        assert_eq!(problem["member"], member, "{problem}");
    }
    post(&json!({})).is_refused(422, "invalid-body");
}

#[test]
fn a_tenant_has_so_many_webhooks_and_sees_none_of_others() {
    let (practice, other) = (a_practice(), a_practice());
    let body = json!({"url": "https://example.org/daybook", "active": false});
    let ids: Vec<String> = (0..20).map(|_| practice.created("/v1/webhooks", &body)).collect();
    let problem = practice.api.post("/v1/webhooks", &body).send();
    assert_eq!(problem.is_refused(409, "too-many-webhooks")["limit"], 20);
    let listed = practice.api.get("/v1/webhooks").send().is(200);
    let listed: Vec<String> = listed["items"].as_array().unwrap().iter().map(id_of).collect();
    assert_eq!(listed, ids);
    let at = format!("/v1/webhooks/{}", ids[0]);
    other.api.get(&at).send().is_refused(404, "not-found");
    other.api.get(&format!("{at}/deliveries")).send().is_refused(404, "not-found");
    other.api.patch(&at, &json!({"active": true})).send().is_refused(404, "not-found");
    other
        .api
        .post(&format!("{at}/replay"), &json!({"after": 0}))
        .send()
        .is_refused(404, "not-found");
    other.api.post(&format!("{at}/rotate-secret"), &json!({})).send().is_refused(404, "not-found");
    other.api.request("DELETE", &at).send().is_refused(404, "not-found");
    assert_eq!(other.api.get("/v1/webhooks").send().is(200)["items"], json!([]));
}

#[test]
fn a_change_keeps_what_it_does_not_name_and_is_of_the_version_that_was_seen() {
    let practice = a_practice();
    let body =
        json!({"url": "https://example.org/daybook", "categories": ["care"], "active": false});
    let at = format!("/v1/webhooks/{}", practice.created("/v1/webhooks", &body));
    let seen = practice.api.get(&at).send();
    let tag = seen.header("etag").unwrap().to_owned();
    let patch = json!({"event_types": ["AppointmentBooked"]});
    let changed = practice.api.patch(&at, &patch).header("if-match", &tag).send().is(200);
    assert_eq!(changed["event_types"], json!(["AppointmentBooked"]));
    assert_eq!((&changed["categories"], &changed["active"]), (&json!(["care"]), &json!(false)));
    let again = practice.api.patch(&at, &patch).header("if-match", &tag).send();
    again.is_refused(412, "stale-version");
    practice.api.patch(&at, &json!({})).send().is_refused(422, "invalid-body");
    practice.api.patch(&at, &json!({"url": null})).send().is_refused(422, "invalid-body");
    practice.api.patch(&at, &json!({"secret": "mine"})).send().is_refused(422, "invalid-body");
}

#[test]
fn deliveries_are_listed_page_by_page_the_latest_first() {
    let (practice, endpoint) = (Practice::on(server()), Endpoint::new());
    let webhook = add(&practice, &endpoint, &json!({"after": 0})).is(201);
    let told = endpoint.has_taken(3).len();
    let at = format!("/v1/webhooks/{}/deliveries?limit=1", id_of(&webhook));
    let (mut positions, mut next) = (Vec::new(), String::new());
    loop {
        let page = practice.api.get(&format!("{at}{next}")).send().is(200);
        let items = page["items"].as_array().unwrap();
        positions.extend(items.iter().map(|it| it["position"].as_u64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert!(positions.len() >= told, "{positions:?}");
    assert!(positions.windows(2).all(|two| two[0] > two[1]), "{positions:?}");
}

//! What an operator sees of requests: a line in the log, and figures.

use serde_json::json;
use uuid::Uuid;

use crate::harness::{Server, a_practice, eventually, monday};

/// How the request with this id ended, as the log says it.
fn logged(id: &str) -> String {
    eventually("the request is logged", || {
        let log = Server::shared().log();
        log.lines()
            .find(|line| line.contains(id) && line.contains("status="))
            .map(ToOwned::to_owned)
    })
}

#[test]
fn a_refusal_is_found_in_the_log_by_the_id_of_its_request() {
    let practice = a_practice();
    practice.booked(monday(10, 0));
    let id = format!("front-desk-{}", Uuid::now_v7());
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let again = practice.booking(monday(10, 0)).request().header("x-request-id", &id);
    let again = again.header("traceparent", &format!("00-{trace}-b7ad6b7169203331-01"));
    let refused = again.send();
    refused.is_refused(409, "slot-taken");
    assert_eq!(refused.header("x-request-id"), Some(&*id));
    let line = logged(&id);
    for part in [
        "INFO",
        "method=\"POST\"",
        "route=\"/v1/appointments\"",
        "status=409",
        "problem=\"slot-taken\"",
        trace,
        "actor=\"key:",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[test]
fn a_request_without_an_id_has_a_new_one() {
    let [one, other] = [(); 2].map(|()| {
        let answer = a_practice().api.get("/v1/services").send();
        Uuid::parse_str(answer.header("x-request-id").unwrap()).unwrap()
    });
    assert_ne!(one, other);
    let line = logged(&one.to_string());
    assert!(line.contains("answered") && line.contains("status=200"), "{line}");
}

#[test]
fn what_a_query_or_a_body_says_is_not_logged() {
    const PLANTED: &str = "planted-in-a-request-and-nowhere-else";
    let practice = a_practice();
    let id = Uuid::now_v7().to_string();
    let client = practice.api.post("/v1/clients", &json!({"name": PLANTED, "notes": PLANTED}));
    client.send().has_status(201);
    let bad = practice.api.post("/v1/clients", &json!({"name": "A client", PLANTED: PLANTED}));
    bad.send().is_refused(422, "invalid-body");
    let search = practice.api.get(&format!("/v1/appointments?q={PLANTED}&tags={PLANTED}"));
    search.header("x-request-id", &id).send().has_status(200);
    practice.api.get(&format!("/v1/{PLANTED}")).send().has_status(404);
    let line = logged(&id);
    assert!(line.contains("route=\"/v1/appointments\""), "{line}");
    assert!(!Server::shared().log().contains(PLANTED));
}

/// The figure of a metric.
fn figure(metric: &str) -> u64 {
    let metrics = Server::shared().operator().get("/metrics").send();
    let line = metrics.text.lines().find_map(|line| line.strip_prefix(metric));
    line.map_or(0, |figure| figure.trim().parse().unwrap())
}

#[test]
fn requests_and_refusals_are_counted() {
    let practice = a_practice();
    let labels =
        r#"http_request_method="GET",http_route="/v1/series/{id}",http_response_status_code="404""#;
    let metrics = [
        format!("http_server_request_duration_seconds_count{{{labels}}}"),
        format!(r#"http_server_request_duration_seconds_bucket{{{labels},le="0.0025"}}"#),
        format!(r#"http_server_request_duration_seconds_bucket{{{labels},le="15"}}"#),
        r#"daybook_refusals_total{type="not-found"}"#.to_owned(),
    ];
    let before = metrics.each_ref().map(|metric| figure(metric));
    practice.api.get(&format!("/v1/series/{}", Uuid::now_v7())).send().has_status(404);
    for (metric, before) in metrics.iter().zip(before) {
        eventually("it is counted", || (figure(metric) > before).then_some(()));
    }
    // Of a batch, each item that is refused.
    let refused = r#"daybook_refusals_total{type="unknown-service"}"#;
    let before = figure(refused);
    let unknown =
        practice.booking(monday(10, 0)).with("service_id", Uuid::now_v7().to_string()).body;
    let batch = json!({"items": [unknown, unknown]});
    practice.api.post("/v1/appointments:batch", &batch).send().has_status(200);
    eventually("both are counted", || (figure(refused) >= before + 2).then_some(()));
}

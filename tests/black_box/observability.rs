//! What an operator sees of requests: a line in the log, and figures.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Database, Server, a_practice, eventually, monday};

/// The lines of the shared server's log that have this in them.
fn lines_with(part: &str) -> Vec<Value> {
    let log = Server::shared().log();
    let lines = log.lines().filter(|line| line.contains(part));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// How the request with this id ended, as the log says it; in one line.
fn logged(id: &str) -> Value {
    eventually("the request is logged", || (!lines_with(id).is_empty()).then_some(()));
    let mut lines = lines_with(id);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

#[test]
fn why_a_command_was_refused_is_found_in_the_log_by_the_id_of_its_request() {
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
    let expected = json!({
        "level": "INFO", "message": "refused", "method": "POST", "route": "/v1/appointments",
        "status": 409, "problem": "slot-taken", "trace_id": trace, "tenant": practice.tenant,
        "aggregate": "appointment", "command": "BookAppointment",
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&line[field], value, "{field} in {line:#}");
    }
    assert!(line["ms"].is_u64(), "{line:#}");
    for id in ["aggregate_id", "key_id"] {
        Uuid::parse_str(line[id].as_str().unwrap()).unwrap();
    }
    // Which resource, and when.
    let reason = line["reason"].as_str().unwrap();
    assert!(reason.contains(&practice.room) && reason.contains("10:00:00"), "{reason}");
}

#[test]
fn what_is_refused_of_a_batch_has_a_line_of_its_own() {
    let practice = a_practice();
    let unknown =
        practice.booking(monday(10, 0)).with("service_id", Uuid::now_v7().to_string()).body;
    let id = Uuid::now_v7().to_string();
    let batch = practice.api.post("/v1/appointments:batch", &json!({"items": [unknown, unknown]}));
    batch.header("x-request-id", &id).send().has_status(200);
    let lines = eventually("three lines", || Some(lines_with(&id)).filter(|it| it.len() == 3));
    let refused = lines.iter().filter(|line| line["refusal"] == "unknown-service");
    assert_eq!(refused.filter(|line| line["correlation_id"] == id).count(), 2, "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line["status"] == 200).count(), 1, "{lines:#?}");
}

#[test]
fn a_request_without_an_id_has_a_new_one() {
    let [one, other] = [(); 2].map(|()| {
        let answer = a_practice().api.get("/v1/services").send();
        Uuid::parse_str(answer.header("x-request-id").unwrap()).unwrap()
    });
    assert_ne!(one, other);
    let line = logged(&one.to_string());
    assert_eq!((&line["message"], &line["status"]), (&json!("answered"), &json!(200)));
}

#[test]
fn an_event_is_known_by_the_request_and_the_trace_that_led_to_it() {
    let practice = a_practice();
    let id = Uuid::now_v7().to_string();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let booking = practice.booking(monday(10, 0)).request().header("x-request-id", &id);
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    booking.header("traceparent", &parent).send().has_status(201);
    let events = practice.api.get("/v1/events").send().is(200);
    let last = events["items"].as_array().unwrap().last().unwrap();
    assert_eq!(last["correlationid"], id);
    let of_event = last["traceparent"].as_str().unwrap();
    assert!(of_event.starts_with(&format!("00-{trace}-")) && of_event.ends_with("-01"));
    assert_ne!(of_event, parent, "it is the span of the request, not that of its caller");
    let bad = practice.booking(monday(11, 0)).request().header("traceparent", "00-what");
    bad.send().has_status(201);
    let events = practice.api.get("/v1/events").send().is(200);
    assert_eq!(events["items"].as_array().unwrap().last().unwrap()["traceparent"], Value::Null);
}

#[test]
fn a_database_that_is_away_is_said_once_then_counted() {
    let database = Database::unreachable();
    let server = Server::start_unready(&database, &[]);
    let api = server.api(Some("no-matter".to_owned()));
    let id = Uuid::now_v7().to_string();
    api.get("/v1/services").header("x-request-id", &id).send().has_status(503);
    std::thread::sleep(Duration::from_secs(4));
    let log = server.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_request: Vec<_> = lines.iter().filter(|line| line["request_id"] == id).collect();
    assert_eq!(of_request.len(), 1, "{log}");
    assert!(of_request[0]["fault"].as_str().unwrap().contains("database"), "{log}");
    let rest = lines.iter().filter(|line| line["request_id"] == Value::Null);
    assert!(rest.count() < 6, "{log}");
}

#[test]
fn what_a_query_or_a_body_says_is_not_logged() {
    const PLANTED: &str = "planted-in-a-request-and-nowhere-else";
    let practice = a_practice();
    let id = Uuid::now_v7().to_string();
    let client = practice.api.post("/v1/clients", &json!({"name": PLANTED, "notes": PLANTED}));
    client.send().has_status(201);
    practice.booking(monday(10, 0)).with("note", PLANTED).send().has_status(201);
    let refused = practice.booking(monday(10, 0)).with("note", PLANTED).send();
    refused.is_refused(409, "slot-taken");
    let bad = practice.api.post("/v1/clients", &json!({"name": "A client", PLANTED: PLANTED}));
    bad.send().is_refused(422, "invalid-body");
    let search = practice.api.get(&format!("/v1/appointments?q={PLANTED}&tags={PLANTED}"));
    search.header("x-request-id", &id).send().has_status(200);
    practice.api.get(&format!("/v1/{PLANTED}")).send().has_status(404);
    assert_eq!(logged(&id)["route"], "/v1/appointments");
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
        format!(r#"http_server_request_duration_seconds_bucket{{{labels},le="+Inf"}}"#),
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

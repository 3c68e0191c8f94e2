//! Spans, as an OpenTelemetry collector receives them (OTLP over HTTP, in JSON). The program is built with the feature
//! `otlp` for that: `cargo xtask test` does so.

mod collector;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Database, Practice, Server, eventually, monday};
use collector::Collector;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A server that exports its spans to there, often.
fn exporting_to(endpoint: &str) -> Server {
    let environment =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "100")];
    let server = Server::start_in(&Database::fresh(), &environment);
    server.wait_until_ready();
    let log = server.log();
    assert!(!log.contains("without the feature"), "`cargo xtask test` builds it with: {log}");
    server
}

/// Whether a span is linked to another.
fn is_linked(span: &Value, to: &Value) -> bool {
    let links = span["links"].as_array().map(Vec::as_slice).unwrap_or_default();
    let same = |link: &Value| link["traceId"] == to["traceId"] && link["spanId"] == to["spanId"];
    links.iter().any(same)
}

#[test]
fn a_request_is_followed_through_the_batch_and_the_projection_by_the_spans_that_arrive() {
    let collector = Collector::start();
    let server = exporting_to(&collector.url);
    let practice = Practice::on(&server);
    let booking = practice.booking(monday(10, 0)).request();
    let booking = booking.header("traceparent", &format!("00-{TRACE}-{PARENT}-01"));
    booking.send().has_status(201);

    let of_trace = |name: &str| {
        let found = |span: &Value| span["traceId"] == TRACE && span["name"] == name;
        eventually(name, || collector.spans().into_iter().find(found))
    };
    let request = of_trace("POST /v1/appointments");
    assert_eq!(request["parentSpanId"], PARENT);
    let attributes = request["attributes"].as_array().unwrap();
    let attribute = |name: &str, value: Value| {
        assert!(attributes.contains(&json!({"key": name, "value": value})), "{name}: {request:#}");
    };
    attribute("http.request.method", json!({"stringValue": "POST"}));
    attribute("http.route", json!({"stringValue": "/v1/appointments"}));
    attribute("http.response.status_code", json!({"intValue": "201"}));
    let execute = of_trace("execute");
    assert_eq!(execute["parentSpanId"], request["spanId"]);
    let append = of_trace("append");
    assert_eq!(append["parentSpanId"], execute["spanId"]);
    // Neither a batch nor a poll is of one trace: they are linked to all that they are about.
    for name in ["batch", "poll"] {
        let linked = |span: &Value| span["name"] == name && is_linked(span, &append);
        let span = eventually(name, || collector.spans().into_iter().find(linked));
        assert_ne!(span["traceId"], TRACE, "{span:#}");
    }
    // The event says the same, for whoever reads it later.
    let events = practice.api.get("/v1/events").send().is(200);
    let span = append["spanId"].as_str().unwrap();
    let booked = events["items"].as_array().unwrap().last().unwrap();
    assert_eq!(booked["traceparent"], format!("00-{TRACE}-{span}-01"));
}

#[test]
fn the_last_spans_are_exported_when_the_program_stops() {
    let collector = Collector::start();
    let environment =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url), ("OTEL_BSP_SCHEDULE_DELAY", "3600000")];
    let server = Server::start_in(&Database::fresh(), &environment);
    server.wait_until_ready();
    Practice::on(&server);
    server.interrupt();
    server.wait();
    let names: Vec<Value> = collector.spans().iter().map(|span| span["name"].clone()).collect();
    assert!(names.contains(&json!("POST /v1/services")), "{names:?}");
}

#[test]
fn a_collector_that_never_answers_costs_no_request() {
    // It accepts connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = exporting_to(&format!("http://{}", silent.local_addr().unwrap()));
    let practice = Practice::on(&server);
    let began = Instant::now();
    for minute in 0..100 {
        practice
            .booking(monday(0, 0) + chrono::TimeDelta::minutes(30 * minute))
            .request()
            .send()
            .has_status(201);
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    eventually("it is said in the log", || server.log().contains("export spans").then_some(()));
    server.interrupt();
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
}

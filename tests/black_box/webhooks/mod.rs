//! Webhooks: endpoints of a tenant that are told what happens.
//!
//! * `endpoint`: servers that take note of what they are told.
//! * `telling`: what an endpoint is told, in which order and how it is signed.
//! * `faults`: endpoints that fail, programs that are killed.
//! * `names`: where names lead, from one delivery to the next.
//! * `routes`: what is refused, and what is shown.

mod endpoint;
mod faults;
mod names;
mod routes;
mod telling;

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::harness::{Answer, Database, Practice, Server};
use endpoint::Endpoint;

/// What allows endpoints on this machine.
const LOCAL: &str = "--allow-insecure-webhooks";

/// A server that tells endpoints on this machine.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start_with(&Database::fresh(), &[LOCAL]))
}

/// Where the practice's log ends.
fn head(practice: &Practice) -> u64 {
    let page = practice.api.get("/v1/events?after=latest").send().is(200);
    page["head"].as_u64().unwrap()
}

fn add(practice: &Practice, endpoint: &Endpoint, but: &Value) -> Answer {
    let mut body = json!({"url": endpoint.url});
    for (name, value) in but.as_object().unwrap() {
        body[name] = value.clone();
    }
    practice.api.post("/v1/webhooks", &body).send()
}

fn seen(practice: &Practice, id: &str) -> Value {
    practice.api.get(&format!("/v1/webhooks/{id}")).send().is(200)
}

fn deliveries(practice: &Practice, id: &str) -> Vec<Value> {
    let page = practice.api.get(&format!("/v1/webhooks/{id}/deliveries?limit=200")).send().is(200);
    page["items"].as_array().unwrap().clone()
}

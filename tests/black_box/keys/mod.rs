//! API keys: made, listed, rotated and revoked, over HTTP and by the command line; and whoever tries some.

pub(crate) mod ending;
mod rate;
mod routes;
mod trying;

use serde_json::{Value, json};

use crate::harness::{Answer, Api};

fn make(api: &Api, body: &Value) -> Answer {
    api.post("/v1/keys", body).send()
}

/// A new key, as it was answered.
#[track_caller]
fn made(api: &Api, scopes: &[&str]) -> Value {
    make(api, &json!({"name": "Made by a test", "scopes": scopes})).is(201)
}

fn text(made: &Value) -> &str {
    made["key"].as_str().unwrap()
}

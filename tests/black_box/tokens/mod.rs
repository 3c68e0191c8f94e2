//! Access tokens (RFC 9068): whom a tenant trusts, what a token is good for, and which are refused.
//!
//! * `issuers`: `/v1/issuers`, and `daybook issuer`.
//! * `provider`: tokens of a provider that anybody could run.
//! * `hostile`: tokens made by hand, by whoever means no good.
//! * `forge`: what makes these: a provider whose keys the test has.
//! * `neighbours`: good ones from an address that many bad ones come from.
//! * `ending`: a token that has ended, and streams that were opened by it.

mod ending;
pub(crate) mod forge;
mod hostile;
mod issuers;
mod neighbours;
mod provider;

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::harness::{Answer, Api, Database, Practice, Server};

/// A server that takes tokens of issuers on this machine.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start_with(&Database::fresh(), &["--allow-insecure-issuers"]))
}

/// An issuer that gives what tokens of the front desk need.
fn an_issuer(issuer: &str, audience: &str) -> Value {
    json!({
        "issuer": issuer, "audience": audience,
        "algorithms": ["RS256", "PS256", "ES256", "EdDSA"],
        "grants": [
            {"claim": "scope", "value": "daybook:read",
             "scopes": ["availability", "appointments", "analytics"]},
            {"claim": "scope", "value": "daybook:book", "scopes": ["availability", "book"]},
        ],
    })
}

fn add(api: &Api, issuer: &Value) -> Answer {
    api.post("/v1/issuers", issuer).send()
}

/// The audience by which a provider calls this practice.
fn audience(practice: &Practice, algorithm: &str) -> String {
    format!("https://daybook.example.org/{}/{algorithm}", practice.tenant)
}

/// Whoever has this token.
pub(crate) fn holder(practice: &Practice, token: &str) -> Api {
    practice.api.with_key(Some(token))
}

//! What must not be done with what is known of a client: to tell it, to use it, to erase it, and to keep it for ever.

mod legal_hold;
mod restriction;
mod retention;

use serde_json::{Value, json};

use crate::harness::{Api, Practice, Server};

/// All scopes but the one that is asked for here.
const ALL_BUT_PRIVACY: &str = "availability,appointments,analytics,personal,book,manage,keys,audit";

/// Somebody who may do and see everything but what needs `privacy`.
fn desk(practice: &Practice, server: &Server) -> Api {
    let key = server.database.key_with(&practice.tenant, &["--scopes", ALL_BUT_PRIVACY]);
    practice.api.with_key(Some(&key))
}

/// What is done with a client.
fn act(practice: &Practice, client: &str, action: &str, body: &Value) -> crate::harness::Answer {
    practice.api.post(&format!("/v1/clients/{client}/{action}"), body).send()
}

/// The kinds of what the audit log has of a client, but of what was read; the latest first.
fn audited(practice: &Practice, client: &str) -> Vec<String> {
    let entries = practice.api.get(&format!("/v1/audit?subject_id={client}")).send().is(200);
    let kinds = entries["items"].as_array().unwrap().iter().map(|entry| entry["kind"].clone());
    let kinds = kinds.map(|kind| kind.as_str().unwrap().to_owned());
    kinds.filter(|kind| kind != "personal-data-read").collect()
}

fn no_reason() -> Value {
    json!({})
}

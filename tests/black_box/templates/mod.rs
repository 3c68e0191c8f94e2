//! A tenant writes to clients in its own words.
//!
//! * `routes`: who puts templates, which are refused and where, and what a preview says. What is sent by them is tested with
//!   reminders and notices.

mod routes;

use serde_json::{Value, json};

use crate::harness::{Answer, Practice};

const AT: &str = "/v1/templates";

/// A template, of which the text is this.
pub(crate) fn a_template(subject: &str, text: &str) -> Value {
    json!({"subject": subject, "text": text})
}

pub(crate) fn put(practice: &Practice, of: &str, template: &Value) -> Answer {
    practice.api.request("PUT", &format!("{AT}/{of}")).json(template).send()
}

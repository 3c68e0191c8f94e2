//! The audit log: who did or was told what, of whom.

mod person;
mod reading;
mod recording;
mod verifying;

use serde_json::Value;

use crate::harness::{Api, eventually};

/// All entries that a query finds, through all pages, the latest first.
#[track_caller]
fn entries(api: &Api, query: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/v1/audit?{query}{cursor}")).send().is(200);
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
        assert!(found.len() < 100_000, "pages without end");
    }
}

/// Those of this kind, once there are so many: plain reads are written within a second.
#[track_caller]
fn some(api: &Api, kind: &str, count: usize) -> Vec<Value> {
    eventually(kind, || {
        let found = entries(api, &format!("kind={kind}&limit=200"));
        (found.len() >= count).then_some(found)
    })
}

//! `/v1/events`, and the subcommands that tell of the log.

mod export;
mod feed;
mod replay;
pub(crate) mod sse;
mod stream;
mod what_if;

use serde_json::Value;
pub(crate) use what_if::a_full_history;

use crate::harness::{Api, Database};

/// All events that a query finds, through all pages.
#[track_caller]
fn events(api: &Api, query: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = api.get(&format!("/v1/events?{query}&after={after}")).send().is(200);
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        let read_to = page["read_to"].as_u64().unwrap();
        if read_to >= page["head"].as_u64().unwrap() || read_to == after {
            return found;
        }
        after = read_to;
    }
}

fn position(event: &Value) -> u64 {
    event["id"].as_str().unwrap().parse().unwrap()
}

fn positions(events: &[Value]) -> Vec<u64> {
    events.iter().map(position).collect()
}

/// Writes a long log behind the program's back: `count` events with so many bytes of data each.
fn a_long_log(database: &Database, tenant: &str, count: u32, bytes: u32) {
    database.sql().change(
        &format!(
            "WITH events AS (
                INSERT INTO events (tenant_id, position, aggregate_type, aggregate_id, sequence,
                       event_type, event_version, payload, metadata, recorded_at, hash)
                SELECT $1, n, 'series', $1 || '/' || gen_random_uuid(), 1, 'SeriesBooked', '1.0',
                       json_build_object('type', 'SeriesBooked', 'filler', repeat('x', {bytes})),
                       '{{\"actor\": \"test\"}}', now(), ''
                  FROM generate_series(1, {count}) AS n)
             UPDATE log_heads SET position = {count}, recorded_at = now(), active = true
              WHERE tenant_id = $1"
        ),
        tenant,
    );
}

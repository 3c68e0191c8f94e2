//! The address is a secret: it is written nowhere, and is not found by trying.

use serde_json::json;

use super::a_feed;
use crate::harness::{Database, Practice, Server, eventually};

fn secret_of(path: &str) -> &str {
    path.trim_start_matches("/calendars/").trim_end_matches(".ics").split('_').next().unwrap()
}

#[test]
fn the_address_is_in_no_log_no_metric_and_no_table() {
    let server = Server::start_in(&Database::fresh(), &[("DAYBOOK_LOG", "debug")]);
    server.wait_until_ready();
    let practice = Practice::on(&server);
    let feed = a_feed(&practice, &json!({"personal": "told"}));
    feed.follow(&practice).has_status(200);
    let secret = secret_of(&feed.path);
    // Whoever asks wrongly is told so without it.
    let asked = practice.api.with_key(None);
    let refused = asked.get(&format!("{}?colour=red", feed.path)).send();
    assert!(!refused.text.contains(secret), "{}", refused.text);
    refused.is_refused(400, "invalid-query");
    let almost = feed.path.replace(".ics", "x.ics");
    let unknown = asked.get(&almost).send();
    assert!(!unknown.text.contains(secret), "{}", unknown.text);
    unknown.is_refused(404, "not-found");
    asked.request("POST", &feed.path).send().is_refused(405, "method-not-allowed");
    let log = server.log_with("/calendars/{address}");
    assert!(!log.contains(secret), "{log}");
    let metrics = server.operator().get("/metrics").send().text;
    assert!(metrics.contains("/calendars/{address}") && !metrics.contains(secret), "{metrics}");
    let rows = server.database.sql().number(
        &format!("SELECT count(*) FROM calendar_feeds f WHERE tenant_id = $1 AND f::text LIKE '%{secret}%'"),
        &practice.tenant,
    );
    assert_eq!(rows, 0);
    // Who was told is on record, by the feed and not by its address.
    let entries = eventually("it is on record", || {
        let entries = practice.api.get("/v1/audit?limit=200").send();
        Some(entries.text).filter(|text| text.contains(&feed.id))
    });
    assert!(!entries.contains(secret), "{entries}");
}

#[test]
fn whoever_tries_addresses_is_told_to_come_back() {
    let server = Server::start_with(&Database::fresh(), &["--failures-per-second", "1"]);
    let practice = Practice::on(&server);
    let feed = a_feed(&practice, &json!({}));
    feed.follow(&practice).has_status(200);
    let asked = practice.api.with_key(None);
    let mut tries = (0..50).map(|n| asked.get(&format!("/calendars/{n}.ics")).send());
    let refused = tries.find(|answer| answer.status != 404).unwrap();
    refused.is_refused(429, "too-many-failures");
    assert!(refused.header("retry-after").is_some());
}

#[test]
fn a_feed_is_asked_for_as_often_as_a_key() {
    let server = Server::start_with(&Database::fresh(), &["--requests-per-second", "5"]);
    let practice = Practice::on(&server);
    let feed = eventually("a feed", || {
        let made = practice.api.post("/v1/calendar-feeds", &json!({"name": "All"})).send();
        (made.status == 201).then(|| super::made(&made.json()))
    });
    let refused = (0..50).map(|_| feed.follow(&practice)).find(|answer| answer.status != 200);
    refused.unwrap().is_refused(429, "rate-limited");
}

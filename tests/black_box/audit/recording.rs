//! What is done with keys, settings, tenants and persons has its entry, or is not done.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{entries, some};
use crate::harness::{Database, Practice, Server, a_practice, id_of};

fn kinds(found: &[Value]) -> Vec<&str> {
    found.iter().map(|entry| entry["kind"].as_str().unwrap()).collect()
}

#[test]
fn what_is_done_with_keys_settings_and_persons_has_its_entry() {
    let practice = a_practice();
    let api = &practice.api;
    let made = practice.created("/v1/keys", &json!({"name": "Kiosk", "scopes": ["availability"]}));
    let rotated = api.post(&format!("/v1/keys/{made}/rotate"), &json!({})).send().is(201);
    api.post(&format!("/v1/keys/{made}/revoke"), &json!({})).send().is(200);
    practice.settings(&json!({"offer_minutes": 20}));
    let erase = format!("/v1/clients/{}/erase", practice.client);
    api.post(&erase, &json!({"reason": "requested"})).send().is(200);
    some(api, "erasure-ended", 1);
    let mut all = entries(api, "limit=200");
    all.sort_by_key(|entry| entry["number"].as_u64());
    let done: Vec<&Value> = all.iter().filter(|entry| entry["kind"] != "audit-read").collect();
    let told: Vec<(&str, &str)> = done
        .iter()
        .map(|entry| (entry["kind"].as_str().unwrap(), entry["actor"].as_str().unwrap()))
        .collect();
    let key = done[1]["actor"].as_str().unwrap();
    assert!(key.starts_with("key:"), "{key}");
    let expected = [
        ("key-made", "command-line"),
        ("key-made", key),
        ("key-rotated", key),
        ("key-revoked", key),
        ("settings-changed", key),
        ("erasure-begun", key),
        ("erasure-ended", key),
    ];
    assert_eq!(told, expected);
    assert_eq!((&done[1]["object"], &done[1]["fields"]), (&json!(made), &json!(["availability"])));
    let new = id_of(&rotated);
    assert_eq!(done[2]["object"], format!("{made} by {new}"));
    assert!(done[4]["fields"].as_array().unwrap().contains(&json!("offer_minutes")), "{}", done[4]);
    assert_eq!(done[5]["subject_ids"], json!([practice.client]));
    let of_them = entries(api, &format!("subject_id={}", practice.client));
    assert_eq!(kinds(&of_them), ["erasure-ended", "erasure-begun"]);
    let by = entries(api, "actor=command-line");
    assert_eq!(kinds(&by), ["key-made"]);
}

#[test]
fn what_a_key_was_not_good_for_is_counted() {
    let practice = a_practice();
    let key = Server::shared().database.key_with(&practice.tenant, &["--scopes", "availability"]);
    let screen = practice.api.with_key(Some(&key));
    for _ in 0..5 {
        screen.get("/v1/clients").send().is_refused(403, "insufficient-scope");
    }
    screen.get("/v1/programs").send().is_refused(403, "not-an-operators-key");
    // Nobody knows whose these are.
    practice
        .api
        .with_key(Some("nonsense"))
        .get("/v1/clients")
        .send()
        .is_refused(401, "invalid-key");
    thread::sleep(Duration::from_secs(1));
    let refused = entries(&practice.api, "kind=refused");
    let times = |object: &str| -> u64 {
        let of_it = refused.iter().filter(|entry| entry["object"] == object);
        of_it.map(|entry| entry["times"].as_u64().unwrap()).sum()
    };
    assert_eq!((times("insufficient-scope"), times("not-an-operators-key")), (5, 1), "{refused:?}");
    assert!(refused.iter().all(|entry| entry["actor"].as_str().unwrap().starts_with("key:")));
}

#[test]
fn what_is_done_for_all_tenants_is_in_an_audit_log_of_none() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let operator = server.keyed_operator();
    for command in ["suspend", "resume"] {
        server.database.run(&["tenant", command, &practice.tenant]).succeeded();
    }
    let all = entries(&operator, "");
    let done: Vec<Value> =
        all.into_iter().rev().filter(|entry| entry["kind"] != "audit-read").collect();
    let expected = ["master-key-added", "key-made", "tenant-suspended", "tenant-resumed"];
    assert_eq!(kinds(&done), expected);
    assert_eq!(done[2]["object"], practice.tenant);
    let own = entries(&practice.api, "kind=tenant-suspended&kind=tenant-resumed");
    assert_eq!(kinds(&own), ["tenant-resumed", "tenant-suspended"], "its own says so, too");
}

#[test]
fn only_whoever_may_reads_it_and_that_is_an_entry_too() {
    let practice = a_practice();
    let database = &Server::shared().database;
    let key = |scopes: &str| database.key_with(&practice.tenant, &["--scopes", scopes]);
    let nearly = key("availability,appointments,analytics,personal,book,manage,privacy,keys");
    let (nearly, auditor) =
        (practice.api.with_key(Some(&nearly)), practice.api.with_key(Some(&key("audit"))));
    for path in ["/v1/audit", "/v1/audit/export"] {
        nearly.get(path).send().is_refused(403, "insufficient-scope");
        auditor.get(path).send().has_status(200);
    }
    auditor.get("/v1/clients").send().is_refused(403, "insufficient-scope");
    some(&auditor, "audit-read", 1);
    let exported = some(&auditor, "audit-exported", 1);
    assert!(exported[0]["actor"].as_str().unwrap().starts_with("key:"));
}

#[test]
fn what_cannot_be_recorded_is_not_done_and_not_told() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let api = &practice.api;
    let key = practice.created("/v1/keys", &json!({"name": "Kiosk", "scopes": ["availability"]}));
    let keys = || api.get("/v1/keys").send().is(200)["items"].as_array().unwrap().len();
    let (before, mut sql) = (keys(), server.database.sql());
    sql.run("ALTER TABLE audit_entries RENAME TO away");
    for path in [
        "/v1/events/export?personal=told",
        "/v1/events/stream?personal=told&to=2000-01-01",
        "/v1/audit/export",
    ] {
        api.get(path).send().is_refused(503, "not-recorded");
    }
    // What is not personal is told all the same.
    api.get("/v1/events/export").send().has_status(200);
    let new = json!({"name": "Another", "scopes": ["availability"]});
    api.post("/v1/keys", &new).send().is_refused(503, "unavailable");
    api.post(&format!("/v1/keys/{key}/revoke"), &json!({})).send().is_refused(503, "unavailable");
    let erase = format!("/v1/clients/{}/erase", practice.client);
    api.post(&erase, &json!({"reason": "requested"})).send().is_refused(503, "unavailable");
    let exported = server.database.run(&["export", "--personal", "--tenant", &practice.tenant]);
    assert!(exported.code != Some(0) && exported.stdout.is_empty(), "{exported:?}");
    sql.run("ALTER TABLE away RENAME TO audit_entries");
    assert_eq!(keys(), before);
    let client = api.get(&format!("/v1/clients/{}", practice.client)).send().is(200);
    assert!(client.get("erased").is_none(), "{client}");
    api.get("/v1/events/export?personal=told").send().has_status(200);
    let exported = some(api, "personal-data-exported", 1);
    assert_eq!((exported.len(), &exported[0]["all_subjects"]), (1, &json!(true)));
    server.database.run(&["audit", "verify"]).succeeded();
}

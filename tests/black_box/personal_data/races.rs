//! Many write for somebody, by two programs, while they are erased.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::Row as _;

use super::contact;
use crate::harness::{Database, Practice, Server, at_once, id_of, monday, size};

/// Which keys have sealed something in this.
fn sealed_by(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if members.contains_key("c")
                && let Some(key) = members.get("k").and_then(Value::as_str)
            {
                keys.insert(key.to_owned());
            }
            members.values().for_each(|member| sealed_by(member, keys));
        }
        Value::Array(items) => items.iter().for_each(|item| sealed_by(item, keys)),
        _ => {}
    }
}

#[test]
fn of_many_who_write_for_somebody_who_is_erased_none_seals_with_another_key() {
    const WRITERS: usize = 64;
    let database = Database::fresh();
    let servers = [Server::start(&database), Server::start(&database)];
    for _ in 0..size("DAYBOOK_PROOF_ERASURES", 2_usize) {
        let practice = Practice::on(&servers[0]);
        let both = [practice.clone(), practice.moved_to(&servers[1])];
        let client = practice.created("/v1/clients", &contact());
        let booking = |practice: &Practice, n: usize| {
            let start = monday(0, 0) + chrono::TimeDelta::minutes(30 * i64::try_from(n).unwrap());
            let booking = practice.booking(start).with("client_id", &*client);
            booking.with("note", format!("note {n}")).send()
        };
        let visits: Vec<String> =
            (0..8).map(|n| id_of(&booking(&practice, 100 + n).is(201))).collect();
        let answers = at_once(WRITERS, |n| {
            let practice = &both[n % 2];
            let visit = &visits[n % visits.len()];
            let path = format!("/v1/clients/{client}");
            let answer = match n {
                32 => {
                    let body = json!({"reason": "requested", "upcoming": "cancel"});
                    practice.api.post(&format!("{path}/erase"), &body).send()
                }
                n if n % 4 == 0 => booking(practice, n),
                n if n % 4 == 1 => {
                    practice.api.patch(&path, &json!({"notes": format!("notes {n}")})).send()
                }
                n if n % 4 == 2 => {
                    let note = json!({"note": format!("again {n}")});
                    practice.api.patch(&format!("/v1/appointments/{visit}"), &note).send()
                }
                _ => {
                    let why = json!({"reason": format!("reason {n}")});
                    practice.api.post(&format!("/v1/appointments/{visit}/cancel"), &why).send()
                }
            };
            answer.status
        });
        assert_eq!(answers[32], 200, "{answers:?}");
        let expected = [200, 201, 409, 422, 503];
        assert!(answers.iter().all(|status| expected.contains(status)), "{answers:?}");

        let mut sql = database.sql();
        let keys = "SELECT key_id, subject_id, wrapped IS NULL AS destroyed FROM personal_keys
                     WHERE tenant_id = $1";
        let keys = sql.rows(keys, &practice.tenant);
        let subject =
            |row: &sqlx::postgres::PgRow| row.get::<uuid::Uuid, _>("subject_id").to_string();
        let own: Vec<_> = keys.iter().filter(|row| subject(row) == client).collect();
        assert_eq!(own.len(), 1, "one key for ever");
        assert!(own[0].get::<bool, _>("destroyed"));
        let own = own[0].get::<uuid::Uuid, _>("key_id").to_string();
        let events = "SELECT event_type, payload::text AS payload, aggregate_id FROM events
                       WHERE tenant_id = $1 ORDER BY position";
        let (mut erased, mut sealed, mut theirs) = (false, 0, BTreeSet::new());
        for event in sql.rows(events, &practice.tenant) {
            let payload: Value = serde_json::from_str(event.get("payload")).unwrap();
            let stream: &str = event.get("aggregate_id");
            if payload["client_id"] == *client || stream.ends_with(&client) {
                theirs.insert(stream.to_owned());
            }
            if !theirs.contains(stream) {
                continue;
            }
            let mut keys = BTreeSet::new();
            sealed_by(&payload, &mut keys);
            assert!(keys.iter().all(|key| *key == own), "by another key: {payload}");
            assert!(!erased || keys.is_empty(), "sealed after it: {payload}");
            sealed += keys.len();
            erased |= event.get::<&str, _>("event_type") == "ClientErasureRequested";
        }
        assert!(erased && sealed > 8, "{sealed} events of theirs had something sealed");
    }
    database.run(&["verify"]).succeeded();
}

//! A program with a wrong master key, without one, or beside one that has another: it writes nothing, and calls nobody erased.

use serde_json::json;

use super::{all_rows, contact};
use crate::harness::{Answer, Database, Practice, Server, monday};

const OTHER: &str =
    "daybook-master-key-1:0000000000000000000000000000000000000000000000000000000000000007";

/// All rows but those by which programs say that they live, and what was tried.
fn rows(database: &Database) -> Vec<(String, String)> {
    let mut rows = all_rows(&mut database.sql());
    rows.retain(|(table, _)| !table.contains("programs") && !table.contains("audit_"));
    rows.sort();
    rows
}

#[test]
fn a_program_with_a_wrong_master_key_or_none_changes_nothing_and_calls_nobody_erased() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let client = practice.created("/v1/clients", &contact());
    practice
        .booking(monday(9, 0))
        .with("client_id", &*client)
        .with("note", "A note")
        .send()
        .is(201);
    server.interrupt();
    server.wait();
    let before = rows(&database);
    let folder = tempfile::tempdir().unwrap();
    let tenant = &*practice.tenant;
    for (how, key) in [("wrong", Some(OTHER)), ("missing", None)] {
        for arguments in [
            vec!["serve", "--listen", "127.0.0.1:0"],
            vec!["export", "--personal", "--tenant", tenant],
            vec!["master-key", "rotate"],
            vec!["erasures", "apply"],
        ] {
            let mut command = database.daybook(&arguments);
            command.env("DAYBOOK_DATA_DIR", folder.path());
            match key {
                Some(key) => command.env("DAYBOOK_KEY_OF_TESTS", key),
                None => command.env_remove("DAYBOOK_MASTER_KEY"),
            };
            let refused = command.output().unwrap();
            let said = [&refused.stdout[..], &refused.stderr[..]].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(!refused.status.success(), "{how} {arguments:?}: {said}");
            assert!(said.contains("master") || said.contains("--erasure-ledger"), "{how}: {said}");
            assert!(!said.contains("\"erased\""), "{how} {arguments:?}: {said}");
            assert_eq!(rows(&database), before, "{how} {arguments:?}");
        }
    }
    // And with it, all is there.
    let server = Server::start(&database);
    let practice = practice.moved_to(&server);
    let shown = practice.api.get(&format!("/v1/clients/{client}")).send().is(200);
    assert_eq!(shown["name"], contact()["name"]);
}

#[test]
fn a_program_beside_one_that_has_another_master_key_besides_calls_nobody_erased() {
    let database = Database::fresh();
    let old = Server::start(&database);
    let practice = Practice::on(&old);
    let both = [("DAYBOOK_MASTER_KEY", "env:NEW,env:DAYBOOK_KEY_OF_TESTS"), ("NEW", OTHER)];
    let new = Server::start_in(&database, &both);
    new.wait_until_ready();
    let there = practice.moved_to(&new);
    let client = there.created("/v1/clients", &contact());
    let path = format!("/v1/clients/{client}");
    let events = "SELECT count(*) FROM events WHERE tenant_id = $1";
    let before = database.sql().number(events, &practice.tenant);
    let is_none = |answer: Answer| {
        assert!([500, 503].contains(&answer.status), "{answer:?}");
        assert!(!answer.text.contains("erased"), "{answer:?}");
    };
    is_none(practice.api.get(&path).send());
    is_none(practice.api.patch(&path, &json!({"notes": "Something else"})).send());
    let booking = practice.booking(monday(9, 0)).with("client_id", &*client);
    is_none(booking.with("note", "A note").send());
    assert_eq!(database.sql().number(events, &practice.tenant), before, "nothing is written");
    // Whoever was sealed by the old one is there for both.
    for practice in [&practice, &there] {
        let path = format!("/v1/clients/{}", practice.client);
        let shown = practice.api.get(&path).send().is(200);
        assert_eq!(shown["name"], crate::harness::personal::NAME);
    }
    assert_eq!(there.api.get(&path).send().is(200)["name"], contact()["name"]);
}

//! Whether an audit log is whole, here and elsewhere.

use serde_json::{Value, json};

use super::some;
use crate::harness::{Database, Practice, Server};

fn a_server_with_entries() -> (Server, Practice) {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    for n in 0..5 {
        practice.created(
            "/v1/keys",
            &json!({"name": format!("Kiosk {n}"), "scopes": ["availability"]}),
        );
    }
    some(&practice.api, "key-made", 6);
    (server, practice)
}

#[test]
fn a_log_that_somebody_has_changed_is_not_whole() {
    for (done, said) in [
        (
            "UPDATE audit_entries SET entry = replace(entry, 'key-made', 'refused') WHERE seq = 3 AND tenant_id = $1",
            "entry 3",
        ),
        ("DELETE FROM audit_entries WHERE seq = 3 AND tenant_id = $1", "entry 3 is missing"),
        ("DELETE FROM audit_entries WHERE tenant_id = $1", "missing"),
        (
            "UPDATE audit_entries SET seq = CASE seq WHEN 3 THEN 1003 ELSE seq END WHERE tenant_id = $1",
            "entry 3 is missing",
        ),
    ] {
        let (server, practice) = a_server_with_entries();
        let verify = || server.database.run(&["audit", "verify", "--tenant", &practice.tenant]);
        let whole = verify().succeeded();
        assert!(whole.contains(": whole, "), "{whole}");
        assert!(server.database.sql().change(done, &practice.tenant) > 0);
        let found = verify();
        assert_ne!(found.code, Some(0), "{done}");
        assert!(found.stdout.contains("NOT WHOLE") && found.stdout.contains(said), "{found:?}");
        assert_ne!(server.database.run(&["audit", "verify"]).code, Some(0), "{done}");
    }
}

#[test]
fn an_export_is_a_chain_that_others_can_follow() {
    let (_server, practice) = a_server_with_entries();
    let file = practice.api.get("/v1/audit/export").download();
    let lines: Vec<Value> = String::from_utf8(file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() >= 7, "{}", lines.len());
    assert_eq!(lines[0]["previous"], "0".repeat(64));
    for (n, pair) in lines.windows(2).enumerate() {
        assert_eq!(pair[1]["previous"], pair[0]["hash"], "{n}");
        assert_eq!(pair[1]["number"].as_u64().unwrap(), n as u64 + 2);
    }
    assert_eq!(lines.last().unwrap()["entry"]["kind"], "audit-exported", "it is in it itself");
    let later = practice.api.get("/v1/audit/export?from=2100-01-01").download();
    assert!(later.is_empty());
}

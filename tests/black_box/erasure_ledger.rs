//! The ledger of erasures: whoever was erased stays so in a database that is restored from a copy of before.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::harness::{Database, Practice, Server, Sql, a_tenant, eventually, personal};

/// The URL of another database of the same cluster.
fn beside(database: &Database, name: &str) -> String {
    let url = database.url();
    let own = url.trim_start_matches("postgres:///").split('?').next().unwrap();
    url.replacen(own, name, 1)
}

/// A copy of a database on which nobody works.
pub(crate) fn copied(database: &Database, name: &str) -> Database {
    let own = database.url().trim_start_matches("postgres:///").split('?').next().unwrap();
    let mut sql = Sql::connect(&beside(database, "postgres"), None);
    eventually("the server's connections are gone", || {
        sql.try_run(&format!(r#"CREATE DATABASE "{name}" TEMPLATE "{own}""#)).ok()
    });
    Database::at(beside(database, name))
}

pub(crate) fn stopped(server: &Server) {
    server.interrupt();
    server.wait();
}

#[test]
fn whoever_was_erased_stays_so_in_a_database_that_is_restored_from_before() {
    let (database, folder) = (Database::fresh(), tempfile::tempdir().unwrap());
    let path = folder.path().join("erasures.ledger");
    let environment = [("DAYBOOK_ERASURE_LEDGER", path.to_str().unwrap())];
    let server = Server::start_in(&database, &environment);
    server.wait_until_ready();
    let practice = Practice::on(&server);
    let client = practice.client.clone();
    let kept = practice.a_client("Somebody else");
    // It is released before they are erased, and the copies know nothing of that.
    let hold = json!({"reason": "retention-duty"});
    let hold_path = format!("/v1/clients/{client}/place-legal-hold");
    practice.api.post(&hold_path, &hold).send().is(200);
    stopped(&server);
    let tag = a_tenant();
    let copies: Vec<Database> = ["control", "served", "applied"]
        .iter()
        .map(|of| copied(&database, &format!("{tag}-{of}")))
        .collect();

    let server = Server::start_in(&database, &environment);
    server.wait_until_ready();
    let practice = practice.moved_to(&server);
    let release = format!("/v1/clients/{client}/release-legal-hold");
    practice.api.post(&release, &json!({})).send().is(200);
    let erase = format!("/v1/clients/{client}/erase");
    practice.api.post(&erase, &json!({"reason": "requested"})).send().is(200);
    let ledger = fs::read_to_string(&path).unwrap();
    assert_eq!(ledger.lines().count(), 1, "{ledger}");
    assert!(ledger.contains(&client) && !ledger.contains(&kept), "{ledger}");
    assert!(!ledger.contains("personal-mark"), "{ledger}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    stopped(&server);

    let name_at = |server: &Server, id: &str| {
        practice.api.at(&server.url).get(&format!("/v1/clients/{id}")).send()
    };
    // The control: without a ledger the copy has not heard of it.
    let server = Server::start(&copies[0]);
    assert_eq!(name_at(&server, &client).is(200)["name"], personal::NAME);
    stopped(&server);

    let server = Server::start_in(&copies[1], &environment);
    // From the first request on, ready or not.
    while server.operator().get("/readyz").send().status != 200 {
        let early = name_at(&server, &client);
        assert!(!early.text.contains(personal::NAME), "{early:?}");
    }
    assert_eq!(name_at(&server, &client).is(200)["name"], "erased");
    assert_eq!(name_at(&server, &kept).is(200)["name"], "Somebody else");
    let api = practice.api.at(&server.url);
    let feed = || api.get("/v1/events?limit=1000&personal=told").send().text;
    eventually("the log says so, too", || feed().contains("daybook.ClientErased").then_some(()));
    assert!(!feed().contains(&format!("\"{}\"", personal::NAME)));
    assert_eq!(fs::read_to_string(&path).unwrap(), ledger, "nobody is in it twice");
    stopped(&server);
    copies[1].run(&["verify"]).succeeded();

    let apply = |arguments: &[&str]| {
        let mut command = copies[2].daybook(arguments);
        command.envs(environment).output().unwrap()
    };
    let exported = apply(&["export", "--personal", "--tenant", &practice.tenant]);
    let exported = String::from_utf8(exported.stdout).unwrap();
    assert!(
        exported.contains("ClientRegistered") && exported.contains("Somebody else"),
        "{exported}"
    );
    assert!(!exported.contains(&format!("\"{}\"", personal::NAME)), "{exported}");
    let said = apply(&["erasures", "apply"]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("erased again: 0"), "{said:?}");
}

#[test]
fn a_ledger_that_was_changed_or_cannot_be_written_stops_what_depends_on_it() {
    let (database, folder) = (Database::fresh(), tempfile::tempdir().unwrap());
    let path = folder.path().join("erasures.ledger");
    fs::write(&path, "1 clinic nobody nothing never\n").unwrap();
    let mut serve = database.daybook(&["serve", "--listen", "127.0.0.1:0"]);
    let refused = serve.env("DAYBOOK_ERASURE_LEDGER", &path).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("line 1 of the ledger of erasures"), "{said}");
    let full = [("DAYBOOK_ERASURE_LEDGER", "/dev/full")];
    let mut serve = database.daybook(&["serve", "--listen", "127.0.0.1:0"]);
    let refused = serve.envs(full).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
}

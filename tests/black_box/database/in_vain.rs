//! A database that would say no as often as it is asked: the program says so at once, and ends.

use std::fs;

use super::{Postgres, folder, readable};
use crate::harness::{Database, Server, eventually};

/// A PostgreSQL that asks everybody but daybook's own user for a password.
fn with_passwords() -> Postgres {
    let folder = folder();
    let rules = folder.path().join("hba.conf");
    let lines = "local all daybook trust\nlocal all all scram-sha-256\n";
    fs::write(&rules, lines).unwrap();
    readable(&rules);
    let rules = rules.to_str().unwrap().to_owned();
    let postgres = Postgres::start_in(folder, &[("hba_file", &rules)]);
    let mut sql = Database::at(postgres.url()).sql();
    sql.run("CREATE ROLE other LOGIN PASSWORD 'right'; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    postgres
}

#[test]
fn a_database_that_can_never_work_ends_the_program_with_one_sentence() {
    let postgres = with_passwords();
    let url = |database: &str, user: &str| {
        format!("postgres:///{database}?host={}&{user}", postgres.socket().display())
    };
    for (url, why) in [
        (url("daybook", "user=other&password=wrong"), "password authentication failed"),
        (url("daybook", "user=nobody&password=right"), "password authentication failed"),
        (url("nothing", "user=daybook"), "database \"nothing\" does not exist"),
        (url("daybook", "user=other&password=right"), "permission denied"),
    ] {
        let database = Database::at(url);
        for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"]] {
            let finished = database.run(arguments);
            assert_eq!(finished.code, Some(1), "{finished:#?}");
            let said = finished.failed();
            assert!(said.contains(why), "{why}: {said}");
            assert_eq!(said.trim_end().lines().count(), 1, "{said}");
            assert!(!said.contains("wrong") && !said.contains("right"), "{said}");
        }
    }
}

/// What is wrong shows only when the database is there.
#[test]
fn a_program_that_waits_for_its_database_ends_when_that_refuses_it() {
    let postgres = with_passwords();
    let socket = postgres.socket().to_owned();
    let folder = {
        let Postgres { cluster, folder } = postgres;
        cluster.stop().unwrap();
        folder
    };
    let url = format!("postgres:///daybook?host={}&user=other&password=wrong", socket.display());
    let server = Server::start_unready(&Database::at(url), &[]);
    assert!(server.api(None).get("/readyz").send().says_come_back());
    let rules = folder.path().join("hba.conf").to_str().unwrap().to_owned();
    let _postgres = Postgres::start_in(folder, &[("hba_file", &rules)]);
    assert_eq!(server.wait().code(), Some(1), "{}", server.log());
    eventually("it says why", || {
        server.log().contains("password authentication failed").then_some(())
    });
}

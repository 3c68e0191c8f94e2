//! How many connections a program may have, and what happens where there is no room for them.

use std::time::{Duration, Instant};

use super::Postgres;
use crate::harness::{Database, Practice, Server, Sql, at_once, eventually, monday};
use chrono::TimeDelta;

#[test]
fn a_program_that_the_server_cannot_hold_refuses_to_start_and_says_what_to_do() {
    let postgres = Postgres::start(&[("max_connections", "60")]);
    let database = Database::at(postgres.url());
    let servers = [0, 1].map(|_| Server::start(&database));
    let said = database.run(&["serve", "--listen", "127.0.0.1:0"]).failed();
    for part in
        ["holds 60 connections, 3 of them reserved", "2 daybook programs may take 56", "28 more"]
    {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    assert!(said.contains("max_connections") && said.contains("--db-connections"), "{said}");
    // A subcommand is there for a while only, and what has ended takes nothing.
    database.run(&["verify"]).succeeded();
    let [_first, second] = servers;
    drop(second);
    let _third = Server::start(&database);
}

#[test]
fn loaded_programs_stay_within_their_budgets() {
    let database = Database::fresh();
    let server = Server::start_with(&database, &["--db-connections", "14"]);
    let practice = Practice::on(&server);
    let mut sql = database.sql();
    let connections = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                          AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND $1 <> ''";
    for round in 0..4 {
        let answers = at_once(40, |number| {
            let number = i64::try_from(number).unwrap() + 40 * round;
            if number % 2 == 0 {
                practice.booking(monday(0, 0) + TimeDelta::minutes(30 * number)).send().status
            } else {
                practice.api.get("/v1/appointments").send().status
            }
        });
        assert!(answers.iter().all(|status| [200, 201].contains(status)), "{answers:?}");
        let taken = sql.number(connections, "-");
        assert!(taken <= 14, "{taken} connections");
    }
    for few in ["12", "0", "many"] {
        let said = database.run(&["verify", "--db-connections", few]).failed();
        assert!(said.contains("--db-connections"), "{said}");
    }
}

#[test]
fn a_program_that_gets_no_connection_says_so_at_once_and_works_when_there_is_room() {
    let postgres = Postgres::start(&[("max_connections", "60")]);
    let database = Database::at(postgres.url());
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    practice.booked(monday(8, 0));
    drop(server);
    let mut sql = database.sql();
    let connections = "SELECT count(*) FROM pg_stat_activity
                        WHERE backend_type = 'client backend' AND $1 <> ''";
    eventually("its connections are closed", || (sql.number(connections, "-") == 1).then_some(()));
    let held = fill(&postgres.url());
    let server = Server::start_unready(&database, &[]);
    let practice = practice.moved_to(&server);
    let started = Instant::now();
    let answer = practice.booking(monday(9, 0)).send();
    assert!(answer.says_come_back(), "{answer:?}");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(practice.api.get("/livez").send().status, 200);
    assert_eq!(practice.api.get("/readyz").send().status, 503);
    drop(held);
    eventually("it books", || (practice.booking(monday(9, 0)).send().status == 201).then_some(()));
    database.run(&["verify"]).succeeded();
}

/// Connects until nobody else can.
fn fill(url: &str) -> Vec<Sql> {
    std::iter::from_fn(|| Sql::try_connect(url)).take(100).collect()
}

//! Several programs on one database: who follows the log when another one ends.

use std::time::{Duration, Instant};

use chrono::TimeDelta;

use crate::harness::{Database, Practice, Server, monday};

/// How soon: a lease lasts three seconds.
const SOON: Duration = Duration::from_secs(1);

/// As often as the one that leads is killed.
const KILLS: i64 = 4;

#[test]
fn a_leader_that_is_killed_is_followed_within_a_second() {
    let database = Database::fresh();
    let mut leader = Server::start(&database);
    let mut practice = Practice::on(&leader);
    let mut took = Vec::new();
    for kill in 0..KILLS {
        // Whoever was there first leads, and still does when the other one has come.
        practice.found(&format!(
            "min_position={}",
            practice.booking(start(2 * kill)).send().position()
        ));
        let next = Server::start(&database);
        let last = practice.booking(start(2 * kill + 1)).send();
        practice.found(&format!("min_position={}", last.position()));
        leader.kill_dash_9();
        practice = practice.moved_to(&next);
        let killed = Instant::now();
        let position = practice.booking(start(2 * KILLS + kill)).send().position();
        let found = practice.found(&format!("limit=100&min_position={position}"));
        took.push(killed.elapsed());
        assert_eq!(i64::try_from(found.len()).unwrap(), 3 * (kill + 1));
        leader = next;
    }
    println!("a list was there after {took:?}");
    // On a machine that is busy with other things, one may take longer.
    assert!(took.iter().any(|took| *took < SOON), "{took:?}");
    database.projections_are_what_the_log_says();
}

fn start(number: i64) -> chrono::DateTime<chrono::Utc> {
    monday(0, 0) + TimeDelta::minutes(30 * number)
}

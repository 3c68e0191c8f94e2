//! Whoever tries keys costs the database little, and is in nobody's way.

use std::thread;
use std::time::Duration;

use crate::harness::{Database, Practice, Server, at_once};

/// How often keys were looked up.
fn look_ups(database: &Database) -> i64 {
    // The database counts when a connection is idle for a second.
    thread::sleep(Duration::from_millis(1_500));
    database.sql().number(
        "SELECT idx_scan FROM pg_stat_user_indexes
          WHERE indexrelname = 'api_keys_pkey' AND $1::text IS NOT NULL",
        "",
    )
}

fn key(number: usize) -> String {
    format!("daybook_{number:064x}")
}

#[test]
fn wrong_keys_are_looked_up_once_and_right_ones_answered_meanwhile() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let asks = |key: &str| {
        let api = practice.api.with_key(Some(key)).kept_alive();
        api.get("/v1/tenant/settings").send().status
    };
    let before = look_ups(&database);
    at_once(8, |_| {
        for _ in 0..50 {
            assert_eq!(asks(&key(0)), 401);
            assert_eq!(asks("daybook_what_is_no_key"), 401);
        }
    });
    let same = look_ups(&database) - before;
    assert!((1..=8).contains(&same), "400 requests with one wrong key: {same} look-ups");

    let right = practice.api.key().unwrap();
    let right_ones = at_once(8, |thread| {
        for number in 1..=200 {
            if thread == 0 {
                assert_eq!(asks(right), 200);
            } else {
                assert_eq!(asks(&key(thread * 1_000 + number)), 401);
            }
        }
        thread == 0
    });
    assert_eq!(right_ones.into_iter().filter(|right| *right).count(), 1);
    let others = look_ups(&database) - before - same;
    assert!((1_400..=1_410).contains(&others), "1,400 different ones: {others} look-ups");
}

//! Whoever tries keys costs the database little, and is in nobody's way.

use crate::harness::{Database, Practice, Server, at_once, eventually};

/// How often keys were looked up, as far as it is counted: a connection tells seconds later.
fn look_ups(database: &Database) -> i64 {
    database.sql().number(
        "SELECT idx_scan FROM pg_stat_user_indexes
          WHERE indexrelname = 'api_keys_pkey' AND $1::text IS NOT NULL",
        "",
    )
}

fn key(number: usize) -> String {
    format!("daybook_{number:064x}")
}

/// Its checksum says so.
#[test]
fn a_key_with_a_misprint_is_refused_without_a_query() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let right = practice.api.key().unwrap();
    let asks = |key: &str| practice.api.with_key(Some(key)).get("/v1/tenant/settings").send();
    // Any text of this form would be looked up in vain, if it were looked up.
    database.sql().run("ALTER TABLE api_keys RENAME TO not_to_be_read");
    asks(&key(0)).has_status(503);
    for at in (8..right.len()).step_by(5) {
        let digit = if right.as_bytes()[at] == b'x' { "y" } else { "x" };
        let mut misprinted = right.to_owned();
        misprinted.replace_range(at..=at, digit);
        asks(&misprinted).is_refused(401, "invalid-key");
    }
    database.sql().run("ALTER TABLE not_to_be_read RENAME TO api_keys");
    asks(right).has_status(200);
}

#[test]
fn wrong_keys_are_looked_up_once_and_right_ones_answered_meanwhile() {
    let database = Database::fresh();
    // All of them come from one address, and each is to be heard out.
    let server = Server::start_with(&database, &["--failures-per-second", "0"]);
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
    let same = eventually("a look-up is counted", || {
        Some(look_ups(&database) - before).filter(|same| *same > 0)
    });
    assert!(same <= 8, "400 requests with one wrong key: {same} look-ups");

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
    let all = eventually("all look-ups are counted", || {
        Some(look_ups(&database) - before).filter(|all| *all >= 1_400)
    });
    assert!(all <= 1_418, "1,400 different wrong keys, and one often: {all} look-ups");
}

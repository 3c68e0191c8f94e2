//! Two programs on one database, of which one's clock is wrong: nobody notices.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sqlx::Row as _;

use super::installed;
use crate::harness::{Database, Practice, Server, monday};

pub(super) fn libfaketime() -> PathBuf {
    let places = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    ];
    installed("libfaketime", &places)
}

/// A program whose machine's clock is off by so much, as if somebody had set it: what it measures time by goes
/// on as it was.
pub(crate) fn off_by(seconds: i64, database: &Database, arguments: &[&str]) -> Server {
    let (library, offset) = (libfaketime(), format!("{seconds:+}s"));
    let library = library.to_str().unwrap();
    let environment =
        [("LD_PRELOAD", library), ("FAKETIME", &offset), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
    let server = Server::start_as(database, &arguments, &environment);
    server.wait_until_ready();
    server
}

/// Ninety seconds are more than a hold of a minute, and than every lease.
#[test]
fn a_program_whose_clock_is_off_takes_no_hold_and_delays_nobody() {
    for seconds in [90, -90] {
        let database = Database::fresh();
        let right = Server::start(&database);
        let practice = Practice::on(&right);
        let wrong = off_by(seconds, &database, &[]);
        let there = practice.moved_to(&wrong);
        assert!(wrong.log().contains("clock is not the database's"), "{}", wrong.log());

        let held_at = Instant::now();
        let holds = [(&practice, 8), (&there, 10)]
            .map(|(practice, hour)| practice.booking(monday(hour, 0)).held(1).send().is(201));
        for hold in &holds {
            let expires: DateTime<Utc> = hold["hold_expires_at"].as_str().unwrap().parse().unwrap();
            let left = (expires - now()).as_seconds_f64();
            assert!((50.0..=61.0).contains(&left), "{seconds}: {left} s left of {hold}");
        }
        // Longer than a sweeper's pause, on both.
        thread::sleep(Duration::from_secs(6));
        for hold in &holds {
            let id = hold["id"].as_str().unwrap();
            assert_eq!(practice.appointment(id)["status"], "held", "{seconds}");
            assert_eq!(there.appointment(id)["status"], "held", "{seconds}");
        }
        there.booking(monday(8, 0)).send().is_refused(409, "slot-taken");
        assert!(held_at.elapsed() < Duration::from_secs(45), "too slow to say anything");
        there.act(&holds[0], "confirm", &json!({})).is(200);
        practice.act(&holds[1], "confirm", &json!({})).is(200);

        for (booker, hour) in [(&practice, 12), (&there, 14), (&practice, 16), (&there, 18)] {
            let position = booker.booking(monday(hour, 0)).send().position();
            for reader in [&practice, &there] {
                let started = Instant::now();
                reader.found(&format!("min_position={position}"));
                assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
            }
        }
        recorded_at_does_not_leap(&database, &practice.tenant);

        // Whoever led is gone, and the other goes on.
        wrong.kill_dash_9();
        let position = practice.booking(monday(20, 0)).send().position();
        let started = Instant::now();
        practice.found(&format!("min_position={position}"));
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        database.run(&["verify"]).succeeded();
    }
}

fn recorded_at_does_not_leap(database: &Database, tenant: &str) {
    let events = "SELECT recorded_at FROM events WHERE tenant_id = $1 ORDER BY position";
    let events = database.sql().rows(events, tenant);
    let times: Vec<DateTime<Utc>> = events.iter().map(|row| row.get("recorded_at")).collect();
    let leap = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(leap < TimeDelta::seconds(30), "{leap}");
    let off = (now() - *times.last().unwrap()).abs();
    assert!(off < TimeDelta::seconds(30), "{off}");
}

/// The test's own clock is the database's.
fn now() -> DateTime<Utc> {
    DateTime::from(SystemTime::now())
}

//! Two PostgreSQL, of which the second follows the first: the first is killed, the second promoted.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use nix::sys::signal::{Signal, kill};
use sqlx::Row as _;

use super::{Postgres, folder, readable};
use crate::harness::{Database, Practice, Server, Sql, eventually, monday};

const BOOKERS: usize = 8;

/// What was acknowledged by the first is on the second: they commit together.
const TOGETHER: &[(&str, &str)] =
    &[("synchronous_commit", "remote_apply"), ("synchronous_standby_names", "*")];

/// A primary and its standby.
struct Pair {
    first: Postgres,
    second: Postgres,
}

impl Pair {
    fn start() -> Self {
        let (one, other) = (folder(), folder());
        let made = Postgres::start_in(one, &[]);
        made.cluster.stop().unwrap();
        let one = made.folder;
        let data = other.path().join("postgres");
        copied(&one.path().join("postgres"), &data);
        // It says by being there that this is a standby, and must be the server's.
        copied(&data.join("PG_VERSION"), &data.join("standby.signal"));
        // The standby comes as PostgreSQL's own user, whom daybook's rules let in as nobody.
        let rules = one.path().join("hba.conf");
        std::fs::write(&rules, "local all all trust\nlocal replication all trust\n").unwrap();
        readable(&rules);
        let rules = [("hba_file", rules.to_str().unwrap())];
        let first = Postgres::start_in(one, &[TOGETHER, &rules].concat());
        let primary = format!("host={} port=5432 user=daybook", first.socket().display());
        // Nobody follows it: when it is promoted, it commits by itself.
        let second = Postgres::start_in(other, &[("primary_conninfo", &primary)]);
        Self { first, second }
    }

    /// As libpq writes it, the standby first: it is asked, and passed over.
    fn url(&self) -> String {
        let [first, second] = [&self.first, &self.second].map(|it| it.socket().display());
        format!("postgres:///daybook?host={second},{first}&port=5432&user=daybook")
    }

    /// The machine of the first is gone, and with it its disk.
    fn kill_the_first(&self) {
        let data = self.first.data();
        let postmaster = self.first.postmaster();
        std::fs::rename(&data, data.with_extension("gone")).unwrap();
        kill(postmaster, Signal::SIGKILL).unwrap();
    }

    fn promote_the_second(&self) {
        Sql::connect(&self.second.url(), None).run("SELECT pg_promote()");
    }
}

fn copied(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_standby_takes_over() {
    let pair = Pair::start();
    let database = Database::at(pair.url());
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let (next, stop) = (AtomicI64::new(0), AtomicBool::new(false));
    let acknowledged = Mutex::new(Vec::new());
    let acknowledged_within = |limit: Duration, more: usize, what: &str| {
        let (before, started) = (acknowledged.lock().unwrap().len(), Instant::now());
        while acknowledged.lock().unwrap().len() < before + more {
            assert!(started.elapsed() < limit, "not within {limit:?}: {what}: {}", server.log());
            thread::sleep(Duration::from_millis(20));
        }
        started.elapsed()
    };
    thread::scope(|scope| {
        let stop = StopWhenDropped(&stop);
        for _ in 0..BOOKERS {
            scope.spawn(|| {
                while !stop.0.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let start = monday(0, 0) + TimeDelta::minutes(30 * number);
                    let answer = practice.booking(start).send();
                    match answer.status {
                        201 => {
                            let id = answer.json()["id"].as_str().unwrap().to_owned();
                            acknowledged.lock().unwrap().push(id);
                        }
                        _ => assert!(answer.says_come_back(), "{answer:?}"),
                    }
                }
            });
        }
        acknowledged_within(Duration::from_secs(30), 100, "it is busy");
        pair.kill_the_first();
        // What was in flight has ended one way or the other.
        thread::sleep(Duration::from_millis(500));
        let before = acknowledged.lock().unwrap().len();
        pair.promote_the_second();
        let took = acknowledged_within(Duration::from_secs(10), 100, "it goes on");
        println!(
            "{before} acknowledged by the first; the next 100 within {took:?} of the promotion"
        );
    });
    let mut sql = Sql::connect(&pair.second.url(), None);
    let booked = "SELECT split_part(aggregate_id, '/', 2) AS id FROM events
                   WHERE tenant_id = $1 AND event_type = 'AppointmentBooked'";
    let booked: HashSet<String> =
        sql.rows(booked, &practice.tenant).iter().map(|row| row.get("id")).collect();
    let acknowledged = acknowledged.into_inner().unwrap();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !booked.contains(*id)).collect();
    assert!(lost.is_empty(), "{} of {} are lost", lost.len(), acknowledged.len());
    eventually("its lists go on", || {
        (server.api(None).get("/readyz").send().status == 200).then_some(())
    });
    database.run(&["verify"]).succeeded();
}

/// Those who book end also when a check fails.
struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

//! Two programs that write one tenant.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use nix::sys::signal::Signal;

use super::{claims, verified};
use crate::harness::{Database, Practice, Server, Sql, eventually, monday};

/// Three seconds, after which PostgreSQL ends the transaction of a frozen program, and what a busy machine needs.
const LONGEST_WAIT: Duration = Duration::from_secs(6);

/// How many book on each of the two.
const CLIENTS: i64 = 4;

#[test]
fn a_program_that_is_frozen_while_it_holds_the_log_holds_another_up_for_seconds_only() {
    let database = Database::fresh();
    let nodes = [Server::start(&database), Server::start(&database)];
    let practice = Practice::on(&nodes[0]);
    let (mut sql, load) = (database.sql(), Load::default());
    thread::scope(|scope| {
        for (node, booked) in nodes.iter().zip(&load.booked) {
            for _ in 0..CLIENTS {
                scope.spawn(|| load.book(&practice, node, booked));
            }
        }
        let over = Over(&load, &nodes[0]);
        for _ in 0..2 {
            frozen_with_the_log(&nodes[0], &mut sql);
            let (begun, until_now) = (Instant::now(), load.booked(1));
            // More than were under way when the other was frozen.
            while load.booked(1) < until_now + 2 * CLIENTS {
                let waited = begun.elapsed();
                assert!(waited < LONGEST_WAIT, "held up for {waited:?}");
                thread::sleep(Duration::from_millis(10));
            }
            println!("held up for {:?}", begun.elapsed());
            nodes[0].signal(Signal::SIGCONT);
            let until_now = load.booked(0);
            eventually("it books again", || (load.booked(0) > until_now).then_some(()));
        }
        drop(over);
    });
    claims::no_double_booking(&mut sql, &practice.tenant).unwrap();
    claims::claims_are_what_the_log_says(&mut sql, &practice.tenant).unwrap();
    verified::is_whole(&database).unwrap();
}

/// Clients who book one slot after the other.
#[derive(Default)]
struct Load {
    slots: AtomicI64,
    booked: [AtomicI64; 2],
    over: AtomicBool,
}

impl Load {
    /// How many were booked on one of the two.
    fn booked(&self, node: usize) -> i64 {
        self.booked[node].load(Ordering::Relaxed)
    }

    fn book(&self, practice: &Practice, node: &Server, booked: &AtomicI64) {
        let api = practice.api.at(&node.url);
        while !self.over.load(Ordering::Relaxed) {
            let slot = self.slots.fetch_add(1, Ordering::Relaxed);
            let booking = practice.booking(monday(0, 0) + TimeDelta::minutes(30 * slot));
            // While the other is frozen, some are told to come again.
            if booking.request_of(&api).try_send().is_ok_and(|answer| answer.status == 201) {
                booked.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Ends the load, also where the test has failed and a program is frozen.
struct Over<'a>(&'a Load, &'a Server);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
        self.1.signal(Signal::SIGCONT);
    }
}

/// Freezes a program; again, until it has the end of the log when it is.
fn frozen_with_the_log(node: &Server, sql: &mut Sql) {
    for _ in 0..100 {
        node.signal(Signal::SIGSTOP);
        thread::sleep(Duration::from_millis(300));
        // Idle for so long are only those of the frozen one.
        let held = sql.number(
            "SELECT count(*)
               FROM pg_locks l JOIN pg_stat_activity a USING (pid)
              WHERE l.relation = 'log_heads'::regclass AND l.mode = 'RowExclusiveLock'
                AND a.datname = current_database() AND a.state = 'idle in transaction'
                AND a.state_change < clock_timestamp() - interval '250 ms' AND $1 <> ''",
            "any",
        );
        if held > 0 {
            return;
        }
        node.signal(Signal::SIGCONT);
        thread::sleep(Duration::from_millis(7));
    }
    panic!("it never had the end of the log");
}

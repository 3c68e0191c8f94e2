//! `kill -9` of the server, of PostgreSQL, and of both, while clients are at work.
//!
//! It kills processes, not machines: what PostgreSQL has handed to the kernel is not lost.

use std::thread;

use chrono::Days;
use nix::sys::signal::{Signal, kill};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::client::{Client, HotSlots};
use super::double_booking::holds;
use super::recorder::Recorder;
use super::{holds_without_number, rebuild, verified};
use crate::harness::{Database, Practice, Server, eventually, monday, seed, size};

const CLIENTS: usize = 8;

/// No hold lapses: the log is the same before and after a rebuild.
const HOLD_MINUTES: u32 = 60;

/// daybook waits longer each time before it starts a PostgreSQL again that dies often.
const DEATHS_OF_A_SERVERS_POSTGRES: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Victim {
    Server,
    Postgres,
    Both,
}

#[test]
fn after_kill_dash_9_of_the_server_under_load_everything_holds() {
    survives(Victim::Server);
}

#[test]
fn after_kill_dash_9_of_postgresql_under_load_everything_holds() {
    survives(Victim::Postgres);
}

#[test]
fn after_kill_dash_9_of_both_under_load_everything_holds() {
    survives(Victim::Both);
}

fn survives(victim: Victim) {
    let cycles = size("DAYBOOK_PROOF_CYCLES", 2);
    let seed = seed(&format!("kill -9 of {victim:?}"));
    let database = Database::embedded();
    let mut server = Server::start(&database);
    let practice = Practice::on(&server);
    rebuild::something_of_everything(&practice, holds_without_number());
    let wanted = HotSlots::of(&practice, HOLD_MINUTES);
    let recorder = Recorder::new(seed, &practice.api);
    let mut rng = StdRng::seed_from_u64(seed);
    let server = thread::scope(|scope| {
        let _over = recorder.until_dropped();
        for number in 0..CLIENTS {
            let mut client = Client::new(number, &wanted, &recorder);
            scope.spawn(move || client.work(usize::MAX));
        }
        for cycle in 1..=cycles {
            recorder.wait_for_answers(rng.random_range(20..200));
            server = again(server, victim, rng.random());
            recorder.moved_to(&server);
            if victim == Victim::Postgres && cycle % DEATHS_OF_A_SERVERS_POSTGRES == 0 {
                server.interrupt();
                server.wait();
                server = Server::start(&database);
                recorder.moved_to(&server);
            }
        }
        recorder.wait_for_answers(50);
        server
    });

    let history = recorder.settled();
    let mut sql = database.sql();
    holds(&mut sql, &practice.tenant, &history).unwrap();
    verified::is_whole(&database).unwrap();
    database.projections_are_what_the_log_says();
    drop(sql);
    // All that was asked for may be cancelled.
    practice.moved_to(&server).booked(monday(9, 0) + Days::new(28));
    let (_server, rebuilt) = rebuild::equal_their_rebuild(&database, server, &practice.tenant);
    rebuilt.unwrap();
    // PostgreSQL alone may be back before anybody has noticed.
    assert!(
        history.asked_again() > 0 || victim == Victim::Postgres,
        "it was killed while it worked"
    );
    println!(
        "{victim:?} killed {cycles} times: {} commands, {} accepted, {} asked for again",
        history.sent,
        history.accepted().count(),
        history.asked_again(),
    );
}

/// Kills, and waits until all is there again.
fn again(server: Server, victim: Victim, postgres_first: bool) -> Server {
    let database = server.database.clone();
    let postgres = database.postmaster().expect("PostgreSQL runs");
    let kill_postgres = || kill(postgres, Signal::SIGKILL).unwrap();
    match victim {
        Victim::Postgres => {
            kill_postgres();
            eventually("PostgreSQL is there again", || {
                database.postmaster().filter(|now| *now != postgres)
            });
            eventually("the server is ready again", || {
                let ready = server.api(None).get("/readyz").send();
                (ready.status == 200).then_some(())
            });
            return server;
        }
        Victim::Server => server.kill_dash_9(),
        Victim::Both if postgres_first => {
            kill_postgres();
            server.kill_dash_9();
        }
        Victim::Both => {
            server.signal(Signal::SIGKILL);
            // The dying server has told it to stop, and it may have.
            let _ = kill(postgres, Signal::SIGKILL);
            server.wait();
        }
    }
    drop(server);
    Server::start(&database)
}

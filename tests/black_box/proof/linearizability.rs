//! What clients see of a resource is what they would see if there were one after the other: the
//! histories are [checked](super::checker) against a [calendar](super::calendar).

use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};
use std::thread;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use uuid::Uuid;

use super::calendar::{Ask, Reply, Times};
use super::checker::{Asked, End, check};
use super::finding::Finding;
use super::recorder::{Operation, Outcome, Record, Recorder};
use crate::harness::{Database, Practice, Server, monday, seed, size};

const CLIENTS: usize = 4;
const OPERATIONS: usize = 8;

/// In one of so many rounds the server is killed, and what was under way may or may not be done.
const ROUNDS_PER_KILL: usize = 3;

/// How long the practice's service takes.
const LENGTH: TimeDelta = TimeDelta::minutes(30);

#[test]
fn what_clients_see_of_a_resource_is_linearizable() {
    let seed = seed("linearizability");
    let database = Database::fresh();
    let mut server = Server::start(&database);
    let mut practice = Practice::on(&server);
    let (mut operations, mut unknown, mut met) = (0, 0, 0);
    for round in 0..size("DAYBOOK_PROOF_ROUNDS", 12) {
        practice.room = practice.a_room();
        let recorder = Recorder::new(seed.wrapping_add(round as u64), &practice.api);
        let killed = round % ROUNDS_PER_KILL == ROUNDS_PER_KILL - 1;
        server = play(&recorder, &practice, server, killed);
        practice = practice.moved_to(&server);
        let records = recorder.history().records;
        assert_eq!(records.len(), CLIENTS * OPERATIONS);
        linearizable(&records).unwrap_or_else(|finding| panic!("round {round}: {finding:?}"));
        operations += records.len();
        unknown += records.iter().filter(|record| record.outcome == Outcome::Unknown).count();
        met += records.iter().filter(|record| met_another(record, &records)).count();
    }
    println!("{operations} operations, {unknown} without an answer, {met} beside others");
    assert!(unknown > 0, "the server was killed while it worked");
    assert!(met > operations / 2, "most operations were beside others, not {met} of {operations}");
}

fn met_another(record: &Record, all: &[Record]) -> bool {
    let beside =
        |other: &&Record| other.invoked < record.completed && record.invoked < other.completed;
    all.iter().filter(beside).count() > 1
}

/// All clients at once, on the practice's room.
fn play(recorder: &Recorder, practice: &Practice, server: Server, killed: bool) -> Server {
    let known = Mutex::default();
    let (kill, ordered) = mpsc::channel();
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let rng = StdRng::seed_from_u64(recorder.seed() ^ (number as u64) << 32);
            let mut client = Player { number, rng, practice, known: &known };
            let kill = (killed && number == 0).then(|| kill.clone());
            scope.spawn(move || client.play(recorder, kill));
        }
        drop(kill);
        if ordered.recv().is_err() {
            return server;
        }
        server.kill_dash_9();
        let database = server.database.clone();
        drop(server);
        let server = Server::start(&database);
        recorder.moved_to(&server);
        server
    })
}

struct Player<'a> {
    number: usize,
    rng: StdRng,
    practice: &'a Practice,
    /// The appointments that any client knows of.
    known: &'a Mutex<Vec<Uuid>>,
}

impl Player<'_> {
    fn play(&mut self, recorder: &Recorder, mut kill: Option<Sender<()>>) {
        let mut api = recorder.connection();
        for nth in 0..OPERATIONS {
            if nth == OPERATIONS / 2
                && let Some(kill) = kill.take()
            {
                kill.send(()).unwrap();
            }
            let operation = self.operation();
            match recorder.perform(&api, self.number, operation) {
                Outcome::Accepted(seen) if seen.version == 1 => {
                    self.known.lock().unwrap().push(seen.appointment);
                }
                Outcome::Accepted(_) | Outcome::Refused(_) => {}
                Outcome::Unknown => api = recorder.connection(),
            }
        }
    }

    fn operation(&mut self) -> Operation {
        let known = self.known.lock().unwrap().choose(&mut self.rng).copied();
        // Three times that all overlap, and one that touches the last.
        let start =
            monday(9, 0) + TimeDelta::minutes(*[0, 10, 20, 50].choose(&mut self.rng).unwrap());
        match (known, self.rng.random_range(0..10)) {
            (Some(id), 0..3) => Operation::Cancel(id),
            (Some(appointment), 3..5) => Operation::Reschedule { appointment, start },
            (Some(id), 5..7) => Operation::Read(id),
            _ => Operation::Book {
                service: self.practice.service.clone(),
                rooms: vec![self.practice.room.clone()],
                client: self.practice.client.clone(),
                start,
                hold_minutes: None,
            },
        }
    }
}

/// Whether there is an order of the operations, each between its sending and its answer, in which a
/// calendar would have given these answers.
pub(super) fn linearizable(records: &[Record]) -> Result<(), Finding> {
    if check(&asked(records)).linearizable {
        return Ok(());
    }
    let history = records.iter().map(|record| format!("{record:?}")).collect();
    Err(Finding::NotLinearizable { history })
}

/// The records as the checker reads them.
pub(super) fn asked(records: &[Record]) -> Vec<Asked> {
    let asked = records.iter().enumerate().map(|(nth, record)| {
        let Record { operation, outcome, invoked, completed, .. } = record;
        let reply = reply(operation, outcome);
        let end = reply.map_or(End::Open, |reply| End::Answered(*completed, reply));
        Asked { ask: ask(nth, operation), sent: *invoked, end }
    });
    asked.collect()
}

fn ask(nth: usize, operation: &Operation) -> Ask {
    let times = |start: &DateTime<Utc>| -> Times { (*start, *start + LENGTH) };
    match operation {
        Operation::Book { start, .. } => Ask::Book(nth as u128, times(start)),
        Operation::Reschedule { appointment, start } => Ask::Reschedule(*appointment, times(start)),
        Operation::Cancel(id) => Ask::Cancel(*id),
        Operation::Read(id) => Ask::Read(*id),
        Operation::Confirm(_) => panic!("holds are no part of this"),
    }
}

fn reply(operation: &Operation, outcome: &Outcome) -> Option<Reply> {
    match outcome {
        Outcome::Unknown => None,
        Outcome::Refused(refusal) => Some(refusal.taken.map_or(Reply::Cancelled, Reply::Taken)),
        Outcome::Accepted(seen) => Some(match operation {
            Operation::Book { .. } => Reply::Booked(seen.appointment),
            Operation::Read(_) => Reply::Seen {
                version: seen.version,
                booked: seen.status == "booked",
                start: seen.start,
            },
            _ => Reply::Done(seen.version),
        }),
    }
}

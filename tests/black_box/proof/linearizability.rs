//! What clients see of a resource is what they would see if there were one after the other: the
//! histories are checked with stateright against [`Calendar`].

use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester};
use uuid::Uuid;

use super::calendar::{Ask, Calendar, Reply, Times};
use super::finding::Finding;
use super::recorder::{Operation, Outcome, Record, Recorder};
use crate::harness::{Database, Practice, Server, monday, seed, size};

/// To check a history takes time that grows fast with these.
const CLIENTS: usize = 4;
const OPERATIONS: usize = 8;

/// In one of so many rounds the server is killed, and what was under way may or may not be done. That
/// leaves many more orders to try, so these rounds are shorter.
const ROUNDS_PER_KILL: usize = 3;
const OPERATIONS_IF_KILLED: usize = 5;

/// Nearly all histories take milliseconds, but what a rare one takes has no bound.
const PATIENCE: Duration = Duration::from_mins(1);

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
        let each = if killed { OPERATIONS_IF_KILLED } else { OPERATIONS };
        server = play(&recorder, &practice, server, each, killed);
        practice = practice.moved_to(&server);
        let records = recorder.history().records;
        assert_eq!(records.len(), CLIENTS * each);
        in_time(&records).unwrap_or_else(|finding| panic!("round {round}: {finding:?}"));
        operations += records.len();
        unknown += records.iter().filter(|record| record.outcome == Outcome::Unknown).count();
        met += records.iter().filter(|record| met_another(record, &records)).count();
    }
    println!("{operations} operations, {unknown} without an answer, {met} beside others");
    assert!(unknown > 0, "the server was killed while it worked");
    assert!(met > operations / 2, "most operations were beside others, not {met} of {operations}");
}

/// [`linearizable`], or a test that fails because nobody knows.
fn in_time(records: &[Record]) -> Result<(), Finding> {
    let (decided, decision) = mpsc::channel();
    let history = records.to_vec();
    thread::spawn(move || decided.send(linearizable(&history)));
    decision.recv_timeout(PATIENCE).unwrap_or_else(|error| {
        panic!(
            "whether it is linearizable is not known within {PATIENCE:?} ({error}): {records:#?}"
        )
    })
}

fn met_another(record: &Record, all: &[Record]) -> bool {
    let beside =
        |other: &&Record| other.invoked < record.completed && record.invoked < other.completed;
    all.iter().filter(beside).count() > 1
}

/// All clients at once, on the practice's room.
fn play(
    recorder: &Recorder,
    practice: &Practice,
    server: Server,
    each: usize,
    killed: bool,
) -> Server {
    let known = Mutex::default();
    let (kill, ordered) = mpsc::channel();
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let rng = StdRng::seed_from_u64(recorder.seed() ^ (number as u64) << 32);
            let mut client = Player { number, rng, practice, known: &known };
            let kill = (killed && number == 0).then(|| kill.clone());
            scope.spawn(move || client.play(recorder, each, kill));
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
    fn play(&mut self, recorder: &Recorder, each: usize, mut kill: Option<Sender<()>>) {
        let mut api = recorder.connection();
        for nth in 0..each {
            if nth == each / 2
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
/// calendar would have given these answers. What has no answer may be at any time after it was sent,
/// or never.
pub(super) fn linearizable(records: &[Record]) -> Result<(), Finding> {
    let mut tester = LinearizabilityTester::new(Calendar::default());
    for (_, moment, nth) in in_order(records) {
        let Record { operation, outcome, .. } = &records[nth];
        let thread = thread(records, nth);
        match (moment, reply(operation, outcome)) {
            (Moment::Sent, None) if matches!(operation, Operation::Read(_)) => {}
            (Moment::Sent, _) => drop(tester.on_invoke(thread, ask(nth, operation)).unwrap()),
            (Moment::Answered, Some(reply)) => drop(tester.on_return(thread, reply).unwrap()),
            (Moment::Answered, None) => {}
        }
    }
    if tester.is_consistent() {
        return Ok(());
    }
    let history = records.iter().map(|record| format!("{record:?}")).collect();
    Err(Finding::NotLinearizable { history })
}

/// As whom the checker sees the client of a record. One whose operation stays open goes on as
/// another. The checker tries threads in their order: to try those that stay open last, when nothing
/// else explains an answer, is what keeps it from trying everything.
fn thread(records: &[Record], nth: usize) -> (bool, usize, usize) {
    let Record { client, invoked, .. } = &records[nth];
    let lives = records.iter().filter(|other| other.client == *client);
    let open = lives.filter(|other| other.outcome == Outcome::Unknown);
    let (before, after): (Vec<_>, Vec<_>) = open.partition(|other| other.invoked < *invoked);
    (!after.is_empty(), *client, before.len())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Sent,
    Answered,
}

/// All that was sent and answered, one after the other. At the same instant, whatever was sent was
/// sent before anything was answered: that allows most.
fn in_order(records: &[Record]) -> Vec<(Duration, Moment, usize)> {
    let moments = records.iter().enumerate().flat_map(|(nth, record)| {
        [(record.invoked, Moment::Sent, nth), (record.completed, Moment::Answered, nth)]
    });
    let mut moments: Vec<_> = moments.collect();
    moments.sort_unstable();
    moments
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

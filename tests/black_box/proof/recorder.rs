//! Writes down what clients do and what they are told.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Api, Request, Server, eventually, utc};

/// What a client does.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Book {
        service: String,
        rooms: Vec<String>,
        client: String,
        start: DateTime<Utc>,
        hold_minutes: Option<u32>,
    },
    Confirm(Uuid),
    Reschedule {
        appointment: Uuid,
        start: DateTime<Utc>,
    },
    Cancel(Uuid),
    Read(Uuid),
}

impl Operation {
    fn request(&self, api: &Api) -> Request {
        let act = |id: &Uuid, action: &str, body: &Value| {
            api.post(&format!("/v1/appointments/{id}/{action}"), body)
        };
        match self {
            Self::Book { service, rooms, client, start, hold_minutes } => {
                let mut body = json!({
                    "service_id": service, "resource_ids": rooms, "client_id": client,
                    "start_at": utc(*start),
                });
                match hold_minutes {
                    None => api.post("/v1/appointments", &body),
                    Some(minutes) => {
                        body["ttl_minutes"] = json!(minutes);
                        api.post("/v1/holds", &body)
                    }
                }
            }
            Self::Confirm(id) => api.post(&format!("/v1/holds/{id}/confirm"), &json!({})),
            Self::Reschedule { appointment, start } => {
                act(appointment, "reschedule", &json!({"start_at": utc(*start)}))
            }
            Self::Cancel(id) => act(id, "cancel", &json!({})),
            Self::Read(id) => api.get(&format!("/v1/appointments/{id}")),
        }
    }
}

/// What a client was told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Accepted(Seen),
    Refused(Refusal),
    /// The connection died, or it was told to come back.
    Unknown,
}

/// An appointment, as an answer shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) appointment: Uuid,
    pub(super) version: i64,
    pub(super) status: String,
    pub(super) start: DateTime<Utc>,
    pub(super) hold_expires_at: Option<DateTime<Utc>>,
    /// Of a command: where it is in the log.
    pub(super) position: Option<i64>,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) slug: String,
    /// From when to when the slot is taken, where that is the reason.
    pub(super) taken: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Outcome {
    fn of(answer: &Answer) -> Self {
        if answer.says_come_back() {
            return Self::Unknown;
        }
        let body = answer.json();
        let time = |name: &str| body[name].as_str().map(|time| time.parse().unwrap());
        if answer.status < 300 {
            return Self::Accepted(Seen {
                appointment: body["id"].as_str().unwrap().parse().unwrap(),
                version: body["version"].as_i64().unwrap(),
                status: body["status"].as_str().unwrap().to_owned(),
                start: time("start_at").unwrap(),
                hold_expires_at: time("hold_expires_at"),
                position: answer.header("daybook-position").map(|at| at.parse().unwrap()),
            });
        }
        let slug = answer.slug();
        answer.is_refused(409, &slug);
        assert!(["slot-taken", "wrong-status", "hold-expired"].contains(&&*slug), "{answer:?}");
        Self::Refused(Refusal { slug, taken: time("start_at").zip(time("end_at")) })
    }
}

/// What a client did, when, and what it was told. Times are since the recorder began.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) client: usize,
    pub(super) key: String,
    pub(super) operation: Operation,
    pub(super) invoked: Duration,
    pub(super) completed: Duration,
    pub(super) outcome: Outcome,
    /// Whether there was no answer at first.
    pub(super) asked_again: bool,
}

/// Where clients find the server, and where it is written down what they see.
pub(super) struct Recorder {
    seed: u64,
    begun: Instant,
    api: RwLock<Api>,
    records: Mutex<Vec<Record>>,
    sent: AtomicUsize,
    answered: AtomicUsize,
    over: AtomicBool,
}

impl Recorder {
    pub(super) fn new(seed: u64, api: &Api) -> Self {
        Self {
            seed,
            begun: Instant::now(),
            api: RwLock::new(api.clone()),
            records: Mutex::default(),
            sent: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Does it once, and writes down what came of it.
    pub(super) fn perform(&self, api: &Api, client: usize, operation: Operation) -> Outcome {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let key = format!("{:x}-{client}-{number}", self.seed);
        let invoked = self.begun.elapsed();
        let outcome = send(api, &operation, &key);
        let completed = self.begun.elapsed();
        if outcome != Outcome::Unknown {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
        let (asked_again, answer) = (false, outcome.clone());
        let record = Record { client, key, operation, invoked, completed, outcome, asked_again };
        self.records.lock().unwrap().push(record);
        answer
    }

    /// Asks once more, under the same key, for what this client had no answer to.
    pub(super) fn retry(&self, api: &Api, client: usize) -> Outcome {
        let is_open =
            |record: &Record| record.client == client && record.outcome == Outcome::Unknown;
        let records = self.records.lock().unwrap();
        let nth = records.iter().rposition(is_open).expect("it had no answer");
        let Record { operation, key, .. } = records[nth].clone();
        drop(records);
        let outcome = send(api, &operation, &key);
        let record = &mut self.records.lock().unwrap()[nth];
        record.asked_again = true;
        record.outcome = outcome.clone();
        record.completed = self.begun.elapsed();
        outcome
    }

    /// A connection to the server as soon as there is one.
    pub(super) fn connection(&self) -> Api {
        eventually("the server is ready", || {
            let api = self.api.read().unwrap().kept_alive();
            let ready = api.get("/readyz").try_send().is_ok_and(|answer| answer.status == 200);
            (ready || self.is_over()).then_some(api)
        })
    }

    /// The server is another one from now on.
    pub(super) fn moved_to(&self, server: &Server) {
        let mut api = self.api.write().unwrap();
        *api = api.at(&server.url);
    }

    /// Waits until so many more operations have been answered.
    pub(super) fn wait_for_answers(&self, more: usize) {
        const TIMEOUT: Duration = Duration::from_mins(1);
        let deadline = Instant::now() + TIMEOUT;
        let enough = self.answered.load(Ordering::Relaxed) + more;
        while self.answered.load(Ordering::Relaxed) < enough {
            assert!(Instant::now() < deadline, "not {more} answers in {TIMEOUT:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Ends the clients' work when it is dropped, whatever happens until then.
    pub(super) fn until_dropped(&self) -> impl Drop + '_ {
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        Over(&self.over)
    }

    /// All that happened; commands whose outcome is unknown are sent once more, under their keys,
    /// until there is an answer.
    pub(super) fn settled(self) -> History {
        let api = self.connection();
        let mut history = self.history();
        for record in &mut history.records {
            if record.outcome == Outcome::Unknown {
                record.asked_again = true;
                record.outcome = eventually("an answer to the same key", || {
                    let outcome = send(&api, &record.operation, &record.key);
                    (outcome != Outcome::Unknown).then_some(outcome)
                });
            }
        }
        history
    }

    /// All that happened.
    pub(super) fn history(&self) -> History {
        let records = self.records.lock().unwrap().clone();
        History { sent: self.sent.load(Ordering::Relaxed), records }
    }
}

fn send(api: &Api, operation: &Operation, key: &str) -> Outcome {
    let request = operation.request(api);
    let request = match operation {
        Operation::Read(_) => request,
        _ => request.header("idempotency-key", key),
    };
    request.try_send().map_or(Outcome::Unknown, |answer| Outcome::of(&answer))
}

/// What clients did and were told, in the order of the answers.
#[derive(Clone)]
pub(super) struct History {
    /// Counted when they were sent.
    pub(super) sent: usize,
    pub(super) records: Vec<Record>,
}

impl History {
    pub(super) fn accepted(&self) -> impl Iterator<Item = (&Record, &Seen)> {
        self.records.iter().filter_map(|record| match &record.outcome {
            Outcome::Accepted(seen) => Some((record, seen)),
            Outcome::Refused(_) | Outcome::Unknown => None,
        })
    }

    pub(super) fn refused(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| matches!(record.outcome, Outcome::Refused(_)))
    }

    /// How many had no answer at first.
    pub(super) fn asked_again(&self) -> usize {
        self.records.iter().filter(|record| record.asked_again).count()
    }
}

//! Readers of what writers change meanwhile. Each answer says of which position it is, and is compared with what the log says
//! that was so there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::harness::{Answer, Practice, Server, date, monday};

/// So many read on each program, and one writes there.
const READERS: usize = 3;

/// Bookings in a row on one day and room.
const SLOTS: i64 = 48;

/// The figures of a week by day, at this position or later.
pub(super) fn path(position: u64) -> String {
    format!("/v1/utilisation?from={}&to={}&group_by=day&min_position={position}", date(0), date(6))
}

fn path_as_of(position: u64) -> String {
    format!(
        "/v1/utilisation?from={}&to={}&group_by=day&as_of=position:{position}",
        date(0),
        date(6)
    )
}

fn list_as_of(position: u64) -> String {
    format!("/v1/appointments?status=booked&limit=200&as_of=position:{position}")
}

/// How many appointments there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Figures {
    pub(super) appointments: u64,
    pub(super) cancellations: u64,
}

pub(super) fn figures_of(answer: &Answer) -> Figures {
    let body = answer.is(200);
    let sum = |name: &str| {
        let items = body["items"].as_array().unwrap().iter();
        items.map(|item: &Value| item[name].as_u64().unwrap()).sum()
    };
    Figures { appointments: sum("appointments"), cancellations: sum("cancellations") }
}

/// What a reader has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// What it asked for, without how new it must be.
    asked: String,
    /// As new as this, or newer; of the past, this.
    at_least: u64,
    /// What the answer says that it is of.
    position: u64,
    figures: Figures,
}

/// Writers and readers, and what they have seen.
#[derive(Default)]
pub(super) struct Load {
    seen: Mutex<Vec<Seen>>,
    /// The last position that a writer was told of.
    last: AtomicU64,
    begun: AtomicUsize,
    over: AtomicBool,
    refused: AtomicUsize,
}

impl Load {
    /// Reads so often on these programs, while others write there and something happens.
    pub(super) fn run(
        practice: &Practice,
        nodes: &[&Server],
        reads: usize,
        during: impl FnOnce(),
    ) -> Self {
        let load = Self::default();
        load.last.store(practice.booking(monday(0, 0)).send().position(), Ordering::Relaxed);
        thread::scope(|scope| {
            let _over = Over(&load);
            for (n, node) in nodes.iter().enumerate() {
                let on = &practice.moved_to(node);
                let on = Practice { api: on.api.kept_alive(), ..on.clone() };
                let writer = on.clone();
                let load = &load;
                scope.spawn(move || load.write(&writer));
                for reader in 0..READERS {
                    let on = on.clone();
                    scope.spawn(move || load.read(&on, reads, n * READERS + reader));
                }
            }
            during();
            while load.begun.load(Ordering::Relaxed) < reads && !load.is_over() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        load
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn write(&self, practice: &Practice) {
        for n in 0.. {
            let room = json!([practice.a_room()]);
            for slot in 0..SLOTS {
                if self.is_over() {
                    return;
                }
                let start = monday(0, 0) + TimeDelta::minutes(30 * slot);
                let booked = practice.booking(start).with("resource_ids", room.clone()).send();
                let last = if (n + slot) % 3 == 0 {
                    practice.act(&booked.is(201), "cancel", &json!({"by": "client"}))
                } else {
                    booked
                };
                self.last.fetch_max(last.position(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(15));
            }
        }
    }

    fn read(&self, practice: &Practice, reads: usize, number: usize) {
        loop {
            let turn = self.begun.fetch_add(1, Ordering::Relaxed);
            if turn >= reads {
                return;
            }
            let last = self.last.load(Ordering::Relaxed);
            // What was a moment ago is asked for by many; what was long ago, now and then.
            let then = last - u64::try_from(turn % 5).unwrap().min(last - 1);
            let (asked, at_least, is_list) = match (turn + number) % 4 {
                0 => (path_as_of(then), then, false),
                1 if last < 150 => (list_as_of(then), then, true),
                _ => (path(last), last, false),
            };
            let answer = practice.api.get(&asked).send();
            // A list that does not get there in time says so.
            if answer.status == 503 {
                self.refused.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let figures = if is_list {
                let items = answer.is(200)["items"].as_array().unwrap().len();
                Figures { appointments: u64::try_from(items).unwrap(), cancellations: 0 }
            } else {
                figures_of(&answer)
            };
            let (asked, position) = (without_position(&asked), answer.position());
            let seen = Seen { asked, at_least, position, figures };
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
        }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Each answer is what the log says of its position, and as new as was asked for.
    #[track_caller]
    pub(super) fn compare(&self, practice: &Practice, nodes: &Server) {
        let seen = self.seen();
        let refused = self.refused.load(Ordering::Relaxed);
        println!("{} answers, {refused} refused", seen.len());
        assert!(refused * 10 <= seen.len(), "{refused} of {} were refused", seen.len());
        assert_eq!(stale(&log(practice, nodes), &seen), Vec::<Seen>::new());
    }
}

/// Ends the load, also of a test that fails.
struct Over<'a>(&'a Load);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

fn without_position(asked: &str) -> String {
    asked.split("&min_position").next().unwrap_or_default().to_owned()
}

/// What there was from each position on at which it changed.
pub(super) type History = BTreeMap<u64, Figures>;

pub(super) fn log(practice: &Practice, node: &Server) -> History {
    let rows = node.database.sql().rows(
        "SELECT position, event_type FROM events
          WHERE tenant_id = $1 AND event_type IN ('AppointmentBooked', 'AppointmentCancelled')
          ORDER BY position",
        &practice.tenant,
    );
    let mut figures = Figures::default();
    let each = rows.iter().map(|row| {
        if row.get::<&str, _>("event_type") == "AppointmentBooked" {
            figures.appointments += 1;
        } else {
            figures.appointments -= 1;
            figures.cancellations += 1;
        }
        (u64::try_from(row.get::<i64, _>("position")).unwrap(), figures)
    });
    each.collect()
}

/// What is not as the log says, or not as new as was asked for.
pub(super) fn stale(log: &History, seen: &[Seen]) -> Vec<Seen> {
    let is_right = |seen: &&Seen| {
        let so = log.range(..=seen.position).next_back().map(|(_, so)| *so).unwrap_or_default();
        let is_list = seen.asked.starts_with("/v1/appointments");
        let so = if is_list { Figures { cancellations: 0, ..so } } else { so };
        let is_new = if seen.asked.contains("as_of") {
            seen.position == seen.at_least
        } else {
            seen.position >= seen.at_least
        };
        is_new && seen.figures == so
    };
    seen.iter().filter(|seen| !is_right(seen)).cloned().collect()
}

/// What the readers would have seen of a cache whose key has no position: the first answer to each question, for as long as
/// twenty were asked.
pub(super) fn by_url_alone(seen: &[Seen]) -> Vec<Seen> {
    let mut cached: BTreeMap<&str, (usize, &Seen)> = BTreeMap::new();
    let each = seen.iter().enumerate().map(|(turn, now)| {
        let kept = cached.entry(&now.asked).or_insert((turn, now));
        if turn > kept.0 + 20 {
            *kept = (turn, now);
        }
        Seen { at_least: now.at_least, ..kept.1.clone() }
    });
    each.collect()
}

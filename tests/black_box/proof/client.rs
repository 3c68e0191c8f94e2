//! Clients who want the same few slots, and change their minds.

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use uuid::Uuid;

use super::recorder::{Operation, Outcome, Recorder};
use crate::harness::{Practice, monday};

const ROOMS: i64 = 5;
const STARTS: i64 = 10;

/// Each has an identity of its own.
pub(super) const MAX_CLIENTS: usize = 64;

/// One client in so many leaves holds alone, one at a time: more would leave the others no time.
const LEAVES_HOLDS: usize = 8;

/// How many of those who had no answer ask again at once; the others are asked for when all is over.
const ASK_AGAIN: (u32, u32) = (7, 8);

/// What all clients want: 50 slots, of lengths that make most of them overlap their neighbours.
pub(super) struct HotSlots {
    services: Vec<String>,
    slots: Vec<(String, DateTime<Utc>)>,
    clients: Vec<String>,
    hold_minutes: u32,
}

impl HotSlots {
    /// Those of a practice. A hold there is for so many minutes.
    pub(super) fn of(practice: &Practice, hold_minutes: u32) -> Self {
        let services = [
            json!({"duration_minutes": 30, "reminders": [{"before_minutes": 60, "channel": "email"}]}),
            json!({"duration_minutes": 45, "buffer_before_minutes": 5, "buffer_after_minutes": 10}),
            json!({"duration_minutes": 20, "buffer_before_minutes": 15}),
        ];
        let services = services.iter().map(|terms| practice.a_service(terms)).collect();
        let slots = (0..ROOMS).flat_map(|number| {
            let room = practice.a_room();
            // No two rooms have the same starts.
            let first = monday(8, 0) + TimeDelta::minutes(7 * number);
            (0..STARTS).map(move |nth| (room.clone(), first + TimeDelta::minutes(20 * nth)))
        });
        let clients = (0..MAX_CLIENTS).map(|n| practice.a_client(&format!("Client {n}"))).collect();
        Self { services, slots: slots.collect(), clients, hold_minutes }
    }
}

/// One who books, moves, confirms and cancels, at random.
pub(super) struct Client<'a> {
    number: usize,
    rng: StdRng,
    wanted: &'a HotSlots,
    recorder: &'a Recorder,
    /// What it has, as far as it knows, and whether that is only held.
    own: Vec<(Uuid, bool)>,
    /// When the hold lapses that it has left alone.
    left: Option<DateTime<Utc>>,
}

impl<'a> Client<'a> {
    pub(super) fn new(number: usize, wanted: &'a HotSlots, recorder: &'a Recorder) -> Self {
        let rng = StdRng::seed_from_u64(recorder.seed() ^ (number as u64) << 32);
        Self { number, rng, wanted, recorder, own: Vec::new(), left: None }
    }

    /// Makes so many attempts, or goes on until it is over.
    pub(super) fn work(&mut self, attempts: usize) {
        let mut api = self.recorder.connection();
        for _ in 0..attempts {
            if self.recorder.is_over() {
                return;
            }
            let operation = self.operation();
            let mut outcome = self.recorder.perform(&api, self.number, operation.clone());
            if outcome == Outcome::Unknown {
                api = self.recorder.connection();
                if self.rng.random_ratio(ASK_AGAIN.0, ASK_AGAIN.1) {
                    outcome = self.recorder.retry(&api, self.number);
                }
            }
            self.hear(&operation, &outcome);
        }
    }

    fn operation(&mut self) -> Operation {
        let mine = self.own.choose(&mut self.rng).copied();
        match (mine, self.rng.random_range(0..10)) {
            (Some((id, _)), 0..3) => Operation::Cancel(id),
            (Some((appointment, _)), 3..7) => {
                Operation::Reschedule { appointment, start: self.slot().1 }
            }
            (Some((id, true)), 7..9) => Operation::Confirm(id),
            _ => self.booking(),
        }
    }

    fn booking(&mut self) -> Operation {
        let (room, start) = self.slot();
        let mut rooms = vec![room];
        if self.rng.random_ratio(1, 6) {
            rooms.push(self.slot().0);
            rooms.dedup();
        }
        let hold = self.may_leave_one() || self.rng.random_ratio(1, 4);
        Operation::Book {
            service: self.wanted.services.choose(&mut self.rng).unwrap().clone(),
            rooms,
            client: self.wanted.clients[self.number].clone(),
            start,
            hold_minutes: hold.then_some(self.wanted.hold_minutes),
        }
    }

    fn may_leave_one(&self) -> bool {
        let now = DateTime::<Utc>::from(SystemTime::now());
        self.number.is_multiple_of(LEAVES_HOLDS) && self.left.is_none_or(|lapses| lapses < now)
    }

    fn slot(&mut self) -> (String, DateTime<Utc>) {
        self.wanted.slots.choose(&mut self.rng).unwrap().clone()
    }

    fn hear(&mut self, operation: &Operation, outcome: &Outcome) {
        match (operation, outcome) {
            (Operation::Book { hold_minutes: Some(_), .. }, Outcome::Accepted(seen))
                if self.may_leave_one() =>
            {
                self.left = seen.hold_expires_at;
            }
            (Operation::Book { hold_minutes, .. }, Outcome::Accepted(seen)) => {
                self.own.push((seen.appointment, hold_minutes.is_some()));
            }
            (Operation::Confirm(id), Outcome::Accepted(_)) => {
                self.forget(operation);
                self.own.push((*id, false));
            }
            (Operation::Cancel(_), Outcome::Accepted(_)) => self.forget(operation),
            (_, Outcome::Refused(refusal)) if refusal.slug != "slot-taken" => {
                self.forget(operation);
            }
            _ => {}
        }
    }

    fn forget(&mut self, operation: &Operation) {
        let (Operation::Confirm(gone)
        | Operation::Cancel(gone)
        | Operation::Reschedule { appointment: gone, .. }) = operation
        else {
            return;
        };
        self.own.retain(|(id, _)| id != gone);
    }
}

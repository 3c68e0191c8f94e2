//! What was tried and is still to be done is not tried again at once: a projection that is behind shows it until it
//! has caught up, and one that is stalled for ever.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use uuid::Uuid;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_mins(5);

/// How many are remembered: with more of them, they are tried more often.
const MAX: usize = 10_000;

/// What was tried a short time ago.
#[derive(Debug, Default)]
pub(crate) struct Again(HashMap<Uuid, Tried>);

#[derive(Debug, Clone, Copy)]
struct Tried {
    /// When it is to be tried again.
    next: Instant,
    pause: Duration,
}

impl Again {
    /// Those for which it is too early.
    pub(crate) fn not_now(&mut self) -> Vec<Uuid> {
        self.not_at(Instant::now())
    }

    fn not_at(&mut self, now: Instant) -> Vec<Uuid> {
        // It was not asked for again when it was time, so it is done.
        self.0.retain(|_, tried| now < tried.next + MAX_PAUSE);
        self.0.iter().filter(|(_, tried)| now < tried.next).map(|(id, _)| *id).collect()
    }

    /// It was tried. What is done may still be shown for a moment.
    pub(crate) fn note(&mut self, id: Uuid, done: bool) {
        self.note_at(id, done, Instant::now());
    }

    fn note_at(&mut self, id: Uuid, done: bool, now: Instant) {
        if self.0.len() >= MAX && !self.0.contains_key(&id) {
            return;
        }
        let before = self.0.get(&id).filter(|_| !done);
        let pause = before.map_or(FIRST_PAUSE, |tried| (tried.pause * 2).min(MAX_PAUSE));
        self.0.insert(id, Tried { next: now + pause, pause });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_done_is_tried_less_and_less_often() {
        let (mut again, mut now, id) = (Again::default(), Instant::now(), Uuid::nil());
        let mut tries = 0;
        let end = now + Duration::from_hours(1);
        while now < end {
            if again.not_at(now).is_empty() {
                tries += 1;
                again.note_at(id, false, now);
            }
            now += Duration::from_millis(250);
        }
        assert!((15..30).contains(&tries), "{tries}");
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let (mut again, now) = (Again::default(), Instant::now());
        for n in 0..2 * MAX {
            again.note_at(Uuid::from_u128(n as u128), true, now);
        }
        assert_eq!(again.not_at(now).len(), MAX);
        assert!(again.not_at(now + FIRST_PAUSE).is_empty());
        assert!(again.not_at(now + FIRST_PAUSE + MAX_PAUSE).is_empty() && again.0.is_empty());
    }
}

//! A clock that follows the database's, so that programs on machines whose clocks differ decide alike.
//!
//! The database is asked what time it is, and the answer is taken for the middle of the round trip. From there
//! the machine's *monotonic* clock counts: setting its wall clock changes nothing. Later answers correct it a
//! little faster or slower, and never back.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use metrics::gauge;

use crate::metrics::CLOCK_SKEW_SECONDS;
use crate::{Clock, SystemClock};

/// How much a correction makes the clock faster or slower: by one part in so many.
const SLEW: i64 = 10;

/// What is off by more is no drift: a server was replaced, a clock set, or this machine slept. Then the clock
/// steps forward, or stands still until it is right.
const STEP: i64 = 1_000_000;

/// Monotonic clocks run apart by less than one part in so many.
const DRIFT: i64 = 2_000;

/// How far the machine's wall clock may be from the database's before it is worth a word.
const SKEW: i64 = 1_000_000;

/// What the database said the time was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) sent: Instant,
    pub(super) received: Instant,
    /// In microseconds since 1970.
    pub(super) said: i64,
}

impl Sample {
    /// How long it took to be asked, to the middle.
    fn half(self) -> i64 {
        micros(self.received.saturating_duration_since(self.sent)) / 2
    }
}

/// Times are microseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    at: Instant,
    /// The database's clock at that moment.
    time: i64,
    /// How far that may be wrong.
    uncertainty: i64,
    /// How far this clock was ahead of it at that moment.
    ahead: i64,
}

impl Anchor {
    fn of(sample: Sample) -> Self {
        let half = sample.half();
        Self { at: sample.received, time: sample.said + half, uncertainty: half, ahead: 0 }
    }

    /// The same, as from a later moment.
    fn moved_to(self, now: Instant) -> Self {
        let (time, uncertainty) = (self.time + self.age(now), self.uncertainty(now));
        Self { at: now, time, uncertainty, ahead: self.ahead(now) }
    }

    fn age(&self, now: Instant) -> i64 {
        micros(now.saturating_duration_since(self.at))
    }

    fn uncertainty(&self, now: Instant) -> i64 {
        self.uncertainty + self.age(now) / DRIFT
    }

    /// How far this clock is ahead of the database's; it never shrinks faster than time passes.
    fn ahead(&self, now: Instant) -> i64 {
        let age = self.age(now);
        match self.ahead {
            ahead if ahead > STEP => (ahead - age).max(0),
            ahead if ahead >= 0 => (ahead - age / SLEW).max(0),
            behind if behind >= -STEP => (behind + age / SLEW).min(0),
            _ => 0,
        }
    }

    fn read(&self, now: Instant) -> i64 {
        self.time + self.age(now) + self.ahead(now)
    }
}

/// A clock that follows the database's. Until the database was asked it is the machine's.
#[derive(Debug, Default)]
pub struct DatabaseClock(Mutex<Reading>);

impl DatabaseClock {
    /// Whether the database was asked.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.with(|reading, _| reading.anchor.is_some())
    }

    /// How far it may be from the database's; `None`: the database was not asked yet.
    #[must_use]
    pub fn uncertainty(&self) -> Option<Duration> {
        self.with(|reading, now| reading.uncertainty(now))
    }

    /// How many seconds the machine's wall clock is ahead of the database's. Nothing depends on it.
    #[must_use]
    pub fn skew_seconds(&self) -> f64 {
        seconds(self.with(|reading, _| reading.skew))
    }

    /// Takes up what the database said.
    pub(super) fn take(&self, sample: Sample) {
        let system = SystemClock.now().timestamp_micros();
        self.with(|reading, now| {
            let since = micros(now.saturating_duration_since(sample.received));
            reading.note_skew(system - since - Anchor::of(sample).time);
            gauge!(CLOCK_SKEW_SECONDS).set(seconds(reading.skew));
            reading.take(sample, now);
        });
    }

    /// Under the lock, so that no two readings are in the wrong order.
    fn with<T>(&self, work: impl FnOnce(&mut Reading, Instant) -> T) -> T {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut reading, Instant::now())
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> DateTime<Utc> {
        let micros = self.with(|reading, now| Some(reading.anchor?.read(now)));
        micros.and_then(DateTime::from_timestamp_micros).unwrap_or_else(|| SystemClock.now())
    }
}

#[derive(Debug, Default)]
struct Reading {
    anchor: Option<Anchor>,
    /// How far the machine's wall clock is ahead of the database's, in microseconds.
    skew: i64,
}

impl Reading {
    fn uncertainty(&self, now: Instant) -> Option<Duration> {
        let anchor = self.anchor?;
        let micros = anchor.uncertainty(now) + anchor.ahead(now).abs();
        Some(Duration::from_micros(micros.unsigned_abs()))
    }

    /// Unless more was known already: an answer that took long says little. The clock goes on from where it is `now`:
    /// until then it has been read as it was.
    fn take(&mut self, sample: Sample, now: Instant) {
        let new = Anchor::of(sample).moved_to(now);
        let Some(old) = self.anchor else {
            self.anchor = Some(new);
            return;
        };
        let (known, off) = (old.uncertainty(new.at), new.time - old.time - old.age(new.at));
        let agrees = off.abs() <= known + new.uncertainty;
        if agrees && new.uncertainty >= known {
            return;
        }
        let ahead = old.read(new.at) - new.time;
        if ahead.abs() > STEP {
            let seconds = seconds(-ahead);
            tracing::warn!(seconds, "the database's clock is not where it was; following it");
        }
        self.anchor = Some(Anchor { ahead, ..new });
    }

    fn note_skew(&mut self, skew: i64) {
        if skew.abs() > SKEW && self.skew.abs() <= SKEW {
            let seconds = seconds(skew);
            tracing::warn!(seconds, "this machine's clock is not the database's, which counts");
        }
        self.skew = skew;
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn seconds(micros: i64) -> f64 {
    TimeDelta::microseconds(micros).as_seconds_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000_000_000;

    const MS: i64 = 1_000;

    /// A clock whose database said so, `round_trip` ago, and a moment to count from.
    struct Trial(Reading, Instant);

    impl Trial {
        fn new() -> Self {
            let mut trial = Self(Reading::default(), Instant::now() + Duration::from_mins(1));
            trial.hears(0, 0, 2);
            trial
        }

        fn at(&self, ms: u64) -> Instant {
            self.1 + Duration::from_millis(ms)
        }

        /// At `at` ms it hears that the database's clock is at `said` ms, after a round trip of so many.
        fn hears(&mut self, at: u64, said: i64, round_trip: u64) {
            let received = self.at(at);
            let sent = received.checked_sub(Duration::from_millis(round_trip)).unwrap();
            let half = i64::try_from(round_trip).unwrap() * MS / 2;
            self.0.take(Sample { sent, received, said: START + said * MS - half }, received);
        }

        fn reads(&self, at: u64) -> i64 {
            (self.0.anchor.unwrap().read(self.at(at)) - START) / MS
        }

        fn uncertainty(&self, at: u64) -> u128 {
            self.0.uncertainty(self.at(at)).unwrap().as_millis()
        }
    }

    #[test]
    fn it_counts_on_from_what_the_database_said() {
        let trial = Trial::new();
        assert_eq!((trial.reads(0), trial.uncertainty(0)), (0, 1));
        assert_eq!((trial.reads(10_000), trial.uncertainty(10_000)), (10_000, 1 + 5));
    }

    #[test]
    fn a_slow_answer_that_says_nothing_new_changes_nothing() {
        let mut trial = Trial::new();
        trial.hears(0, 400, 1_000);
        assert_eq!((trial.reads(0), trial.uncertainty(0)), (0, 1));
        // What is known does not explain this one.
        trial.hears(0, 400, 100);
        assert_eq!((trial.reads(0), trial.uncertainty(0)), (0, 450));
    }

    #[test]
    fn what_it_is_behind_is_made_up_for_little_by_little() {
        let mut trial = Trial::new();
        trial.hears(0, 500, 2);
        assert_eq!([0, 1_000, 5_000, 6_000].map(|at| trial.reads(at)), [0, 1_100, 5_500, 6_500]);
    }

    #[test]
    fn what_it_is_ahead_is_waited_for_and_never_taken_back() {
        for (ahead, waits_for) in [(500, 5_000), (30_000, 30_000)] {
            let mut trial = Trial::new();
            trial.hears(0, ahead, 2);
            let stepped = trial.reads(6_000);
            trial.hears(6_000, stepped - ahead, 2);
            let mut last = stepped;
            for at in (6_000..=6_000 + waits_for).step_by(500) {
                let now = trial.reads(at);
                assert!(now >= last, "{now} after {last}");
                last = now;
            }
            let right = i64::try_from(waits_for).unwrap() + stepped - ahead;
            assert_eq!(last, right);
        }
    }

    #[test]
    fn what_was_read_before_an_answer_was_taken_up_is_not_taken_back() {
        for ahead in [500, 30_000] {
            let mut trial = Trial::new();
            trial.hears(0, ahead, 2);
            let (received, taken) = (trial.at(6_000), trial.at(6_200));
            let before = trial.reads(6_200);
            let said = START + (trial.reads(6_000) - ahead) * MS;
            trial.0.take(Sample { sent: received, received, said }, taken);
            assert_eq!(trial.reads(6_200), before);
        }
    }

    #[test]
    fn after_a_sleep_it_steps_forward() {
        let mut trial = Trial::new();
        trial.hears(0, 60_000, 2);
        assert_eq!((trial.reads(0), trial.uncertainty(0)), (60_000, 1));
    }

    #[test]
    fn until_the_database_was_asked_it_is_not_set() {
        let clock = DatabaseClock::default();
        assert!(!clock.is_set() && clock.uncertainty().is_none());
    }

    #[test]
    fn it_knows_how_far_the_machines_clock_is_off() {
        let clock = DatabaseClock::default();
        let now = Instant::now();
        let said = SystemClock.now().timestamp_micros() - 90_000 * MS;
        clock.take(Sample { sent: now, received: now, said });
        let skew = clock.skew_seconds();
        assert!((skew - 90.0).abs() < 1.0, "{skew}");
        let behind = SystemClock.now() - clock.now();
        assert!((behind.as_seconds_f64() - 90.0).abs() < 1.0, "{behind}");
    }
}

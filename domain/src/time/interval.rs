//! Half-open intervals of absolute time.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Duration, instant};

/// An interval must end after it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an interval ends after it starts")]
pub struct EmptyInterval;

/// `[start, end)`, never empty: two appointments that touch do not overlap.
///
/// Its ends are whole microseconds, rounded down: what PostgreSQL keeps, so that what overlaps in
/// the log overlaps in the claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Ends", into = "Ends")]
pub struct Interval {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Interval {
    /// The interval from `start` to before `end`.
    ///
    /// # Errors
    /// When `end` is not after `start`.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Self, EmptyInterval> {
        let (start, end) = (start.trunc_subsecs(6), end.trunc_subsecs(6));
        if start < end { Ok(Self { start, end }) } else { Err(EmptyInterval) }
    }

    /// The interval of that length from `start`.
    #[must_use]
    pub fn lasting(start: DateTime<Utc>, duration: Duration) -> Self {
        let start = start.trunc_subsecs(6);
        Self { start, end: start + duration.delta() }
    }

    /// From 1970 to beyond anything that is kept.
    pub(crate) fn always() -> Self {
        let start = DateTime::UNIX_EPOCH;
        Self { start, end: start + TimeDelta::days(1_000_000) }
    }

    /// The first instant.
    #[must_use]
    pub const fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The first instant that is no longer part of it.
    #[must_use]
    pub const fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// How long it is.
    #[must_use]
    pub fn length(&self) -> TimeDelta {
        self.end - self.start
    }

    /// Whether the two share an instant.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether all of `other` lies within this one.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// From the start of the first of the two to the end of the last.
    #[must_use]
    pub fn hull(&self, other: &Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The time that the two share.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::between(self.start.max(other.start), self.end.min(other.end))
    }

    /// The part of it before `at`.
    pub(super) fn before(&self, at: DateTime<Utc>) -> Option<Self> {
        Self::between(self.start, self.end.min(at))
    }

    /// The part of it from `at` on.
    pub(super) fn after(&self, at: DateTime<Utc>) -> Option<Self> {
        Self::between(self.start.max(at), self.end)
    }

    /// Both as one, where they overlap or touch.
    pub(super) fn joined(&self, other: &Self) -> Option<Self> {
        let joined = Self { start: self.start.min(other.start), end: self.end.max(other.end) };
        (self.start <= other.end && other.start <= self.end).then_some(joined)
    }

    /// Of ends that are whole microseconds already.
    fn between(start: DateTime<Utc>, end: DateTime<Utc>) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The interval made longer by `before` at its start and `after` at its end.
    #[must_use]
    pub fn widened(&self, before: TimeDelta, after: TimeDelta) -> Self {
        Self { start: self.start - before, end: self.end + after }
    }

    /// The interval of the same length that starts at `start`.
    #[must_use]
    pub fn moved_to(&self, start: DateTime<Utc>) -> Self {
        let start = start.trunc_subsecs(6);
        Self { start, end: start + self.length() }
    }
}

/// A refusal that was stored with an idempotency key before 2.0 of the events has the short names.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Ends {
    #[serde(rename = "start_at", alias = "start", deserialize_with = "instant::deserialize")]
    start: DateTime<Utc>,
    #[serde(rename = "end_at", alias = "end", deserialize_with = "instant::deserialize")]
    end: DateTime<Utc>,
}

impl TryFrom<Ends> for Interval {
    type Error = EmptyInterval;

    fn try_from(ends: Ends) -> Result<Self, EmptyInterval> {
        Self::new(ends.start, ends.end)
    }
}

impl From<Interval> for Ends {
    fn from(interval: Interval) -> Self {
        Self { start: interval.start, end: interval.end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(from: i64, to: i64) -> Interval {
        let at = |m: i64| DateTime::UNIX_EPOCH + TimeDelta::minutes(m);
        Interval::new(at(from), at(to)).unwrap()
    }

    #[test]
    fn intervals_that_touch_do_not_overlap() {
        assert!(!minutes(0, 30).overlaps(&minutes(30, 60)));
        assert!(minutes(0, 31).overlaps(&minutes(30, 60)));
        assert!(minutes(0, 60).overlaps(&minutes(20, 30)));
    }

    #[test]
    fn the_ends_are_whole_microseconds() {
        let finer = DateTime::UNIX_EPOCH + TimeDelta::nanoseconds(1_999);
        let whole = DateTime::UNIX_EPOCH + TimeDelta::microseconds(1);
        let duration = Duration::from_minutes(1).unwrap();
        assert_eq!(Interval::lasting(finer, duration), Interval::lasting(whole, duration));
        assert_eq!(minutes(0, 30).moved_to(finer).start(), whole);
        assert_eq!(Interval::new(whole, finer), Err(EmptyInterval));
    }

    #[test]
    fn what_two_intervals_share_is_an_interval_or_nothing() {
        assert_eq!(minutes(0, 60).intersection(&minutes(30, 90)), Some(minutes(30, 60)));
        assert_eq!(minutes(0, 30).intersection(&minutes(30, 60)), None);
    }

    #[test]
    fn an_interval_is_never_empty() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(Interval::new(now, now), Err(EmptyInterval));
    }
}

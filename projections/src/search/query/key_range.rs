//! Parts of the order of all appointments.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::filter::{SearchFilter, Sort};
use super::super::terms::SpanLevel;
use crate::page::keyset::{EARLIEST_SECONDS, StartKey};

/// All that lies between two places. Seen in the order of a search, it has a near and a far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyRange {
    pub(super) low: StartKey,
    pub(super) high: StartKey,
}

impl KeyRange {
    /// What the filter's dates let through and what comes after the cursor.
    pub(super) fn asked(filter: &SearchFilter, sort: Sort, after: Option<StartKey>) -> Self {
        let earliest = DateTime::from_timestamp(EARLIEST_SECONDS, 0).unwrap_or_default();
        let latest = DateTime::<Utc>::MAX_UTC;
        let low = StartKey::just_before(filter.from.unwrap_or(earliest).max(earliest));
        let high = StartKey::just_before(filter.to.unwrap_or(latest));
        let mut all = Self { low, high };
        if let Some(place) = after {
            all.go_on_after(sort, place);
        }
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.low >= self.high
    }

    /// Where it ends, in the order of the search.
    pub(super) const fn far(&self, sort: Sort) -> StartKey {
        match sort {
            Sort::StartAscending => self.high,
            Sort::StartDescending => self.low,
        }
    }

    /// Where it starts, in the order of the search.
    pub(super) const fn near(&self, sort: Sort) -> StartKey {
        match sort {
            Sort::StartAscending => self.low,
            Sort::StartDescending => self.high,
        }
    }

    /// Leaves out all up to and including this place.
    pub(super) fn go_on_after(&mut self, sort: Sort, place: StartKey) {
        match sort {
            Sort::StartAscending => self.low = self.low.max(place),
            Sort::StartDescending => self.high = self.high.min(place),
        }
    }

    /// Leaves out all that comes before the instant.
    pub(super) fn go_on_from(&mut self, sort: Sort, first: DateTime<Utc>) {
        let place = match sort {
            Sort::StartAscending => StartKey::just_before(first),
            Sort::StartDescending => StartKey::just_before(plus(first, 1)),
        };
        self.go_on_after(sort, place);
    }

    /// Leaves out all that comes after the instant.
    pub(super) fn end_with(&mut self, sort: Sort, last: DateTime<Utc>) {
        match sort {
            Sort::StartAscending => {
                self.high = self.high.min(StartKey::just_before(plus(last, 1)));
            }
            Sort::StartDescending => self.low = self.low.max(StartKey::just_before(last)),
        }
    }

    /// Its part of this length at its near end, and on to the end of a span of that level.
    pub(super) fn slice(&self, sort: Sort, micros: i64, level: SpanLevel) -> Self {
        let unit = level.micros();
        let near = self.near(sort).start_at.timestamp_micros();
        let mut slice = *self;
        match sort {
            Sort::StartAscending => {
                let end = near.saturating_add(micros).div_euclid(unit) + 1;
                slice.high = slice.high.min(place_at(end.saturating_mul(unit)));
            }
            Sort::StartDescending => {
                let end = near.saturating_sub(micros + 1).div_euclid(unit);
                slice.low = slice.low.max(place_at(end.saturating_mul(unit)));
            }
        }
        slice
    }

    /// The part of `self` that comes after `slice`.
    pub(super) fn without(&self, sort: Sort, slice: Self) -> Self {
        match sort {
            Sort::StartAscending => Self { low: slice.high, high: self.high },
            Sort::StartDescending => Self { low: self.low, high: slice.low },
        }
    }

    pub(super) fn micros(&self) -> i64 {
        distance(self.low.start_at, self.high.start_at)
    }

    /// The spans that it touches.
    pub(super) fn spans(&self) -> Vec<(SpanLevel, i64)> {
        let last =
            if self.high.id.is_nil() { plus(self.high.start_at, -1) } else { self.high.start_at };
        SpanLevel::cover(self.low.start_at, last)
    }
}

/// Between two instants, in microseconds.
pub(super) fn distance(one: DateTime<Utc>, other: DateTime<Utc>) -> i64 {
    one.timestamp_micros().saturating_sub(other.timestamp_micros()).saturating_abs()
}

fn plus(instant: DateTime<Utc>, micros: i64) -> DateTime<Utc> {
    instant.checked_add_signed(TimeDelta::microseconds(micros)).unwrap_or(instant)
}

fn place_at(micros: i64) -> StartKey {
    let end = if micros > 0 { DateTime::<Utc>::MAX_UTC } else { DateTime::<Utc>::MIN_UTC };
    StartKey::just_before(DateTime::from_timestamp_micros(micros).unwrap_or(end))
}

//! Which starts are free: what can be booked, worked out from the same rules that decide a booking.
//!
//! * `candidates`: which resources would do.
//! * `calendar`: when an appointment may start on one resource, as intervals.
//! * `offer`: the starts on the grid, of one resource or of any of several; `together`: of a role each.
//! * `effort`: how much a search may look at.
//! * `requirements`: what an appointment needs, but for when.
//! * `blocker`: why a moment is not offered.
//!
//! A start that is offered can be booked until somebody else takes it: opening hours come
//! from [`OpeningHours`](crate::time::OpeningHours), rules from
//! [`BookingRules`](crate::service::rules::BookingRules), and what conflicts is what the claims
//! of an appointment would be.

mod blocker;
mod calendar;
mod candidates;
mod effort;
mod offer;
mod requirements;
#[cfg(test)]
mod tests;
mod together;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use chrono_tz::Tz;

pub use blocker::Blocker;
pub use calendar::Calendar;
pub use candidates::Candidates;
pub use effort::{Effort, Unfinished};
pub use offer::{Found, any_of, on_each};
pub use requirements::Requirements;
pub use together::{FreeStart, each_role_of, fills_each};

use crate::service::rules::{BookingRules, Grid};
use crate::time::{Buffer, Duration, Interval, day_bounds};

/// A query for free time.
#[derive(Debug, Clone, Copy)]
pub struct SlotQuery<'a> {
    /// How long the appointment takes.
    pub length: Duration,
    /// Time kept free before it.
    pub buffer_before: Buffer,
    /// Time kept free after it.
    pub buffer_after: Buffer,
    /// By which rules it would be booked.
    pub rules: &'a BookingRules,
    /// At which times of day it starts, where the rules have no grid.
    pub grid: Grid,
    pub within: Interval,
    /// When it is asked.
    pub now: DateTime<Utc>,
}

/// The smallest difference of instants: what comes between two of them is no time.
pub(crate) const INSTANT: TimeDelta = TimeDelta::microseconds(1);

impl SlotQuery<'_> {
    fn grid(&self) -> Grid {
        self.rules.grid.unwrap_or(self.grid)
    }

    /// When it may start by the rules that do not depend on the resource but for its zone.
    fn allowed(&self, zone: Tz) -> Option<Interval> {
        let notice = self.rules.minimum_notice;
        let earliest = notice.map_or(self.now, |notice| notice.earliest_start(self.now));
        // Intervals are of whole microseconds, and the one that has begun has passed.
        let earliest = (earliest - TimeDelta::nanoseconds(1)).trunc_subsecs(6) + INSTANT;
        let latest = self.rules.horizon.and_then(|horizon| {
            let last = horizon.last_date(zone, self.now);
            day_bounds(zone, last, last).map(|day| day.end())
        });
        let end = latest.map_or(self.within.end(), |latest| latest.min(self.within.end()));
        Interval::new(self.within.start().max(earliest), end).ok()
    }
}

//! What an appointment needs, but for when.

use chrono::{DateTime, Utc};

use super::{Calendar, Effort, Found, FreeStart, SlotQuery, Unfinished, each_role_of};
use crate::service::rules::{BookingRules, Grid};
use crate::time::{Buffer, Duration, Interval};

/// What an appointment needs, but for when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirements {
    /// How long the appointment takes.
    pub length: Duration,
    /// Time kept free before and after it.
    pub buffers: (Buffer, Buffer),
    /// By which rules it would be booked.
    pub rules: BookingRules,
    /// For each role, the numbers of the resources that would do. None at all: any resource will do.
    pub roles: Vec<Vec<usize>>,
}

impl Requirements {
    /// The time whose claims matter to an appointment that starts within this.
    #[must_use]
    pub fn reach(&self, within: Interval) -> Interval {
        let (before, after) = self.buffers;
        within.widened(before.delta(), self.length.delta() + after.delta())
    }

    /// The query for starts within this. `grid` is for rules that have none.
    #[must_use]
    pub const fn query(&self, grid: Grid, within: Interval, now: DateTime<Utc>) -> SlotQuery<'_> {
        SlotQuery {
            length: self.length,
            buffer_before: self.buffers.0,
            buffer_after: self.buffers.1,
            rules: &self.rules,
            grid,
            within,
            now,
        }
    }

    /// The first starts that are offered, in order, and which resources would do.
    ///
    /// # Errors
    /// When that takes more than the effort.
    pub fn free_starts(
        &self,
        calendars: &[Calendar<'_>],
        query: &SlotQuery<'_>,
        limit: usize,
        effort: &mut Effort<'_>,
    ) -> Result<Found<FreeStart>, Unfinished> {
        // Where nothing is said about roles, one of the resources is what is needed.
        let any = [(0..calendars.len()).collect()];
        let roles = if self.roles.is_empty() { &any[..] } else { &self.roles };
        each_role_of(calendars, roles, query, limit, effort)
    }
}

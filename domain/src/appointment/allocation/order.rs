//! Which resource is preferred, of those that would do.

use chrono::{DateTime, Datelike as _, Days, TimeDelta, Utc};

use super::Candidate;
use crate::claim::ClaimSnapshot;
use crate::service::{Choose, Role};
use crate::time::{Interval, day_bounds};
use crate::{AppointmentId, LeastBookedDays};

/// How many local days of all candidates together are looked at, if each has more than one: who has many to choose
/// from has a shorter window, and not a dearer booking.
const MAX_DAYS: usize = 2_000;

/// By what they are preferred.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Order {
    choose: Choose,
    /// How many local days are looked at, up to the one on which an appointment starts.
    days: u16,
}

impl Order {
    /// For so many candidates.
    pub(super) fn new(choose: Choose, days: LeastBookedDays, candidates: usize) -> Self {
        let at_most = u16::try_from(MAX_DAYS / candidates.max(1)).unwrap_or(u16::MAX).max(1);
        let days = match choose {
            Choose::FirstFree => 0,
            Choose::LeastBooked => days.get().min(at_most),
            Choose::RoundRobin => 1,
        };
        Self { choose, days }
    }

    /// Before anything is known of what is claimed: as the role lists them, else by name.
    ///
    /// Where they take turns, the order turns by one each day, so that the first of the list is not the
    /// first of every day.
    pub(super) fn listed(
        self,
        candidates: &[Candidate<'_>],
        would_do: &mut [usize],
        role: &Role,
        start: DateTime<Utc>,
    ) {
        let place = |id| role.among.iter().position(|among| *among == id);
        would_do.sort_by(|one, other| {
            let key = |n: &usize| {
                let Candidate { id, profile } = &candidates[*n];
                (place(*id), &profile.name, *id)
            };
            key(one).cmp(&key(other))
        });
        let take_turns = self.choose != Choose::FirstFree;
        if let Some(first) = would_do.first().filter(|_| take_turns) {
            let date = candidates[*first].date(start);
            let turns = date.num_days_from_ce().unsigned_abs() as usize;
            would_do.rotate_left(turns % would_do.len());
        }
    }

    /// By what is claimed; those who are equal stay as they are.
    pub(super) fn by_claims(
        self,
        candidates: &[Candidate<'_>],
        would_do: &mut [usize],
        start: DateTime<Utc>,
        claims: &ClaimSnapshot,
    ) {
        let last = |n: &usize| self.last(&candidates[*n], start, claims);
        let claimed = |n: &usize| self.claimed(&candidates[*n], start, claims);
        match self.choose {
            Choose::FirstFree => {}
            Choose::LeastBooked => would_do.sort_by_cached_key(|n| (claimed(n), last(n))),
            Choose::RoundRobin => would_do.sort_by_cached_key(last),
        }
    }

    /// The time whose claims count. `None`: none do.
    pub(super) fn window(
        self,
        candidate: &Candidate<'_>,
        start: DateTime<Utc>,
    ) -> Option<Interval> {
        let last = candidate.date(start);
        let first = last.checked_sub_days(Days::new(self.days.checked_sub(1)?.into()))?;
        day_bounds(candidate.profile.time_zone, first, last)
    }

    fn claimed(
        self,
        candidate: &Candidate<'_>,
        start: DateTime<Utc>,
        claims: &ClaimSnapshot,
    ) -> TimeDelta {
        let window = self.window(candidate, start);
        window.map_or(TimeDelta::MAX, |window| claims.claimed_within(candidate.id, &window))
    }

    /// Who has had nothing yet comes first: `None` is less than anything.
    fn last(
        self,
        candidate: &Candidate<'_>,
        start: DateTime<Utc>,
        claims: &ClaimSnapshot,
    ) -> Option<AppointmentId> {
        claims.last_given(candidate.id, &self.window(candidate, start)?)
    }
}

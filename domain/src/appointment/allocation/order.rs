//! Which resource is preferred, of those that would do.

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};

use super::Candidate;
use crate::AppointmentId;
use crate::claim::ClaimSnapshot;
use crate::service::{Choose, Role};
use crate::time::{Interval, day_bounds};

/// The order before anything is known of what is claimed: as the role lists them, else by name.
///
/// Where they take turns, the order turns by one each day, so that the first of the list is not the
/// first of every day.
pub(super) fn listed(
    candidates: &[Candidate<'_>],
    would_do: &mut [usize],
    role: &Role,
    choose: Choose,
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
    if let (Choose::RoundRobin, Some(first)) = (choose, would_do.first()) {
        let date = candidates[*first].date(start);
        let turns = date.num_days_from_ce().unsigned_abs() as usize;
        would_do.rotate_left(turns % would_do.len());
    }
}

/// The order by what is claimed; those who are equal stay as they are.
pub(super) fn by_claims(
    candidates: &[Candidate<'_>],
    would_do: &mut [usize],
    choose: Choose,
    start: DateTime<Utc>,
    claims: &ClaimSnapshot,
) {
    match choose {
        Choose::FirstFree => {}
        Choose::LeastBooked => {
            would_do.sort_by_cached_key(|n| claimed(&candidates[*n], start, claims));
        }
        Choose::RoundRobin => would_do.sort_by_cached_key(|n| last(&candidates[*n], start, claims)),
    }
}

/// The local day on which an appointment starts.
pub(super) fn day(candidate: &Candidate<'_>, start: DateTime<Utc>) -> Option<Interval> {
    let date = candidate.date(start);
    day_bounds(candidate.profile.time_zone, date, date)
}

fn claimed(candidate: &Candidate<'_>, start: DateTime<Utc>, claims: &ClaimSnapshot) -> TimeDelta {
    let day = day(candidate, start);
    day.map_or(TimeDelta::MAX, |day| claims.claimed_within(candidate.id, &day))
}

/// Who has had nothing yet comes first: `None` is less than anything.
fn last(
    candidate: &Candidate<'_>,
    start: DateTime<Utc>,
    claims: &ClaimSnapshot,
) -> Option<AppointmentId> {
    claims.last_given(candidate.id, &day(candidate, start)?)
}

//! The starts at which each role can be filled by a resource of its own.
//!
//! Time is swept from the first start to the last. Who is free changes only where an interval of somebody begins
//! or ends, and only then are roles filled anew.

use std::iter::Peekable;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::calendar::Starts;
use super::offer::{Found, INTERVAL, stretches};
use super::{Calendar, Effort, SlotQuery, Unfinished};
use crate::matching::Matching;
use crate::service::rules::Grid;
use crate::time::Interval;
use crate::time::intervals::union;

/// A start at which every role can be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeStart {
    pub start: DateTime<Utc>,
    /// For each role, the number of the calendar that fills it.
    pub filled_by: Vec<usize>,
}

/// The first starts at which each role can be filled by a resource of its own, in order. `roles` are, for
/// each, the numbers of the calendars that would do.
///
/// # Errors
/// When that takes more than the effort.
pub fn each_role_of(
    calendars: &[Calendar<'_>],
    roles: &[Vec<usize>],
    query: &SlotQuery<'_>,
    limit: usize,
    effort: &mut Effort<'_>,
) -> Result<Found<FreeStart>, Unfinished> {
    let mut found = Vec::new();
    for query in stretches(query) {
        if found.len() > limit {
            break;
        }
        let mut sweep = Sweep::over(calendars, &query, effort)?;
        while found.len() <= limit {
            let Some(start) = sweep.next(effort)? else { break };
            if let Some(filled_by) = sweep.filling(roles, effort)? {
                found.push(FreeStart { start, filled_by: filled_by.to_vec() });
            }
        }
    }
    Ok(Found::of(found, limit))
}

/// Who fills each role, of `count` calendars those that are free; `None`: some role nobody can.
#[must_use]
pub fn fills_each(
    roles: &[Vec<usize>],
    count: usize,
    is_free: impl Fn(usize) -> bool,
) -> Option<Vec<usize>> {
    filled(roles, count, is_free).0
}

/// The same, and how many looks it took.
fn filled(
    roles: &[Vec<usize>],
    count: usize,
    is_free: impl Fn(usize) -> bool,
) -> (Option<Vec<usize>>, u64) {
    let would_do: Vec<Vec<usize>> =
        roles.iter().map(|role| role.iter().copied().filter(|n| is_free(*n)).collect()).collect();
    let mut matching = Matching::new(roles.len(), count);
    let all = (0..roles.len()).all(|role| matching.fill(role, &would_do));
    let looks = matching.looks() + roles.iter().map(|role| role.len() as u64).sum::<u64>();
    (all.then(|| matching.of_slots().iter().copied().collect()).flatten(), looks)
}

fn on_grid(
    grid: Grid,
    zone: Tz,
    all: Vec<Interval>,
) -> Peekable<Box<dyn Iterator<Item = DateTime<Utc>>>> {
    let starts = all.into_iter().flat_map(move |range| grid.starts_in(zone, range));
    (Box::new(starts) as Box<dyn Iterator<Item = _>>).peekable()
}

/// The starts of some time, in order, at which somebody is free, and who that is.
struct Sweep {
    zones: Vec<InZone>,
    /// Which zones' grids have the present start.
    at_once: Vec<bool>,
    /// For each calendar: whether it is free at the present start.
    free: Vec<bool>,
    /// Whether `filled_by` is of those who are free now.
    is_filled: bool,
    filled_by: Option<Vec<usize>>,
}

/// The calendars of one zone: they have one grid.
struct InZone {
    starts: Peekable<Box<dyn Iterator<Item = DateTime<Utc>>>>,
    /// The number of each calendar, and its intervals from the present one on.
    calendars: Vec<(usize, std::vec::IntoIter<Interval>)>,
    /// Until when the same ones are free.
    same_until: DateTime<Utc>,
}

impl Sweep {
    fn over(
        calendars: &[Calendar<'_>],
        query: &SlotQuery<'_>,
        effort: &mut Effort<'_>,
    ) -> Result<Self, Unfinished> {
        let mut by_zone: Vec<(Tz, Vec<Interval>, Vec<_>)> = Vec::new();
        let mut each = Starts::default();
        for (n, calendar) in calendars.iter().enumerate() {
            let intervals = each.of(calendar, query, effort)?;
            effort.spend(INTERVAL * intervals.len() as u64)?;
            let at = by_zone.iter().position(|(zone, ..)| *zone == calendar.zone);
            let at = at.unwrap_or_else(|| {
                by_zone.push((calendar.zone, Vec::new(), Vec::new()));
                by_zone.len() - 1
            });
            by_zone[at].1.extend(&intervals);
            by_zone[at].2.push((n, intervals.into_iter()));
        }
        let grid = query.grid();
        let zones = by_zone.into_iter().map(|(zone, all, calendars)| InZone {
            starts: on_grid(grid, zone, union(all)),
            calendars,
            same_until: DateTime::<Utc>::MIN_UTC,
        });
        let zones: Vec<InZone> = zones.collect();
        let (at_once, free) = (vec![false; zones.len()], vec![false; calendars.len()]);
        Ok(Self { zones, at_once, free, is_filled: false, filled_by: None })
    }

    /// The next start.
    fn next(&mut self, effort: &mut Effort<'_>) -> Result<Option<DateTime<Utc>>, Unfinished> {
        let next = self.zones.iter_mut().filter_map(|zone| zone.starts.peek().copied()).min();
        let Some(start) = next else { return Ok(None) };
        effort.spend(self.zones.len() as u64)?;
        for (zone, was_on_grid) in self.zones.iter_mut().zip(&mut self.at_once) {
            let is_on_grid = zone.starts.next_if_eq(&start).is_some();
            let changes = is_on_grid != *was_on_grid || (is_on_grid && zone.same_until <= start);
            if changes {
                effort.spend(zone.calendars.len() as u64)?;
                zone.look(start, is_on_grid, &mut self.free);
                self.is_filled = false;
            }
            *was_on_grid = is_on_grid;
        }
        Ok(Some(start))
    }

    /// Who fills each role at the present start.
    fn filling(
        &mut self,
        roles: &[Vec<usize>],
        effort: &mut Effort<'_>,
    ) -> Result<Option<&[usize]>, Unfinished> {
        if !self.is_filled {
            let free = &self.free;
            let (filled_by, looks) = filled(roles, free.len(), |n| free[n]);
            effort.spend(looks)?;
            (self.filled_by, self.is_filled) = (filled_by, true);
        }
        Ok(self.filled_by.as_deref())
    }
}

impl InZone {
    /// Sees who is free at this start, and until when that stays so.
    fn look(&mut self, start: DateTime<Utc>, is_on_grid: bool, free: &mut [bool]) {
        self.same_until = DateTime::<Utc>::MAX_UTC;
        for (n, intervals) in &mut self.calendars {
            while intervals.as_slice().first().is_some_and(|first| first.end() <= start) {
                intervals.next();
            }
            let present = intervals.as_slice().first();
            let has_begun = present.is_some_and(|present| present.start() <= start);
            free[*n] = is_on_grid && has_begun;
            if let Some(present) = present {
                let change = if has_begun { present.end() } else { present.start() };
                self.same_until = self.same_until.min(change);
            }
        }
    }
}

//! The starts that are offered: those on the grid.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::calendar::Starts;
use super::{Calendar, SlotQuery};
use crate::matching::Matching;
use crate::time::Interval;
use crate::time::intervals::union;

/// The starts on each of the resources, in order.
#[must_use]
pub fn on_each(calendars: &[Calendar<'_>], query: &SlotQuery<'_>) -> Vec<Vec<DateTime<Utc>>> {
    let mut starts = Starts::default();
    let each = calendars.iter().map(|each| on_grid(each.zone, &starts.of(each, query), query));
    each.collect()
}

/// The starts at which at least one of the resources is free, in order.
#[must_use]
pub fn any_of(calendars: &[Calendar<'_>], query: &SlotQuery<'_>) -> Vec<DateTime<Utc>> {
    // A grid is read in a zone; mostly there is one.
    let mut by_zone: BTreeMap<&str, (Tz, Vec<Interval>)> = BTreeMap::new();
    let mut each = Starts::default();
    for calendar in calendars {
        let (_, starts) =
            by_zone.entry(calendar.zone.name()).or_insert_with(|| (calendar.zone, Vec::new()));
        starts.extend(each.of(calendar, query));
    }
    let mut offered: Vec<_> = by_zone
        .into_values()
        .flat_map(|(zone, starts)| on_grid(zone, &union(starts), query))
        .collect();
    offered.sort_unstable();
    offered.dedup();
    offered
}

/// A start at which every role can be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeStart {
    pub start: DateTime<Utc>,
    /// For each role, the number of the calendar that fills it.
    pub filled_by: Vec<usize>,
}

/// The starts at which each role can be filled by a resource of its own, in order. `roles` are, for
/// each, the numbers of the calendars that would do.
#[must_use]
pub fn each_role_of(
    calendars: &[Calendar<'_>],
    roles: &[Vec<usize>],
    query: &SlotQuery<'_>,
) -> Vec<FreeStart> {
    let each = on_each(calendars, query).into_iter().enumerate();
    let mut free: Vec<(DateTime<Utc>, usize)> =
        each.flat_map(|(n, starts)| starts.into_iter().map(move |start| (start, n))).collect();
    free.sort_unstable();
    let found = free.chunk_by(|one, other| one.0 == other.0).filter_map(|at_once| {
        let (start, _) = at_once[0];
        let is_free = |n: usize| at_once.binary_search(&(start, n)).is_ok();
        Some(FreeStart { start, filled_by: fills_each(roles, calendars.len(), is_free)? })
    });
    found.collect()
}

/// Who fills each role, of `count` calendars those that are free; `None`: some role nobody can.
#[must_use]
pub fn fills_each(
    roles: &[Vec<usize>],
    count: usize,
    is_free: impl Fn(usize) -> bool,
) -> Option<Vec<usize>> {
    let would_do: Vec<Vec<usize>> =
        roles.iter().map(|role| role.iter().copied().filter(|n| is_free(*n)).collect()).collect();
    let mut matching = Matching::new(roles.len(), count);
    (0..roles.len()).all(|role| matching.fill(role, &would_do)).then_some(())?;
    matching.of_slots().iter().copied().collect()
}

fn on_grid(zone: Tz, starts: &[Interval], query: &SlotQuery<'_>) -> Vec<DateTime<Utc>> {
    let grid = query.grid();
    starts.iter().flat_map(|range| grid.starts_in(zone, *range)).collect()
}

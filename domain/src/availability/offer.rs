//! The starts that are offered: those on the grid, of one resource or of any of several.
//!
//! They are worked out a stretch of time after the other, and no further than as many as are asked for.

use std::collections::BTreeMap;
use std::iter::successors;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::calendar::Starts;
use super::{Calendar, Effort, SlotQuery, Unfinished};
use crate::time::Interval;
use crate::time::intervals::union;

/// The first starts, as many as were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    pub starts: Vec<T>,
    /// Whether there are others.
    pub more: bool,
}

impl<T> Found<T> {
    /// Of one more than were asked for, if there were as many.
    pub(super) fn of(mut starts: Vec<T>, limit: usize) -> Self {
        let more = starts.len() > limit;
        starts.truncate(limit);
        Self { starts, more }
    }
}

/// The first starts on each of the resources, in order.
///
/// # Errors
/// When that takes more than the effort.
pub fn on_each(
    calendars: &[Calendar<'_>],
    query: &SlotQuery<'_>,
    limit: usize,
    effort: &mut Effort<'_>,
) -> Result<Vec<Found<DateTime<Utc>>>, Unfinished> {
    let mut all: Vec<Vec<DateTime<Utc>>> = vec![Vec::new(); calendars.len()];
    for query in stretches(query) {
        let mut starts = Starts::default();
        for (calendar, found) in calendars.iter().zip(&mut all) {
            let missing = limit.saturating_add(1).saturating_sub(found.len());
            if missing > 0 {
                let intervals = starts.of(calendar, &query, effort)?;
                take_on_grid((calendar.zone, &intervals), &query, missing, found, effort)?;
            }
        }
    }
    Ok(all.into_iter().map(|found| Found::of(found, limit)).collect())
}

/// The first starts at which at least one of the resources is free, in order.
///
/// # Errors
/// When that takes more than the effort.
pub fn any_of(
    calendars: &[Calendar<'_>],
    query: &SlotQuery<'_>,
    limit: usize,
    effort: &mut Effort<'_>,
) -> Result<Found<DateTime<Utc>>, Unfinished> {
    let mut offered = Vec::new();
    for query in stretches(query) {
        let missing = limit.saturating_add(1).saturating_sub(offered.len());
        if missing == 0 {
            break;
        }
        // A grid is read in a zone; mostly there is one.
        let mut by_zone: BTreeMap<&str, (Tz, Vec<Interval>)> = BTreeMap::new();
        let mut each = Starts::default();
        for calendar in calendars {
            let (_, starts) =
                by_zone.entry(calendar.zone.name()).or_insert_with(|| (calendar.zone, Vec::new()));
            starts.extend(each.of(calendar, &query, effort)?);
        }
        // The first of all zones are among the first of each.
        let mut found = Vec::new();
        for (zone, starts) in by_zone.into_values() {
            take_on_grid((zone, &union(starts)), &query, missing, &mut found, effort)?;
        }
        found.sort_unstable();
        found.dedup();
        offered.append(&mut found);
    }
    Ok(Found::of(offered, limit))
}

/// Adds the first so many starts on the grid.
fn take_on_grid(
    (zone, starts): (Tz, &[Interval]),
    query: &SlotQuery<'_>,
    count: usize,
    found: &mut Vec<DateTime<Utc>>,
    effort: &mut Effort<'_>,
) -> Result<(), Unfinished> {
    let (grid, end) = (query.grid(), found.len() + count);
    for range in starts {
        let before = found.len();
        found.extend(grid.starts_in(zone, *range).take(end - before));
        effort.spend((found.len() - before) as u64 + INTERVAL)?;
        if found.len() >= end {
            break;
        }
    }
    Ok(())
}

/// Looks that an interval costs, for its first start on the grid has to be worked out.
pub(super) const INTERVAL: u64 = 16;

/// The query for a day, then for two, four and so on: whoever asks for a few starts of many days mostly finds
/// them in the first, and whoever asks for all has few turns.
pub(super) fn stretches<'q>(query: &SlotQuery<'q>) -> impl Iterator<Item = SlotQuery<'q>> {
    let (within, query) = (query.within, *query);
    let stretch = move |start: DateTime<Utc>, length: TimeDelta| {
        let end =
            start.checked_add_signed(length).map_or(within.end(), |end| end.min(within.end()));
        Some((Interval::new(start, end).ok()?, length))
    };
    let each = successors(stretch(within.start(), TimeDelta::days(1)), move |(last, length)| {
        stretch(last.end(), *length * 2)
    });
    each.map(move |(within, _)| SlotQuery { within, ..query })
}

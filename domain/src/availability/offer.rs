//! The starts that are offered: those on the grid.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{Calendar, Wanted};
use crate::time::Interval;
use crate::time::intervals::union;

/// The starts on one resource, in order.
#[must_use]
pub fn on(calendar: &Calendar<'_>, wanted: &Wanted<'_>) -> Vec<DateTime<Utc>> {
    on_grid(calendar.zone, &calendar.starts(wanted), wanted)
}

/// The starts at which at least one of the resources is free, in order.
#[must_use]
pub fn any_of(calendars: &[Calendar<'_>], wanted: &Wanted<'_>) -> Vec<DateTime<Utc>> {
    // A grid is read in a zone; mostly there is one.
    let mut by_zone: BTreeMap<&str, (Tz, Vec<Interval>)> = BTreeMap::new();
    for calendar in calendars {
        let (_, starts) =
            by_zone.entry(calendar.zone.name()).or_insert_with(|| (calendar.zone, Vec::new()));
        starts.extend(calendar.starts(wanted));
    }
    let mut offered: Vec<_> = by_zone
        .into_values()
        .flat_map(|(zone, starts)| on_grid(zone, &union(starts), wanted))
        .collect();
    offered.sort_unstable();
    offered.dedup();
    offered
}

fn on_grid(zone: Tz, starts: &[Interval], wanted: &Wanted<'_>) -> Vec<DateTime<Utc>> {
    let grid = wanted.grid();
    starts.iter().flat_map(|range| grid.starts_in(zone, *range)).collect()
}

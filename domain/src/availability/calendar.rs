//! When an appointment may start on one resource.

use chrono_tz::Tz;

use super::{INSTANT, SlotQuery};
use crate::ResourceId;
use crate::claim::Claim;
use crate::time::intervals::{union, without};
use crate::time::{Interval, OpeningHours};

/// A resource as a query for free time sees it.
#[derive(Debug, Clone, Copy)]
pub struct Calendar<'a> {
    pub resource: ResourceId,
    /// The zone of its hours.
    pub zone: Tz,
    /// When it is open.
    pub hours: &'a OpeningHours,
    /// How many interchangeable places it has.
    pub places: u16,
    /// What is claimed of it, without what has lapsed.
    pub claims: &'a [Claim],
}

impl Calendar<'_> {
    /// When it is open and some place of it is free.
    #[must_use]
    pub fn free(&self, within: Interval) -> Vec<Interval> {
        let open = self.hours.open(self.zone, within);
        let mut by_place: Vec<Vec<Interval>> = vec![Vec::new(); self.places.into()];
        for claim in self.claims {
            // Where there were more places once, some have higher numbers.
            if let Some(claimed) = by_place.get_mut(usize::from(claim.seat)) {
                claimed.push(claim.during);
            }
        }
        let free = by_place.into_iter().flat_map(|claimed| without(open.clone(), &union(claimed)));
        union(free.collect())
    }

    /// When it could start if nothing were claimed.
    fn by_hours(&self, query: &SlotQuery<'_>) -> Vec<Interval> {
        let Some(allowed) = query.allowed(self.zone) else { return Vec::new() };
        let length = query.length.delta();
        let reach = allowed.widened(chrono::TimeDelta::zero(), length);
        let open = self.hours.open(self.zone, reach);
        let starts = open.iter().filter_map(|open| {
            let last = open.end() - length;
            // It may end when the resource closes.
            Interval::new(open.start(), last + INSTANT).ok()?.intersection(&allowed)
        });
        starts.collect()
    }

    /// The starts at which some place is free for all of the appointment and its buffers.
    fn unclaimed(&self, starts: Vec<Interval>, query: &SlotQuery<'_>) -> Vec<Interval> {
        let (Some(first), Some(last)) = (starts.first(), starts.last()) else { return starts };
        let all = first.hull(last);
        let mut by_place: Vec<Vec<Interval>> = vec![Vec::new(); self.places.into()];
        for claim in self.claims {
            let starts_taken = blocked(&claim.during, query);
            // Where there were more places once, some have higher numbers.
            if let Some(claimed) = by_place.get_mut(usize::from(claim.seat))
                && starts_taken.overlaps(&all)
            {
                claimed.push(starts_taken);
            }
        }
        if let [only] = &mut *by_place {
            return without(starts, &union(std::mem::take(only)));
        }
        if by_place.iter().any(Vec::is_empty) {
            return starts;
        }
        let free =
            by_place.into_iter().flat_map(|claimed| without(starts.clone(), &union(claimed)));
        union(free.collect())
    }
}

/// The starts of many calendars. Many resources have the same hours: what these come to is worked out
/// once for those that follow each other.
#[derive(Default)]
pub(super) struct Starts<'a> {
    last: Option<(Tz, &'a OpeningHours, Vec<Interval>)>,
}

impl<'a> Starts<'a> {
    /// When the appointment may start: every instant of these intervals, and no other.
    ///
    /// Only the grid is left out of account: it has no intervals.
    pub(super) fn of(&mut self, calendar: &Calendar<'a>, query: &SlotQuery<'_>) -> Vec<Interval> {
        let Calendar { zone, hours, .. } = *calendar;
        let same = |(known, of, _): &(Tz, &OpeningHours, _)| *known == zone && *of == hours;
        if !self.last.as_ref().is_some_and(same) {
            self.last = Some((zone, hours, calendar.by_hours(query)));
        }
        let by_hours = self.last.as_ref().map(|(_, _, starts)| starts.clone()).unwrap_or_default();
        calendar.unclaimed(by_hours, query)
    }
}

/// The starts that a claim blocks.
fn blocked(claimed: &Interval, query: &SlotQuery<'_>) -> Interval {
    let (before, after) = (query.buffer_before.delta(), query.buffer_after.delta());
    // One that ends, with its buffer, when the claim begins is not among them.
    claimed.widened(query.length.delta() + after - INSTANT, before)
}

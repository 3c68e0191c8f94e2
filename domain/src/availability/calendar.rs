//! When an appointment may start on one resource.

use chrono_tz::Tz;

use super::{Effort, INSTANT, SlotQuery, Unfinished};
use crate::ResourceId;
use crate::claim::Claim;
use crate::time::intervals::{in_all, union, without};
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
        without(open, &self.on_every_place(|claim| Some(claim.during)))
    }

    /// The time that `taken` says of the claims, where it is taken on every place.
    fn on_every_place(&self, taken: impl Fn(&Claim) -> Option<Interval>) -> Vec<Interval> {
        let mut by_place: Vec<Vec<Interval>> = vec![Vec::new(); self.places.into()];
        for claim in self.claims {
            // Where there were more places once, some have higher numbers.
            if let Some(of_place) = by_place.get_mut(usize::from(claim.seat)) {
                of_place.extend(taken(claim));
            }
        }
        if by_place.iter().any(Vec::is_empty) {
            return Vec::new();
        }
        in_all(by_place.into_iter().map(union).collect())
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
        // A claim blocks the starts from so long before it to so long after it. One that ends, with its buffer, when
        // the claim begins is not among them.
        let before = query.length.delta() + query.buffer_after.delta() - INSTANT;
        let after = query.buffer_before.delta();
        // Of all days' claims those of these starts, before more is worked out of each.
        let reach = first.hull(last).widened(after, before);
        let taken = |claim: &Claim| {
            claim.during.overlaps(&reach).then(|| claim.during.widened(before, after))
        };
        without(starts, &self.on_every_place(taken))
    }

    /// Looks that its hours cost, for all days of some time.
    fn looks_at_hours(&self, within: &Interval) -> u64 {
        let days = (within.end() - within.start()).num_days().unsigned_abs() + 4;
        let (windows, exceptions) =
            (self.hours.weekly_hours.windows().len(), self.hours.exceptions.len());
        DAY_OF_WINDOW * days * windows as u64 + exceptions as u64
    }

    /// Looks that its claims cost.
    fn looks_at_claims(&self) -> u64 {
        CLAIM * self.claims.len() as u64 + u64::from(self.places)
    }
}

/// Looks that it costs to make a window of a day absolute, and to take a claim out of what is free.
const DAY_OF_WINDOW: u64 = 8;
const CLAIM: u64 = 4;

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
    pub(super) fn of(
        &mut self,
        calendar: &Calendar<'a>,
        query: &SlotQuery<'_>,
        effort: &mut Effort<'_>,
    ) -> Result<Vec<Interval>, Unfinished> {
        let Calendar { zone, hours, .. } = *calendar;
        let same = |(known, of, _): &(Tz, &OpeningHours, _)| *known == zone && *of == hours;
        if !self.last.as_ref().is_some_and(same) {
            effort.spend(calendar.looks_at_hours(&query.within))?;
            self.last = Some((zone, hours, calendar.by_hours(query)));
        }
        let by_hours = self.last.as_ref().map(|(_, _, starts)| starts.clone()).unwrap_or_default();
        effort.spend(calendar.looks_at_claims() + by_hours.len() as u64)?;
        Ok(calendar.unclaimed(by_hours, query))
    }
}

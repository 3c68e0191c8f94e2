//! Slots to book: each is given once, so nothing conflicts, and they come in no order.
//!
//! Bookings that come in the order of their slots would all go to the same few pages of the index
//! over the claims; pgbench draws its slots at random, and so, in effect, does this.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use crate::catalogue::Size;

/// Each resource has so many slots one after the other: 2^15 half hours are 682 days.
const SLOT_BITS: u32 = 15;

/// How long every appointment is.
pub(crate) const SLOT_MINUTES: u32 = 30;

/// The slots of a run.
#[derive(Debug)]
pub(crate) struct Calendar {
    begins: DateTime<Utc>,
    resource_bits: u32,
    next: AtomicU64,
}

/// A resource at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    /// Which of all slots.
    pub(crate) number: u64,
    /// Which resource.
    pub(crate) resource: u64,
    /// When it starts.
    pub(crate) start: DateTime<Utc>,
}

impl Calendar {
    /// All slots but those of the appointments that are there.
    pub(crate) const fn new(size: Size) -> Self {
        let Size { resource_bits, begins, appointments, .. } = size;
        Self { begins, resource_bits, next: AtomicU64::new(appointments) }
    }

    /// A slot that was not given before. (After some 33 million, with 1,024 resources, they come
    /// again, and then the first booking that is refused ends the run.)
    pub(crate) fn take(&self) -> Slot {
        self.slot(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// How many slots were given.
    pub(crate) fn given(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    fn slot(&self, number: u64) -> Slot {
        let place = scattered(number, self.resource_bits + SLOT_BITS);
        let half_hours = i32::try_from(place & ((1 << SLOT_BITS) - 1)).unwrap_or_default();
        let after = TimeDelta::minutes(i64::from(SLOT_MINUTES)) * half_hours;
        Slot { number, resource: place >> SLOT_BITS, start: self.begins + after }
    }

    /// The midnight that the first slots start at.
    pub(crate) const fn begins(&self) -> DateTime<Utc> {
        self.begins
    }

    /// How many days there are slots on.
    pub(crate) const fn days() -> u64 {
        (1 << SLOT_BITS) / 48
    }
}

/// Another number of so many bits for each number of so many bits: each step can be undone.
const fn scattered(number: u64, bits: u32) -> u64 {
    let mask = (1 << bits) - 1;
    let mut mixed = number & mask;
    mixed ^= mixed >> (bits / 2);
    mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask;
    mixed ^= mixed >> (bits / 2);
    mixed = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) & mask;
    mixed ^ (mixed >> (bits / 2))
}

/// A number that looks as if drawn at random, always the same one (`splitmix64`).
pub(crate) const fn drawn(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_slot_is_given_once() {
        let calendar = Calendar::new(Size { resource_bits: 2, ..Size::new(true, 0) });
        let all: BTreeSet<_> = (0..1 << (2 + SLOT_BITS))
            .map(|_| calendar.take())
            .map(|slot| (slot.resource, slot.start))
            .collect();
        assert_eq!(all.len(), 1 << (2 + SLOT_BITS));
        assert_eq!(all.last().map(|(resource, _)| *resource), Some(3));
    }

    #[test]
    fn slots_that_follow_each_other_are_not_neighbours() {
        let calendar = Calendar::new(Size::new(false, 0));
        let resources: BTreeSet<u64> = (0..1_000).map(|_| calendar.take().resource).collect();
        assert!(resources.len() > 500, "{} resources", resources.len());
    }
}

//! Things put into slots, each thing into one, so that as many slots as possible are filled.
//!
//! Augmenting paths, after Kuhn: a slot that finds nothing free asks those who have what it could
//! take whether something else would do for them. There are at most 16 slots.

/// Which thing is in which slot.
pub(crate) struct Matching {
    of_slot: Vec<Option<usize>>,
    of_thing: Vec<Option<usize>>,
    looks: u64,
}

impl Matching {
    pub(crate) fn new(slots: usize, things: usize) -> Self {
        Self { of_slot: vec![None; slots], of_thing: vec![None; things], looks: 0 }
    }

    /// What is in each slot.
    pub(crate) fn of_slots(&self) -> &[Option<usize>] {
        &self.of_slot
    }

    /// How many things have been looked at to fill slots.
    pub(crate) const fn looks(&self) -> u64 {
        self.looks
    }

    /// Puts a thing into one of the slots that it fits. Whether that was possible.
    pub(crate) fn place(&mut self, thing: usize, fits: impl Fn(usize, usize) -> bool) -> bool {
        let mut asked = vec![false; self.of_slot.len()];
        self.place_or_move(thing, &fits, &mut asked)
    }

    fn place_or_move(
        &mut self,
        thing: usize,
        fits: &impl Fn(usize, usize) -> bool,
        asked: &mut [bool],
    ) -> bool {
        for slot in 0..self.of_slot.len() {
            if asked[slot] || !fits(slot, thing) {
                continue;
            }
            asked[slot] = true;
            let other = self.of_slot[slot];
            if other.is_none_or(|other| self.place_or_move(other, fits, asked)) {
                self.put(slot, thing);
                return true;
            }
        }
        false
    }

    /// Fills a slot, with the first that is free of what would do for it, in the order in which that
    /// is preferred. Whatever is in a slot stays in some slot. Whether that was possible.
    pub(crate) fn fill(&mut self, slot: usize, would_do: &[Vec<usize>]) -> bool {
        let mut asked = vec![false; self.of_thing.len()];
        self.fill_or_move(slot, would_do, &mut asked)
    }

    fn fill_or_move(&mut self, slot: usize, would_do: &[Vec<usize>], asked: &mut [bool]) -> bool {
        let things = &would_do[slot];
        self.looks += 1 + 2 * things.len() as u64;
        if let Some(free) = things.iter().find(|thing| self.of_thing[**thing].is_none()) {
            self.put(slot, *free);
            return true;
        }
        for thing in things {
            if std::mem::replace(&mut asked[*thing], true) {
                continue;
            }
            let other = self.of_thing[*thing];
            if other.is_some_and(|other| self.fill_or_move(other, would_do, asked)) {
                self.put(slot, *thing);
                return true;
            }
        }
        false
    }

    fn put(&mut self, slot: usize, thing: usize) {
        self.of_slot[slot] = Some(thing);
        self.of_thing[thing] = Some(slot);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_slot_gets_what_it_prefers_of_what_is_left() {
        let would_do = [vec![1, 0], vec![1, 2]];
        let mut matching = Matching::new(2, 3);
        assert!(matching.fill(0, &would_do) && matching.fill(1, &would_do));
        assert_eq!(matching.of_slots(), [Some(1), Some(2)]);
    }

    #[test]
    fn who_can_take_something_else_makes_room() {
        let would_do = [vec![0, 1], vec![0]];
        let mut matching = Matching::new(2, 2);
        assert!(matching.fill(0, &would_do) && matching.fill(1, &would_do));
        assert_eq!(matching.of_slots(), [Some(1), Some(0)]);
    }

    /// Whether every slot from the `n`th on can be filled, by trying everything.
    fn can_fill(would_do: &[Vec<usize>], n: usize, used: &mut Vec<usize>) -> bool {
        n == would_do.len()
            || would_do[n].iter().any(|thing| {
                if used.contains(thing) {
                    return false;
                }
                used.push(*thing);
                let filled = can_fill(would_do, n + 1, used);
                used.pop();
                filled
            })
    }

    proptest! {
        #[test]
        fn all_slots_are_filled_exactly_when_they_can_be(
            would_do in prop::collection::vec(
                prop::sample::subsequence((0..6).collect::<Vec<usize>>(), 0..=4).prop_shuffle(),
                1..6,
            ),
        ) {
            let mut matching = Matching::new(would_do.len(), 6);
            let filled = (0..would_do.len()).all(|slot| matching.fill(slot, &would_do));
            prop_assert_eq!(filled, can_fill(&would_do, 0, &mut Vec::new()));
            let mut used: Vec<_> = matching.of_slots().iter().flatten().collect();
            for (slot, thing) in matching.of_slots().iter().enumerate() {
                prop_assert!(thing.is_none_or(|thing| would_do[slot].contains(&thing)));
            }
            used.sort();
            prop_assert!(used.windows(2).all(|pair| pair[0] != pair[1]));
        }

        /// What was placed by its owner's wish stays placed, wherever that is.
        #[test]
        fn what_is_in_a_slot_stays_in_one(
            would_do in prop::collection::vec(
                prop::sample::subsequence((0..5).collect::<Vec<usize>>(), 0..=4), 1..5,
            ),
            wished in prop::sample::subsequence((0..5).collect::<Vec<usize>>(), 0..=3),
        ) {
            let mut matching = Matching::new(would_do.len(), 5);
            let fits = |slot: usize, thing: usize| would_do[slot].contains(&thing);
            let placed: Vec<_> =
                wished.into_iter().filter(|thing| matching.place(*thing, fits)).collect();
            for slot in 0..would_do.len() {
                if matching.of_slots()[slot].is_none() {
                    matching.fill(slot, &would_do);
                }
            }
            for thing in placed {
                prop_assert!(matching.of_slots().contains(&Some(thing)));
            }
        }
    }
}

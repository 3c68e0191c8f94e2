//! Which followers are to have a turn, and which have one.
//!
//! They take turns in the order in which they came. A tenant has a few places at most, and so have all who are slow or have failed:
//! whoever answers late holds up others of their kind and nobody else.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use daybook_domain::TenantId;

use super::Follower;

/// So many turns at once.
pub(super) const AT_ONCE: usize = 64;

/// So many of them of one tenant.
const OF_ONE_TENANT: usize = 8;

/// So many of them of those who are slow or have failed.
const OF_SLOW: usize = 24;

/// So many wait at most; whoever does not fit in is found by a later look.
const WAITING: usize = 10_000;

/// Who takes longer than this for an event is slow.
const SLOW: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Follower>,
    is_waiting: HashSet<Follower>,
    /// Those that have a turn; `true`: they are to have another one.
    busy: HashMap<Follower, bool>,
    of_tenants: HashMap<TenantId, usize>,
    /// Those whose last turn was slow, or has failed.
    slow: HashSet<Follower>,
    busy_slow: usize,
}

impl Queue {
    /// One is to have a turn.
    pub(super) fn add(&mut self, follower: Follower) {
        if let Some(again) = self.busy.get_mut(&follower) {
            *again = true;
        } else if self.waiting.len() < WAITING && self.is_waiting.insert(follower.clone()) {
            self.waiting.push_back(follower);
        }
    }

    /// The next one that may have its turn now.
    pub(super) fn begin(&mut self) -> Option<Follower> {
        if self.busy.len() >= AT_ONCE {
            return None;
        }
        let at = self.waiting.iter().position(|follower| self.has_room(follower))?;
        let follower = self.waiting.remove(at)?;
        self.is_waiting.remove(&follower);
        *self.of_tenants.entry(follower.tenant.clone()).or_default() += 1;
        self.busy_slow += usize::from(self.slow.contains(&follower));
        self.busy.insert(follower.clone(), false);
        Some(follower)
    }

    fn has_room(&self, follower: &Follower) -> bool {
        let of_tenant = self.of_tenants.get(&follower.tenant).copied().unwrap_or_default();
        of_tenant < OF_ONE_TENANT && (self.busy_slow < OF_SLOW || !self.slow.contains(follower))
    }

    /// A turn has ended, which took so long for so many events. `more`: there is more to be told.
    pub(super) fn end(&mut self, follower: &Follower, took: Duration, told: u64, ended: Ended) {
        let again = self.busy.remove(follower).unwrap_or_default();
        if let Some(count) = self.of_tenants.get_mut(&follower.tenant) {
            *count -= 1;
            if *count == 0 {
                self.of_tenants.remove(&follower.tenant);
            }
        }
        self.busy_slow -= usize::from(self.slow.contains(follower));
        let events = u32::try_from(told).unwrap_or(u32::MAX).max(1);
        if ended == Ended::Failed || took > SLOW * events {
            if self.slow.len() < WAITING {
                self.slow.insert(follower.clone());
            }
        } else {
            self.slow.remove(follower);
        }
        // One that has failed waits for its time.
        if ended == Ended::More || again && ended == Ended::Done {
            self.add(follower.clone());
        }
    }
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Done,
    More,
    Failed,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::FollowerKind;
    use super::*;

    fn follower(tenant: &str, n: u128) -> Follower {
        let tenant = tenant.parse().unwrap();
        Follower { tenant, kind: FollowerKind::Webhook, id: Uuid::from_u128(n) }
    }

    fn all(queue: &mut Queue) -> Vec<Follower> {
        std::iter::from_fn(|| queue.begin()).collect()
    }

    #[test]
    fn one_waits_once_and_has_another_turn_where_something_came_meanwhile() {
        let (mut queue, one) = (Queue::default(), follower("north", 1));
        queue.add(one.clone());
        queue.add(one.clone());
        assert_eq!(all(&mut queue), std::slice::from_ref(&one));
        queue.add(one.clone());
        assert_eq!(queue.begin(), None, "it has one");
        queue.end(&one, Duration::ZERO, 1, Ended::Done);
        assert_eq!(queue.begin(), Some(one.clone()));
        queue.end(&one, Duration::ZERO, 1, Ended::Done);
        assert_eq!(queue.begin(), None);
    }

    #[test]
    fn no_tenant_has_all_places() {
        let mut queue = Queue::default();
        (0..100).for_each(|n| queue.add(follower("north", n)));
        queue.add(follower("south", 1));
        let begun = all(&mut queue);
        assert_eq!(begun.len(), OF_ONE_TENANT + 1);
        assert_eq!(begun.last(), Some(&follower("south", 1)));
    }

    #[test]
    fn those_who_are_slow_leave_room_for_the_others() {
        let mut queue = Queue::default();
        let slow: Vec<_> = (0..100).map(|n| follower(&format!("slow-{n}"), 1)).collect();
        for follower in &slow {
            queue.add(follower.clone());
            assert_eq!(queue.begin().as_ref(), Some(follower));
            queue.end(follower, Duration::from_secs(5), 1, Ended::Done);
        }
        for follower in &slow {
            queue.add(follower.clone());
        }
        (0..50).for_each(|n| queue.add(follower(&format!("fast-{n}"), 1)));
        let begun = all(&mut queue);
        let is_slow = |it: &&Follower| it.tenant.as_str().starts_with("slow");
        assert_eq!(begun.iter().filter(is_slow).count(), OF_SLOW);
        assert_eq!(begun.len(), AT_ONCE);
        // Who is quick again is one of the others.
        queue.end(&slow[0], Duration::from_secs(5), 100, Ended::Done);
        assert_eq!(queue.slow.len(), 99);
    }
}

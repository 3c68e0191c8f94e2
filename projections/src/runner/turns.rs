//! Whose turn is next among those that wait: one tenant after the other, whatever each has to do.

use std::collections::{HashMap, VecDeque};

use daybook_domain::TenantId;

use crate::ProjectionId;
use crate::checkpoint::Subscription;

#[derive(Default)]
pub(super) struct Turns {
    /// Each of the keys of `waiting` once.
    tenants: VecDeque<TenantId>,
    /// What waits, of each tenant; that may be nothing any more.
    waiting: HashMap<TenantId, VecDeque<ProjectionId>>,
}

impl Turns {
    /// One that does not wait yet.
    pub(super) fn push(&mut self, Subscription { tenant, projection }: Subscription) {
        if let Some(waiting) = self.waiting.get_mut(&tenant) {
            waiting.push_back(projection);
        } else {
            self.waiting.insert(tenant.clone(), [projection].into());
            self.tenants.push_back(tenant);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Subscription> {
        while let Some(tenant) = self.tenants.pop_front() {
            let Some(waiting) = self.waiting.get_mut(&tenant) else { continue };
            let next = waiting.pop_front();
            if waiting.is_empty() {
                self.waiting.remove(&tenant);
            } else {
                self.tenants.push_back(tenant.clone());
            }
            if let Some(projection) = next {
                return Some(Subscription { tenant, projection });
            }
        }
        None
    }

    pub(super) fn remove(&mut self, subscription: &Subscription) {
        if let Some(waiting) = self.waiting.get_mut(&subscription.tenant) {
            waiting.retain(|projection| *projection != subscription.projection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(tenant: &str, name: &'static str) -> Subscription {
        Subscription {
            tenant: tenant.parse().unwrap(),
            projection: ProjectionId { name, version: 1 },
        }
    }

    #[test]
    fn tenants_take_turns_however_much_each_has_to_do() {
        let mut turns = Turns::default();
        for name in ["a", "b", "c"] {
            turns.push(key("north", name));
        }
        turns.push(key("south", "a"));
        assert_eq!(turns.pop(), Some(key("north", "a")));
        assert_eq!(turns.pop(), Some(key("south", "a")));
        turns.push(key("south", "b"));
        assert_eq!(turns.pop(), Some(key("north", "b")));
        assert_eq!(turns.pop(), Some(key("south", "b")));
        turns.remove(&key("north", "c"));
        assert_eq!(turns.pop(), None);
        turns.push(key("north", "c"));
        assert_eq!(turns.pop(), Some(key("north", "c")));
    }
}

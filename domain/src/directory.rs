//! The resources of a tenant, for decisions that choose among them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ResourceId;
use crate::resource::{Resource, ResourceEvent, ResourceProfile};

/// Every active resource of a tenant, as its log said at some moment.
///
/// It may be out of date, and that is safe: what is chosen from it is checked at the version at
/// which it is known here, and what is too new to be in it is only not chosen yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory(BTreeMap<ResourceId, Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    resource: Arc<Resource>,
    version: u64,
}

impl Directory {
    /// How many resources of a tenant can be chosen from: the first that it has.
    pub const MAX_RESOURCES: usize = 10_000;

    /// Takes note of the event that brought a resource to this version. Whether there was room.
    pub fn take_note(&mut self, id: ResourceId, event: ResourceEvent, version: u64) -> bool {
        let new = matches!(event, ResourceEvent::ResourceRegistered(_));
        if new && self.0.len() >= Self::MAX_RESOURCES {
            return false;
        }
        if !new && !self.0.contains_key(&id) {
            return true;
        }
        let resource = Arc::default();
        let entry = self.0.entry(id).or_insert(Entry { resource, version });
        Arc::make_mut(&mut entry.resource).evolve(event);
        entry.version = version;
        if !matches!(*entry.resource, Resource::Active(_)) {
            self.0.remove(&id);
        }
        true
    }

    /// The version at which a resource is known; `None`: it is not.
    #[must_use]
    pub fn version(&self, id: ResourceId) -> Option<u64> {
        self.0.get(&id).map(|entry| entry.version)
    }

    /// The profile of a resource.
    #[must_use]
    pub fn get(&self, id: ResourceId) -> Option<&ResourceProfile> {
        profile(&self.0.get(&id)?.resource)
    }

    /// Every resource, by id.
    pub fn iter(&self) -> impl Iterator<Item = (ResourceId, &ResourceProfile)> {
        self.0.iter().filter_map(|(id, entry)| Some((*id, profile(&entry.resource)?)))
    }
}

fn profile(resource: &Resource) -> Option<&ResourceProfile> {
    if let Resource::Active(profile) = resource { Some(profile) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{ResourceHoursChanged, ResourceRegistered, ResourceRetired};
    use crate::testing::{profile, resource};
    use crate::time::{OpeningHours, WeeklyHours};

    fn registered() -> ResourceEvent {
        ResourceEvent::ResourceRegistered(ResourceRegistered { profile: profile() })
    }

    #[test]
    fn it_has_what_is_active_at_its_version() {
        let mut directory = Directory::default();
        assert!(directory.take_note(resource(1), registered(), 1));
        assert!(directory.take_note(resource(2), registered(), 1));
        let weekly_hours = WeeklyHours::default();
        let changed = ResourceEvent::ResourceHoursChanged(ResourceHoursChanged { weekly_hours });
        directory.take_note(resource(2), changed, 2);
        directory.take_note(resource(1), ResourceEvent::ResourceRetired(ResourceRetired {}), 2);
        let ids: Vec<_> = directory.iter().map(|(id, _)| id).collect();
        assert_eq!(ids, [resource(2)]);
        assert_eq!(directory.version(resource(2)), Some(2));
        assert_eq!(directory.get(resource(2)).unwrap().opening_hours, OpeningHours::default());
    }

    #[test]
    fn it_is_bounded_and_has_room_again_when_one_retires() {
        let mut directory = Directory::default();
        let max = Directory::MAX_RESOURCES as u128;
        for n in 0..max {
            assert!(directory.take_note(resource(n), registered(), 1));
        }
        assert!(!directory.take_note(resource(max), registered(), 1));
        let retired = || ResourceEvent::ResourceRetired(ResourceRetired {});
        assert!(
            directory.take_note(resource(max), retired(), 2),
            "it is not known, and not missed"
        );
        directory.take_note(resource(0), retired(), 2);
        assert!(directory.take_note(resource(max + 1), registered(), 1));
    }
}

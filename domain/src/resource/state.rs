//! What a resource is.

use serde::{Deserialize, Serialize};

use super::{ResourceEvent, ResourceProfile};

/// A resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// Not registered (yet).
    #[default]
    Unregistered,
    /// Takes bookings in its opening hours.
    Active(ResourceProfile),
    /// Once took bookings.
    Retired(ResourceProfile),
}

impl Resource {
    /// What is known of it; `None`: it was never registered.
    #[must_use]
    pub const fn profile(&self) -> Option<&ResourceProfile> {
        match self {
            Self::Unregistered => None,
            Self::Active(profile) | Self::Retired(profile) => Some(profile),
        }
    }

    /// Takes note of what happened.
    pub fn evolve(&mut self, event: ResourceEvent) {
        *self = match (event, std::mem::take(self)) {
            (ResourceEvent::ResourceRegistered(registered), _) => Self::Active(registered.profile),
            (ResourceEvent::ResourceRetired(_), Self::Active(profile)) => Self::Retired(profile),
            (event, Self::Active(mut profile)) => {
                profile.evolve(event);
                Self::Active(profile)
            }
            (_, unchanged) => unchanged,
        };
    }
}

impl ResourceProfile {
    fn evolve(&mut self, event: ResourceEvent) {
        let hours = &mut self.opening_hours;
        match event {
            ResourceEvent::ResourceDescribed(described) => {
                self.name = described.name;
                self.tags = described.tags;
                self.reference = described.reference;
                self.metadata = described.metadata;
            }
            ResourceEvent::ResourceHoursChanged(changed) => {
                hours.weekly_hours = changed.weekly_hours;
            }
            ResourceEvent::ResourceExceptionAdded(added) => hours.exceptions.add(added.exception),
            ResourceEvent::ResourceExceptionRemoved(removed) => {
                hours.exceptions.remove(removed.exception_id);
            }
            ResourceEvent::ResourceHolidaysChanged(changed) => hours.holidays = changed.holidays,
            ResourceEvent::ResourceCapacityChanged(changed) => self.capacity = changed.capacity,
            ResourceEvent::ResourceRegistered(_) | ResourceEvent::ResourceRetired(_) => {}
        }
    }
}

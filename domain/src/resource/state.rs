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
    /// Takes note of what happened.
    pub fn evolve(&mut self, event: ResourceEvent) {
        *self = match (event, std::mem::take(self)) {
            (ResourceEvent::ResourceRegistered(registered), _) => Self::Active(registered.profile),
            (ResourceEvent::ResourceHoursChanged(changed), Self::Active(profile)) => {
                Self::Active(ResourceProfile { weekly_hours: changed.weekly_hours, ..profile })
            }
            (ResourceEvent::ResourceCapacityChanged(changed), Self::Active(profile)) => {
                Self::Active(ResourceProfile { capacity: changed.capacity, ..profile })
            }
            (ResourceEvent::ResourceRetired(_), Self::Active(profile)) => Self::Retired(profile),
            (_, unchanged) => unchanged,
        };
    }
}

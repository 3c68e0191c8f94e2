//! What may be done with a resource.

use serde::{Deserialize, Serialize};

use super::{
    Capacity, Resource, ResourceCapacityChanged, ResourceEvent, ResourceHoursChanged,
    ResourceProfile, ResourceRegistered, ResourceRetired,
};
use crate::time::WeeklyHours;

/// What can be asked of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceCommand {
    /// Make it known.
    RegisterResource(ResourceProfile),
    /// Replace its opening hours.
    ChangeResourceHours(WeeklyHours),
    /// Give it more places, or fewer.
    ChangeResourceCapacity(Capacity),
    /// Take no further bookings.
    RetireResource,
}

/// Why a resource's command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ResourceRefusal {
    /// There is no such resource.
    #[error("there is no such resource")]
    ResourceNotFound,
    /// This id is taken.
    #[error("a resource with this id exists already")]
    ResourceExists,
    /// It has been retired.
    #[error("the resource has been retired")]
    ResourceRetired,
}

impl Resource {
    /// Decides a command: what happens because of it, or why nothing does.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub fn decide(&self, command: ResourceCommand) -> Result<ResourceEvent, ResourceRefusal> {
        use ResourceCommand::{
            ChangeResourceCapacity, ChangeResourceHours, RegisterResource, RetireResource,
        };
        match (self, command) {
            (Self::Unregistered, RegisterResource(profile)) => {
                Ok(ResourceEvent::ResourceRegistered(ResourceRegistered { profile }))
            }
            (_, RegisterResource(_)) => Err(ResourceRefusal::ResourceExists),
            (Self::Active(_), ChangeResourceHours(weekly_hours)) => {
                Ok(ResourceEvent::ResourceHoursChanged(ResourceHoursChanged { weekly_hours }))
            }
            (Self::Active(_), ChangeResourceCapacity(capacity)) => {
                Ok(ResourceEvent::ResourceCapacityChanged(ResourceCapacityChanged { capacity }))
            }
            (Self::Active(_), RetireResource) => {
                Ok(ResourceEvent::ResourceRetired(ResourceRetired {}))
            }
            (
                Self::Retired(_),
                ChangeResourceHours(_) | ChangeResourceCapacity(_) | RetireResource,
            ) => Err(ResourceRefusal::ResourceRetired),
            (
                Self::Unregistered,
                ChangeResourceHours(_) | ChangeResourceCapacity(_) | RetireResource,
            ) => Err(ResourceRefusal::ResourceNotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appointment::testing::profile;

    fn a_registered_resource() -> Resource {
        let mut resource = Resource::default();
        let event = resource.decide(ResourceCommand::RegisterResource(profile())).unwrap();
        resource.evolve(event);
        resource
    }

    #[test]
    fn new_hours_leave_the_rest_as_it_was() {
        let mut resource = a_registered_resource();
        let hours = WeeklyHours::default();
        let event = resource.decide(ResourceCommand::ChangeResourceHours(hours.clone())).unwrap();
        resource.evolve(event);
        assert_eq!(
            resource,
            Resource::Active(ResourceProfile { weekly_hours: hours, ..profile() })
        );
    }

    /// What the log has of before there were places.
    #[test]
    fn a_resource_of_before_there_were_places_has_one_and_is_written_as_it_was() {
        let stored = r#"{"type":"ResourceRegistered","name":"Room 1","kind":"room","tags":[],"time_zone":"Europe/Oslo","weekly_hours":[]}"#;
        let event: ResourceEvent = serde_json::from_str(stored).unwrap();
        let mut resource = Resource::default();
        resource.evolve(event.clone());
        let Resource::Active(profile) = resource else { panic!("it is active") };
        assert_eq!(profile.capacity, Capacity::ONE);
        assert_eq!(serde_json::to_string(&event).unwrap(), stored);
    }

    #[test]
    fn a_resource_gets_more_places_and_keeps_the_rest() {
        let mut resource = a_registered_resource();
        let capacity = Capacity::try_from(5).unwrap();
        let event = resource.decide(ResourceCommand::ChangeResourceCapacity(capacity)).unwrap();
        resource.evolve(event);
        assert_eq!(resource, Resource::Active(ResourceProfile { capacity, ..profile() }));
    }

    #[test]
    fn a_retired_resource_stays_retired() {
        let mut resource = a_registered_resource();
        let event = resource.decide(ResourceCommand::RetireResource).unwrap();
        resource.evolve(event);
        let again = resource.decide(ResourceCommand::RetireResource);
        assert_eq!(again, Err(ResourceRefusal::ResourceRetired));
    }

    #[test]
    fn a_resource_is_registered_once() {
        let again = a_registered_resource().decide(ResourceCommand::RegisterResource(profile()));
        assert_eq!(again, Err(ResourceRefusal::ResourceExists));
    }
}

//! What may be done with a resource.

use serde::{Deserialize, Serialize};

use super::{
    Resource, ResourceEvent, ResourceHoursChanged, ResourceProfile, ResourceRegistered,
    ResourceRetired,
};
use crate::time::WeeklyHours;

/// What can be asked of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceCommand {
    /// Make it known.
    RegisterResource(ResourceProfile),
    /// Replace its opening hours.
    ChangeResourceHours(WeeklyHours),
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
        use ResourceCommand::{ChangeResourceHours, RegisterResource, RetireResource};
        match (self, command) {
            (Self::Unregistered, RegisterResource(profile)) => {
                Ok(ResourceEvent::ResourceRegistered(ResourceRegistered { profile }))
            }
            (_, RegisterResource(_)) => Err(ResourceRefusal::ResourceExists),
            (Self::Active(_), ChangeResourceHours(weekly_hours)) => {
                Ok(ResourceEvent::ResourceHoursChanged(ResourceHoursChanged { weekly_hours }))
            }
            (Self::Active(_), RetireResource) => {
                Ok(ResourceEvent::ResourceRetired(ResourceRetired {}))
            }
            (Self::Retired(_), ChangeResourceHours(_) | RetireResource) => {
                Err(ResourceRefusal::ResourceRetired)
            }
            (Self::Unregistered, ChangeResourceHours(_) | RetireResource) => {
                Err(ResourceRefusal::ResourceNotFound)
            }
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

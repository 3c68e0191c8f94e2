//! What may be done with a resource.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Capacity, Resource, ResourceCapacityChanged, ResourceDescribed, ResourceEvent,
    ResourceExceptionAdded, ResourceExceptionRemoved, ResourceHolidaysChanged,
    ResourceHoursChanged, ResourcePatch, ResourceProfile, ResourceRegistered, ResourceRetired,
};
use crate::patch::{Change, PatchMisfit, Patches as _, Replace};
use crate::rights::Placed;
use crate::time::{Holidays, HoursException, HoursExceptions, WeeklyHours};
use crate::{Decide, ExceptionId, Facts, Meaning, MetadataPatch, Name, Reference, Tags};

/// What can be asked of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceCommand {
    /// Make it known.
    RegisterResource(ResourceProfile),
    /// Change what is said of it.
    DescribeResource(ResourceDescription),
    /// Replace its weekly hours.
    ChangeResourceHours(WeeklyHours),
    /// Give it extra hours or time off.
    AddResourceException(HoursException),
    /// Remove extra hours or time off.
    RemoveResourceException(ExceptionId),
    /// Observe these holidays and no others.
    ChangeResourceHolidays(Holidays),
    /// Observe these holidays too.
    AddResourceHolidays(Holidays),
    /// Give it more places, or fewer.
    ChangeResourceCapacity(Capacity),
    /// Take no further bookings.
    RetireResource,
}

impl ResourcePatch {
    /// The commands that make the change, one for each thing that can happen to a resource.
    #[must_use]
    pub fn commands(self) -> Vec<ResourceCommand> {
        let Self { name, tags, weekly_hours, capacity, reference, metadata } = self;
        let description = ResourceDescription { name, tags, reference, metadata };
        let described = (description != ResourceDescription::default())
            .then_some(ResourceCommand::DescribeResource(description));
        let hours = weekly_hours.0.map(ResourceCommand::ChangeResourceHours);
        let places = match capacity {
            Change::Keep => None,
            Change::Remove => Some(Capacity::default()),
            Change::To(capacity) => Some(capacity),
        };
        let places = places.map(ResourceCommand::ChangeResourceCapacity);
        [described, hours, places].into_iter().flatten().collect()
    }
}

/// What changes of what is said of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceDescription {
    pub name: Replace<Name>,
    pub tags: Change<Tags>,
    pub reference: Change<Reference>,
    pub metadata: Change<MetadataPatch>,
}

/// Why a resource's command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// There is no such exception.
    #[error("the resource has no exception {exception_id}")]
    ExceptionNotFound { exception_id: ExceptionId },
    /// This id is taken.
    #[error("the resource has an exception {exception_id} already")]
    ExceptionExists { exception_id: ExceptionId },
    /// It has as many exceptions as it can have.
    #[error("a resource has at most {max} exceptions; remove those that are over")]
    TooManyExceptions {
        /// How many it can have.
        max: usize,
    },
    /// It would have more holidays than it can have.
    #[error("a resource has at most {max} holidays")]
    TooManyHolidays {
        /// How many it can have.
        max: usize,
    },
    /// The change does not go together with what stays.
    #[error(transparent)]
    PatchMisfit(#[from] PatchMisfit),
}

impl ResourceRefusal {
    pub(crate) const fn meaning(&self) -> Meaning {
        match self {
            Self::ResourceNotFound | Self::ExceptionNotFound { .. } => Meaning::NOT_FOUND,
            Self::ResourceExists | Self::ExceptionExists { .. } => Meaning::EXISTS,
            Self::ResourceRetired => Meaning::RETIRED,
            Self::TooManyExceptions { .. } => Meaning::conflict("Too many exceptions"),
            Self::TooManyHolidays { .. } => Meaning::conflict("Too many holidays"),
            Self::PatchMisfit(_) => Meaning::PATCH_MISFIT,
        }
    }
}

impl Decide for Resource {
    fn decide(
        &self,
        command: ResourceCommand,
        _facts: &Facts,
    ) -> Result<ResourceEvent, ResourceRefusal> {
        match (self, command) {
            (Self::Unregistered, ResourceCommand::RegisterResource(profile)) => {
                Ok(ResourceEvent::ResourceRegistered(ResourceRegistered { profile }))
            }
            (_, ResourceCommand::RegisterResource(_)) => Err(ResourceRefusal::ResourceExists),
            (Self::Active(profile), command) => profile.decide(command),
            (Self::Retired(_), _) => Err(ResourceRefusal::ResourceRetired),
            (Self::Unregistered, _) => Err(ResourceRefusal::ResourceNotFound),
        }
    }

    fn sets(command: &ResourceCommand) -> bool {
        use ResourceCommand::{ChangeResourceCapacity, ChangeResourceHours, DescribeResource};
        matches!(command, DescribeResource(_) | ChangeResourceHours(_) | ChangeResourceCapacity(_))
    }

    fn placed(&self, id: Uuid) -> Placed<'_> {
        self.profile().map_or(Placed::Nowhere, |_| Placed::Resource(id.into()))
    }

    /// Why somebody is away is only ever said anew.
    fn opens(_: &ResourceCommand) -> bool {
        false
    }
}

impl ResourceProfile {
    fn decide(&self, command: ResourceCommand) -> Result<ResourceEvent, ResourceRefusal> {
        use ResourceCommand as C;
        let hours = &self.opening_hours;
        match command {
            C::RegisterResource(_) => Err(ResourceRefusal::ResourceExists),
            C::DescribeResource(ResourceDescription { name, tags, reference, metadata }) => {
                let mut described = ResourceDescribed {
                    name: self.name.clone(),
                    tags: self.tags.clone(),
                    reference: self.reference.clone(),
                    metadata: self.metadata.clone(),
                };
                name.patch(&mut described.name)?;
                tags.patch(&mut described.tags)?;
                reference.patch(&mut described.reference)?;
                metadata.patch(&mut described.metadata)?;
                Ok(ResourceEvent::ResourceDescribed(described))
            }
            C::ChangeResourceHours(weekly_hours) => {
                Ok(ResourceEvent::ResourceHoursChanged(ResourceHoursChanged { weekly_hours }))
            }
            C::AddResourceException(exception) => {
                addable(&hours.exceptions, exception.id)?;
                Ok(ResourceEvent::ResourceExceptionAdded(ResourceExceptionAdded { exception }))
            }
            C::RemoveResourceException(exception_id) => {
                let known = hours.exceptions.get(exception_id);
                known.ok_or(ResourceRefusal::ExceptionNotFound { exception_id })?;
                let removed = ResourceExceptionRemoved { exception_id };
                Ok(ResourceEvent::ResourceExceptionRemoved(removed))
            }
            C::ChangeResourceHolidays(holidays) => {
                Ok(ResourceEvent::ResourceHolidaysChanged(ResourceHolidaysChanged { holidays }))
            }
            C::AddResourceHolidays(more) => {
                // Two lists that each have every id once can only be too long together.
                let too_many = |_| ResourceRefusal::TooManyHolidays { max: Holidays::MAX };
                let holidays = hours.holidays.with(&more).map_err(too_many)?;
                Ok(ResourceEvent::ResourceHolidaysChanged(ResourceHolidaysChanged { holidays }))
            }
            C::ChangeResourceCapacity(capacity) => {
                Ok(ResourceEvent::ResourceCapacityChanged(ResourceCapacityChanged { capacity }))
            }
            C::RetireResource => Ok(ResourceEvent::ResourceRetired(ResourceRetired {})),
        }
    }
}

fn addable(exceptions: &HoursExceptions, exception_id: ExceptionId) -> Result<(), ResourceRefusal> {
    if exceptions.get(exception_id).is_some() {
        return Err(ResourceRefusal::ExceptionExists { exception_id });
    }
    if exceptions.are_full() {
        return Err(ResourceRefusal::TooManyExceptions { max: HoursExceptions::MAX });
    }
    Ok(())
}

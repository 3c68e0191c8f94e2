//! What happens to resources.

use chrono_tz::Tz;
use cqrs_es::Aggregate as _;
use serde::{Deserialize, Serialize};

use super::{Capacity, Resource};
use crate::claim::{Claim, Claims, reference};
use crate::patch::{Change, Replace, patch};
use crate::time::{Holidays, HoursException, Interval, OpeningHours, WeeklyHours};
use crate::{ExceptionId, Metadata, MetadataPatch, Name, Reference, Tags};

/// What kind of thing a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ResourceKind {
    /// A person who provides services.
    Staff,
    /// A place.
    Room,
    /// A thing.
    Equipment,
}

/// What is known of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResourceProfile {
    /// What it is called.
    pub name: Name,
    /// What kind of thing it is.
    pub kind: ResourceKind,
    /// Its labels.
    pub tags: Tags,
    /// The IANA zone in which its hours are read.
    #[cfg_attr(test, schemars(with = "crate::schemas::ZoneName"))]
    pub time_zone: Tz,
    /// When it is open, in its own zone.
    #[serde(flatten)]
    pub opening_hours: OpeningHours,
    /// How many appointments it takes at once.
    #[serde(default, skip_serializing_if = "Capacity::is_one")]
    pub capacity: Capacity,
    /// What the caller's own system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// What the caller keeps with it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl ResourceProfile {
    /// Whether it is open for all of this time.
    #[must_use]
    pub fn is_open(&self, during: &Interval) -> bool {
        self.opening_hours.cover(self.time_zone, during)
    }
}

patch! {
    /// What changes of a resource. It keeps its kind and its zone: what was booked rests on them.
    ResourcePatch {
        name: Replace<Name>,
        tags: Change<Tags>,
        weekly_hours: Replace<WeeklyHours>,
        capacity: Change<Capacity>,
        reference: Change<Reference>,
        metadata: Change<MetadataPatch>,
    }
}

/// A resource was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResourceRegistered {
    /// What is known of it.
    #[serde(flatten)]
    pub profile: ResourceProfile,
}

/// What is said of a resource is this now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResourceDescribed {
    pub name: Name,
    pub tags: Tags,
    /// What the caller's own system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// What the caller keeps with it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// A resource has new opening hours; appointments made before stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResourceHoursChanged {
    /// The hours from now on.
    pub weekly_hours: WeeklyHours,
}

/// A resource has extra hours or time off; appointments made before stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResourceExceptionAdded {
    /// Which, and when.
    pub exception: HoursException,
}

/// An exception of a resource, extra hours or time off, was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResourceExceptionRemoved {
    pub exception_id: ExceptionId,
}

/// A resource has other holidays; appointments made before stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResourceHolidaysChanged {
    /// All the holidays from now on.
    pub holidays: Holidays,
}

/// A resource has more places or fewer; appointments made before keep theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResourceCapacityChanged {
    /// The number of places from now on.
    pub capacity: Capacity,
}

/// A resource takes no further bookings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResourceRetired {}

/// Everything that happens to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum ResourceEvent {
    ResourceRegistered(ResourceRegistered),
    ResourceDescribed(ResourceDescribed),
    ResourceHoursChanged(ResourceHoursChanged),
    ResourceExceptionAdded(ResourceExceptionAdded),
    ResourceExceptionRemoved(ResourceExceptionRemoved),
    ResourceHolidaysChanged(ResourceHolidaysChanged),
    ResourceCapacityChanged(ResourceCapacityChanged),
    ResourceRetired(ResourceRetired),
}

crate::event_types!(ResourceEvent:
    creating ResourceRegistered;
    then ResourceDescribed, ResourceHoursChanged, ResourceExceptionAdded,
        ResourceExceptionRemoved, ResourceHolidaysChanged, ResourceCapacityChanged, ResourceRetired
);

impl Claims for ResourceEvent {
    fn reference_after(&self) -> Option<Vec<Claim>> {
        match self {
            Self::ResourceRegistered(registered) => {
                reference::first(Resource::TYPE, registered.profile.reference.as_ref())
            }
            Self::ResourceDescribed(described) => {
                Some(reference::changed(Resource::TYPE, described.reference.as_ref()))
            }
            Self::ResourceHoursChanged(_)
            | Self::ResourceExceptionAdded(_)
            | Self::ResourceExceptionRemoved(_)
            | Self::ResourceHolidaysChanged(_)
            | Self::ResourceCapacityChanged(_)
            | Self::ResourceRetired(_) => None,
        }
    }
}

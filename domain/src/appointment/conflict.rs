//! Conflicts: appointments at a time at which a resource can no longer be had, after it has been closed
//! or retired, until they are moved, cancelled, or accepted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{AppointmentConflictAccepted, AppointmentEvent, Details, Slot};
use crate::ResourceId;
use crate::resource::Resource;
use crate::service::rules::Rule;
use crate::time::Interval;

/// That an appointment uses a resource when that cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Conflict {
    pub resource_id: ResourceId,
    /// Why it cannot be had.
    pub reason: ConflictReason,
}

/// Why a resource cannot be had at a time at which an appointment uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ConflictReason {
    /// It is not open for all of it.
    OutsideOpeningHours,
    /// It has been retired.
    ResourceRetired,
}

impl ConflictReason {
    pub const ALL: [Self; 2] = [Self::OutsideOpeningHours, Self::ResourceRetired];

    /// Why the resource, as it is, could not be booked for this time; `None`: it could.
    ///
    /// As for a booking, buffers may lie outside opening hours.
    #[must_use]
    pub fn of(resource: &Resource, during: &Interval) -> Option<Self> {
        match resource {
            Resource::Retired(_) => Some(Self::ResourceRetired),
            Resource::Active(profile) => {
                (!profile.is_open(during)).then_some(Self::OutsideOpeningHours)
            }
            // No appointment uses what was never there.
            Resource::Unregistered => None,
        }
    }

    /// Its name on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutsideOpeningHours => "outside-opening-hours",
            Self::ResourceRetired => "resource-retired",
        }
    }
}

crate::words!(ConflictReason, "reason of a conflict", UnknownConflictReason);

/// The conflicts that are excused: what was overridden when the
/// appointment took its time, and what was accepted since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excused {
    /// The resources that were known to be closed when its time was taken.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    overridden: BTreeSet<ResourceId>,
    /// What was accepted since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<AppointmentConflictAccepted>,
}

impl Excused {
    /// Whether this conflict is one of them.
    #[must_use]
    pub fn contains(&self, conflict: &Conflict) -> bool {
        let accepted =
            |accepted: &AppointmentConflictAccepted| accepted.conflicts.contains(conflict);
        self.accepted.as_ref().is_some_and(accepted)
            || conflict.reason == ConflictReason::OutsideOpeningHours
                && self.overridden.contains(&conflict.resource_id)
    }

    /// What was found of a resource, unless it is one of them.
    #[must_use]
    pub fn unexcused(
        &self,
        resource_id: ResourceId,
        found: Option<ConflictReason>,
    ) -> Option<ConflictReason> {
        found.filter(|reason| !self.contains(&Conflict { resource_id, reason: *reason }))
    }

    /// The reasons for which a resource may not be had without that being a conflict.
    pub fn reasons(&self, resource_id: ResourceId) -> impl Iterator<Item = ConflictReason> {
        let excused =
            move |reason: &ConflictReason| self.unexcused(resource_id, Some(*reason)).is_none();
        ConflictReason::ALL.into_iter().filter(excused)
    }

    pub(crate) const fn accepted_mut(&mut self) -> Option<&mut AppointmentConflictAccepted> {
        self.accepted.as_mut()
    }

    /// What was accepted since the appointment took its time.
    #[must_use]
    pub const fn accepted(&self) -> Option<&AppointmentConflictAccepted> {
        self.accepted.as_ref()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.overridden.is_empty() && self.accepted.is_none()
    }

    /// Takes note of what happened to the appointment.
    pub fn evolve(&mut self, event: &AppointmentEvent) {
        use AppointmentEvent as E;
        match event {
            E::AppointmentBooked(details) => *self = Self::by_override_of(details),
            E::AppointmentHeld(held) => *self = Self::by_override_of(&held.details),
            E::AppointmentRescheduled(moved) => {
                *self = Self::by_override(moved.overridden.as_ref(), &moved.slot);
            }
            E::AppointmentConflictAccepted(accepted) => self.accepted = Some(accepted.clone()),
            E::AppointmentReassigned(other) => self.forget(other.from),
            E::AppointmentConfirmed(_)
            | E::AppointmentCancelled(_)
            | E::AppointmentHoldExpired(_)
            | E::AppointmentCheckedIn(_)
            | E::AppointmentCompleted(_)
            | E::AppointmentMarkedNoShow(_)
            | E::AppointmentTagged(_)
            | E::AppointmentDescribed(_) => {}
        }
    }

    /// What was excused of the other resources still is: the time is the same.
    fn forget(&mut self, resource_id: ResourceId) {
        self.overridden.remove(&resource_id);
        if let Some(accepted) = &mut self.accepted {
            accepted.conflicts.retain(|conflict| conflict.resource_id != resource_id);
        }
        self.accepted.take_if(|accepted| accepted.conflicts.is_empty());
    }

    pub(super) fn by_override_of(details: &Details) -> Self {
        Self::by_override(details.overridden.as_ref(), &details.slot)
    }

    fn by_override(overridden: Option<&super::Overridden>, slot: &Slot) -> Self {
        let closed = |overridden: &super::Overridden| match &overridden.closed {
            Some(closed) => closed.clone(),
            // Before it was recorded which were closed, it may have been any of them.
            None if overridden.rules.contains(&Rule::OpeningHours) => {
                slot.resource_ids.iter().collect()
            }
            None => BTreeSet::new(),
        };
        Self { overridden: overridden.map(closed).unwrap_or_default(), accepted: None }
    }
}

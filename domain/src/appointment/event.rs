//! What happens to appointments.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate as _;
use serde::{Deserialize, Serialize};

use super::{Agreed, Appointment, Conflict, Overridden};
use crate::claim::{Claim, Claims, reference};
use crate::personal::{stored, stored_option};
use crate::series::InSeries;
use crate::time::{Buffer, Interval};
use crate::{
    Category, ClientId, FreeTitle, Location, Metadata, Note, Personal, QuotaRule, QuotaSlot,
    Reason, Reference, ResourceId, ResourceIds, ServiceId, SessionId, Tags,
};

/// When and on which resources an appointment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Slot {
    /// The resources it uses.
    pub resource_ids: ResourceIds,
    pub during: Interval,
    /// Time kept free before it.
    #[serde(rename = "buffer_before_minutes")]
    pub buffer_before: Buffer,
    /// Time kept free after it.
    #[serde(rename = "buffer_after_minutes")]
    pub buffer_after: Buffer,
    /// Which place of each resource it has.
    #[serde(default, skip_serializing_if = "Seats::are_first")]
    pub seats: Seats,
    /// Its slots of the quotas that it counts towards, and its place where it is in a session.
    #[serde(rename = "counted", default, skip_serializing_if = "Vec::is_empty")]
    pub quota_slots: Vec<QuotaSlot>,
    /// The session that it is in, and that has the resources. `None`: it has them itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// Whether it takes no time of its resources (TRANSP of RFC 5545): it keeps nobody away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transparent: bool,
}

impl Slot {
    /// The appointment's time with its buffers.
    #[must_use]
    pub fn claimed(&self) -> Interval {
        self.during.widened(self.buffer_before.delta(), self.buffer_after.delta())
    }

    pub(crate) fn claims(&self, expires_at: Option<DateTime<Utc>>) -> Vec<Claim> {
        let during = self.claimed();
        let own = self.session_id.is_none() && !self.transparent;
        let ids = self.resource_ids.iter().enumerate().filter(|_| own);
        let resources =
            ids.map(|(n, resource)| Claim { resource, seat: self.seats.of(n), during, expires_at });
        let quota_slots = self.quota_slots.iter().map(|taken| taken.claim(expires_at));
        resources.chain(quota_slots).collect()
    }

    /// The same once it is booked: it no longer counts as a hold.
    #[must_use]
    pub fn confirmed(&self) -> Self {
        let mut slot = self.clone();
        slot.quota_slots.retain(|slot| slot.rule != QuotaRule::ClientHolds);
        slot
    }
}

/// Which place an appointment has of each of its resources, in their order; the first is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Seats(Vec<u16>);

impl Seats {
    /// These places, one for each resource.
    #[must_use]
    pub fn new(seats: Vec<u16>) -> Self {
        // As it is read where nothing is said, so that the same is equal.
        Self(if seats.iter().all(|seat| *seat == 0) { Vec::new() } else { seats })
    }

    /// The place of the `n`th resource.
    #[must_use]
    pub fn of(&self, n: usize) -> u16 {
        self.0.get(n).copied().unwrap_or(0)
    }

    /// The same, of so many resources, with this place of the `n`th.
    #[must_use]
    pub fn with(&self, count: usize, n: usize, seat: u16) -> Self {
        Self::new((0..count).map(|at| if at == n { seat } else { self.of(at) }).collect())
    }

    fn are_first(&self) -> bool {
        self.0.is_empty()
    }
}

/// All about an appointment but its status. As an event: it was booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Details {
    pub service_id: ServiceId,
    pub client_id: ClientId,
    /// When and on which resources.
    pub slot: Slot,
    /// What it is called.
    pub title: FreeTitle,
    pub category: Category,
    pub tags: Tags,
    /// Free text about the client.
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Note>>,
    /// Where it takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// What the caller's own system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// What the caller keeps with it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Whether its text is for those who may book, and not for whoever may only read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Whether it was copied from another calendar.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// Whether its client is told of it, and of what becomes of it: as the tenant had chosen when it was made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notices: bool,
    /// The terms that were agreed when it was made; they are kept whatever becomes of the service.
    #[serde(default, skip_serializing_if = "Agreed::is_empty")]
    pub agreed: Agreed,
    /// Why its time was taken although rules were against it, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Overridden>,
    /// Of which series it is an occurrence, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<InSeries>,
}

/// Time is kept free until the hold is confirmed or lapses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentHeld {
    /// What is held.
    #[serde(flatten)]
    pub details: Details,
    /// When the hold lapses by itself.
    #[serde(rename = "hold_expires_at")]
    pub expires_at: DateTime<Utc>,
}

/// A hold became a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentConfirmed {
    /// What was held and is now booked.
    pub slot: Slot,
}

/// It moved to another time or other resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentRescheduled {
    pub slot: Slot,
    /// Until when it is held, where it is not booked yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_expires_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "MovedBy::is_client")]
    pub by: MovedBy,
    /// Whether it went where the calendar has it that it was copied from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_calendar: bool,
    /// Why its new time was taken although rules were against it, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Overridden>,
}

/// On whose side an appointment was moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum MovedBy {
    /// The client's.
    #[default]
    Client,
    /// The provider's.
    Staff,
}

impl MovedBy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    const fn is_client(&self) -> bool {
        matches!(self, Self::Client)
    }
}

/// On whose side an appointment was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CancelledBy {
    /// The client's.
    Client,
    /// The provider's.
    Staff,
    /// Nobody's: a rule did it.
    System,
}

/// It was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentCancelled {
    /// Why, in the words of who cancelled.
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Reason>>,
    pub by: CancelledBy,
    /// Why it was cancelled although rules were against it, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Overridden>,
}

/// A hold lapsed before it was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentHoldExpired {}

/// The client came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentCheckedIn {}

/// The service was provided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentCompleted {}

/// The client did not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentMarkedNoShow {}

/// Its category and tags are these now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentTagged {
    /// Its category from now on.
    pub category: Category,
    /// Its tags from now on.
    pub tags: Tags,
}

/// What is said about it is this now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentDescribed {
    pub title: FreeTitle,
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Note>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Where it takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// What the caller's own system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// What the caller keeps with it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// Its conflicts were accepted: it stays where it is, although resources can no longer be had then.
/// That holds until it is moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentConflictAccepted {
    /// Why, in their words.
    #[serde(deserialize_with = "stored")]
    pub reason: Personal<Reason>,
    /// All the conflicts that are accepted from now on; others are not.
    pub conflicts: BTreeSet<Conflict>,
}

/// It uses another resource instead of one; its time is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentReassigned {
    pub slot: Slot,
    /// The resource that it no longer uses.
    #[serde(rename = "from_resource_id")]
    pub from: ResourceId,
    /// The one that it uses instead.
    #[serde(rename = "to_resource_id")]
    pub to: ResourceId,
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Reason>>,
    /// Until when it is held, where it is not booked yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_expires_at: Option<DateTime<Utc>>,
}

/// Everything that happens to an appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum AppointmentEvent {
    AppointmentHeld(AppointmentHeld),
    AppointmentConfirmed(AppointmentConfirmed),
    AppointmentBooked(Details),
    AppointmentRescheduled(AppointmentRescheduled),
    AppointmentCancelled(AppointmentCancelled),
    AppointmentHoldExpired(AppointmentHoldExpired),
    AppointmentCheckedIn(AppointmentCheckedIn),
    AppointmentCompleted(AppointmentCompleted),
    AppointmentMarkedNoShow(AppointmentMarkedNoShow),
    AppointmentTagged(AppointmentTagged),
    AppointmentConflictAccepted(AppointmentConflictAccepted),
    AppointmentReassigned(AppointmentReassigned),
    AppointmentDescribed(AppointmentDescribed),
}

impl AppointmentEvent {
    /// All about the appointment, if this event makes it.
    #[must_use]
    pub const fn details(&self) -> Option<&Details> {
        match self {
            Self::AppointmentBooked(details) => Some(details),
            Self::AppointmentHeld(held) => Some(&held.details),
            _ => None,
        }
    }

    /// When and on which resources the appointment is from now on. `None`: as before.
    #[must_use]
    pub const fn slot(&self) -> Option<&Slot> {
        match self {
            Self::AppointmentHeld(held) => Some(&held.details.slot),
            Self::AppointmentBooked(details) => Some(&details.slot),
            Self::AppointmentConfirmed(confirmed) => Some(&confirmed.slot),
            Self::AppointmentRescheduled(moved) => Some(&moved.slot),
            Self::AppointmentReassigned(other) => Some(&other.slot),
            Self::AppointmentCancelled(_)
            | Self::AppointmentHoldExpired(_)
            | Self::AppointmentCheckedIn(_)
            | Self::AppointmentCompleted(_)
            | Self::AppointmentMarkedNoShow(_)
            | Self::AppointmentTagged(_)
            | Self::AppointmentDescribed(_)
            | Self::AppointmentConflictAccepted(_) => None,
        }
    }

    /// Until when the slot is held. `None`: it is booked, or the event is about no slot.
    const fn hold_expires_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::AppointmentHeld(held) => Some(held.expires_at),
            Self::AppointmentRescheduled(moved) => moved.hold_expires_at,
            Self::AppointmentReassigned(other) => other.hold_expires_at,
            _ => None,
        }
    }

    /// Whether its time is free from now on.
    const fn releases(&self) -> bool {
        matches!(
            self,
            Self::AppointmentCancelled(_)
                | Self::AppointmentHoldExpired(_)
                | Self::AppointmentMarkedNoShow(_)
        )
    }
}

crate::event_types!(AppointmentEvent:
    creating AppointmentHeld = "2.0", AppointmentBooked = "2.0";
    then AppointmentConfirmed = "2.0", AppointmentRescheduled = "2.0", AppointmentCancelled,
        AppointmentHoldExpired, AppointmentCheckedIn, AppointmentCompleted,
        AppointmentMarkedNoShow, AppointmentTagged, AppointmentConflictAccepted,
        AppointmentReassigned = "2.0", AppointmentDescribed
);

impl Claims for AppointmentEvent {
    fn claims_after(&self) -> Option<Vec<Claim>> {
        match self.slot() {
            Some(slot) => Some(slot.claims(self.hold_expires_at())),
            None => self.releases().then(Vec::new),
        }
    }

    fn reference_after(&self) -> Option<Vec<Claim>> {
        if let Self::AppointmentDescribed(described) = self {
            return Some(reference::changed(Appointment::TYPE, described.reference.as_ref()));
        }
        reference::first(Appointment::TYPE, self.details()?.reference.as_ref())
    }
}

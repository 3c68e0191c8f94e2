//! What happens to sessions.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::appointment::{Overridden, Slot};
use crate::claim::{Claim, Claims};
use crate::personal::stored_option;
use crate::service::SessionPlaces;
use crate::time::{Duration, Interval};
use crate::{Category, FreeTitle, Personal, Reason, ServiceId, SessionId, Tags};

/// All about a session but its status. As an event: it was scheduled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SessionScheduled {
    /// What is given.
    pub service_id: ServiceId,
    /// When and on which resources.
    pub slot: Slot,
    /// How long it takes.
    #[serde(rename = "duration_minutes")]
    pub duration: Duration,
    /// For when its places are claimed: its time, but ending a microsecond earlier each time that it
    /// was moved, so that a claim tells before which move it was made.
    pub places_during: Interval,
    /// The zone of the first of them: whose days count.
    #[cfg_attr(test, schemars(with = "crate::schemas::ZoneName"))]
    pub time_zone: Tz,
    /// How many clients have room; the places are numbered from 0.
    pub places: SessionPlaces,
    /// What it is called.
    pub title: FreeTitle,
    pub category: Category,
    pub tags: Tags,
    /// Why its time was taken although rules were against it, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Overridden>,
}

/// It moved. Its appointments do so next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SessionRescheduled {
    pub slot: Slot,
    /// For when its places are claimed now.
    pub places_during: Interval,
    /// The zone of its first resource.
    #[cfg_attr(test, schemars(with = "crate::schemas::ZoneName"))]
    pub time_zone: Tz,
    /// The places whose appointments do not follow it: nobody has them, and nobody can have them for a
    /// part of the time that was theirs.
    pub closed: ClosedPlaces,
    /// Why its new time was taken although rules were against it, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Overridden>,
}

/// It was cancelled. Its appointments are cancelled next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SessionCancelled {
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Reason>>,
    /// The places that nobody had, and that nobody can have.
    pub closed: ClosedPlaces,
}

/// Places that nobody can have any more: the session claims them itself.
///
/// A booking of a place does not write to the session's stream. So a place that is booked while
/// the session is being moved or cancelled would be missed, and its appointment left behind. So
/// each place is either closed by the session or given up by an appointment that goes with it, in one
/// submission: any other claim of a place conflicts with that, and it is decided again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClosedPlaces {
    /// Of which session.
    pub session_id: SessionId,
    /// For when.
    pub during: Interval,
    pub numbers: Vec<u16>,
}

impl ClosedPlaces {
    fn claims(&self) -> impl Iterator<Item = Claim> {
        let Self { session_id, during, ref numbers } = *self;
        let resource = session_id.places();
        numbers.iter().map(move |seat| Claim { resource, seat: *seat, during, expires_at: None })
    }
}

/// Everything that happens to a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum SessionEvent {
    SessionScheduled(SessionScheduled),
    SessionRescheduled(SessionRescheduled),
    SessionCancelled(SessionCancelled),
}

crate::event_types!(SessionEvent:
    creating SessionScheduled = "2.0";
    then SessionRescheduled = "2.0", SessionCancelled = "2.0"
);

impl Claims for SessionEvent {
    fn claims_after(&self) -> Option<Vec<Claim>> {
        Some(match self {
            Self::SessionScheduled(plan) => plan.slot.claims(None),
            Self::SessionRescheduled(moved) => {
                moved.slot.claims(None).into_iter().chain(moved.closed.claims()).collect()
            }
            Self::SessionCancelled(cancelled) => cancelled.closed.claims().collect(),
        })
    }
}

//! What happens to notices. No event has an address, or what a mail server has said: that quotes addresses.

use serde::{Deserialize, Serialize};

use super::{Told, What};
use crate::claim::Claims;
use crate::sending::{Failed, Recorded, Sent, Silence, Try};
use crate::{AppointmentId, ClientId, HasPersonal, ServiceId};

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "SubjectOfNotice"))]
pub struct Subject {
    pub appointment_id: AppointmentId,
    pub service_id: ServiceId,
    pub client_id: ClientId,
    pub what: What,
    /// The number of the appointment's revision (SEQUENCE of RFC 5545), once it was booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
    #[serde(flatten)]
    pub told: Told,
}

/// The client is about to be told for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NoticeBegun {
    #[serde(flatten)]
    pub of: Subject,
    #[serde(flatten)]
    pub tried: Try,
}

/// The client is about to be told once more: the same by the same message, or what has changed by another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NoticeBegunAgain {
    #[serde(flatten)]
    pub of: Subject,
    #[serde(flatten)]
    pub tried: Try,
}

/// Why a client is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "WhyNotTold"))]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The appointment has changed since: that is told instead, if it is still to be told.
    Superseded,
    /// The tenant's clients are told nothing any more.
    Off,
    /// It has started, the offer has lapsed, or it is too long ago.
    TooLate,
    /// The client wants no mail.
    NotWanted,
    /// What is known of the client is only kept.
    Restricted,
    /// No address of the client is known.
    NoAddress,
}

impl From<Silence> for Why {
    fn from(silence: Silence) -> Self {
        match silence {
            Silence::NotWanted => Self::NotWanted,
            Silence::Restricted => Self::Restricted,
            Silence::NoAddress | Silence::Gone => Self::NoAddress,
        }
    }
}

/// There was something to tell, and nothing was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NoticeSkipped {
    #[serde(flatten)]
    pub of: Subject,
    pub why: Why,
}

/// The client is not told this, after something was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NoticeGivenUp {
    #[serde(flatten)]
    pub of: Subject,
    pub why: Why,
}

/// Everything that happens to a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum NoticeEvent {
    NoticeBegun(NoticeBegun),
    NoticeSkipped(NoticeSkipped),
    NoticeBegunAgain(NoticeBegunAgain),
    NoticeSent(Sent),
    NoticeFailed(Failed),
    NoticeGivenUp(NoticeGivenUp),
}

crate::event_types!(NoticeEvent:
    creating NoticeBegun, NoticeSkipped;
    then NoticeBegunAgain, NoticeSent, NoticeFailed, NoticeGivenUp
);

impl NoticeEvent {
    pub(super) fn of(of: Subject, recorded: Recorded<Why>) -> Self {
        match recorded {
            Recorded::Sent(sent) => Self::NoticeSent(sent),
            Recorded::Failed(failed) => Self::NoticeFailed(failed),
            Recorded::GivenUp(why) => Self::NoticeGivenUp(NoticeGivenUp { of, why }),
        }
    }
}

impl Claims for NoticeEvent {}
impl HasPersonal for NoticeEvent {}

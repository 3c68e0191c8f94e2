//! Why an appointment's command is refused.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Status;
use crate::claim::ClaimConflict;
use crate::patch::PatchMisfit;
use crate::service::rules::Broken;
use crate::time::Interval;
use crate::{ClientId, Meaning, ResourceId, RoleName, ServiceId, SessionId};

/// Why an appointment's command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum AppointmentRefusal {
    /// There is no such appointment.
    #[error("there is no such appointment")]
    AppointmentNotFound,
    /// This id is taken.
    #[error("an appointment with this id exists already")]
    AppointmentExists,
    /// Its status does not allow this.
    #[error("an appointment that is {status} cannot be {wanted}")]
    WrongStatus {
        status: Status,
        /// What was asked for, as a past participle.
        wanted: Wanted,
    },
    /// The hold was not confirmed in time.
    #[error("the hold lapsed at {expired_at}")]
    HoldExpired { expired_at: DateTime<Utc> },
    /// A hold that has not lapsed does not expire.
    #[error("the hold does not lapse before {expires_at}")]
    HoldStillRuns { expires_at: DateTime<Utc> },
    /// Only the future can be booked.
    #[error("{start} is in the past")]
    InThePast {
        /// The start that was asked for.
        #[serde(rename = "start_at", alias = "start")]
        start: DateTime<Utc>,
    },
    /// A resource is closed for some of the time.
    #[error("resource {resource_id} is not open for all of it")]
    OutsideOpeningHours {
        resource_id: ResourceId,
        /// The time that was asked for.
        during: Interval,
    },
    /// One of the service's rules is broken.
    #[error(transparent)]
    RuleBroken(Broken),
    /// A resource is taken for some of the time.
    #[error("resource {resource_id} is taken from {} to {}", during.start(), during.end())]
    SlotTaken {
        resource_id: ResourceId,
        /// From when to when, buffers included, it is taken.
        during: Interval,
    },
    /// The service needs no role filled, and no resource is named.
    #[error("the service leaves it to the booking to name resources, and it names none")]
    NoResources,
    /// A named resource can be nothing that the service needs.
    #[error("resource {resource_id} fills none of the roles that are left")]
    UnfitResource {
        resource_id: ResourceId,
        /// The roles that the other named resources leave.
        roles: Vec<RoleName>,
    },
    /// There are not enough resources that can fill a role and are open at that time.
    #[error("the role {role} takes {required}, and {found} can fill it at that time")]
    RoleUnfilled {
        role: RoleName,
        /// How many resources it takes.
        required: u8,
        /// How many there are for it.
        found: u8,
    },
    /// Not enough of the resources that can fill a role are free.
    #[error("the role {role} takes {required}, and {found} of those who can fill it are free")]
    RoleTaken {
        role: RoleName,
        /// How many resources it takes.
        required: u8,
        /// How many are free for it.
        found: u8,
        /// When they would have to be free, buffers included.
        during: Interval,
    },
    /// The client has as many appointments of the service on that day as the service allows.
    #[error("the client has {found} appointments of the service on {date}: {required} is the most")]
    ClientDayLimit {
        client_id: ClientId,
        service_id: ServiceId,
        /// The local day.
        date: NaiveDate,
        /// The most that the service allows.
        required: u16,
        /// How many there are.
        found: u16,
    },
    /// The client holds as much as a client can at once.
    #[error("the client has {found} holds: {required} is the most at once")]
    ClientHoldLimit {
        client_id: ClientId,
        /// The most that a client can hold.
        required: u16,
        /// How many there are.
        found: u16,
    },
    /// There is no such service to book.
    #[error("there is no service {service_id}")]
    UnknownService { service_id: ServiceId },
    /// The service can no longer be booked.
    #[error("service {service_id} has been retired")]
    RetiredService { service_id: ServiceId },
    /// There is no such resource to book.
    #[error("there is no resource {resource_id}")]
    UnknownResource { resource_id: ResourceId },
    /// The resource takes no further bookings.
    #[error("resource {resource_id} has been retired")]
    RetiredResource { resource_id: ResourceId },
    /// It does not use the resource that is to be replaced.
    #[error("the appointment does not use resource {resource_id}")]
    ResourceNotUsed { resource_id: ResourceId },
    /// It uses the resource already that is to replace another one.
    #[error("the appointment uses resource {resource_id} already")]
    ResourceUsedAlready { resource_id: ResourceId },
    /// All its resources can be had when it is, or it has been accepted that they cannot.
    #[error("there is no conflict to accept")]
    NoConflict,
    /// There is no such session to book a place in.
    #[error("there is no session {session_id}")]
    UnknownSession { session_id: SessionId },
    /// The session was cancelled.
    #[error("session {session_id} was cancelled")]
    SessionCancelled { session_id: SessionId },
    /// All places of a session are taken.
    #[error("all {places} places of session {session_id} are taken")]
    SessionFull {
        session_id: SessionId,
        /// How many places it has.
        places: u16,
    },
    /// It is where its session is.
    #[error("it is where session {session_id} is: that can be moved, and has the resources")]
    InSession { session_id: SessionId },
    /// It is in no session.
    #[error("it is in no session")]
    NotInSession,
    /// It was copied from no calendar.
    #[error("it was copied from no calendar")]
    NotImported,
    /// The service is given to several clients at once.
    #[error("service {service_id} is given in sessions: a place in one can be booked")]
    SessionsOnly { service_id: ServiceId },
    /// There is no such client to book for.
    #[error("there is no client {client_id}")]
    UnknownClient { client_id: ClientId },
    /// Nothing is booked for somebody of whom nothing is known any more.
    #[error("client {client_id} is erased")]
    ErasedClient { client_id: ClientId },
    /// What is known of them is only kept.
    #[error(
        "what is known of client {client_id} is restricted: whoever has the scope `privacy` may lift that"
    )]
    RestrictedClient { client_id: ClientId },
    /// The change does not go together with what stays.
    #[error(transparent)]
    PatchMisfit(#[from] PatchMisfit),
}

impl AppointmentRefusal {
    pub(crate) const fn meaning(&self) -> Meaning {
        match self {
            Self::AppointmentNotFound => Meaning::NOT_FOUND,
            Self::AppointmentExists => Meaning::EXISTS,
            Self::RuleBroken(broken) => Meaning::invalid(broken.rule().broken_title()),
            Self::SlotTaken { .. } => Meaning::conflict("The time is taken"),
            Self::RoleTaken { .. } => Meaning::conflict("Nobody is free for a role"),
            Self::ClientDayLimit { .. } => Meaning::conflict("The client has enough that day"),
            Self::ClientHoldLimit { .. } => Meaning::conflict("The client holds enough"),
            Self::WrongStatus { .. } => Meaning::conflict("Its status does not allow this"),
            Self::HoldExpired { .. } => Meaning::conflict("The hold has lapsed"),
            Self::SessionFull { .. } => Meaning::conflict("The session is full"),
            Self::SessionCancelled { .. } => Meaning::conflict("The session was cancelled"),
            Self::InSession { .. } => Meaning::conflict("It is where its session is"),
            Self::NotInSession => Meaning::conflict("It is in no session"),
            Self::NotImported => Meaning::conflict("It was copied from no calendar"),
            Self::SessionsOnly { .. } => Meaning::invalid("The service is given in sessions"),
            Self::UnknownSession { .. } => Meaning::invalid("Unknown session"),
            Self::NoConflict => Meaning::conflict("There is no conflict"),
            Self::ResourceNotUsed { .. } => Meaning::invalid("The resource is not used"),
            Self::ResourceUsedAlready { .. } => Meaning::invalid("The resource is used already"),
            Self::HoldStillRuns { .. } => Meaning::conflict("The hold has not lapsed"),
            Self::InThePast { .. } => Meaning::invalid("It would be in the past"),
            Self::OutsideOpeningHours { .. } => Meaning::invalid("Outside opening hours"),
            Self::NoResources => Meaning::invalid("No resource is named"),
            Self::UnfitResource { .. } => Meaning::invalid("The resource fills no role"),
            Self::RoleUnfilled { .. } => Meaning::invalid("A role cannot be filled"),
            Self::UnknownService { .. } => Meaning::invalid("Unknown service"),
            Self::RetiredService { .. } => Meaning::invalid("Retired service"),
            Self::UnknownResource { .. } => Meaning::invalid("Unknown resource"),
            Self::RetiredResource { .. } => Meaning::invalid("Retired resource"),
            Self::UnknownClient { .. } => Meaning::invalid("Unknown client"),
            Self::ErasedClient { .. } => Meaning::invalid("The client is erased"),
            Self::RestrictedClient { .. } => Meaning::conflict("The client is restricted"),
            Self::PatchMisfit(_) => Meaning::PATCH_MISFIT,
        }
    }
}

/// What was asked for, as a past participle: "a cancelled appointment cannot be *confirmed*".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    Confirmed,
    Rescheduled,
    Cancelled,
    Expired,
    CheckedIn,
    Completed,
    MarkedNoShow,
    Released,
    AcceptedAsItIs,
    Reassigned,
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Confirmed => "confirmed",
            Self::Rescheduled => "rescheduled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::CheckedIn => "checked in",
            Self::Completed => "completed",
            Self::MarkedNoShow => "marked as a no-show",
            Self::Released => "released as a hold",
            Self::AcceptedAsItIs => "accepted as it is",
            Self::Reassigned => "reassigned",
        })
    }
}

impl From<ClaimConflict> for AppointmentRefusal {
    fn from(ClaimConflict { resource, during, .. }: ClaimConflict) -> Self {
        Self::SlotTaken { resource_id: resource, during }
    }
}

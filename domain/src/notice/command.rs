//! What can be asked of a notice; daybook itself asks.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Notices, Why};
use crate::sending::Outcome;
use crate::{AppointmentId, ClientId, ServiceId};

/// What can be asked of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeCommand {
    /// Begin to tell what is to be told, if anything is.
    Begin(Begin),
    /// Record what has become of a try. Retries are spread by `jitter`, in per cent of the pause.
    Settle { attempt: u16, outcome: Outcome<Why>, jitter: u8 },
    /// Record that nothing was recorded of a try for too long.
    Lapse,
}

/// What is to be told, as whoever tells it knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    pub appointment_id: AppointmentId,
    pub service_id: ServiceId,
    pub client_id: ClientId,
    /// Which version of the appointment it is that the rest is about.
    pub appointment_version: u64,
    /// The number of its revision, once it was booked.
    pub sequence: Option<u32>,
    /// Whether it was offered to a client who has waited.
    pub is_offered: bool,
    /// Since when it is as it is.
    pub changed_at: DateTime<Utc>,
    /// What changed before is another database's to tell, of which this one is a copy.
    pub since: DateTime<Utc>,
    /// What the tenant has by now.
    pub notices: Notices,
    /// What the message is to be known by, if it is not known by something already.
    pub message_id: String,
    /// For how long the try may take.
    pub lasts: TimeDelta,
}

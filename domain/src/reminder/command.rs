//! What can be asked of a reminder.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Occasion, Why};
use crate::ResourceId;
use crate::sending::Outcome;

/// What can be asked of a reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderCommand {
    /// Begin to send it, if it is still to be sent.
    Begin(Begin),
    /// Record what has become of a try. Retries are spread by `jitter`, in per cent of the pause.
    Settle { attempt: u16, outcome: Outcome<Why>, jitter: u8 },
    /// Record that nothing was recorded of a try for too long.
    Lapse,
    /// Send it now: once more, or before it is due.
    AskForResend(Occasion),
}

/// What is to be sent, as whoever sends it knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    pub of: Occasion,
    /// By the clocks of which resource it is due: the first of the appointment.
    pub zone_of: ResourceId,
    /// What was due before is another database's to send, of which this one is a copy.
    pub since: DateTime<Utc>,
    /// Whether a later reminder of the same appointment is due.
    pub is_superseded: bool,
    /// What the message is to be known by, if it is not known by something already.
    pub message_id: String,
    /// For how long the try may take.
    pub lasts: TimeDelta,
}

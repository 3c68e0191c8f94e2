//! What a check can find wrong.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Something that must not be.
#[derive(Debug, PartialEq)]
pub(super) enum Finding {
    /// At this position an appointment takes a resource that another one has.
    DoubleBooking { position: i64, resource: Uuid, has_it: Uuid, takes_it: Uuid },
    /// An event that the check does not know, and so does not know what it claims.
    UnknownEvent(String),
    /// The table of claims has what the log does not say, or the other way round.
    OtherClaims { appointment: Uuid, resource: Uuid, only_in: String },
    /// Positions are 1, 2, 3, ...
    Gap { after: i64, found: i64 },
    /// So are the numbers of a stream's events.
    OutOfSequence { position: i64, stream: String, after: i64, found: i64 },
    /// The log's time went back.
    WentBack { position: i64, before: DateTime<Utc>, recorded_at: DateTime<Utc> },
    /// A command was carried out more than once.
    TwoEffects { positions: Vec<i64> },
    /// A command was acknowledged, and is not in the log as it was acknowledged.
    Lost { key: String, position: i64 },
    /// Nobody sent the command of this event, or it was refused.
    NobodyAsked { position: i64 },
    /// As many commands as were sent were not accepted or refused.
    Unanswered { sent: usize, accepted: usize, refused: usize },
    /// No order of the operations explains what was answered.
    NotLinearizable { history: Vec<String> },
    /// A row of a projection is not there, or is another, when it is made again from the log.
    OtherRows { table: String, before: Option<String>, rebuilt: Option<String> },
    /// `daybook verify` says that the log is not whole.
    NotWhole(String),
}

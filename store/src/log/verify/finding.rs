//! What can be wrong with a log, and with what is kept true beside it.

use chrono::{DateTime, Utc};
use daybook_domain::claim::{Claim, ClaimConflict};
use daybook_domain::{AppointmentId, TenantId};
use uuid::Uuid;

use crate::log::Position;

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The first position at which it shows; `None`: the log says nothing about it at all.
    pub position: Option<Position>,
    /// What it is.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A position without an event.
    #[error("the event is missing")]
    Missing,
    /// The event, its hash, or its place was altered.
    #[error("the event does not have the hash that it was written with")]
    Altered,
    /// The log's clock went back.
    #[error("it was recorded at {recorded_at}, but the one before it at {before}")]
    WentBack {
        /// When the event says that it was recorded.
        recorded_at: DateTime<Utc>,
        /// When the one before it was.
        before: DateTime<Utc>,
    },
    /// It cannot be brought into its present form and understood.
    #[error("the event cannot be read: {0}")]
    Unreadable(String),
    /// A stream's events are numbered 1, 2, 3, ...
    #[error("it is number {found} of {kind} {id}, where number {expected} is due")]
    OutOfSequence {
        /// The aggregate's type.
        kind: &'static str,
        /// The aggregate.
        id: Uuid,
        /// The number that it has.
        found: u64,
        /// The number that it should have.
        expected: u64,
    },
    /// The first event of an aggregate does not make it.
    #[error("it happened to a {kind} that was never made: {id}")]
    NeverMade {
        /// The aggregate's type.
        kind: &'static str,
        /// The aggregate.
        id: Uuid,
    },
    /// A later event of an aggregate makes it once more.
    #[error("it makes a {kind} that was there already: {id}")]
    MadeTwice {
        /// The aggregate's type.
        kind: &'static str,
        /// The aggregate.
        id: Uuid,
    },
    /// Two appointments had the same resource at the same time.
    #[error("double booking: {holder} takes resource {} while another has it from {} to {}",
        .taken.resource, .taken.during.start(), .taken.during.end())]
    DoubleBooking {
        /// Whose event it is.
        holder: AppointmentId,
        /// What another had at this position.
        taken: ClaimConflict,
    },
    /// A tenant whose log has no end.
    #[error("the log of {0} has no row in log_heads")]
    NoHead(TenantId),
    /// `log_heads` says that the log ends before this event.
    #[error("the log goes on after the end that log_heads gives it")]
    AfterTheEnd,
    /// `log_heads` has another hash, or an earlier instant, than the last event.
    #[error("log_heads does not match the last event")]
    OtherEnd,
    /// The log says that an appointment claims something, and `claims` does not.
    #[error("appointment {holder} has lost its claim {}", Show(.claim))]
    ClaimMissing {
        /// The appointment.
        holder: AppointmentId,
        /// What the log says.
        claim: Claim,
    },
    /// `claims` says that an appointment claims something, and the log does not.
    #[error("appointment {holder} has a claim that no event gave it, {}", Show(.claim))]
    ClaimUnfounded {
        /// The appointment.
        holder: AppointmentId,
        /// What the table says.
        claim: Claim,
    },
    /// A row of `claims` is none that daybook writes.
    #[error("appointment {holder} has a claim without a half-open, bounded interval")]
    ClaimMisshapen {
        /// The appointment.
        holder: AppointmentId,
    },
    /// An idempotency key's answer names what is not there.
    #[error(
        "an idempotency key answers with version {version} of {id} at a position where it is not"
    )]
    AnswerUnfounded {
        /// The aggregate.
        id: Uuid,
        /// The version.
        version: i64,
    },
    /// A row of `commands` without an aggregate or a position.
    #[error("an idempotency key answers with a version of nothing")]
    AnswerMisshapen,
    /// A projection has read what is not there.
    #[error("projection {projection}_{version} has read on to {read}, after the end of the log")]
    ReadAfterTheEnd {
        /// The projection.
        projection: String,
        version: i32,
        /// How far it says that it has read.
        read: Position,
    },
}

struct Show<'a>(&'a Claim);

impl std::fmt::Display for Show<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Claim { resource, seat, during, expires_at } = self.0;
        write!(f, "on resource {resource}, seat {seat}, {} to {}", during.start(), during.end())?;
        match expires_at {
            Some(expires_at) => write!(f, ", until {expires_at}"),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.position {
            Some(position) => write!(f, "position {position}: {}", self.problem),
            None => self.problem.fmt(f),
        }
    }
}

impl Problem {
    /// This, at a position.
    pub(super) fn at(self, position: Position) -> Finding {
        Finding { position: Some(position), problem: self }
    }
}

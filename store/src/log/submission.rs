//! What a decision hands to the log, and what it gets back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use daybook_domain::claim::{Claim, ClaimConflict};
use daybook_domain::{AppointmentId, Refusal, TenantId};
use uuid::Uuid;

use super::{Position, StreamId};

/// Of a fingerprint, so many bytes are of the request where it is also kept whose it is; the others are of that.
const HALF: usize = 16;

/// A client's own name for a command, so that a retry is not a second command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandKey {
    /// The name, unique in its tenant.
    pub key: String,
    /// A hash of the request: the same key must not name two different requests.
    pub fingerprint: [u8; 32],
}

/// What the keys begin with that are kept as HMACs: no caller's key has a space.
const KEPT: &str = "hmac ";

impl CommandKey {
    /// A key of which HMACs are kept: of its name, of the request, and of whose it is.
    pub(crate) fn kept(name: &[u8; 32], request: &[u8; 32], whose: &[u8; 32]) -> Self {
        let key = Self::kept_name(name);
        let mut fingerprint = [0; 32];
        fingerprint[..HALF].copy_from_slice(&request[..HALF]);
        fingerprint[HALF..].copy_from_slice(&whose[..HALF]);
        Self { key, fingerprint }
    }

    /// What is kept of its name.
    pub(crate) fn kept_name(name: &[u8; 32]) -> String {
        format!("{KEPT}{}", URL_SAFE_NO_PAD.encode(name))
    }

    /// Whether that is what is kept of a name, and not the name itself.
    pub(crate) fn is_kept_name(key: &str) -> bool {
        key.starts_with(KEPT)
    }

    /// Whether both are of one caller, as far as that is kept: keys of before are the tenant's.
    pub(crate) fn is_of_same_caller(&self, other: &Self) -> bool {
        let is_kept = self.key.len() > KEPT.len() + HALF && self.key.starts_with(KEPT);
        !is_kept || self.fingerprint[HALF..] == other.fingerprint[HALF..]
    }
}

/// One decision, to be appended whole or not at all.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Whose log it goes to.
    pub tenant: TenantId,
    /// The client's name for the command, where it gave one.
    pub key: Option<CommandKey>,
    /// When it was decided: holds that lapsed by then are in nobody's way.
    pub decided_at: DateTime<Utc>,
    /// What was decided.
    pub decision: Decision,
}

/// What was decided.
#[derive(Debug, Clone)]
pub enum Decision {
    /// This happens.
    Accept {
        /// Every other stream that the decision looked at, with the version it saw.
        read_set: Vec<(StreamId, u64)>,
        /// What is appended; the first is the stream that the command was addressed to.
        appends: Vec<Append>,
        /// All that each of these appointments claims afterwards.
        claims: Vec<(AppointmentId, Vec<Claim>)>,
        /// What a claim means that is in the way.
        on_conflict: OnConflict,
    },
    /// Nothing happens, for it is refused or is so already; this is kept as the answer to the command's key.
    Answer(FirstAnswer),
}

/// What it means for a decision that a claim of another appointment is in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// It is refused, and that is the answer to its key.
    Refuse,
    /// It had a choice and is decided again: there is no answer yet.
    Retry,
}

impl Decision {
    /// How many events it appends.
    pub(super) fn events(&self) -> u64 {
        match self {
            Self::Accept { appends, .. } => {
                appends.iter().map(|append| append.events.len() as u64).sum()
            }
            Self::Answer(_) => 0,
        }
    }

    /// Every stream that must still be at the version that the decision saw: what it read, and
    /// what it appends to.
    pub(super) fn expected_versions(&self) -> impl Iterator<Item = (&StreamId, u64)> {
        let (read, appends): (&[_], &[_]) = match self {
            Self::Accept { read_set, appends, .. } => (read_set, appends),
            Self::Answer(_) => (&[], &[]),
        };
        let read = read.iter().map(|(stream, version)| (stream, *version));
        read.chain(appends.iter().map(|append: &Append| (&append.stream, append.after)))
    }
}

/// Events for the end of one stream.
#[derive(Debug, Clone)]
pub struct Append {
    /// The stream.
    pub stream: StreamId,
    /// Its version before these events.
    pub after: u64,
    /// The events.
    pub events: Vec<NewEvent>,
}

impl Append {
    /// The stream's version with these events.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.after + self.events.len() as u64
    }
}

/// An event, serialised.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its type's name.
    pub event_type: String,
    /// The version of its form.
    pub event_version: String,
    /// What happened, as JSON.
    pub payload: String,
    /// Who did it and why, as a JSON object of strings.
    pub metadata: String,
}

impl NewEvent {
    /// An event, of which it is not said yet who did it and why.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of(event: &impl DomainEvent) -> Result<Self, serde_json::Error> {
        Ok(Self {
            event_type: event.event_type(),
            event_version: event.event_version(),
            payload: serde_json::to_string(event)?,
            metadata: "{}".to_owned(),
        })
    }
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is in the log; this is the position of its last event.
    Appended(Position),
    /// The answer is kept for its key.
    AnswerKept,
    /// Its key was seen before, with this answer; nothing was done now.
    Answered(FirstAnswer),
    /// Its key was seen before, with another request.
    KeyReused,
    /// Its key was seen before, from another caller.
    KeyOfAnother,
    /// These streams are not at the version that the decision saw.
    Stale(Vec<StreamId>),
    /// A claim of another appointment is in the way.
    SlotTaken(ClaimConflict),
}

/// The answer that a key got when it was first seen.
#[derive(Debug, Clone, PartialEq)]
pub enum FirstAnswer {
    /// The command was accepted.
    Accepted {
        /// The aggregate it was addressed to.
        id: Uuid,
        /// The version that it led to.
        version: u64,
        /// The position of its last event.
        position: Position,
    },
    /// The command was refused.
    Refused(Refusal),
}

/// A submission that got no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too many submissions wait already.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The database cannot be reached, or has no room. Nothing was done.
    #[error("the log cannot be written at present")]
    Unavailable,
    /// The connection died in the commit, and the log could not be asked since. A retry with the
    /// same idempotency key is safe.
    #[error("whether the command was carried out is not known yet")]
    OutcomeUnknown,
    /// The tenant has no log.
    #[error("there is no such tenant")]
    UnknownTenant,
    /// The database refuses these very events.
    #[error("the events cannot be stored: SQLSTATE {sqlstate}")]
    Rejected {
        /// PostgreSQL's code.
        sqlstate: String,
    },
}

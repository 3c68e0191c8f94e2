//! What becomes of a command.

use daybook_domain::Refusal;
use daybook_domain::client::ClientRefusal;
use daybook_domain::rights::OutsideLimits;
use uuid::Uuid;

use crate::log::{AppendError, Position};
use crate::personal::KeyringError;

/// A command that was carried out, now or when its key was first seen; or would be, in a dry run.
#[derive(Debug, Clone)]
pub struct Executed<A> {
    /// The aggregate.
    pub id: Uuid,
    /// Its version with the command's events.
    pub version: u64,
    /// The position of the last of them; `None`: it was a dry run, and nothing has happened.
    pub position: Option<Position>,
    /// The aggregate at that version.
    pub state: A,
}

impl From<KeyringError> for ExecuteError {
    fn from(error: KeyringError) -> Self {
        match error {
            // Whoever had not seen it yet would have been refused for that.
            KeyringError::Destroyed(_) => Self::Refused(ClientRefusal::ClientErased.into()),
            other => Self::Personal(other),
        }
    }
}

/// A command that was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// A rule refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Whoever gives it is limited, and what becomes of it is not theirs.
    #[error(transparent)]
    Outside(#[from] OutsideLimits),
    /// Its key names another request already.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Its key names a request of another caller already.
    #[error("the idempotency key was used by another caller")]
    KeyOfAnother,
    /// What it looked at changed each time it was decided.
    #[error("too many commands for the same thing at once")]
    Contended,
    /// More is booked in that time than is looked at.
    #[error("it is about more than {max_claims} bookings of resources")]
    TooBroad { max_claims: usize },
    /// The log gave no verdict.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log cannot be read at present.
    #[error("the log cannot be read at present: {0}")]
    Unavailable(String),
    /// Personal data cannot be sealed or opened.
    #[error(transparent)]
    Personal(KeyringError),
    /// The log has what this program does not understand.
    #[error("the log cannot be understood: {0}")]
    Unreadable(String),
}

impl ExecuteError {
    /// Whether the same command may be carried out a little later: it is neither refused nor impossible. It may even have been
    /// carried out ([`AppendError::OutcomeUnknown`]).
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Contended | Self::Unavailable(_) | Self::Personal(KeyringError::Database(_)) => {
                true
            }
            Self::Append(error) => matches!(
                error,
                AppendError::Overloaded | AppendError::Unavailable | AppendError::OutcomeUnknown
            ),
            Self::Refused(_)
            | Self::Outside(_)
            | Self::KeyReused
            | Self::KeyOfAnother
            | Self::TooBroad { .. }
            | Self::Personal(_)
            | Self::Unreadable(_) => false,
        }
    }
}

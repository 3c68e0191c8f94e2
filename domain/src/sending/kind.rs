//! What messages to clients are for.

use serde::{Deserialize, Serialize};

use crate::notice::What;

/// What a message to a client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An appointment is to come.
    Reminder,
    /// It is booked.
    Confirmation,
    /// It is at another time or place.
    Change,
    /// It is cancelled.
    Cancellation,
    /// A place is held for a client who has waited.
    Offer,
}

impl Kind {
    pub const ALL: [Self; 5] =
        [Self::Reminder, Self::Confirmation, Self::Change, Self::Cancellation, Self::Offer];

    /// Its name on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::Confirmation => What::Confirmation.as_str(),
            Self::Change => What::Change.as_str(),
            Self::Cancellation => What::Cancellation.as_str(),
            Self::Offer => What::Offer.as_str(),
        }
    }
}

crate::words!(Kind, "kind of message", UnknownKind);

impl From<What> for Kind {
    fn from(what: What) -> Self {
        match what {
            What::Offer => Self::Offer,
            What::Confirmation => Self::Confirmation,
            What::Change => Self::Change,
            What::Cancellation => Self::Cancellation,
        }
    }
}

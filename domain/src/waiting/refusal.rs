//! Why a command of the waiting list is refused.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Status;
use crate::service::{ClientEntryLimit, EntryLimit};
use crate::{ClientId, Meaning};

/// Why a command of the waiting list is refused, where it is not for a reason that a booking has too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum WaitingRefusal {
    /// There is no such entry.
    #[error("there is no such entry of the waiting list")]
    EntryNotFound,
    /// This id is taken.
    #[error("an entry with this id exists already")]
    EntryExists,
    /// The client waits no longer.
    #[error("the entry is closed: it is {waiting_status}")]
    EntryClosed {
        /// What became of it.
        waiting_status: Status,
    },
    /// An entry that has an offer gets no other.
    #[error("a place is offered to it already")]
    OfferOpen,
    /// There is no offer to take note of.
    #[error("no place is offered to it")]
    NoOffer,
    /// The wishes are not over.
    #[error("the days that are wished for have not passed")]
    WishesStand,
    /// Only what is to come can be waited for.
    #[error("all days that are wished for have passed")]
    WishesPassed {
        /// The last of them.
        last: NaiveDate,
    },
    /// Nobody waits for so long.
    #[error("the last day that can be waited for is {required}, not {found}")]
    TooFarAhead {
        /// The last day that can be wished for now.
        required: NaiveDate,
        /// The last that was.
        found: NaiveDate,
    },
    /// The client waits often enough.
    #[error("the client waits {found} times already, and {} times at most", required.get())]
    ClientEntryLimit {
        client_id: ClientId,
        /// How many open entries a client can have.
        required: ClientEntryLimit,
        /// How many it has.
        found: u64,
    },
    /// The list is as long as it can be.
    #[error("{found} wait already, and {} at most", required.get())]
    WaitingListFull {
        /// How many open entries there can be.
        required: EntryLimit,
        /// How many there are.
        found: u64,
    },
}

impl WaitingRefusal {
    pub(crate) const fn meaning(&self) -> Meaning {
        match self {
            Self::EntryNotFound => Meaning::NOT_FOUND,
            Self::EntryExists => Meaning::EXISTS,
            Self::EntryClosed { .. } => Meaning::conflict("They wait no longer"),
            Self::OfferOpen => Meaning::conflict("A place is offered"),
            Self::NoOffer => Meaning::conflict("No place is offered"),
            Self::WishesStand => Meaning::conflict("The wishes have not passed"),
            Self::WishesPassed { .. } => Meaning::invalid("The wishes have passed"),
            Self::TooFarAhead { .. } => Meaning::invalid("It is too far ahead"),
            Self::ClientEntryLimit { .. } => Meaning::conflict("The client waits often enough"),
            Self::WaitingListFull { .. } => Meaning::conflict("The waiting list is full"),
        }
    }
}

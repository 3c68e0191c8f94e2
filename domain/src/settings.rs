//! What a tenant has chosen for itself, where no service says it.

use serde::{Deserialize, Serialize};

use crate::service::{ClientEntryLimit, EntryLimit, HoldLimit};
use crate::time::HoldLength;

/// What a tenant has chosen. A decision takes them as they are then, and its event says by which it was made
/// wherever that matters later: no decision is taken again because they change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSettings {
    /// How many holds one client can have at once.
    pub holds_per_client: HoldLimit,
    /// For how long a place is offered to a client on the waiting list.
    pub offer_minutes: HoldLength,
    /// How many times one client can wait at once.
    pub waiting_per_client: ClientEntryLimit,
    /// How many entries of the waiting list can be open.
    pub waiting_list: EntryLimit,
    /// How far ahead series of imported calendars are followed.
    pub import_days: ImportDays,
}

/// How many days ahead something is followed that may have no end: 1 to 3,660.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct ImportDays(u16);

/// A number of days outside the range of [`ImportDays`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("series are followed for 1 to 3660 days, got {days}")]
pub struct ImportDaysError {
    days: u16,
}

impl ImportDays {
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for ImportDays {
    /// Two years.
    fn default() -> Self {
        Self(731)
    }
}

impl TryFrom<u16> for ImportDays {
    type Error = ImportDaysError;

    fn try_from(days: u16) -> Result<Self, ImportDaysError> {
        if (1..=3_660).contains(&days) { Ok(Self(days)) } else { Err(ImportDaysError { days }) }
    }
}

impl From<ImportDays> for u16 {
    fn from(days: ImportDays) -> Self {
        days.0
    }
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            holds_per_client: HoldLimit::default(),
            offer_minutes: HoldLength::OFFER,
            waiting_per_client: ClientEntryLimit::default(),
            waiting_list: EntryLimit::default(),
            import_days: ImportDays::default(),
        }
    }
}

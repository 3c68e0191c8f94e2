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
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            holds_per_client: HoldLimit::default(),
            offer_minutes: HoldLength::OFFER,
            waiting_per_client: ClientEntryLimit::default(),
            waiting_list: EntryLimit::default(),
        }
    }
}

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
    /// Over how many days it is added up who is booked least.
    pub least_booked_days: LeastBookedDays,
}

/// Whole days, within bounds.
macro_rules! days {
    ($(
        $(#[$doc:meta])* $name:ident: $min:literal to $max:literal, else $default:literal;
        $error:ident: $what:literal;
    )+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "u16", into = "u16")]
        pub struct $name(u16);

        #[doc = concat!("A number of days outside the range of [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error("{} {} to {} days, got {days}", $what, $min, $max)]
        pub struct $error {
            days: u16,
        }

        impl $name {
            #[must_use]
            pub const fn get(self) -> u16 {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl TryFrom<u16> for $name {
            type Error = $error;

            fn try_from(days: u16) -> Result<Self, $error> {
                if ($min..=$max).contains(&days) { Ok(Self(days)) } else { Err($error { days }) }
            }
        }

        impl From<$name> for u16 {
            fn from(days: $name) -> Self {
                days.0
            }
        }
    )+};
}

days! {
    /// How many days ahead something is followed that may have no end: two years, unless it is said.
    ImportDays: 1 to 3660, else 731;
    ImportDaysError: "series are followed for";

    /// How many local days count for who is booked least: those up to the day of the appointment.
    LeastBookedDays: 1 to 31, else 7;
    LeastBookedDaysError: "who is booked least is told by";
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            holds_per_client: HoldLimit::default(),
            offer_minutes: HoldLength::OFFER,
            waiting_per_client: ClientEntryLimit::default(),
            waiting_list: EntryLimit::default(),
            import_days: ImportDays::default(),
            least_booked_days: LeastBookedDays::default(),
        }
    }
}

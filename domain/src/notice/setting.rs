//! Whether a tenant's clients are told of their appointments.

use serde::{Deserialize, Serialize};

/// Whether and how clients are told what becomes of their appointments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notices {
    /// They are not.
    #[default]
    Off,
    /// By mail to their address.
    Email,
}

impl Notices {
    pub const ALL: [Self; 2] = [Self::Off, Self::Email];

    /// Its name on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Email => "email",
        }
    }

    #[must_use]
    pub const fn are_off(self) -> bool {
        matches!(self, Self::Off)
    }
}

crate::words!(Notices, "way of telling clients", UnknownNotices);

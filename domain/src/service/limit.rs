//! How many is the most.

use serde::{Deserialize, Serialize};

/// A limit outside the range of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} is 1 to {max}, got {got}")]
pub struct LimitError {
    what: &'static str,
    max: u16,
    got: u16,
}

macro_rules! limit {
    ($(#[$doc:meta])* $name:ident, $what:literal, 1..=$max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("minimum" = 1, "maximum" = $max)))]
        #[serde(try_from = "u16", into = "u16")]
        pub struct $name(u16);

        impl $name {
            /// The number itself.
            #[must_use]
            pub const fn get(self) -> u16 {
                self.0
            }
        }

        impl TryFrom<u16> for $name {
            type Error = LimitError;

            fn try_from(got: u16) -> Result<Self, LimitError> {
                let fits = (1..=$max).contains(&got);
                if fits { Ok(Self(got)) } else { Err(LimitError { what: $what, max: $max, got }) }
            }
        }

        impl From<$name> for u16 {
            fn from(limit: $name) -> Self {
                limit.0
            }
        }
    };
}

limit!(
    /// How many appointments of a service one client can have on one local day: 1 to 100.
    DailyLimit, "a limit per client and day", 1..=100
);
limit!(
    /// How many holds one client can have at once: 1 to 1,000.
    HoldLimit, "a limit of holds per client", 1..=1_000
);

limit!(
    /// How many clients can share one session of a service: 1 to 500.
    SessionPlaces, "the places of a session", 1..=500
);

limit!(
    /// How many times one client can wait at once: 1 to 1,000.
    ClientEntryLimit, "a limit of waiting-list entries per client", 1..=1_000
);
limit!(
    /// How many entries a waiting list can have that are open: 1 to 50,000.
    EntryLimit, "a limit of waiting-list entries", 1..=50_000
);

impl Default for HoldLimit {
    fn default() -> Self {
        Self(3)
    }
}

impl Default for ClientEntryLimit {
    fn default() -> Self {
        Self(20)
    }
}

impl Default for EntryLimit {
    fn default() -> Self {
        Self(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_bounded() {
        assert_eq!(DailyLimit::try_from(100).map(DailyLimit::get), Ok(100));
        assert!(DailyLimit::try_from(0).is_err());
        assert!(DailyLimit::try_from(101).is_err());
        assert!(HoldLimit::try_from(1_001).is_err());
        assert!(SessionPlaces::try_from(501).is_err());
    }
}

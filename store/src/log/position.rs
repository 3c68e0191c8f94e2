//! Where an event is in its tenant's log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of an event in its tenant's log: 1, 2, 3, ... without a gap, in commit order.
///
/// Whoever has seen position n has seen all of 1..=n, for ever. 0 is before the first event.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);

    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position `count` events on.
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The position `count` events before; there is none before the start.
    #[must_use]
    pub const fn minus(self, count: u64) -> Self {
        Self(self.0.saturating_sub(count))
    }

    /// As PostgreSQL's `bigint`. Numbers beyond it come from outside; no log is as long.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        if self.0 > i64::MAX.cast_unsigned() { i64::MAX } else { self.0.cast_signed() }
    }

    /// From PostgreSQL's `bigint`; the schema keeps it from being negative.
    #[must_use]
    pub const fn from_i64(position: i64) -> Self {
        Self(position.cast_unsigned())
    }
}

impl FromStr for Position {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let position = text.parse()?;
        // PostgreSQL counts no further.
        text.parse::<i64>()?;
        Ok(Self(position))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_as_large_as_postgresql_counts() {
        assert_eq!("9223372036854775807".parse(), Ok(Position::from_i64(i64::MAX)));
        for none in ["9223372036854775808", "-1", "", "x"] {
            assert!(none.parse::<Position>().is_err(), "{none}");
        }
    }
}

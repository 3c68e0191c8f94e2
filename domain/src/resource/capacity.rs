//! How many appointments a resource takes at once.

use serde::{Deserialize, Serialize};

/// A number of places outside the range of [`Capacity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a resource has 1 to {max} places, got {places}", max = Capacity::MAX)]
pub struct CapacityError {
    places: u16,
}

/// How many interchangeable places a resource has: as many appointments can have it at once,
/// each on a place of its own. 1 to [`Capacity::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "u16", into = "u16")]
pub struct Capacity(u16);

impl Capacity {
    /// The most places that one resource can have.
    pub const MAX: u16 = 1_000;

    /// A resource that one appointment has to itself.
    pub const ONE: Self = Self(1);

    /// The number of places; they are numbered from 0.
    #[must_use]
    pub const fn places(self) -> u16 {
        self.0
    }

    /// Whether one appointment has it to itself.
    #[must_use]
    pub const fn is_one(&self) -> bool {
        self.0 == 1
    }
}

impl Default for Capacity {
    fn default() -> Self {
        Self::ONE
    }
}

impl TryFrom<u16> for Capacity {
    type Error = CapacityError;

    fn try_from(places: u16) -> Result<Self, CapacityError> {
        if (1..=Self::MAX).contains(&places) {
            Ok(Self(places))
        } else {
            Err(CapacityError { places })
        }
    }
}

impl From<Capacity> for u16 {
    fn from(capacity: Capacity) -> Self {
        capacity.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_one_to_a_thousand_places() {
        assert_eq!(Capacity::try_from(1), Ok(Capacity::ONE));
        assert_eq!(Capacity::try_from(1_000).map(Capacity::places), Ok(1_000));
        assert_eq!(Capacity::try_from(0), Err(CapacityError { places: 0 }));
        assert!(Capacity::try_from(1_001).is_err());
    }
}

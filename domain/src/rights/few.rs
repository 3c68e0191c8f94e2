//! A few of a kind: one at least, each once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One to [`Few::MAX`] of a kind, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "Vec<T>",
    into = "Vec<T>",
    bound = "T: Ord + Clone + Serialize + for<'a> Deserialize<'a>"
)]
pub struct Few<T: Ord>(BTreeSet<T>);

/// None at all, or too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("1 to {MAX} are named")]
pub struct NotAFew;

const MAX: usize = 100;

impl<T: Ord> Few<T> {
    pub const MAX: usize = MAX;

    #[must_use]
    pub fn contains(&self, one: &T) -> bool {
        self.0.contains(one)
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// All of these, which come of a few.
    pub(super) fn all(these: impl Iterator<Item = T>) -> Self {
        Self(these.collect())
    }

    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

impl<T: Ord> TryFrom<Vec<T>> for Few<T> {
    type Error = NotAFew;

    fn try_from(all: Vec<T>) -> Result<Self, NotAFew> {
        // Before they are sorted: whatever is said again and again is not read to its end.
        if all.is_empty() || all.len() > MAX {
            Err(NotAFew)
        } else {
            Ok(Self(all.into_iter().collect()))
        }
    }
}

impl<T: Ord> From<Few<T>> for Vec<T> {
    fn from(few: Few<T>) -> Self {
        few.0.into_iter().collect()
    }
}

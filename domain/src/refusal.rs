//! Every reason for which a command can be refused.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::aggregates;
use crate::appointment::AppointmentRefusal;
use crate::claim::ClaimConflict;

macro_rules! refusal {
    ($($name:ident: $aggregate:ty, $id:ty, $refusal:ty;)+) => {
        /// A refusal: nothing happened, and here is why.
        ///
        /// It is stored with an idempotency key, so that a retry gets the same answer; and in the log, where a
        /// series says why an occurrence was not booked. So what was a refusal once stays one.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(tag = "aggregate", rename_all = "kebab-case")]
        pub enum Refusal {
            $(
                #[error(transparent)]
                $name(#[from] $refusal),
            )+
            /// The caller has seen an older version than the current one.
            #[error("it is at version {actual}, not at version {expected}")]
            StaleVersion {
                /// The version that the caller has seen.
                expected: u64,
                actual: u64,
            },
            /// Another of its kind has the reference.
            #[error("{id} has this reference; give another, or take it from that one")]
            ReferenceTaken {
                /// What has it.
                id: Uuid,
            },
            /// One command of an atomic batch is refused, and so is all of it.
            #[error("item {index}: {refusal}")]
            InBatch {
                /// Which one is the first, from 0.
                index: u32,
                refusal: Box<Self>,
            },
        }

        impl Refusal {
            /// What it means. A refusal of one among many means what that one means.
            #[must_use]
            pub fn meaning(&self) -> Meaning {
                match self {
                    $(Self::$name(refusal) => refusal.meaning(),)+
                    Self::StaleVersion { .. } => {
                        Meaning { kind: RefusalKind::Precondition, title: "It has changed" }
                    }
                    Self::ReferenceTaken { .. } => Meaning::conflict("The reference is taken"),
                    Self::InBatch { refusal, .. } => refusal.meaning(),
                }
            }
        }
    };
}
aggregates!(refusal);

/// Of claims that alone decide.
impl From<ClaimConflict> for Refusal {
    fn from(conflict: ClaimConflict) -> Self {
        match conflict.reference_of {
            Some(id) => Self::ReferenceTaken { id },
            None => AppointmentRefusal::from(conflict).into(),
        }
    }
}

/// What a refusal asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// Another id: there is no such thing.
    NotFound,
    /// Another time: what is now is against it, and may change.
    Conflict,
    /// Another command: this one can never be accepted.
    Invalid,
    /// Another look: the caller has seen an older version.
    Precondition,
}

/// What a refusal means, whatever its facts are.
///
/// Its name among the types of problems is not here: it is the name that it has in the log, its
/// `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// Of what kind it is.
    pub kind: RefusalKind,
    /// What happened, in words that are the same each time.
    pub title: &'static str,
}

impl Meaning {
    pub(crate) const NOT_FOUND: Self = Self { kind: RefusalKind::NotFound, title: "Not found" };
    pub(crate) const EXISTS: Self = Self::conflict("It exists already");
    pub(crate) const PATCH_MISFIT: Self = Self::invalid("It does not go together with what stays");
    pub(crate) const RETIRED: Self = Self::conflict("It has been retired");

    pub(crate) const fn conflict(title: &'static str) -> Self {
        Self { kind: RefusalKind::Conflict, title }
    }

    pub(crate) const fn invalid(title: &'static str) -> Self {
        Self { kind: RefusalKind::Invalid, title }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_a_batch_is_stored_with_the_refusal_of_its_item() {
        let refusal = Box::new(AppointmentRefusal::NoResources.into());
        let refusal = Refusal::InBatch { index: 3, refusal };
        let stored = r#"{"aggregate":"in-batch","index":3,"refusal":{"aggregate":"appointment","code":"no-resources"}}"#;
        assert_eq!(serde_json::to_string(&refusal).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Refusal>(stored).unwrap(), refusal);
    }

    #[test]
    fn a_refusal_for_a_reference_is_stored_with_what_has_it() {
        let stored =
            r#"{"aggregate":"reference-taken","id":"00000000-0000-0000-0000-000000000001"}"#;
        let refusal = Refusal::ReferenceTaken { id: Uuid::from_u128(1) };
        assert_eq!(serde_json::to_string(&refusal).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Refusal>(stored).unwrap(), refusal);
    }

    #[test]
    fn a_refusal_that_was_stored_with_shorter_names_is_read() {
        let (at, end) = ("2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z");
        let id = "00000000-0000-0000-0000-000000000001";
        for (names, stored) in [
            (
                [
                    "\"start\":\"2026-11-24T09:00:00Z\",\"end\"",
                    "\"start_at\":\"2026-11-24T09:00:00Z\",\"end_at\"",
                ],
                format!(
                    r#"{{"aggregate":"appointment","code":"slot-taken","resource_id":"{id}","during":{{"start":"{at}","end":"{end}"}}}}"#
                ),
            ),
            (
                ["\"start\"", "\"start_at\""],
                format!(r#"{{"aggregate":"appointment","code":"in-the-past","start":"{at}"}}"#),
            ),
            (
                ["\"start\"", "\"dtstart\""],
                r#"{"aggregate":"series","code":"start-not-in-rule","start":"2027-03-15T09:00"}"#
                    .to_owned(),
            ),
        ] {
            let refusal: Refusal = serde_json::from_str(&stored).unwrap();
            let today = stored.replace(names[0], names[1]);
            assert_eq!(serde_json::to_string(&refusal).unwrap(), today);
        }
    }
}

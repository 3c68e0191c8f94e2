//! What becomes of a try.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What has become of a try, as whoever tried it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<W> {
    /// A server has taken it on.
    Accepted { code: u16 },
    /// It was not taken, and may be later. Without a code, nobody was asked.
    Transient { code: Option<u16> },
    /// It will never be taken.
    Permanent { code: Option<u16> },
    /// It may have been taken.
    Unknown,
    /// There was nothing to send after all.
    Nothing(W),
}

/// The same, as it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded<W> {
    Sent(Sent),
    Failed(Failed),
    GivenUp(W),
}

/// A server has taken it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sent {
    /// The code of its reply (RFC 5321 section 4.2).
    pub code: u16,
}

/// A try has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Failed {
    pub failure: Failure,
    /// The code of the reply, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// When it is tried again. None: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<DateTime<Utc>>,
}

/// Of which kind a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "SendingFailure"))]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// It may be taken later.
    Transient,
    /// It will never be taken.
    Permanent,
    /// It may have been taken: nobody knows.
    Unknown,
}

impl Failure {
    pub const ALL: [Self; 3] = [Self::Transient, Self::Permanent, Self::Unknown];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Unknown => "unknown",
        }
    }
}

crate::words!(Failure, "failure", UnknownFailure);

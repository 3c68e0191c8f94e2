//! Sessions of browsers: whoever has shown a key or an access token is known by a cookie for a while, so that no page has to
//! keep either.
//!
//! A session is good for what made it, and ends with it.
//!
//! * [`rows`]: making, listing and ending sessions.
//! * [`holders`]: who a session's cookie speaks for.

mod holders;
mod rows;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

pub use holders::{BrowserSessions, SessionHeld, SessionHolder};
pub(crate) use rows::KnownSession;
pub use rows::MakeError;

/// After so long without a request a session has ended.
pub const IDLE: TimeDelta = TimeDelta::minutes(30);

/// So long it lasts, however much it is used.
pub const LONGEST: TimeDelta = TimeDelta::hours(12);

/// The most sessions of one key, or of one person: beyond it, those that were used longest ago end.
pub const MAX_OF_ONE: i64 = 50;

/// A session as it is listed: not its cookie, which nobody keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserSession {
    pub id: Uuid,
    pub created_at: DateTime<Utc>,
    /// To the minute.
    pub used_at: DateTime<Utc>,
    /// At the latest.
    pub ends_at: DateTime<Utc>,
}

/// A session that was just made: what its cookie has is only ever shown here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeSession {
    pub text: String,
    pub listed: BrowserSession,
}

#[cfg(test)]
mod tests;

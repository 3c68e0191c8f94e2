//! Calendar feeds: calendars of a tenant that whoever has their address is told, with no key.
//!
//! The address is the secret. It is shown once and kept as a hash, so that nobody who reads the database can follow a calendar. A
//! feed is good until it is revoked: whoever made it may be gone by then, and those who follow it cannot be told another
//! address.
//!
//! * [`CalendarFeeds`]: making, listing, rotating and revoking them, and which one an address is of.

mod rows;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use daybook_domain::rights::Limits;
use daybook_domain::{Name, Tags};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use rows::{CalendarFeeds, FeedError, Followed};

use crate::feed::Privacy;

/// The most feeds of a tenant.
pub const MAX_CALENDAR_FEEDS: i64 = 1_000;

/// How much of each event a feed tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// What it is.
    #[default]
    Full,
    /// That something is.
    Busy,
}

impl Detail {
    pub const ALL: [Self; 2] = [Self::Full, Self::Busy];

    /// Its name on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Busy => "busy",
        }
    }
}

daybook_domain::words!(Detail, "detail", UnknownDetail);

/// What a feed is of, and what it tells of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedTerms {
    /// What people call it, and calendars show.
    pub name: Name,
    /// What takes place within these.
    pub limits: Limits,
    /// It has all of these.
    pub tags: Tags,
    pub detail: Detail,
    /// Whether personal titles and the names of clients are told.
    pub personal: Privacy,
}

impl FeedTerms {
    /// The same, which says to tell what is personal only where it does.
    #[must_use]
    pub fn as_told(self) -> Self {
        let personal = if self.tells_personal() { Privacy::Told } else { Privacy::Withheld };
        Self { personal, ..self }
    }

    /// Whether it tells what is personal.
    #[must_use]
    pub fn tells_personal(&self) -> bool {
        self.detail == Detail::Full && self.personal == Privacy::Told
    }
}

/// A feed, but for its address, which nobody keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarFeed {
    pub id: Uuid,
    pub terms: FeedTerms,
    /// Who made it, as the log calls them.
    pub made_by: String,
    pub created_at: DateTime<Utc>,
    /// Since when its address is the present one, where there was one before.
    pub rotated_at: Option<DateTime<Utc>>,
    /// To the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl CalendarFeed {
    /// What the audit log calls it.
    #[must_use]
    pub fn actor(&self) -> String {
        format!("calendar-feed:{}", self.id)
    }
}

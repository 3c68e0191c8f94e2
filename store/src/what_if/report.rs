//! What would have been different.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use daybook_domain::ResourceId;
use serde::Serialize;
use uuid::Uuid;

use crate::Position;

/// How many refusals are told one by one; all are counted.
pub const MAX_TOLD: usize = 1_000;

/// What would have been different.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// How many events were gone through, those before the first that is asked about among them.
    pub events: u64,
    /// How many commands were run.
    pub commands: u64,
    /// How many bookings and holds would have been refused.
    pub bookings_refused: u64,
    /// How many other commands would have been refused.
    pub others_refused: u64,
    /// How many commands were about what would not have been booked.
    pub in_vain: u64,
    /// How often for which reason.
    pub reasons: BTreeMap<String, u64>,
    /// The first of those that would have been refused.
    pub refused: Vec<Refused>,
    /// What is booked of each resource at the end.
    pub utilisation: Vec<Utilisation>,
}

/// A command that would have been refused.
#[derive(Debug, Serialize)]
pub struct Refused {
    /// Where what it led to is in the log.
    pub position: Position,
    /// When it was given.
    pub at: DateTime<Utc>,
    /// To what it was addressed.
    pub id: Uuid,
    /// What it led to.
    pub event_type: String,
    /// The kind of refusal, as the API calls it.
    pub reason: String,
    /// The refusal in words.
    pub detail: String,
}

/// What is booked of a resource.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Utilisation {
    pub resource_id: ResourceId,
    /// What it is called.
    pub name: String,
    /// So many minutes as it was.
    pub minutes_before: i64,
    /// So many minutes as it would have been.
    pub minutes_after: i64,
}

impl Report {
    pub(super) fn refuse(&mut self, refused: Refused, is_booking: bool) {
        if is_booking {
            self.bookings_refused += 1;
        } else {
            self.others_refused += 1;
        }
        *self.reasons.entry(refused.reason.clone()).or_default() += 1;
        if self.refused.len() < MAX_TOLD {
            self.refused.push(refused);
        }
    }
}

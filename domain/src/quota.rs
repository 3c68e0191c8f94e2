//! Quotas that are kept by claims: of at most n of something, each claims one of n numbered slots, and
//! the (n+1)th finds none. So a quota holds under any race, as a time slot does.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ResourceId;
use crate::claim::{Claim, ClaimQuery, ClaimSnapshot};
use crate::time::Interval;

/// The namespace of what has numbered places (UUIDv5, RFC 9562 section 5.5). It is part of events:
/// it never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c1d_84e6_0f0b_4c7e_9b56_2d43_a0f5_71c8);

/// What a quota limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum QuotaRule {
    /// How many appointments of a service a client has on a local day.
    ClientDay,
    /// How many holds a client has at once.
    ClientHolds,
    /// How many clients share a session.
    SessionPlace,
    /// How many open entries of the waiting list a client has.
    ClientEntries,
    /// How many open entries a waiting list has.
    WaitingEntries,
}

/// One of the numbered slots of a quota. It is claimed as a place of a resource is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct QuotaSlot {
    /// What is limited.
    pub rule: QuotaRule,
    /// The quota, as a resource that is claimed: an id made of what it limits, and for whom.
    pub of: ResourceId,
    /// Which of them, from 0.
    pub number: u16,
    /// The quota when it was taken: how many slots there were.
    pub at_most: u16,
    /// For when it is taken.
    pub during: Interval,
}

impl QuotaSlot {
    pub(crate) const fn claim(&self, expires_at: Option<DateTime<Utc>>) -> Claim {
        Claim { resource: self.of, seat: self.number, during: self.during, expires_at }
    }
}

/// The slots of a quota, of which one is to be taken for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuotaSlots {
    pub(crate) rule: QuotaRule,
    pub(crate) of: ResourceId,
    pub(crate) at_most: u16,
    pub(crate) during: Interval,
}

impl QuotaSlots {
    /// The claims that say which are free.
    pub(crate) const fn query(&self) -> ClaimQuery {
        ClaimQuery { resource: self.of, during: self.during }
    }

    /// One that is free, so many skipped; `None`: all are taken.
    pub(crate) fn take(&self, claims: &ClaimSnapshot, skip: usize) -> Option<QuotaSlot> {
        let Self { rule, of, at_most, during } = *self;
        let free = claims.free_seats(of, at_most, &during);
        let number = *free.get(skip % free.len().max(1))?;
        Some(QuotaSlot { rule, of, number, at_most, during })
    }
}

/// What stands for something that is limited and has no id of its own.
pub(crate) fn named(name: &str) -> ResourceId {
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).into()
}

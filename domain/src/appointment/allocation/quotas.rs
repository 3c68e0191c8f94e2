//! Quotas that are kept by claims: of at most n of something, each claims one of n numbered slots, and
//! the (n+1)th finds none. So a quota holds under any race, as a time slot does.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime};
use uuid::Uuid;

use crate::appointment::{AppointmentRefusal, QuotaRule, QuotaSlot};
use crate::claim::{ClaimQuery, ClaimSnapshot};
use crate::time::{Duration, Interval};
use crate::{ClientId, ResourceId, ServiceId, SessionId};

/// The namespace of what has numbered places (UUIDv5, RFC 9562 section 5.5). It is part of events:
/// it never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c1d_84e6_0f0b_4c7e_9b56_2d43_a0f5_71c8);

/// A quota that an appointment counts towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::appointment) enum Quota {
    /// Appointments of a service that a client has on a local day.
    ClientDay { client_id: ClientId, service_id: ServiceId, at_most: u16 },
    /// Places of a session, which are claimed for this time.
    SessionPlace { session_id: SessionId, during: Interval, at_most: u16 },
    /// Holds that a client has at once; this one for so long.
    ClientHolds { client_id: ClientId, during: Interval, at_most: u16 },
}

impl Quota {
    /// The claims to query, where the appointment may be on any of these dates.
    pub(in crate::appointment) fn claim_queries(
        &self,
        dates: &BTreeSet<NaiveDate>,
    ) -> Vec<ClaimQuery> {
        let mut queries: Vec<ClaimQuery> = Vec::with_capacity(dates.len());
        for date in dates {
            let (resource, during) = self.counted_on(*date);
            let query = ClaimQuery { resource, during };
            // Holds count together, on whatever date they are for; a session has one.
            if !queries.contains(&query) {
                queries.push(query);
            }
        }
        queries
    }

    /// The place that is taken by an appointment on this local date.
    pub(in crate::appointment) fn take(
        &self,
        date: NaiveDate,
        claims: &ClaimSnapshot,
        skip: usize,
    ) -> Result<QuotaSlot, AppointmentRefusal> {
        let (of, during) = self.counted_on(date);
        let (rule, at_most) = match *self {
            Self::ClientDay { at_most, .. } => (QuotaRule::ClientDay, at_most),
            Self::SessionPlace { at_most, .. } => (QuotaRule::SessionPlace, at_most),
            Self::ClientHolds { at_most, .. } => (QuotaRule::ClientHolds, at_most),
        };
        let free = claims.free_seats(of, at_most, &during);
        match free.get(skip % free.len().max(1)) {
            Some(number) => Ok(QuotaSlot { rule, of, number: *number, at_most, during }),
            None => Err(self.refusal(date)),
        }
    }

    /// Whether this is its place on this local date.
    pub(in crate::appointment) fn has_slot(&self, taken: &QuotaSlot, date: NaiveDate) -> bool {
        self.counted_on(date).0 == taken.of
    }

    /// All places are taken, so as many were found as the limit allows.
    fn refusal(&self, date: NaiveDate) -> AppointmentRefusal {
        match *self {
            Self::ClientDay { client_id, service_id, at_most } => {
                let (required, found) = (at_most, at_most);
                AppointmentRefusal::ClientDayLimit { client_id, service_id, date, required, found }
            }
            Self::SessionPlace { session_id, at_most, .. } => {
                AppointmentRefusal::SessionFull { session_id, places: at_most }
            }
            Self::ClientHolds { client_id, at_most, .. } => {
                let (required, found) = (at_most, at_most);
                AppointmentRefusal::ClientHoldLimit { client_id, required, found }
            }
        }
    }

    /// What the places belong to, and for when they are taken.
    ///
    /// A local day is named by its date; in which zone it lies does not matter to the client, so
    /// the time is that of the date in UTC for all. A hold has its place from when it is made until
    /// it lapses: two that overlap are held at once.
    fn counted_on(&self, date: NaiveDate) -> (ResourceId, Interval) {
        match *self {
            Self::ClientDay { client_id, service_id, .. } => {
                let day = Interval::lasting(date.and_time(NaiveTime::MIN).and_utc(), Duration::DAY);
                (named(&format!("client-day\n{client_id}\n{service_id}\n{date}")), day)
            }
            Self::SessionPlace { session_id, during, .. } => (session_id.places(), during),
            Self::ClientHolds { client_id, during, .. } => {
                (named(&format!("client-holds\n{client_id}")), during)
            }
        }
    }
}

fn named(name: &str) -> ResourceId {
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).into()
}

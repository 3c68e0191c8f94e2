//! The quotas that an appointment counts towards.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime};

use crate::appointment::AppointmentRefusal;
use crate::claim::{ClaimQuery, ClaimSnapshot};
use crate::quota::{QuotaSlots, named};
use crate::time::{Duration, Interval};
use crate::{ClientId, QuotaRule, QuotaSlot, ResourceId, ServiceId, SessionId};

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
            let query = self.slots_on(*date).query();
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
        self.slots_on(date).take(claims, skip).ok_or_else(|| self.refusal(date))
    }

    /// Whether this is its place on this local date.
    pub(in crate::appointment) fn has_slot(&self, taken: &QuotaSlot, date: NaiveDate) -> bool {
        self.slots_on(date).of == taken.of
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

    /// The places of which it takes one.
    ///
    /// A local day is named by its date; in which zone it lies does not matter to the client, so
    /// the time is that of the date in UTC for all. A hold has its place from when it is made until
    /// it lapses: two that overlap are held at once.
    fn slots_on(&self, date: NaiveDate) -> QuotaSlots {
        match *self {
            Self::ClientDay { client_id, service_id, at_most } => QuotaSlots {
                rule: QuotaRule::ClientDay,
                of: named(&format!("client-day\n{client_id}\n{service_id}\n{date}")),
                at_most,
                during: Interval::lasting(date.and_time(NaiveTime::MIN).and_utc(), Duration::DAY),
            },
            Self::SessionPlace { session_id, during, at_most } => {
                let (rule, of): (_, ResourceId) = (QuotaRule::SessionPlace, session_id.places());
                QuotaSlots { rule, of, at_most, during }
            }
            Self::ClientHolds { client_id, during, at_most } => {
                let of = named(&format!("client-holds\n{client_id}"));
                QuotaSlots { rule: QuotaRule::ClientHolds, of, at_most, during }
            }
        }
    }
}

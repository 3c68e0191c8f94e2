//! The agenda: what is on a resource's calendar on some days, now or at a moment of the past.
//!
//! It has no tables of its own: the history has each resource's appointments in order, with all that an
//! agenda shows (`docs/adr/0017-what-was-is-kept-in-rows.md`).

mod entry;

use daybook_domain::claim::Claim;
use daybook_domain::session::Session;
use daybook_domain::time::Interval;
use daybook_domain::{ResourceId, SessionId, TenantId};
use daybook_store::log::Moment;

pub use entry::Entry;

use crate::history::History;

/// The agendas of resources.
#[derive(Debug, Clone)]
pub struct Agenda {
    history: History,
}

/// What was on a resource's calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnAgenda {
    /// What had its time in some part of the days, by start.
    pub entries: Vec<Entry>,
    /// What was claimed of the resource, buffers included.
    pub claims: Vec<Claim>,
    /// Whether there was more than an agenda has.
    pub more: bool,
}

impl Agenda {
    /// How many appointments an agenda has, with those that were cancelled.
    pub const MAX_APPOINTMENTS: usize = 5_000;

    /// The agendas that the history tells.
    #[must_use]
    pub const fn new(history: History) -> Self {
        Self { history }
    }

    /// A resource's calendar as it was at a moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(
        &self,
        tenant: &TenantId,
        resource: ResourceId,
        days: Interval,
        moment: Moment,
    ) -> Result<OnAgenda, sqlx::Error> {
        let as_of = (moment.position, Self::MAX_APPOINTMENTS);
        let calendars = self.history.calendars(tenant, &[resource], days, as_of).await?;
        let on = calendars.into_iter().next().unwrap_or_default();
        let claims = on.claims(resource, moment.at);
        let full = |count| count == Self::MAX_APPOINTMENTS;
        let more = full(on.appointments.len()) || full(on.sessions.len());
        Ok(OnAgenda { entries: entry::entries(on, days, moment.at), claims, more })
    }

    /// How many places of a session were taken at a moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn taken(
        &self,
        tenant: &TenantId,
        (id, session): (SessionId, &Session),
        moment: Moment,
    ) -> Result<usize, sqlx::Error> {
        // Who is in it has its resources, in name.
        let Some(plan) = session.plan() else { return Ok(0) };
        let Some(resource) = plan.slot.resource_ids.iter().next() else { return Ok(0) };
        let on = self.of(tenant, resource, plan.slot.during, moment).await?;
        let its_own = |entry| match entry {
            Entry::Session { session_id, taken, .. } if session_id == id => Some(taken),
            _ => None,
        };
        Ok(on.entries.into_iter().find_map(its_own).unwrap_or_default())
    }
}

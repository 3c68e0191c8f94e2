//! The agenda: what is on a resource's calendar on some days, now or at a moment of the past.
//!
//! It has no tables of its own: the history has each resource's appointments in order, with all that an
//! agenda shows (`docs/adr/0017-what-was-is-kept-in-rows.md`).

mod entry;

use daybook_domain::claim::Claim;
use daybook_domain::session::{Session, SessionStatus};
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, ResourceId, SessionId, TenantId};
use daybook_store::log::Moment;

pub use entry::Entry;

use crate::history::{AppointmentVersion, History};

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

    /// Who had a place of a session at a moment; of one that was cancelled, nobody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn who_was_in(
        &self,
        tenant: &TenantId,
        (id, session): (SessionId, &Session),
        moment: Moment,
    ) -> Result<Vec<AppointmentId>, sqlx::Error> {
        let Session::Made { plan, status: SessionStatus::Scheduled, .. } = session else {
            return Ok(Vec::new());
        };
        // Who is in it has its resources, in name.
        let Some(resource) = plan.slot.resource_ids.iter().next() else { return Ok(Vec::new()) };
        let as_of = (moment.position, Self::MAX_APPOINTMENTS);
        let during = plan.slot.during;
        let calendars = self.history.calendars(tenant, &[resource], during, as_of).await?;
        let appointments = calendars.into_iter().flat_map(|on| on.appointments);
        let is_in = |version: &AppointmentVersion| {
            version.placed.session_id == Some(id) && version.stands(moment.at)
        };
        Ok(appointments.filter(is_in).map(|version| version.appointment.appointment_id).collect())
    }
}

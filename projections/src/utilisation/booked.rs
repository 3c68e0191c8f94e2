//! What appointments and sessions take of their resources: pure, without a database.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::{Appointment, Slot, Status};
use daybook_domain::session::Session;
use daybook_domain::time::{Interval, date_in, minutes_by_date};
use daybook_domain::{Category, ResourceId, ResourceIds, ServiceId, SessionId};
use uuid::Uuid;

use crate::change::{AppointmentChange, AppointmentStream};

/// An appointment that was booked, or a session that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Booking {
    id: Uuid,
    service_id: ServiceId,
    category: Category,
    pub(super) resource_ids: ResourceIds,
    during: Interval,
    outcome: BookingOutcome,
    /// Whether its time is booked time of its resources.
    takes_time: bool,
    /// When it was booked; `None`: that is not known.
    booked_at: Option<DateTime<Utc>>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BookingOutcome {
    /// Booked, whether the client has come or is still to come.
    Booked,
    Cancelled,
    NoShow,
    /// A session that stands.
    Session,
}

impl BookingOutcome {
    /// Its name in the table.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no-show",
            Self::Session => "session",
        }
    }
}

/// What a booking takes of a resource on a day: a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) booking_id: Uuid,
    pub(super) resource_id: ResourceId,
    /// Which of the booking's resources, from 0.
    pub(super) nth: i32,
    pub(super) day: NaiveDate,
    pub(super) service_id: ServiceId,
    pub(super) category: Category,
    pub(super) outcome: BookingOutcome,
    pub(super) minutes: i64,
    pub(super) begins: bool,
    pub(super) lead_minutes: Option<i64>,
}

impl Booking {
    /// What all that happened to an appointment comes to. `None`: a hold, or one that came to nothing.
    pub(super) fn of_appointment(stream: &AppointmentStream<'_>) -> Option<Self> {
        let changes = || stream.earlier.iter().chain(&stream.new);
        let last = changes().last()?;
        let details = last.after.details()?;
        let outcome = match last.after.status()? {
            Status::Held => return None,
            Status::Booked | Status::CheckedIn | Status::Fulfilled => BookingOutcome::Booked,
            Status::NoShow => BookingOutcome::NoShow,
            Status::Cancelled => BookingOutcome::Cancelled,
        };
        // A hold that is given up was never booked.
        let booked = changes().rfind(|change| books(change))?;
        Some(Self {
            id: last.id.uuid(),
            service_id: details.service_id,
            category: details.category.clone(),
            resource_ids: details.slot.resource_ids.clone(),
            during: details.slot.during,
            outcome,
            takes_time: last.after.booked_slot().is_some(),
            // When it was booked in the calendar that it was copied from, nobody knows.
            booked_at: (!details.imported).then_some(booked.recorded_at),
        })
    }

    /// `None`: it was cancelled.
    pub(super) fn of_session(id: SessionId, session: &Session) -> Option<Self> {
        let (plan, Slot { resource_ids, during, .. }) =
            session.plan().zip(session.booked_slot())?;
        Some(Self {
            id: id.uuid(),
            service_id: plan.service_id,
            category: plan.category.clone(),
            resource_ids: resource_ids.clone(),
            during: *during,
            outcome: BookingOutcome::Session,
            takes_time: true,
            booked_at: None,
        })
    }

    /// What it takes, with the zone of each of its resources.
    pub(super) fn taken(&self, zones: &BTreeMap<ResourceId, Tz>) -> Vec<Taken> {
        let lead = self.booked_at.filter(|_| self.outcome != BookingOutcome::Cancelled);
        let lead = lead.map(|booked_at| (self.during.start() - booked_at).num_minutes());
        let mut taken = Vec::new();
        for (nth, resource_id) in (0..).zip(self.resource_ids.iter()) {
            let zone = zones.get(&resource_id).copied().unwrap_or(Tz::UTC);
            let first = date_in(zone, self.during.start());
            for (day, minutes) in minutes_by_date(zone, &self.during) {
                let begins = day == first;
                if begins || self.takes_time {
                    taken.push(Taken {
                        booking_id: self.id,
                        resource_id,
                        nth,
                        day,
                        service_id: self.service_id,
                        category: self.category.clone(),
                        outcome: self.outcome,
                        minutes: if self.takes_time { minutes } else { 0 },
                        begins,
                        lead_minutes: lead.filter(|_| begins),
                    });
                }
            }
        }
        taken
    }
}

/// Whether the appointment is booked by this change.
fn books(change: &AppointmentChange<'_>) -> bool {
    let is_booked = |appointment: &Appointment| appointment.status() == Some(Status::Booked);
    !is_booked(&change.before) && is_booked(&change.after)
}

//! What appointments and sessions take of their resources: pure, without a database.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::{AppointmentEvent, Details, Slot};
use daybook_domain::session::{SessionEvent, SessionScheduled};
use daybook_domain::time::{Interval, date_in, minutes_by_date};
use daybook_domain::{Category, ResourceId, ResourceIds, ServiceId};
use daybook_store::{AnyEvent, RecordedEvent};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An appointment or a session, as far as it is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Booking {
    pub(super) service_id: ServiceId,
    pub(super) category: Category,
    pub(super) resource_ids: ResourceIds,
    during: Interval,
    /// Whether the resources are its session's.
    in_session: bool,
    /// When it was booked; `None`: it was not, or that is not known.
    booked_at: Option<DateTime<Utc>>,
    standing: Standing,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Standing {
    /// A hold, or one that came to nothing.
    NotBooked,
    /// Booked, whether the client has come or is still to come.
    Booked,
    Cancelled,
    NoShow,
    /// A session that stands.
    Session,
}

impl Standing {
    /// Its name in the table; what is not booked is not there.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NotBooked => "not-booked",
            Self::Booked => "booked",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no-show",
            Self::Session => "session",
        }
    }
}

/// What a booking takes of a resource on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) resource_id: ResourceId,
    /// Which of the booking's resources, from 0.
    pub(super) nth: i32,
    pub(super) day: NaiveDate,
    pub(super) standing: Standing,
    pub(super) minutes: i64,
    pub(super) begins: bool,
    pub(super) lead_minutes: Option<i64>,
}

/// Which appointment or session an event is about.
pub(super) fn subject(event: &AnyEvent) -> Option<Uuid> {
    match event {
        AnyEvent::Appointment(id, _) => Some(id.uuid()),
        AnyEvent::Session(id, _) => Some(id.uuid()),
        _ => None,
    }
}

/// Whether what was before does not matter.
pub(super) const fn makes(event: &AnyEvent) -> bool {
    matches!(
        event,
        AnyEvent::Appointment(
            _,
            AppointmentEvent::AppointmentBooked(_) | AppointmentEvent::AppointmentHeld(_)
        ) | AnyEvent::Session(_, SessionEvent::SessionScheduled(_))
    )
}

/// The booking after an event of its own; `None`: it was never made.
pub(super) fn after(before: Option<Booking>, recorded: &RecordedEvent) -> Option<Booking> {
    match &recorded.event {
        AnyEvent::Appointment(_, event) => appointment(before, event, recorded.recorded_at),
        AnyEvent::Session(_, event) => session(before, event),
        _ => before,
    }
}

fn appointment(
    before: Option<Booking>,
    event: &AppointmentEvent,
    recorded_at: DateTime<Utc>,
) -> Option<Booking> {
    use AppointmentEvent as E;
    match event {
        E::AppointmentBooked(details) => {
            // When it was booked in the calendar that it was copied from, nobody knows.
            let booked_at = (!details.imported).then_some(recorded_at);
            return Some(Booking::made(details, Standing::Booked, booked_at));
        }
        E::AppointmentHeld(held) => {
            return Some(Booking::made(&held.details, Standing::NotBooked, None));
        }
        _ => {}
    }
    let mut booking = before?;
    match event {
        E::AppointmentBooked(_)
        | E::AppointmentHeld(_)
        | E::AppointmentCheckedIn(_)
        | E::AppointmentCompleted(_)
        | E::AppointmentConflictAccepted(_) => {}
        E::AppointmentConfirmed(confirmed) => {
            booking.is_now(&confirmed.slot);
            booking.standing = Standing::Booked;
            booking.booked_at = Some(recorded_at);
        }
        E::AppointmentRescheduled(moved) => booking.is_now(&moved.slot),
        E::AppointmentReassigned(other) => booking.is_now(&other.slot),
        E::AppointmentCancelled(_) | E::AppointmentHoldExpired(_) => booking.is_called_off(),
        E::AppointmentMarkedNoShow(_) => booking.standing = Standing::NoShow,
        E::AppointmentTagged(tagged) => booking.category = tagged.category.clone(),
    }
    Some(booking)
}

fn session(before: Option<Booking>, event: &SessionEvent) -> Option<Booking> {
    let plan = match event {
        SessionEvent::SessionScheduled(plan) => return Some(Booking::of_session(plan)),
        SessionEvent::SessionRescheduled(moved) => Some(&moved.slot),
        SessionEvent::SessionCancelled(_) => None,
    };
    let mut booking = before?;
    match plan {
        Some(slot) => booking.is_now(slot),
        None => booking.standing = Standing::NotBooked,
    }
    Some(booking)
}

impl Booking {
    fn made(details: &Details, standing: Standing, booked_at: Option<DateTime<Utc>>) -> Self {
        Self {
            service_id: details.service_id,
            category: details.category.clone(),
            resource_ids: details.slot.resource_ids.clone(),
            during: details.slot.during,
            in_session: details.slot.session_id.is_some(),
            booked_at,
            standing,
        }
    }

    fn of_session(plan: &SessionScheduled) -> Self {
        Self {
            service_id: plan.service_id,
            category: plan.category.clone(),
            resource_ids: plan.slot.resource_ids.clone(),
            during: plan.slot.during,
            in_session: false,
            booked_at: None,
            standing: Standing::Session,
        }
    }

    fn is_now(&mut self, slot: &Slot) {
        self.during = slot.during;
        self.resource_ids = slot.resource_ids.clone();
    }

    /// A hold that is given up was never booked.
    fn is_called_off(&mut self) {
        if self.standing == Standing::Booked {
            self.standing = Standing::Cancelled;
        }
    }

    /// What it takes, with the zone of each of its resources.
    pub(super) fn taken(&self, zones: &BTreeMap<ResourceId, Tz>) -> Vec<Taken> {
        if self.standing == Standing::NotBooked {
            return Vec::new();
        }
        let stands = self.standing != Standing::Cancelled;
        let takes_time = stands && !self.in_session;
        let lead = self.booked_at.filter(|_| stands);
        let lead = lead.map(|booked_at| (self.during.start() - booked_at).num_minutes());
        let mut taken = Vec::new();
        for (nth, resource_id) in (0..).zip(self.resource_ids.iter()) {
            let zone = zones.get(&resource_id).copied().unwrap_or(Tz::UTC);
            let first = date_in(zone, self.during.start());
            for (day, minutes) in minutes_by_date(zone, &self.during) {
                let begins = day == first;
                if begins || takes_time {
                    taken.push(Taken {
                        resource_id,
                        nth,
                        day,
                        standing: self.standing,
                        minutes: if takes_time { minutes } else { 0 },
                        begins,
                        lead_minutes: lead.filter(|_| begins),
                    });
                }
            }
        }
        taken
    }
}

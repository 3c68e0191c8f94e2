//! An appointment, and a session, as they were from one event of theirs to the next.

use chrono::{DateTime, Utc};
use daybook_domain::appointment::{AppointmentEvent, Slot, Status};
use daybook_domain::claim::Claim;
use daybook_domain::session::{Session, SessionStatus};
use daybook_domain::time::Interval;
use daybook_domain::{ResourceId, SessionId};
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::search::FoundAppointment;
use crate::search::row::decode;

/// An event that ended what was so before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until {
    /// Where it is in the log.
    pub position: Position,
    /// When it was recorded.
    pub at: DateTime<Utc>,
}

/// An appointment as it was for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppointmentVersion {
    /// As it was. Its position is that of the event that made it so.
    pub appointment: FoundAppointment,
    /// Where it had its place.
    pub placed: Placed,
    /// When that was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Since when it is otherwise; `None`: it is so now.
    pub until: Option<Until>,
}

/// Where an appointment has its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its time with its buffers.
    pub busy: Interval,
    /// Its place of each of its resources, in their order.
    pub seats: Vec<u16>,
    /// The session that it is in, and that has the resources.
    pub session_id: Option<SessionId>,
}

impl Placed {
    pub(super) fn in_slot(slot: &Slot) -> Self {
        let seats = (0..slot.resource_ids.count()).map(|n| slot.seats.of(n)).collect();
        Self { busy: slot.claimed(), seats, session_id: slot.session_id }
    }
}

/// Where an event places its appointment; `None`: where it was.
pub(super) const fn slot_of(event: &AppointmentEvent) -> Option<&Slot> {
    use AppointmentEvent as E;
    match event {
        E::AppointmentBooked(details) => Some(&details.slot),
        E::AppointmentHeld(held) => Some(&held.details.slot),
        E::AppointmentConfirmed(confirmed) => Some(&confirmed.slot),
        E::AppointmentRescheduled(moved) => Some(&moved.slot),
        E::AppointmentReassigned(other) => Some(&other.slot),
        E::AppointmentCancelled(_)
        | E::AppointmentHoldExpired(_)
        | E::AppointmentCheckedIn(_)
        | E::AppointmentCompleted(_)
        | E::AppointmentMarkedNoShow(_)
        | E::AppointmentTagged(_)
        | E::AppointmentConflictAccepted(_) => None,
    }
}

impl AppointmentVersion {
    /// Whether it had its time, as it was to be seen at `now`: it was not called off, its hold had not
    /// lapsed, and the client had not failed to come.
    #[must_use]
    pub fn stands(&self, now: DateTime<Utc>) -> bool {
        let lapsed = self.appointment.hold_expires_at.is_some_and(|lapses| lapses <= now);
        !lapsed && !matches!(self.appointment.status, Status::Cancelled | Status::NoShow)
    }

    /// What it claimed of a resource.
    pub(super) fn claim(&self, resource: ResourceId, now: DateTime<Utc>) -> Option<Claim> {
        if self.placed.session_id.is_some() || !self.stands(now) {
            return None;
        }
        let n = self.appointment.resource_ids.iter().position(|id| id == resource)?;
        let seat = self.placed.seats.get(n).copied().unwrap_or_default();
        let expires_at = self.appointment.hold_expires_at;
        Some(Claim { resource, seat, during: self.placed.busy, expires_at })
    }
}

impl FromRow<'_, PgRow> for AppointmentVersion {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let seats: Vec<i16> = row.try_get("seats")?;
        Ok(Self {
            appointment: FoundAppointment::from_row(row)?,
            placed: Placed {
                busy: Interval::new(row.try_get("busy_from")?, row.try_get("busy_until")?)
                    .map_err(decode)?,
                seats: seats.into_iter().map(i16::cast_unsigned).collect(),
                session_id: row.try_get::<Option<Uuid>, _>("session_id")?.map(Into::into),
            },
            recorded_at: row.try_get("recorded_at")?,
            until: until(row)?,
        })
    }
}

/// A session as it was for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionVersion {
    /// Which one.
    pub session_id: SessionId,
    /// As it was.
    pub session: Session,
    /// How many events it had had.
    pub version: u64,
    /// The event that made it so.
    pub position: Position,
    /// When that was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Since when it is otherwise; `None`: it is so now.
    pub until: Option<Until>,
}

impl SessionVersion {
    /// What it claimed of a resource.
    pub(super) fn claim(&self, resource: ResourceId) -> Option<Claim> {
        let Session::Made { plan, status: SessionStatus::Scheduled, .. } = &self.session else {
            return None;
        };
        let n = plan.slot.resource_ids.iter().position(|id| id == resource)?;
        let during = plan.slot.claimed();
        Some(Claim { resource, seat: plan.slot.seats.of(n), during, expires_at: None })
    }
}

pub(super) fn until(row: &PgRow) -> Result<Option<Until>, sqlx::Error> {
    let position: Option<i64> = row.try_get("until_position")?;
    let at: Option<DateTime<Utc>> = row.try_get("until_at")?;
    let both = position.map(Position::from_i64).zip(at);
    Ok(both.map(|(position, at)| Until { position, at }))
}

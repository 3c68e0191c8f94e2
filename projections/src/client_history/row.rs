//! An appointment in its client's history.

use chrono::{DateTime, SubsecRound as _, Utc};
use daybook_domain::appointment::{CancelledBy, Details, Slot, Status};
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, Category, ClientId, ResourceId, ResourceIds, ServiceId};
use daybook_store::{Position, RecordedEvent};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

/// An appointment, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAppointment {
    /// Which one.
    pub appointment_id: AppointmentId,
    /// Whose.
    pub client_id: ClientId,
    /// When it is, or was to be.
    pub during: Interval,
    /// What became of it.
    pub status: Status,
    /// When its hold lapses; only of a held one.
    pub hold_expires_at: Option<DateTime<Utc>>,
    /// What was booked.
    pub service_id: ServiceId,
    /// The resources it uses.
    pub resource_ids: ResourceIds,
    /// Its category.
    pub category: Category,
    /// When it was booked, or its hold confirmed. `None`: it never was.
    pub booked_at: Option<DateTime<Utc>>,
    /// How often it was moved.
    pub times_moved: u32,
    /// How and when it was called off, where it was.
    pub cancelled: Option<CalledOff>,
    /// The number of its events.
    pub version: u64,
    /// Where its last event is in the log.
    pub position: Position,
}

/// How and when an appointment was called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalledOff {
    /// On whose side.
    pub by: CancelledBy,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the client's side did so although the window for that had closed.
    pub late: bool,
}

impl PastAppointment {
    pub(super) fn made(
        appointment_id: AppointmentId,
        details: &Details,
        recorded: &RecordedEvent,
    ) -> Self {
        Self {
            appointment_id,
            client_id: details.client_id,
            during: details.slot.during,
            status: Status::Booked,
            hold_expires_at: None,
            service_id: details.service_id,
            resource_ids: details.slot.resource_ids.clone(),
            category: details.category.clone(),
            booked_at: Some(recorded.recorded_at),
            times_moved: 0,
            cancelled: None,
            version: recorded.sequence,
            position: recorded.position,
        }
    }

    pub(super) fn held(self, expires_at: DateTime<Utc>) -> Self {
        let hold_expires_at = Some(expires_at.trunc_subsecs(6));
        Self { status: Status::Held, hold_expires_at, booked_at: None, ..self }
    }

    pub(super) fn is_now(&mut self, slot: &Slot) {
        self.during = slot.during;
        self.resource_ids = slot.resource_ids.clone();
    }

    pub(super) fn becomes(&mut self, status: Status) {
        self.status = status;
        self.hold_expires_at = None;
    }

    /// As it is to be shown: a hold that has lapsed is over, even before that is recorded.
    pub(super) fn shown_at(mut self, now: DateTime<Utc>) -> Self {
        if self.hold_expires_at.is_some_and(|lapses| lapses <= now) {
            self.becomes(Status::Cancelled);
        }
        self
    }
}

/// The columns of a [`PastAppointment`], the key first.
pub(super) const COLUMNS: &str = "appointment_id, client_id, start_at, end_at, status, \
     hold_expires_at, service_id, resource_ids, category, booked_at, times_moved, \
     cancelled_by, cancelled_at, cancelled_late, version, position";

impl FromRow<'_, PgRow> for PastAppointment {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let resources: Vec<Uuid> = row.try_get("resource_ids")?;
        let resources: Vec<ResourceId> = resources.into_iter().map(Into::into).collect();
        let by: Option<&str> = row.try_get("cancelled_by")?;
        let at: Option<DateTime<Utc>> = row.try_get("cancelled_at")?;
        let late = row.try_get("cancelled_late")?;
        let cancelled = by.zip(at).map(|(by, at)| CalledOff { by: side(by), at, late });
        let times_moved = row.try_get::<i32, _>("times_moved")?;
        Ok(Self {
            appointment_id: row.try_get::<Uuid, _>("appointment_id")?.into(),
            client_id: row.try_get::<Uuid, _>("client_id")?.into(),
            during: Interval::new(row.try_get("start_at")?, row.try_get("end_at")?)
                .map_err(decode)?,
            status: row.try_get::<&str, _>("status")?.parse().map_err(decode)?,
            hold_expires_at: row.try_get("hold_expires_at")?,
            service_id: row.try_get::<Uuid, _>("service_id")?.into(),
            resource_ids: ResourceIds::try_from(resources).map_err(decode)?,
            category: Category::new(row.try_get("category")?).map_err(decode)?,
            booked_at: row.try_get("booked_at")?,
            times_moved: times_moved.cast_unsigned(),
            cancelled,
            version: row.try_get::<i64, _>("version")?.cast_unsigned(),
            position: Position::from_i64(row.try_get("position")?),
        })
    }
}

/// The name of a side in the table.
pub(super) const fn name(side: CancelledBy) -> &'static str {
    match side {
        CancelledBy::Client => "client",
        CancelledBy::Staff => "staff",
        CancelledBy::System => "system",
    }
}

/// The schema lets no other name in.
fn side(name: &str) -> CancelledBy {
    match name {
        "client" => CancelledBy::Client,
        "staff" => CancelledBy::Staff,
        _ => CancelledBy::System,
    }
}

fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

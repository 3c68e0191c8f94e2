//! An appointment in its client's history.

use std::sync::LazyLock;

use chrono::{DateTime, SubsecRound as _, Utc};
use daybook_domain::appointment::{CancelledBy, Details, Slot, Status};
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, Category, ClientId, ResourceIds, ServiceId};
use daybook_store::{Position, RecordedEvent};
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use crate::kit::read::decode;
use crate::kit::{Column, Table, column};

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

/// The table.
pub(super) static APPOINTMENTS: LazyLock<Table<PastAppointment>> = LazyLock::new(|| {
    Table::new(
        "appointments",
        [
            Column::field("appointment_id", |row: &PastAppointment| &row.appointment_id).key(),
            Column::field("client_id", |row| &row.client_id),
            Column::value("start_at", |row| row.during.start()),
            Column::value("end_at", |row| row.during.end()),
            Column::field("status", |row| &row.status),
            Column::field("hold_expires_at", |row| &row.hold_expires_at),
            Column::field("service_id", |row| &row.service_id),
            Column::field("resource_ids", |row| &row.resource_ids),
            Column::field("category", |row| &row.category),
            Column::field("booked_at", |row| &row.booked_at),
            Column::field("times_moved", |row| &row.times_moved),
            Column::value("cancelled_by", |row| row.cancelled.map(|it| it.by)),
            Column::value("cancelled_at", |row| row.cancelled.map(|it| it.at)),
            Column::value("cancelled_late", |row| row.cancelled.is_some_and(|it| it.late)),
            Column::field("version", |row| &row.version),
            Column::field("position", |row| &row.position),
        ],
    )
});

impl FromRow<'_, PgRow> for PastAppointment {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let by: Option<CancelledBy> = column(row, "cancelled_by")?;
        let at: Option<DateTime<Utc>> = column(row, "cancelled_at")?;
        let late = column(row, "cancelled_late")?;
        Ok(Self {
            appointment_id: column(row, "appointment_id")?,
            client_id: column(row, "client_id")?,
            during: Interval::new(column(row, "start_at")?, column(row, "end_at")?)
                .map_err(decode)?,
            status: column(row, "status")?,
            hold_expires_at: column(row, "hold_expires_at")?,
            service_id: column(row, "service_id")?,
            resource_ids: column(row, "resource_ids")?,
            category: column(row, "category")?,
            booked_at: column(row, "booked_at")?,
            times_moved: column(row, "times_moved")?,
            cancelled: by.zip(at).map(|(by, at)| CalledOff { by, at, late }),
            version: column(row, "version")?,
            position: column(row, "position")?,
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

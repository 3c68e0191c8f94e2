//! The rows.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use daybook_domain::notice::{Notice, Told};
use daybook_domain::sending::Status;
use daybook_domain::{AppointmentId, ClientId, NoticeId, ServiceId};
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use crate::kit::{Column, Json, Table, column};

/// An appointment whose client is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    pub notice_id: NoticeId,
    pub appointment_id: AppointmentId,
    pub service_id: ServiceId,
    pub client_id: ClientId,
    /// What is so at present; `None`: nothing that clients are told.
    pub present: Option<Told>,
    /// Since when.
    pub changed_at: DateTime<Utc>,
    /// The version of the appointment that this is about.
    pub appointment_version: u64,
    /// The number of its revision, once it was booked.
    pub sequence: Option<u32>,
    /// Whether it was offered to a client who has waited.
    pub offered: bool,
    /// What has become of what they were to be told.
    pub ledger: Notice,
    pub status: Status,
    /// When there is something to be done with it.
    pub next_at: Option<DateTime<Utc>>,
}

pub(super) static NOTICES: LazyLock<Table<NoticeRow>> = LazyLock::new(|| {
    Table::new(
        "notices",
        [
            Column::field("notice_id", |row: &NoticeRow| &row.notice_id).key(),
            Column::field("appointment_id", |row| &row.appointment_id),
            Column::field("service_id", |row| &row.service_id),
            Column::field("client_id", |row| &row.client_id),
            Column::json("present", |row| &row.present),
            Column::field("changed_at", |row| &row.changed_at),
            Column::field("appointment_version", |row| &row.appointment_version),
            Column::field("sequence", |row| &row.sequence),
            Column::field("offered", |row| &row.offered),
            Column::json("ledger", |row| &row.ledger),
            Column::field("status", |row| &row.status),
            Column::field("next_at", |row| &row.next_at),
        ],
    )
});

impl FromRow<'_, PgRow> for NoticeRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let (Json(present), Json(ledger)) = (column(row, "present")?, column(row, "ledger")?);
        Ok(Self {
            notice_id: column(row, "notice_id")?,
            appointment_id: column(row, "appointment_id")?,
            service_id: column(row, "service_id")?,
            client_id: column(row, "client_id")?,
            present,
            changed_at: column(row, "changed_at")?,
            appointment_version: column(row, "appointment_version")?,
            sequence: column(row, "sequence")?,
            offered: column(row, "offered")?,
            ledger,
            status: column(row, "status")?,
            next_at: column(row, "next_at")?,
        })
    }
}

impl NoticeRow {
    /// The same, with what follows from the rest.
    pub(super) fn worked_out(self) -> Self {
        let ledger = self.ledger.ledger();
        // What waits to be told anew is as what was never told.
        let is_open = ledger.is_some_and(|it| it.course.state.next().is_some());
        let next_at = self.ledger.next(self.present.as_ref(), self.offered, self.changed_at);
        let status = match ledger {
            Some(ledger) if is_open || next_at.is_none() => ledger.course.state.status(),
            _ => Status::Planned,
        };
        Self { status, next_at, ..self }
    }
}

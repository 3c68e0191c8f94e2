//! The rows, and how a batch of events changes them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use daybook_domain::session::{Session, SessionStatus};
use daybook_domain::{ServiceId, SessionId, TenantId};
use daybook_store::{AnyEvent, Position, RecordedEvent};
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use super::fold;
use crate::kit::{Column, Json, Table, column};
use crate::{ApplyError, Tables};

/// A session, and what it is found by.
pub(super) struct Row {
    pub(super) session_id: SessionId,
    pub(super) start_at: DateTime<Utc>,
    service_id: ServiceId,
    status: SessionStatus,
    pub(super) session: Session,
    pub(super) version: u64,
    pub(super) position: Position,
}

pub(super) static SESSIONS: LazyLock<Table<Row>> = LazyLock::new(|| {
    Table::new(
        "sessions",
        [
            Column::field("session_id", |row: &Row| &row.session_id).key(),
            Column::field("start_at", |row| &row.start_at),
            Column::field("service_id", |row| &row.service_id),
            Column::field("status", |row| &row.status),
            Column::json("session", |row| &row.session),
            Column::field("version", |row| &row.version),
            Column::field("position", |row| &row.position),
        ],
    )
});

impl FromRow<'_, PgRow> for Row {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(session) = column(row, "session")?;
        Ok(Self {
            session_id: column(row, "session_id")?,
            start_at: column(row, "start_at")?,
            service_id: column(row, "service_id")?,
            status: column(row, "status")?,
            session,
            version: column(row, "version")?,
            position: column(row, "position")?,
        })
    }
}

impl Row {
    /// `None`: it was never made.
    fn of(session_id: SessionId, session: Session, recorded: &RecordedEvent) -> Option<Self> {
        let Session::Made { plan, status, .. } = &session else { return None };
        Some(Self {
            session_id,
            start_at: plan.slot.during.start(),
            service_id: plan.service_id,
            status: *status,
            session,
            version: recorded.sequence,
            position: recorded.position,
        })
    }
}

pub(super) async fn apply(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    let touched = events.iter().filter(|recorded| recorded.sequence > 1);
    let stored = touched.filter_map(|recorded| match &recorded.event {
        AnyEvent::Session(id, _) => Some(id.uuid()),
        _ => None,
    });
    let mut rows: BTreeMap<SessionId, Row> = BTreeMap::new();
    for row in SESSIONS.load(tables, tenant, stored).await? {
        rows.insert(row.session_id, row);
    }
    for recorded in events {
        let AnyEvent::Session(id, event) = &recorded.event else { continue };
        let before = rows.remove(id).map(|row| row.session);
        let session = fold::after(before, *id, event, recorded)?;
        rows.extend(Row::of(*id, session, recorded).map(|row| (*id, row)));
    }
    let rows: Vec<Row> = rows.into_values().collect();
    SESSIONS.upsert(tables, tenant, &rows).await
}

//! Sessions as they were from one event to the next.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate as _;
use daybook_domain::claim::Claim;
use daybook_domain::session::{Session, SessionStatus};
use daybook_domain::{ResourceId, ResourceIds, SessionId, TenantId};
use daybook_store::{AnyEvent, Position, RecordedEvent};
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use super::version::{Until, until};
use crate::kit::{Column, Json, Table, column};
use crate::{ApplyError, Tables, change, sessions};

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
    pub(crate) fn claim(&self, resource: ResourceId) -> Option<Claim> {
        let Session::Made { plan, status: SessionStatus::Scheduled, .. } = &self.session else {
            return None;
        };
        let n = plan.slot.resource_ids.iter().position(|id| id == resource)?;
        let during = plan.slot.claimed();
        Some(Claim { resource, seat: plan.slot.seats.of(n), during, expires_at: None })
    }
}

/// A version, and what of its plan has a column.
pub(crate) struct SessionRow {
    version: SessionVersion,
    start_at: DateTime<Utc>,
    busy_until: DateTime<Utc>,
    resource_ids: ResourceIds,
}

pub(crate) static SESSIONS: LazyLock<Table<SessionRow>> = LazyLock::new(|| {
    Table::new(
        "sessions",
        [
            Column::field("session_id", |row: &SessionRow| &row.version.session_id).key(),
            Column::field("position", |row: &SessionRow| &row.version.position).key(),
            Column::field("recorded_at", |row| &row.version.recorded_at),
            Column::value("until_position", |row| row.version.until.map(|it| it.position)),
            Column::value("until_at", |row| row.version.until.map(|it| it.at)),
            Column::field("start_at", |row| &row.start_at),
            Column::field("busy_until", |row| &row.busy_until),
            Column::field("resource_ids", |row| &row.resource_ids),
            Column::json("session", |row| &row.version.session),
            Column::field("version", |row| &row.version.version),
        ],
    )
});

impl SessionRow {
    fn of(version: SessionVersion) -> Option<Self> {
        let plan = version.session.plan()?;
        Some(Self {
            start_at: plan.slot.during.start(),
            busy_until: plan.slot.claimed().end(),
            resource_ids: plan.slot.resource_ids.clone(),
            version,
        })
    }
}

/// Changes the rows as a batch of events says.
pub(super) async fn apply(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    let id = |event: &AnyEvent| match event {
        AnyEvent::Session(id, _) => Some(id.uuid()),
        _ => None,
    };
    let earlier = change::earlier_of(Session::TYPE, id, tables, tenant, events).await?;
    let (ended, made) = versions(&earlier, events)?;
    SESSIONS.update(&["until_position", "until_at"], tables, tenant, &ended).await?;
    SESSIONS.insert(tables, tenant, &made).await
}

/// Of the sessions that a batch is about: the versions that it ends, and those that it makes.
pub(super) fn versions(
    earlier: &[RecordedEvent],
    batch: &[RecordedEvent],
) -> Result<(Vec<SessionRow>, Vec<SessionRow>), ApplyError> {
    let (mut ended, mut made) = (Vec::new(), Vec::new());
    let mut latest: HashMap<SessionId, (SessionVersion, bool)> = HashMap::new();
    let all = earlier.iter().map(|it| (it, false)).chain(batch.iter().map(|it| (it, true)));
    for (recorded, is_new) in all {
        let AnyEvent::Session(id, event) = &recorded.event else { continue };
        let before = latest.remove(id);
        let session = before.as_ref().map(|(before, _)| before.session.clone());
        let version = SessionVersion {
            session_id: *id,
            session: sessions::fold::after(session, *id, event, recorded)?,
            version: recorded.sequence,
            position: recorded.position,
            recorded_at: recorded.recorded_at,
            until: None,
        };
        latest.insert(*id, (version, is_new));
        let Some((before, was_new)) = before.filter(|_| is_new) else { continue };
        let until = Some(Until { position: recorded.position, at: recorded.recorded_at });
        let before = SessionVersion { until, ..before };
        (if was_new { &mut made } else { &mut ended }).extend(SessionRow::of(before));
    }
    let last = latest.into_values().filter(|(_, is_new)| *is_new);
    made.extend(last.filter_map(|(version, _)| SessionRow::of(version)));
    Ok((ended, made))
}

impl FromRow<'_, PgRow> for SessionVersion {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(session) = column(row, "session")?;
        Ok(Self {
            session_id: column(row, "session_id")?,
            session,
            version: column(row, "version")?,
            position: column(row, "position")?,
            recorded_at: column(row, "recorded_at")?,
            until: until(row)?,
        })
    }
}

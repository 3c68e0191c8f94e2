//! How a batch of events changes the rows.

use std::collections::BTreeMap;

use daybook_domain::session::{Session, SessionEvent, SessionScheduled, SessionStatus};
use daybook_domain::{SessionId, TenantId};
use daybook_store::{AnyEvent, Position, RecordedEvent};
use sqlx::Row as _;
use sqlx::types::Json;
use uuid::Uuid;

use crate::{ApplyError, Tables};

/// A session, and its last event's sequence and position.
struct Row {
    session: Session,
    version: u64,
    position: Position,
}

impl Row {
    fn made(&self) -> Option<(&SessionScheduled, SessionStatus)> {
        match &self.session {
            Session::Made { plan, status, .. } => Some((plan, *status)),
            Session::Unmade => None,
        }
    }
}

pub(super) async fn apply(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    let mut stored = load(tables, tenant, &needed(events)).await?;
    let mut rows: BTreeMap<SessionId, Row> = BTreeMap::new();
    for recorded in events {
        let AnyEvent::Session(id, event) = &recorded.event else { continue };
        let (version, position) = (recorded.sequence, recorded.position);
        let before = stored.remove(id).or_else(|| rows.remove(id).map(|row| row.session));
        let mut session = before.unwrap_or_default();
        session.evolve(event.clone());
        if session == Session::Unmade {
            let reason = format!("session {id} was never made");
            return Err(ApplyError::Event { position, reason });
        }
        rows.insert(*id, Row { session, version, position });
    }
    Ok(save(tables, tenant, &rows).await?)
}

/// What must be known before the events are folded: all that is touched but not made by them.
fn needed(events: &[RecordedEvent]) -> Vec<Uuid> {
    let touched = events.iter().filter_map(|recorded| match &recorded.event {
        AnyEvent::Session(_, SessionEvent::SessionScheduled(_)) => None,
        AnyEvent::Session(id, _) => Some(id.uuid()),
        _ => None,
    });
    touched.collect()
}

/// Served by the primary key.
async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[Uuid],
) -> Result<BTreeMap<SessionId, Session>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query(&tables.sql(
        "SELECT session_id, session FROM sessions_1.sessions
          WHERE tenant_id = $1 AND session_id = ANY($2)",
    ))
    .bind(tenant.as_str())
    .bind(ids)
    .fetch_all(tables.connection())
    .await?;
    let one = |row: &sqlx::postgres::PgRow| {
        let Json(session) = row.try_get("session")?;
        Ok((row.try_get::<Uuid, _>("session_id")?.into(), session))
    };
    rows.iter().map(one).collect()
}

/// Inserts or replaces the rows.
async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    rows: &BTreeMap<SessionId, Row>,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let made: Vec<_> = rows.iter().filter_map(|(id, row)| Some((id, row, row.made()?))).collect();
    let documents = made.iter().map(|(_, row, _)| serde_json::to_string(&row.session));
    let documents = documents.collect::<Result<Vec<_>, _>>();
    let each = made.iter();
    let saved = sqlx::query(&tables.sql(
        "INSERT INTO sessions_1.sessions
                (tenant_id, session_id, start_at, service_id, status, session, version, position)
         SELECT h.tenant_id, u.session_id, u.start_at, u.service_id, u.status, u.session::json,
                u.version, u.position
           FROM log_heads h,
                unnest($2::uuid[], $3::timestamptz[], $4::uuid[], $5::text[], $6::text[],
                       $7::bigint[], $8::bigint[])
                AS u (session_id, start_at, service_id, status, session, version, position)
          WHERE h.tenant_id = $1
         ON CONFLICT (tenant_id, session_id) DO UPDATE
            SET start_at = excluded.start_at, status = excluded.status,
                session = excluded.session, version = excluded.version,
                position = excluded.position",
    ))
    .bind(tenant.as_str())
    .bind(each.clone().map(|(id, ..)| id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|(_, _, (plan, _))| plan.slot.during.start()).collect::<Vec<_>>())
    .bind(each.clone().map(|(_, _, (plan, _))| plan.service_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|(_, _, (_, status))| status.as_str()).collect::<Vec<_>>())
    .bind(documents.map_err(|error| sqlx::Error::Encode(error.into()))?)
    .bind(each.clone().map(|(_, row, _)| row.version.cast_signed()).collect::<Vec<_>>())
    .bind(each.map(|(_, row, _)| row.position.as_i64()).collect::<Vec<_>>())
    .execute(tables.connection())
    .await?;
    if saved.rows_affected() == made.len() as u64 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

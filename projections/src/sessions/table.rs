//! How a batch of events changes the rows.

use std::collections::BTreeMap;

use daybook_domain::session::{Session, SessionScheduled, SessionStatus};
use daybook_domain::{SessionId, TenantId};
use daybook_store::{AnyEvent, Position, RecordedEvent};
use sqlx::types::Json;
use uuid::Uuid;

use super::fold;
use crate::{ApplyError, Tables, needed, rows};

/// The columns of a row, the key first.
const COLUMNS: &str = "session_id, start_at, service_id, status, session, version, position";

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
    let mut stored = load(tables, tenant, &needed::sessions(events)).await?;
    let mut rows: BTreeMap<SessionId, Row> = BTreeMap::new();
    for recorded in events {
        let AnyEvent::Session(id, event) = &recorded.event else { continue };
        let (version, position) = (recorded.sequence, recorded.position);
        let before = stored.remove(id).or_else(|| rows.remove(id).map(|row| row.session));
        let session = fold::after(before, *id, event, recorded)?;
        rows.insert(*id, Row { session, version, position });
    }
    Ok(save(tables, tenant, &rows).await?)
}

/// Served by the primary key.
async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[SessionId],
) -> Result<BTreeMap<SessionId, Session>, sqlx::Error> {
    let select = "SELECT session_id, session FROM sessions_1.sessions
                   WHERE tenant_id = $1 AND session_id = ANY($2)";
    let ids = ids.iter().map(|id| id.uuid());
    let rows: Vec<(Uuid, Json<Session>)> = rows::stored(tables, tenant, ids, select).await?;
    Ok(rows.into_iter().map(|(id, Json(session))| (id.into(), session)).collect())
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
    let documents = made.iter().map(|(_, row, _)| rows::document(&row.session));
    let documents = documents.collect::<Result<Vec<_>, _>>()?;
    let each = made.iter();
    let sql = format!(
        "INSERT INTO sessions_1.sessions (tenant_id, {COLUMNS})
         SELECT h.tenant_id, u.session_id, u.start_at, u.service_id, u.status, u.session::json,
                u.version, u.position
           FROM log_heads h,
                unnest($2::uuid[], $3::timestamptz[], $4::uuid[], $5::text[], $6::text[],
                       $7::bigint[], $8::bigint[])
                AS u ({COLUMNS})
          WHERE h.tenant_id = $1
         ON CONFLICT (tenant_id, session_id) DO UPDATE
            SET {}",
        rows::replaced(COLUMNS)
    );
    let saved = sqlx::query(&tables.sql(&sql))
        .bind(tenant.as_str())
        .bind(each.clone().map(|(id, ..)| id.uuid()).collect::<Vec<_>>())
        .bind(each.clone().map(|(_, _, (plan, _))| plan.slot.during.start()).collect::<Vec<_>>())
        .bind(each.clone().map(|(_, _, (plan, _))| plan.service_id.uuid()).collect::<Vec<_>>())
        .bind(each.clone().map(|(_, _, (_, status))| status.as_str()).collect::<Vec<_>>())
        .bind(documents)
        .bind(each.clone().map(|(_, row, _)| row.version.cast_signed()).collect::<Vec<_>>())
        .bind(each.map(|(_, row, _)| row.position.as_i64()).collect::<Vec<_>>())
        .execute(tables.connection())
        .await?;
    if saved.rows_affected() == made.len() as u64 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

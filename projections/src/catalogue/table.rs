//! How a batch of events changes one of the tables.

use std::collections::{BTreeMap, BTreeSet};

use daybook_domain::TenantId;
use daybook_store::{Position, RecordedEvent};
use sqlx::Row as _;
use sqlx::types::Json;
use uuid::Uuid;

use super::kept::{Kept, Standing};
use crate::{ApplyError, Tables, rows};

/// A row: the aggregate, and its last event's sequence and position.
struct Row<K> {
    state: K,
    version: u64,
    position: Position,
}

pub(super) async fn apply<K: Kept>(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    let mut states = load::<K>(tables, tenant, &needed::<K>(events)).await?;
    let mut rows = BTreeMap::new();
    for recorded in events {
        let Some((id, event)) = K::event(&recorded.event) else { continue };
        let state = states.remove(&id).or_else(|| rows.remove(&id).map(|row: Row<K>| row.state));
        let mut state = state.unwrap_or_default();
        let (version, position) = (recorded.sequence, recorded.position);
        state.take_note(event.clone());
        if state.kept().is_none() {
            let reason = format!("{} {id} was never made", K::ID);
            return Err(ApplyError::Event { position, reason });
        }
        rows.insert(id, Row { state, version, position });
    }
    Ok(save(tables, tenant, &rows).await?)
}

/// What must be known before the events are folded: all that is touched but not made by them.
fn needed<K: Kept>(events: &[RecordedEvent]) -> Vec<Uuid> {
    let mut seen = BTreeSet::new();
    let of_kind = events.iter().filter_map(|recorded| K::event(&recorded.event));
    of_kind.filter(|(id, event)| seen.insert(*id) && !K::makes(event)).map(|(id, _)| id).collect()
}

/// Served by the primary key.
async fn load<K: Kept>(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, K>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (table, id, document) = (K::TABLE, K::ID, K::DOCUMENT);
    let sql = format!(
        "SELECT {id} AS id, {document} AS document, status
           FROM {table} WHERE tenant_id = $1 AND {id} = ANY($2)"
    );
    let rows = sqlx::query(&tables.sql(&sql))
        .bind(tenant.as_str())
        .bind(ids)
        .fetch_all(tables.connection())
        .await?;
    let state = |row: &sqlx::postgres::PgRow| {
        let Json(document) = row.try_get::<Json<K::Document>, _>("document")?;
        Ok((row.try_get("id")?, K::again(document, standing(row.try_get("status")?))))
    };
    rows.iter().map(state).collect()
}

/// The schema lets no other status in.
pub(super) fn standing(status: &str) -> Standing {
    if status == Standing::Retired.as_str() { Standing::Retired } else { Standing::Active }
}

/// Inserts or replaces the rows.
async fn save<K: Kept>(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    rows: &BTreeMap<Uuid, Row<K>>,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (mut ids, mut documents, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
    let (mut versions, mut positions) = (Vec::new(), Vec::new());
    for (id, row) in rows {
        let Some((document, standing)) = row.state.kept() else { continue };
        ids.push(*id);
        documents.push(rows::document(document)?);
        statuses.push(standing.as_str());
        versions.push(row.version.cast_signed());
        positions.push(row.position.as_i64());
    }
    let (table, id, document) = (K::TABLE, K::ID, K::DOCUMENT);
    let sql = format!(
        "INSERT INTO {table} (tenant_id, {id}, {document}, status, version, position)
         SELECT h.tenant_id, u.id, u.document::json, u.status, u.version, u.position
           FROM log_heads h,
                unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
                AS u (id, document, status, version, position)
          WHERE h.tenant_id = $1
         ON CONFLICT (tenant_id, {id}) DO UPDATE
            SET {document} = excluded.{document}, status = excluded.status,
                version = excluded.version, position = excluded.position"
    );
    let saved = sqlx::query(&tables.sql(&sql))
        .bind(tenant.as_str())
        .bind(&ids)
        .bind(documents)
        .bind(statuses)
        .bind(versions)
        .bind(positions)
        .execute(tables.connection())
        .await?;
    if saved.rows_affected() == ids.len() as u64 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

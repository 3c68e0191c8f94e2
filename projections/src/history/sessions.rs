//! The rows of sessions.

use std::collections::HashMap;

use daybook_domain::session::{Session, SessionScheduled};
use daybook_domain::{ResourceId, SessionId, TenantId};
use daybook_store::{Position, RecordedEvent};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use super::fold::{self, Changes};
use super::version::{SessionVersion, until};
use super::write::close;
use crate::{ApplyError, CopyRows, Tables, array, needed, rows};

/// The columns that a [`SessionVersion`] is read from.
pub(super) const COLUMNS: &str =
    "session_id, session, version, position, recorded_at, until_position, until_at";

/// The columns of a row.
pub(super) const NAMES: &str = "session_id, position, recorded_at, until_position, until_at, \
     start_at, busy_until, resource_ids, session, version";

pub(super) async fn apply(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    let latest = load(tables, tenant, &needed::sessions(events)).await?;
    let Changes { closed, made } = fold::sessions(latest, events)?;
    let closed = closed.iter().map(|row| (row.session_id.uuid(), row.position, row.until));
    close(tables, tenant, ("history_2.sessions", "session_id"), closed).await?;
    Ok(insert(tables, tenant, &made).await?)
}

/// The latest rows of these sessions. Served by the primary key.
async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[SessionId],
) -> Result<HashMap<SessionId, SessionVersion>, sqlx::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM history_2.sessions
          WHERE tenant_id = $1 AND session_id = ANY($2) AND until_position IS NULL"
    );
    let ids = ids.iter().map(|id| id.uuid());
    let rows: Vec<SessionVersion> = rows::stored(tables, tenant, ids, &sql).await?;
    Ok(rows.into_iter().map(|row| (row.session_id, row)).collect())
}

async fn insert(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    rows: &[SessionVersion],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let made: Vec<(&SessionVersion, &SessionScheduled)> =
        rows.iter().filter_map(|row| Some((row, row.session.plan()?))).collect();
    let documents = made.iter().map(|(row, _)| rows::document(&row.session));
    let documents = documents.collect::<Result<Vec<_>, _>>()?;
    let each = made.iter();
    let sql = format!(
        "INSERT INTO history_2.sessions (tenant_id, {NAMES})
         SELECT h.tenant_id, u.session_id, u.position, u.recorded_at, u.until_position, u.until_at,
                u.start_at, u.busy_until, u.resource_ids::uuid[], u.session::json, u.version
           FROM log_heads h,
                unnest($2::uuid[], $3::bigint[], $4::timestamptz[], $5::bigint[],
                       $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::text[],
                       $10::text[], $11::bigint[])
                AS u ({NAMES})
          WHERE h.tenant_id = $1"
    );
    let inserted = sqlx::query(&tables.sql(&sql))
        .bind(tenant.as_str())
        .bind(each.clone().map(|(row, _)| row.session_id.uuid()).collect::<Vec<_>>())
        .bind(each.clone().map(|(row, _)| row.position.as_i64()).collect::<Vec<_>>())
        .bind(each.clone().map(|(row, _)| row.recorded_at).collect::<Vec<_>>())
        .bind(
            each.clone()
                .map(|(row, _)| row.until.map(|it| it.position.as_i64()))
                .collect::<Vec<_>>(),
        )
        .bind(each.clone().map(|(row, _)| row.until.map(|it| it.at)).collect::<Vec<_>>())
        .bind(each.clone().map(|(_, plan)| plan.slot.during.start()).collect::<Vec<_>>())
        .bind(each.clone().map(|(_, plan)| plan.slot.claimed().end()).collect::<Vec<_>>())
        .bind(
            each.clone()
                .map(|(_, plan)| array::of_plain(plan.slot.resource_ids.iter()))
                .collect::<Vec<_>>(),
        )
        .bind(documents)
        .bind(each.map(|(row, _)| row.version.cast_signed()).collect::<Vec<_>>())
        .execute(tables.connection())
        .await?;
    let all = inserted.rows_affected() == made.len() as u64;
    if all { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

/// Adds the rows of one session, of which there are no others.
pub(super) fn copy(
    tenant: &TenantId,
    versions: &[SessionVersion],
    to: &mut CopyRows,
) -> Result<(), ApplyError> {
    for row in versions {
        let Some(plan) = row.session.plan() else { continue };
        let resources: Vec<Uuid> = plan.slot.resource_ids.iter().map(ResourceId::uuid).collect();
        to.row(11)
            .push(tenant.as_str())?
            .push(row.session_id.uuid())?
            .push(row.position.as_i64())?
            .push(row.recorded_at)?
            .push(row.until.map(|until| until.position.as_i64()))?
            .push(row.until.map(|until| until.at))?
            .push(plan.slot.during.start())?
            .push(plan.slot.claimed().end())?
            .push(resources)?
            .push(rows::document(&row.session)?)?
            .push(row.version.cast_signed())?;
    }
    Ok(())
}

impl FromRow<'_, PgRow> for SessionVersion {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(session): Json<Session> = row.try_get("session")?;
        Ok(Self {
            session_id: row.try_get::<Uuid, _>("session_id")?.into(),
            session,
            version: row.try_get::<i64, _>("version")?.cast_unsigned(),
            position: Position::from_i64(row.try_get("position")?),
            recorded_at: row.try_get("recorded_at")?,
            until: until(row)?,
        })
    }
}

//! The rows of a batch of appointments: read in one statement, closed in one, written in one.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use daybook_domain::{AppointmentId, SessionId, TenantId};
use daybook_store::Position;
use uuid::Uuid;

use super::version::{AppointmentVersion, Until};
use crate::search::columns::{self, ARRAYS, GIVEN, NAMES, VALUES};
use crate::search::row::COLUMNS;
use crate::search::terms::TermsOf;
use crate::{Tables, array, rows};

/// What a row has besides an appointment's own columns.
pub(super) const MORE_COLUMNS: &str =
    "recorded_at, until_position, until_at, busy_from, busy_until, seats, session_id";

/// The latest rows of these appointments. Served by the primary key.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[AppointmentId],
) -> Result<HashMap<AppointmentId, AppointmentVersion>, sqlx::Error> {
    let sql = format!(
        "SELECT {COLUMNS}, {MORE_COLUMNS} FROM history_2.appointments
          WHERE tenant_id = $1 AND appointment_id = ANY($2) AND until_position IS NULL"
    );
    let ids = ids.iter().map(|id| id.uuid());
    let rows: Vec<AppointmentVersion> = rows::stored(tables, tenant, ids, &sql).await?;
    Ok(rows.into_iter().map(|row| (row.appointment.appointment_id, row)).collect())
}

/// Rows that are valid no longer, of a table that has its things' ids in `id_column`. Served by its primary
/// key.
pub(super) async fn close(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    (table, id_column): (&str, &str),
    closed: impl Iterator<Item = (Uuid, Position, Option<Until>)>,
) -> Result<(), sqlx::Error> {
    let (mut ids, mut positions): (Vec<Uuid>, Vec<i64>) = Default::default();
    let (mut until, mut at): (Vec<i64>, Vec<DateTime<Utc>>) = Default::default();
    for (id, position, ended) in closed {
        let Some(ended) = ended else { continue };
        ids.push(id);
        positions.push(position.as_i64());
        until.push(ended.position.as_i64());
        at.push(ended.at);
    }
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE {table} AS v SET until_position = u.until_position, until_at = u.until_at
           FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::timestamptz[])
                AS u (id, position, until_position, until_at)
          WHERE v.tenant_id = $1 AND v.{id_column} = u.id AND v.position = u.position"
    );
    let count = ids.len() as u64;
    let done = sqlx::query(&tables.sql(&sql))
        .bind(tenant.as_str())
        .bind(ids)
        .bind(positions)
        .bind(until)
        .bind(at)
        .execute(tables.connection())
        .await?;
    if done.rows_affected() == count { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

/// Adds rows.
pub(super) async fn insert(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    rows: &[AppointmentVersion],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let terms = TermsOf::new(tenant);
    let found = rows.iter().map(|row| {
        let position = row.appointment.position;
        (&row.appointment, terms.happened_at(position))
    });
    let sql = format!(
        "INSERT INTO history_2.appointments
                (tenant_id, {NAMES}, {MORE_COLUMNS})
         SELECT h.tenant_id, {VALUES}, u.recorded_at, u.until_position, u.until_at, u.busy_from,
                u.busy_until, u.seats::smallint[], u.session_id
           FROM log_heads h,
                unnest({ARRAYS}, $22::timestamptz[], $23::bigint[], $24::timestamptz[],
                       $25::timestamptz[], $26::timestamptz[], $27::text[], $28::uuid[])
                AS u ({GIVEN}, {MORE_COLUMNS})
          WHERE h.tenant_id = $1"
    );
    let found: Vec<_> = found.collect();
    let sql = tables.sql(&sql);
    let each = rows.iter();
    let seats = |row: &AppointmentVersion| array::of_plain(row.placed.seats.iter());
    let until = |row: &AppointmentVersion| row.until.map(|until| until.position.as_i64());
    let session = |row: &AppointmentVersion| row.placed.session_id.map(SessionId::uuid);
    let inserted = columns::bind(&sql, tenant, &found)
        .bind(each.clone().map(|row| row.recorded_at).collect::<Vec<_>>())
        .bind(each.clone().map(until).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.until.map(|until| until.at)).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.placed.busy.start()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.placed.busy.end()).collect::<Vec<_>>())
        .bind(each.clone().map(seats).collect::<Vec<_>>())
        .bind(each.map(session).collect::<Vec<_>>())
        .execute(tables.connection())
        .await?;
    let all = inserted.rows_affected() == rows.len() as u64;
    if all { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

//! The rows of a batch: read in one statement, written in one.

use daybook_domain::{AppointmentId, TenantId};

use super::fold::Rows;
use super::row::{COLUMNS, PastAppointment, name};
use crate::{Tables, array, rows};

/// The rows of these appointments. Served by the primary key.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[AppointmentId],
) -> Result<Rows, sqlx::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM client_history_1.appointments
          WHERE tenant_id = $1 AND appointment_id = ANY($2)"
    );
    let ids = ids.iter().map(|id| id.uuid());
    let rows: Vec<PastAppointment> = rows::stored(tables, tenant, ids, &sql).await?;
    Ok(rows.into_iter().map(|row| (row.appointment_id, row)).collect())
}

/// Inserts or replaces the rows.
pub(super) async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    rows: &Rows,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let each = rows.values();
    let sql = format!(
        "INSERT INTO client_history_1.appointments (tenant_id, {COLUMNS})
         SELECT h.tenant_id, u.appointment_id, u.client_id, u.start_at, u.end_at, u.status,
                u.hold_expires_at, u.service_id, u.resource_ids::uuid[], u.category, u.booked_at,
                u.times_moved, u.cancelled_by, u.cancelled_at, u.cancelled_late,
                u.version, u.position
           FROM log_heads h,
                unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::text[],
                       $7::timestamptz[], $8::uuid[], $9::text[], $10::text[],
                       $11::timestamptz[], $12::int[], $13::text[], $14::timestamptz[],
                       $15::boolean[], $16::bigint[], $17::bigint[])
                AS u ({COLUMNS})
          WHERE h.tenant_id = $1
         ON CONFLICT (tenant_id, appointment_id) DO UPDATE
            SET {}",
        rows::replaced(COLUMNS)
    );
    let saved = sqlx::query(&tables.sql(&sql))
        .bind(tenant.as_str())
        .bind(each.clone().map(|row| row.appointment_id.uuid()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.client_id.uuid()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.during.start()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.during.end()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.status.as_str()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.hold_expires_at).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.service_id.uuid()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| array::of_plain(row.resource_ids.iter())).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.category.as_str()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.booked_at).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.times_moved.cast_signed()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.cancelled.map(|it| name(it.by))).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.cancelled.map(|it| it.at)).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.cancelled.is_some_and(|it| it.late)).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.version.cast_signed()).collect::<Vec<_>>())
        .bind(each.map(|row| row.position.as_i64()).collect::<Vec<_>>())
        .execute(tables.connection())
        .await?;
    // Rows that do not agree must not be committed.
    if saved.rows_affected() == rows.len() as u64 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

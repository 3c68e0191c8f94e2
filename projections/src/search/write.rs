//! The rows of a batch: read in one statement, written in one.

use daybook_domain::{AppointmentId, TenantId};
use uuid::Uuid;

use super::columns::{self, ARRAYS, NAMES, VALUES};
use super::fold::Rows;
use super::row::{COLUMNS, FoundAppointment};
use crate::Tables;

/// The rows of these appointments. Served by the primary key.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[AppointmentId],
) -> Result<Rows, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Rows::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM search_2.appointments
          WHERE tenant_id = $1 AND appointment_id = ANY($2)"
    );
    let rows: Vec<FoundAppointment> = sqlx::query_as(&tables.sql(&sql))
        .bind(tenant.as_str())
        .bind(ids)
        .fetch_all(tables.connection())
        .await?;
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
    // In one order in every transaction, and in the order of the primary key.
    let mut rows: Vec<&FoundAppointment> = rows.values().collect();
    rows.sort_unstable_by_key(|row| row.appointment_id);
    let found: Vec<_> = rows.iter().map(|row| (*row, Vec::new())).collect();
    let sql = format!(
        "INSERT INTO search_2.appointments AS a (tenant_id, {NAMES})
         SELECT h.tenant_id, {VALUES}
           FROM log_heads h, unnest({ARRAYS}) AS u ({NAMES})
          WHERE h.tenant_id = $1
         ON CONFLICT (tenant_id, appointment_id) DO UPDATE
            SET start_at = excluded.start_at, end_at = excluded.end_at, status = excluded.status,
                hold_expires_at = excluded.hold_expires_at, category = excluded.category,
                tags = excluded.tags, service_id = excluded.service_id,
                resource_ids = excluded.resource_ids, client_id = excluded.client_id,
                title = excluded.title, version = excluded.version, position = excluded.position,
                terms = excluded.terms, words = excluded.words,
                marks = excluded.marks, low_word_marks = excluded.low_word_marks,
                high_word_marks = excluded.high_word_marks"
    );
    let sql = tables.sql(&sql);
    let saved = columns::bind(&sql, tenant, &found).execute(tables.connection()).await?;
    if saved.rows_affected() != rows.len() as u64 {
        return Err(sqlx::Error::RowNotFound);
    }
    Ok(())
}

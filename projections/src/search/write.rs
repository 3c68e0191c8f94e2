//! The rows of a batch: read in one statement, written in one.

use daybook_domain::{AppointmentId, TenantId};

use super::columns::{self, ARRAYS, GIVEN, NAMES, VALUES};
use super::fold::Rows;
use super::row::{COLUMNS, FoundAppointment};
use crate::{Tables, rows};

/// The rows of these appointments. Served by the primary key.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[AppointmentId],
) -> Result<Rows, sqlx::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM search_3.appointments
          WHERE tenant_id = $1 AND appointment_id = ANY($2)"
    );
    let ids = ids.iter().map(|id| id.uuid());
    let rows: Vec<FoundAppointment> = rows::stored(tables, tenant, ids, &sql).await?;
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
        "INSERT INTO search_3.appointments AS a (tenant_id, {NAMES})
         SELECT h.tenant_id, {VALUES}
           FROM log_heads h, unnest({ARRAYS}) AS u ({GIVEN})
          WHERE h.tenant_id = $1
         ON CONFLICT (tenant_id, appointment_id) DO UPDATE
            SET {}",
        rows::replaced(NAMES)
    );
    let sql = tables.sql(&sql);
    let saved = columns::bind(&sql, tenant, &found).execute(tables.connection()).await?;
    if saved.rows_affected() != rows.len() as u64 {
        return Err(sqlx::Error::RowNotFound);
    }
    Ok(())
}

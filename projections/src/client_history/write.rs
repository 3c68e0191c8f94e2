//! The rows of a batch: read in one statement, written in one.

use daybook_domain::{AppointmentId, TenantId};

use super::ClientHistory;
use super::fold::Rows;
use super::row::{APPOINTMENTS, PastAppointment};
use crate::kit::statement;
use crate::{Tables, rows};

statement!(
    /// Served by the primary key.
    LOAD: ClientHistory = format!(
        "SELECT {} FROM {{schema}}.appointments WHERE tenant_id = $1 AND appointment_id = ANY($2)",
        APPOINTMENTS.names()
    )
);

/// The rows of these appointments.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[AppointmentId],
) -> Result<Rows, sqlx::Error> {
    let ids = ids.iter().map(|id| id.uuid());
    let rows: Vec<PastAppointment> = rows::stored(tables, tenant, ids, &LOAD).await?;
    Ok(rows.into_iter().map(|row| (row.appointment_id, row)).collect())
}

/// Inserts or replaces the rows.
pub(super) async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    rows: Rows,
) -> Result<(), sqlx::Error> {
    let rows: Vec<PastAppointment> = rows.into_values().collect();
    APPOINTMENTS.upsert(tables, tenant, &rows).await
}

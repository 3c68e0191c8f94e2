//! The rows about what is taken.

use std::sync::LazyLock;

use daybook_domain::{TenantId, folded};
use uuid::Uuid;

use super::Utilisation;
use super::booked::Taken;
use crate::Tables;
use crate::kit::{Column, Table, statement};

pub(super) static TAKEN: LazyLock<Table<Taken>> = LazyLock::new(|| {
    Table::new(
        "taken",
        [
            Column::field("booking_id", |row: &Taken| &row.booking_id).key(),
            Column::field("resource_id", |row: &Taken| &row.resource_id).key(),
            Column::field("nth", |row| &row.nth),
            Column::field("day", |row: &Taken| &row.day).key(),
            Column::field("service_id", |row| &row.service_id),
            Column::field("category", |row| &row.category),
            Column::value("folded_category", |row| folded(row.category.as_str())),
            Column::value("status", |row| row.outcome.as_str()),
            Column::field("minutes", |row| &row.minutes),
            Column::field("begins", |row| &row.begins),
            Column::field("lead_minutes", |row| &row.lead_minutes),
        ],
    )
});

statement!(
    /// Served by the primary key.
    FORGET: Utilisation = "DELETE FROM {schema}.taken WHERE tenant_id = $1 AND booking_id = ANY($2)"
);

/// Removes what these appointments and sessions took, if they took anything.
pub(super) async fn forget(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    booking_ids: &[Uuid],
) -> Result<(), sqlx::Error> {
    if !booking_ids.is_empty() {
        let forget = tables.sql(&FORGET);
        let query = sqlx::query(&forget).bind(tenant.as_str()).bind(booking_ids);
        query.execute(tables.connection()).await?;
    }
    Ok(())
}

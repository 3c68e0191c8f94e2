//! The entries that a batch touches: read and written in a statement each.

use std::collections::BTreeMap;

use daybook_domain::{TenantId, WaitingEntryId};

use super::WaitingList;
use super::fold::Needed;
use super::row::{ENTRIES, Entry};
use crate::kit::statement;
use crate::kit::table::load as load_by;
use crate::{ApplyError, Tables};

statement!(
    /// Served by `entries_offered`.
    OFFERED: WaitingList = format!(
        "SELECT {} FROM {{schema}}.entries
          WHERE tenant_id = $1 AND status = 'offered' AND appointment_id = ANY($2)",
        ENTRIES.names()
    )
);

pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    needed: &Needed,
) -> Result<BTreeMap<WaitingEntryId, Entry>, sqlx::Error> {
    let entries = needed.entries.iter().map(|id| id.uuid());
    let holds = needed.holds.iter().map(|id| id.uuid());
    let mut found = ENTRIES.load(tables, tenant, entries).await?;
    found.extend(load_by::<Entry>(&OFFERED, tables, tenant, holds).await?);
    Ok(found.into_iter().map(|entry| (entry.entry_id, entry)).collect())
}

/// Inserts or replaces the rows.
pub(super) async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    touched: BTreeMap<WaitingEntryId, Entry>,
) -> Result<(), ApplyError> {
    let entries: Vec<Entry> = touched.into_values().collect();
    ENTRIES.upsert(tables, tenant, &entries).await
}

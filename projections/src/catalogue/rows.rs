//! How a batch of events changes one of the tables.

use std::collections::{BTreeMap, BTreeSet};

use daybook_domain::TenantId;
use daybook_store::RecordedEvent;
use uuid::Uuid;

use super::entity::{CatalogueEntity, Listed};
use crate::kit::Table;
use crate::{ApplyError, Tables};

pub(super) async fn apply<E: CatalogueEntity>(
    table: &Table<Listed<E>>,
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    let mut rows: BTreeMap<Uuid, Listed<E>> = BTreeMap::new();
    for row in table.load(tables, tenant, stored::<E>(events)).await? {
        rows.insert(E::uuid(row.id), row);
    }
    for recorded in events {
        let Some((id, event)) = E::event(&recorded.event) else { continue };
        let before = rows.remove(&id).map(|row| E::from_document(row.document, row.status));
        let after = before.unwrap_or_default().after(event.clone());
        let (version, position) = (recorded.sequence, recorded.position);
        let Some((document, status)) = after.into_document() else {
            let reason = format!("{} {id} was never made", E::ID);
            return Err(ApplyError::Event { position, reason });
        };
        rows.insert(id, Listed { id: id.into(), document, status, version, position });
    }
    let rows: Vec<Listed<E>> = rows.into_values().collect();
    table.upsert(tables, tenant, &rows).await
}

/// Those that the events touch and do not make.
fn stored<E: CatalogueEntity>(events: &[RecordedEvent]) -> BTreeSet<Uuid> {
    let touched = events.iter().filter(|recorded| recorded.sequence > 1);
    touched.filter_map(|recorded| Some(E::event(&recorded.event)?.0)).collect()
}

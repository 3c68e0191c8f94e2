//! How a batch of events changes one of the tables.

use std::collections::{BTreeMap, BTreeSet};

use daybook_domain::TenantId;
use daybook_store::RecordedEvent;
use daybook_store::personal::Keyring;
use uuid::Uuid;

use super::entity::{CatalogueEntity, Listed, Row};
use super::{open, terms_of};
use crate::kit::Table;
use crate::{ApplyError, Tables};

pub(super) async fn apply<E: CatalogueEntity>(
    table: &Table<Row<E>>,
    tables: &mut Tables<'_>,
    (tenant, keyring): (&TenantId, Option<&Keyring>),
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    let mut rows: BTreeMap<Uuid, Listed<E>> = BTreeMap::new();
    for Row { listed, .. } in table.load(tables, tenant, stored::<E>(events)).await? {
        rows.insert(E::uuid(listed.id), listed);
    }
    for recorded in events {
        let Some((id, event)) = E::event(&recorded.event) else { continue };
        let (before, created_at) = match rows.remove(&id) {
            Some(row) => (E::from_document(row.document, row.status), row.created_at),
            None => (E::default(), recorded.recorded_at),
        };
        let after = before.after(event.clone());
        let (version, position) = (recorded.sequence, recorded.position);
        let updated_at = recorded.recorded_at;
        let Some((document, status)) = after.into_document() else {
            let reason = format!("{} {id} was never made", E::ID);
            return Err(ApplyError::Event { position, reason });
        };
        let id_of = id.into();
        let listed =
            Listed { id: id_of, document, status, version, position, created_at, updated_at };
        rows.insert(id, listed);
    }
    let position = events.last().map(|event| event.position).unwrap_or_default();
    let closed = |error| ApplyError::closed(error, position);
    let terms = terms_of(keyring, tenant).await.map_err(closed)?;
    let rows: Vec<Listed<E>> = rows.into_values().collect();
    // What is written stays sealed; only terms are made of what is open.
    let mut opened: Vec<E::Document> = rows.iter().map(|row| row.document.clone()).collect();
    let ids = rows.iter().map(|row| E::uuid(row.id));
    open::<E>(keyring, tenant, ids.zip(&mut opened)).await.map_err(closed)?;
    let rows = rows.into_iter().zip(&opened);
    let rows: Vec<Row<E>> = rows.map(|(listed, opened)| Row::of(listed, opened, &terms)).collect();
    table.upsert(tables, tenant, &rows).await
}

/// Those that the events touch and do not make.
fn stored<E: CatalogueEntity>(events: &[RecordedEvent]) -> BTreeSet<Uuid> {
    let touched = events.iter().filter(|recorded| recorded.sequence > 1);
    touched.filter_map(|recorded| Some(E::event(&recorded.event)?.0)).collect()
}

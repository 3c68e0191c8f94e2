//! The resources: what they are like as far as the log has been read.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use daybook_domain::resource::{Resource, ResourceProfile};
use daybook_domain::{ResourceId, TenantId};
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use crate::catalogue::{CatalogueEntity as _, CatalogueStatus};
use crate::kit::{Column, Json, Table, column};
use crate::{ApplyError, Tables};

/// A resource that was registered.
pub(super) struct ResourceRow {
    resource_id: ResourceId,
    profile: ResourceProfile,
    status: CatalogueStatus,
}

pub(super) static RESOURCES: LazyLock<Table<ResourceRow>> = LazyLock::new(|| {
    Table::new(
        "resources",
        [
            Column::field("resource_id", |row: &ResourceRow| &row.resource_id).key(),
            Column::json("profile", |row| &row.profile),
            Column::field("status", |row| &row.status),
        ],
    )
});

impl FromRow<'_, PgRow> for ResourceRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(profile) = column(row, "profile")?;
        Ok(Self {
            resource_id: column(row, "resource_id")?,
            profile,
            status: column(row, "status")?,
        })
    }
}

/// What is not there is not registered.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[ResourceId],
) -> Result<BTreeMap<ResourceId, Resource>, sqlx::Error> {
    let rows = RESOURCES.load(tables, tenant, ids.iter().map(|id| id.uuid())).await?;
    let resource =
        |row: ResourceRow| (row.resource_id, Resource::from_document(row.profile, row.status));
    Ok(rows.into_iter().map(resource).collect())
}

/// Inserts or replaces the rows.
pub(super) async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    resources: BTreeMap<ResourceId, Resource>,
) -> Result<(), ApplyError> {
    let rows = resources.into_iter().filter_map(|(resource_id, resource)| {
        let (profile, status) = resource.into_document()?;
        Some(ResourceRow { resource_id, profile, status })
    });
    RESOURCES.upsert(tables, tenant, &rows.collect::<Vec<_>>()).await
}

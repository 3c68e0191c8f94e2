//! The resources: what they are like as far as the log has been read.

use std::collections::BTreeMap;

use daybook_domain::resource::{Resource, ResourceProfile};
use daybook_domain::{ResourceId, TenantId};
use sqlx::Row as _;
use sqlx::types::Json;
use uuid::Uuid;

use crate::{Tables, rows};

/// Served by the primary key. What is not there is not registered.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[ResourceId],
) -> Result<BTreeMap<ResourceId, Resource>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query(&tables.sql(
        "SELECT resource_id, profile, status FROM conflicts_1.resources
          WHERE tenant_id = $1 AND resource_id = ANY($2)",
    ))
    .bind(tenant.as_str())
    .bind(ids)
    .fetch_all(tables.connection())
    .await?;
    let mut found = BTreeMap::new();
    for row in &rows {
        let Json(profile) = row.try_get::<Json<ResourceProfile>, _>("profile")?;
        // The schema lets no other status in.
        let retired = row.try_get::<&str, _>("status")? == "retired";
        let resource = if retired { Resource::Retired(profile) } else { Resource::Active(profile) };
        found.insert(row.try_get::<Uuid, _>("resource_id")?.into(), resource);
    }
    Ok(found)
}

/// Inserts or replaces the rows.
pub(super) async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    resources: &BTreeMap<ResourceId, Resource>,
) -> Result<(), sqlx::Error> {
    let (mut ids, mut profiles, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
    for (id, resource) in resources {
        let status = match resource {
            Resource::Unregistered => continue,
            Resource::Active(_) => "active",
            Resource::Retired(_) => "retired",
        };
        profiles.push(rows::document(&resource.profile())?);
        ids.push(id.uuid());
        statuses.push(status);
    }
    if ids.is_empty() {
        return Ok(());
    }
    let saved = sqlx::query(&tables.sql(
        "INSERT INTO conflicts_1.resources (tenant_id, resource_id, profile, status)
         SELECT h.tenant_id, u.resource_id, u.profile::json, u.status
           FROM log_heads h,
                unnest($2::uuid[], $3::text[], $4::text[]) AS u (resource_id, profile, status)
          WHERE h.tenant_id = $1
         ON CONFLICT (tenant_id, resource_id) DO UPDATE
            SET profile = excluded.profile, status = excluded.status",
    ))
    .bind(tenant.as_str())
    .bind(&ids)
    .bind(profiles)
    .bind(statuses)
    .execute(tables.connection())
    .await?;
    if saved.rows_affected() == ids.len() as u64 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

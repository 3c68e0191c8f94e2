//! The rows about what is offered.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use daybook_domain::{ResourceId, TenantId};
use sqlx::Row as _;
use sqlx::types::Json;
use uuid::Uuid;

use super::offered::{Anew, Terms};
use crate::{Tables, rows};

/// How many resources are looked at at once when days have come.
const PART: i64 = 500;

type Changed = BTreeMap<ResourceId, (Terms, Anew)>;

/// Up to which day the rows go. Served by the primary key.
pub(super) async fn horizon(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
) -> Result<Option<NaiveDate>, sqlx::Error> {
    sqlx::query_scalar(
        &tables.sql("SELECT last_day FROM utilisation_2.horizons WHERE tenant_id = $1"),
    )
    .bind(tenant.as_str())
    .fetch_optional(tables.connection())
    .await
}

pub(super) async fn set_horizon(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    last_day: NaiveDate,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.sql(
        "INSERT INTO utilisation_2.horizons (tenant_id, last_day) VALUES ($1, $2)
         ON CONFLICT (tenant_id) DO UPDATE SET last_day = excluded.last_day",
    ))
    .bind(tenant.as_str())
    .bind(last_day)
    .execute(tables.connection())
    .await?;
    Ok(())
}

/// Served by the primary key. What is not there is not registered.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[ResourceId],
) -> Result<BTreeMap<ResourceId, Terms>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query(&tables.sql(
        "SELECT resource_id, terms FROM utilisation_2.resources
          WHERE tenant_id = $1 AND resource_id = ANY($2)",
    ))
    .bind(tenant.as_str())
    .bind(ids)
    .fetch_all(tables.connection())
    .await?;
    rows.iter().map(decoded).collect()
}

fn decoded(row: &sqlx::postgres::PgRow) -> Result<(ResourceId, Terms), sqlx::Error> {
    let Json(terms) = row.try_get("terms")?;
    Ok((row.try_get::<Uuid, _>("resource_id")?.into(), terms))
}

/// The next resources of the tenant after this one, in order; none: that was all. Served by the primary
/// key.
pub(super) async fn next(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    after: Uuid,
) -> Result<BTreeMap<ResourceId, Terms>, sqlx::Error> {
    let rows = sqlx::query(&tables.sql(
        "SELECT resource_id, terms FROM utilisation_2.resources
          WHERE tenant_id = $1 AND resource_id > $2 ORDER BY resource_id LIMIT $3",
    ))
    .bind(tenant.as_str())
    .bind(after)
    .bind(PART)
    .fetch_all(tables.connection())
    .await?;
    rows.iter().map(decoded).collect()
}

pub(super) async fn save_terms(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    changed: &Changed,
) -> Result<(), sqlx::Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let terms = changed.values().map(|(terms, _)| rows::document(terms));
    let terms = terms.collect::<Result<Vec<_>, _>>()?;
    let saved = sqlx::query(&tables.sql(
        "INSERT INTO utilisation_2.resources (tenant_id, resource_id, terms)
         SELECT h.tenant_id, u.resource_id, u.terms::json
           FROM log_heads h, unnest($2::uuid[], $3::text[]) AS u (resource_id, terms)
          WHERE h.tenant_id = $1
         ON CONFLICT (tenant_id, resource_id) DO UPDATE SET terms = excluded.terms",
    ))
    .bind(tenant.as_str())
    .bind(changed.keys().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(terms)
    .execute(tables.connection())
    .await?;
    let all = saved.rows_affected() == changed.len() as u64;
    if all { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

/// Replaces the days of these resources, of each from its first one on. Served by the primary key.
pub(super) async fn save_days(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    changed: &Changed,
) -> Result<(), sqlx::Error> {
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query(&tables.sql(
        "DELETE FROM utilisation_2.offered o
          USING unnest($2::uuid[], $3::date[]) AS u (resource_id, first_day)
          WHERE o.tenant_id = $1 AND o.resource_id = u.resource_id AND o.day >= u.first_day",
    ))
    .bind(tenant.as_str())
    .bind(changed.keys().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(changed.values().map(|(_, anew)| anew.from).collect::<Vec<_>>())
    .execute(tables.connection())
    .await?;
    let (mut ids, mut days, mut minutes) = (Vec::new(), Vec::new(), Vec::new());
    for (id, (_, anew)) in changed {
        for (day, offered) in &anew.minutes {
            ids.push(id.uuid());
            days.push(*day);
            minutes.push(*offered);
        }
    }
    sqlx::query(&tables.sql(
        "INSERT INTO utilisation_2.offered (tenant_id, resource_id, day, minutes)
         SELECT h.tenant_id, u.resource_id, u.day, u.minutes
           FROM log_heads h,
                unnest($2::uuid[], $3::date[], $4::bigint[]) AS u (resource_id, day, minutes)
          WHERE h.tenant_id = $1",
    ))
    .bind(tenant.as_str())
    .bind(ids)
    .bind(days)
    .bind(minutes)
    .execute(tables.connection())
    .await?;
    Ok(())
}

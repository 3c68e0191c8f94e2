//! The rows about what is offered.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::NaiveDate;
use daybook_domain::{ResourceId, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::Utilisation;
use super::offered::{Anew, Terms};
use crate::kit::{Column, Json, Table, column, statement};
use crate::{ApplyError, Tables};

/// How many resources are read at once when days have come.
const PART: i64 = 500;

/// What a resource offers since it was last changed.
pub(super) struct TermsRow {
    pub(super) resource_id: ResourceId,
    pub(super) terms: Terms,
}

/// What a resource offers on a day.
pub(super) struct OfferedRow {
    resource_id: ResourceId,
    day: NaiveDate,
    minutes: i64,
}

pub(super) static RESOURCES: LazyLock<Table<TermsRow>> = LazyLock::new(|| {
    Table::new(
        "resources",
        [
            Column::field("resource_id", |row: &TermsRow| &row.resource_id).key(),
            Column::json("terms", |row| &row.terms),
        ],
    )
});

pub(super) static OFFERED: LazyLock<Table<OfferedRow>> = LazyLock::new(|| {
    Table::new(
        "offered",
        [
            Column::field("resource_id", |row: &OfferedRow| &row.resource_id).key(),
            Column::field("day", |row: &OfferedRow| &row.day).key(),
            Column::field("minutes", |row| &row.minutes),
        ],
    )
});

impl FromRow<'_, PgRow> for TermsRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(terms) = column(row, "terms")?;
        Ok(Self { resource_id: column(row, "resource_id")?, terms })
    }
}

statement!(
    /// Served by the primary key.
    HORIZON: Utilisation = "SELECT last_day FROM {schema}.horizons WHERE tenant_id = $1"
);

/// Up to which day the rows go.
pub(super) async fn horizon(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
) -> Result<Option<NaiveDate>, sqlx::Error> {
    sqlx::query_scalar(&tables.sql(&HORIZON))
        .bind(tenant.as_str())
        .fetch_optional(tables.connection())
        .await
}

statement!(
    SET_HORIZON: Utilisation =
        "INSERT INTO {schema}.horizons (tenant_id, last_day) VALUES ($1, $2)
         ON CONFLICT (tenant_id) DO UPDATE SET last_day = excluded.last_day"
);

pub(super) async fn set_horizon(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    last_day: NaiveDate,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.sql(&SET_HORIZON))
        .bind(tenant.as_str())
        .bind(last_day)
        .execute(tables.connection())
        .await?;
    Ok(())
}

/// What is not there is not registered.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: impl IntoIterator<Item = ResourceId>,
) -> Result<BTreeMap<ResourceId, Terms>, sqlx::Error> {
    let rows = RESOURCES.load(tables, tenant, ids.into_iter().map(ResourceId::uuid)).await?;
    Ok(rows.into_iter().map(|row| (row.resource_id, row.terms)).collect())
}

statement!(
    /// Served by the primary key.
    NEXT: Utilisation = format!(
        "SELECT {} FROM {{schema}}.resources
          WHERE tenant_id = $1 AND resource_id > $2 ORDER BY resource_id LIMIT $3",
        RESOURCES.names()
    )
);

/// The next resources of the tenant after this one, in order; none: that was all.
pub(super) async fn next(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    after: Uuid,
) -> Result<Vec<TermsRow>, sqlx::Error> {
    sqlx::query_as(&tables.sql(&NEXT))
        .bind(tenant.as_str())
        .bind(after)
        .bind(PART)
        .fetch_all(tables.connection())
        .await
}

statement!(
    /// Served by the primary key.
    IDS: Utilisation =
        "SELECT resource_id FROM {schema}.resources WHERE tenant_id = $1 ORDER BY resource_id LIMIT $2"
);

/// All resources that there are by now, at most so many.
pub(super) async fn ids(
    connection: &mut PgConnection,
    tenant: &TenantId,
    limit: u32,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let ids = IDS.live();
    let ids = sqlx::query_scalar(&ids).bind(tenant.as_str()).bind(i64::from(limit));
    ids.fetch_all(connection).await
}

/// Up to which day what is offered has been worked out.
pub(super) async fn worked_out_to(
    connection: &mut PgConnection,
    tenant: &TenantId,
) -> Result<Option<NaiveDate>, sqlx::Error> {
    sqlx::query_scalar(&HORIZON.live()).bind(tenant.as_str()).fetch_optional(connection).await
}

statement!(
    /// Served by the primary key.
    FORGET_DAYS: Utilisation =
        "DELETE FROM {schema}.offered o
          USING unnest($2::uuid[], $3::date[]) AS u (resource_id, first_day)
          WHERE o.tenant_id = $1 AND o.resource_id = u.resource_id AND o.day >= u.first_day"
);

/// Replaces the days of these resources, of each from its first one on.
pub(super) async fn save_days(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    changed: &BTreeMap<ResourceId, Anew>,
) -> Result<(), ApplyError> {
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query(&tables.sql(&FORGET_DAYS))
        .bind(tenant.as_str())
        .bind(changed.keys().map(|id| id.uuid()).collect::<Vec<_>>())
        .bind(changed.values().map(|anew| anew.from).collect::<Vec<_>>())
        .execute(tables.connection())
        .await?;
    let rows = changed.iter().flat_map(|(resource_id, anew)| {
        let days = anew.minutes.iter();
        days.map(|(day, minutes)| OfferedRow {
            resource_id: *resource_id,
            day: *day,
            minutes: *minutes,
        })
    });
    OFFERED.insert(tables, tenant, &rows.collect::<Vec<_>>()).await
}

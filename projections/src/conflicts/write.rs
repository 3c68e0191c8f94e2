//! The appointments that a batch touches: read and written in a statement for each table.

use std::collections::BTreeMap;

use daybook_domain::appointment::ConflictReason;
use daybook_domain::{AppointmentId, ResourceId, TenantId};
use sqlx::Row as _;
use uuid::Uuid;

use super::fold::Touched;
use super::row::{COLUMNS, Standing, Use, reason};
use crate::{Tables, array, rows};

/// Those of these appointments that stand. Served by the primary keys.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[AppointmentId],
) -> Result<BTreeMap<AppointmentId, Standing>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM conflicts_1.appointments a
          WHERE a.tenant_id = $1 AND a.appointment_id = ANY($2)"
    );
    let rows: Vec<Standing> = sqlx::query_as(&tables.sql(&sql))
        .bind(tenant.as_str())
        .bind(&ids)
        .fetch_all(tables.connection())
        .await?;
    let mut found: BTreeMap<_, _> = rows.into_iter().map(|row| (row.appointment_id, row)).collect();
    let uses = sqlx::query(&tables.sql(
        "SELECT appointment_id, resource_id, conflict FROM conflicts_1.uses
          WHERE tenant_id = $1 AND appointment_id = ANY($2)",
    ))
    .bind(tenant.as_str())
    .bind(&ids)
    .fetch_all(tables.connection())
    .await?;
    for row in &uses {
        let Some(standing) = found.get_mut(&row.try_get::<Uuid, _>("appointment_id")?.into())
        else {
            continue;
        };
        let conflict = row.try_get::<Option<&str>, _>("conflict")?.map(reason).transpose()?;
        let resource_id: ResourceId = row.try_get::<Uuid, _>("resource_id")?.into();
        standing.uses.insert(resource_id, Use { conflict, since: None });
    }
    Ok(found)
}

/// Drops the rows of these appointments. Served by the primary keys.
async fn forget(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[AppointmentId],
) -> Result<(), sqlx::Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    for table in ["uses", "appointments"] {
        let sql = format!(
            "DELETE FROM conflicts_1.{table} WHERE tenant_id = $1 AND appointment_id = ANY($2)"
        );
        sqlx::query(&tables.sql(&sql))
            .bind(tenant.as_str())
            .bind(&ids)
            .execute(tables.connection())
            .await?;
    }
    Ok(())
}

/// Makes the rows of these appointments what they are now. Those that were there `before` may have
/// some; the others have none.
pub(super) async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    before: &[AppointmentId],
    touched: &Touched,
) -> Result<(), sqlx::Error> {
    forget(tables, tenant, before).await?;
    let standing: Vec<&Standing> = touched.values().flatten().collect();
    insert_appointments(tables, tenant, &standing).await?;
    insert_uses(tables, tenant, &standing).await
}

async fn insert_appointments(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    rows: &[&Standing],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let excused = rows.iter().map(|row| rows::document(&row.excused));
    let excused = excused.collect::<Result<Vec<_>, _>>()?;
    let each = rows.iter();
    let inserted = sqlx::query(&tables.sql(
        "INSERT INTO conflicts_1.appointments
                (tenant_id, appointment_id, start_at, end_at, hold_expires_at, service_id,
                 client_id, title, resource_ids, excused, version, position)
         SELECT h.tenant_id, u.appointment_id, u.start_at, u.end_at, u.hold_expires_at,
                u.service_id, u.client_id, u.title, u.resource_ids::uuid[], u.excused::json,
                u.version, u.position
           FROM log_heads h,
                unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
                       $6::uuid[], $7::uuid[], $8::text[], $9::text[], $10::text[],
                       $11::bigint[], $12::bigint[])
                AS u (appointment_id, start_at, end_at, hold_expires_at, service_id, client_id,
                      title, resource_ids, excused, version, position)
          WHERE h.tenant_id = $1",
    ))
    .bind(tenant.as_str())
    .bind(each.clone().map(|row| row.appointment_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.during.start()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.during.end()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.hold_expires_at).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.service_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.client_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.title.as_str()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| array::of_plain(row.resource_ids.iter())).collect::<Vec<_>>())
    .bind(excused)
    .bind(each.clone().map(|row| row.version.cast_signed()).collect::<Vec<_>>())
    .bind(each.map(|row| row.position.as_i64()).collect::<Vec<_>>())
    .execute(tables.connection())
    .await?;
    all_of(rows.len(), inserted.rows_affected())
}

async fn insert_uses(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    rows: &[&Standing],
) -> Result<(), sqlx::Error> {
    let uses = rows.iter().flat_map(|row| row.uses.iter().map(|(id, used)| (*row, *id, *used)));
    let uses: Vec<(&Standing, ResourceId, Use)> = uses.collect();
    if uses.is_empty() {
        return Ok(());
    }
    let each = uses.iter();
    let excused =
        |(row, id, _): &(&Standing, ResourceId, Use)| array::of_plain(row.excused.reasons(*id));
    let inserted = sqlx::query(&tables.sql(
        "INSERT INTO conflicts_1.uses
                (tenant_id, appointment_id, resource_id, start_at, end_at, conflict, excused)
         SELECT h.tenant_id, u.appointment_id, u.resource_id, u.start_at, u.end_at, u.conflict,
                u.excused::text[]
           FROM log_heads h,
                unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::text[],
                       $7::text[])
                AS u (appointment_id, resource_id, start_at, end_at, conflict, excused)
          WHERE h.tenant_id = $1",
    ))
    .bind(tenant.as_str())
    .bind(each.clone().map(|(row, ..)| row.appointment_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|(_, id, _)| id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|(row, ..)| row.during.start()).collect::<Vec<_>>())
    .bind(each.clone().map(|(row, ..)| row.during.end()).collect::<Vec<_>>())
    .bind(
        each.clone()
            .map(|(.., used)| used.conflict.map(ConflictReason::as_str))
            .collect::<Vec<_>>(),
    )
    .bind(each.map(excused).collect::<Vec<_>>())
    .execute(tables.connection())
    .await?;
    all_of(uses.len(), inserted.rows_affected())
}

/// Rows that do not agree must not be committed.
fn all_of(wanted: usize, changed: u64) -> Result<(), sqlx::Error> {
    if changed == wanted as u64 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

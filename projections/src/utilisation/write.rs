//! The rows about what is taken.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use daybook_domain::{ResourceId, TenantId};
use sqlx::Row as _;
use sqlx::types::Json;
use uuid::Uuid;

use super::booked::{Booking, Taken};
use crate::{Tables, rows};

/// Served by the primary key.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Booking>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query(&tables.sql(
        "SELECT booking_id, booking FROM utilisation_2.bookings
          WHERE tenant_id = $1 AND booking_id = ANY($2)",
    ))
    .bind(tenant.as_str())
    .bind(ids)
    .fetch_all(tables.connection())
    .await?;
    let one = |row: &sqlx::postgres::PgRow| {
        let Json(booking) = row.try_get("booking")?;
        Ok((row.try_get("booking_id")?, booking))
    };
    rows.iter().map(one).collect()
}

/// Makes the rows of these bookings what they are now. Those that were there `before` may have some;
/// the others have none.
pub(super) async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    before: &[Uuid],
    bookings: &BTreeMap<Uuid, Booking>,
    zones: &BTreeMap<ResourceId, Tz>,
) -> Result<(), sqlx::Error> {
    if bookings.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = bookings.keys().copied().collect();
    let documents = bookings.values().map(rows::document).collect::<Result<Vec<_>, _>>()?;
    let saved = sqlx::query(&tables.sql(
        "INSERT INTO utilisation_2.bookings (tenant_id, booking_id, booking)
         SELECT h.tenant_id, u.booking_id, u.booking::json
           FROM log_heads h, unnest($2::uuid[], $3::text[]) AS u (booking_id, booking)
          WHERE h.tenant_id = $1
         ON CONFLICT (tenant_id, booking_id) DO UPDATE SET booking = excluded.booking",
    ))
    .bind(tenant.as_str())
    .bind(&ids)
    .bind(documents)
    .execute(tables.connection())
    .await?;
    if saved.rows_affected() != bookings.len() as u64 {
        return Err(sqlx::Error::RowNotFound);
    }
    if !before.is_empty() {
        sqlx::query(
            &tables.sql(
                "DELETE FROM utilisation_2.taken WHERE tenant_id = $1 AND booking_id = ANY($2)",
            ),
        )
        .bind(tenant.as_str())
        .bind(before)
        .execute(tables.connection())
        .await?;
    }
    let taken = bookings.iter().flat_map(|(id, booking)| {
        booking.taken(zones).into_iter().map(move |taken| (*id, booking, taken))
    });
    insert(tables, tenant, &taken.collect::<Vec<_>>()).await
}

async fn insert(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    taken: &[(Uuid, &Booking, Taken)],
) -> Result<(), sqlx::Error> {
    let each = taken.iter();
    sqlx::query(&tables.sql(
        "INSERT INTO utilisation_2.taken
                (tenant_id, booking_id, resource_id, nth, day, service_id, category, status,
                 minutes, begins, lead_minutes)
         SELECT h.tenant_id, u.booking_id, u.resource_id, u.nth, u.day, u.service_id, u.category,
                u.status, u.minutes, u.begins, u.lead_minutes
           FROM log_heads h,
                unnest($2::uuid[], $3::uuid[], $4::date[], $5::uuid[], $6::text[], $7::text[],
                       $8::bigint[], $9::boolean[], $10::bigint[], $11::int[])
                AS u (booking_id, resource_id, day, service_id, category, status, minutes, begins,
                      lead_minutes, nth)
          WHERE h.tenant_id = $1",
    ))
    .bind(tenant.as_str())
    .bind(each.clone().map(|(id, ..)| *id).collect::<Vec<_>>())
    .bind(each.clone().map(|(.., taken)| taken.resource_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|(.., taken)| taken.day).collect::<Vec<_>>())
    .bind(each.clone().map(|(_, booking, _)| booking.service_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|(_, booking, _)| booking.category.as_str()).collect::<Vec<_>>())
    .bind(each.clone().map(|(.., taken)| taken.standing.as_str()).collect::<Vec<_>>())
    .bind(each.clone().map(|(.., taken)| taken.minutes).collect::<Vec<_>>())
    .bind(each.clone().map(|(.., taken)| taken.begins).collect::<Vec<_>>())
    .bind(each.clone().map(|(.., taken)| taken.lead_minutes).collect::<Vec<_>>())
    .bind(each.map(|(.., taken)| taken.nth).collect::<Vec<_>>())
    .execute(tables.connection())
    .await?;
    Ok(())
}

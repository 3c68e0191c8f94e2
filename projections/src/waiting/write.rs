//! The entries that a batch touches: read and written in a statement each.

use std::collections::BTreeMap;

use daybook_domain::waiting::Offer;
use daybook_domain::{TenantId, WaitingEntryId};

use super::fold::Needed;
use super::row::{COLUMNS, Entry};

use crate::{Tables, rows};

/// Served by the primary key and by `entries_offered`.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    needed: &Needed,
) -> Result<BTreeMap<WaitingEntryId, Entry>, sqlx::Error> {
    let entries: Vec<_> = needed.entries.iter().map(|id| id.uuid()).collect();
    let holds: Vec<_> = needed.holds.iter().map(|id| id.uuid()).collect();
    let mut found = BTreeMap::new();
    for (condition, ids) in [
        ("entry_id = ANY($2)", entries),
        ("status = 'offered' AND appointment_id = ANY($2)", holds),
    ] {
        let sql =
            format!("SELECT {COLUMNS} FROM waiting_1.entries WHERE tenant_id = $1 AND {condition}");
        let rows: Vec<Entry> = rows::stored(tables, tenant, ids, &sql).await?;
        found.extend(rows.into_iter().map(|entry| (entry.entry_id, entry)));
    }
    Ok(found)
}

/// Inserts or replaces the rows.
pub(super) async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    touched: &BTreeMap<WaitingEntryId, Entry>,
) -> Result<(), sqlx::Error> {
    if touched.is_empty() {
        return Ok(());
    }
    let each = touched.values();
    let offers: Vec<Option<Offer>> = each.clone().map(|entry| entry.joined.state.offer()).collect();
    let offer = |of: fn(&Offer) -> chrono::DateTime<chrono::Utc>| {
        offers.iter().map(|offer| offer.as_ref().map(of)).collect::<Vec<_>>()
    };
    let wishes = each.clone().map(|entry| rows::document(&entry.joined.wishes));
    let wishes = wishes.collect::<Result<Vec<_>, _>>()?;
    let saved = sqlx::query(&tables.sql(
        "INSERT INTO waiting_1.entries
                (tenant_id, entry_id, turn, service_id, client_id, wishes, joined_at, until_at,
                 status, appointment_id, start_at, offer_expires_at, due, version, position)
         SELECT h.tenant_id, u.entry_id, u.turn, u.service_id, u.client_id, u.wishes::json,
                u.joined_at, u.until_at, u.status, u.appointment_id, u.start_at,
                u.offer_expires_at, u.due, u.version, u.position
           FROM log_heads h,
                unnest($2::uuid[], $3::bigint[], $4::uuid[], $5::uuid[], $6::text[],
                       $7::timestamptz[], $8::timestamptz[], $9::text[], $10::uuid[],
                       $11::timestamptz[], $12::timestamptz[], $13::boolean[], $14::bigint[],
                       $15::bigint[])
                AS u (entry_id, turn, service_id, client_id, wishes, joined_at, until_at, status,
                      appointment_id, start_at, offer_expires_at, due, version, position)
          WHERE h.tenant_id = $1
         ON CONFLICT (tenant_id, entry_id) DO UPDATE
            SET status = excluded.status, appointment_id = excluded.appointment_id,
                start_at = excluded.start_at, offer_expires_at = excluded.offer_expires_at,
                due = excluded.due, version = excluded.version, position = excluded.position",
    ))
    .bind(tenant.as_str())
    .bind(each.clone().map(|entry| entry.entry_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|entry| entry.turn.as_i64()).collect::<Vec<_>>())
    .bind(each.clone().map(|entry| entry.joined.wishes.service_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|entry| entry.joined.client_id.uuid()).collect::<Vec<_>>())
    .bind(wishes)
    .bind(each.clone().map(|entry| entry.joined.joined_at).collect::<Vec<_>>())
    .bind(each.clone().map(Entry::until).collect::<Vec<_>>())
    .bind(each.clone().map(|entry| entry.joined.state.status().as_str()).collect::<Vec<_>>())
    .bind(offers.iter().map(|it| it.map(|it| it.appointment_id.uuid())).collect::<Vec<_>>())
    .bind(offer(|offer| offer.start))
    .bind(offer(|offer| offer.expires_at))
    .bind(each.clone().map(|entry| entry.due).collect::<Vec<_>>())
    .bind(each.clone().map(|entry| entry.version.cast_signed()).collect::<Vec<_>>())
    .bind(each.map(|entry| entry.position.as_i64()).collect::<Vec<_>>())
    .execute(tables.connection())
    .await?;
    // Rows that do not agree must not be committed.
    let all = saved.rows_affected() == touched.len() as u64;
    if all { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

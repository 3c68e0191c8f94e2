//! Lists of the appointments of each client and resource, in the order of a page.
//!
//! A service has none: there are few, so their lists would be long, and are found by their marks.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::{AppointmentId, ResourceId, TenantId};
use uuid::Uuid;

use super::fold::Rows;
use super::row::FoundAppointment;

use crate::Tables;

/// A place in a list: under whom, and in its order.
type Entry = (Uuid, DateTime<Utc>, AppointmentId);

/// Makes the lists of these appointments as `before` into those of the same ones as `after`.
pub(super) async fn change(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    before: &Rows,
    after: &Rows,
) -> Result<(), sqlx::Error> {
    let (before, after) = (entries(before), entries(after));
    run(REMOVE, tables, tenant, before.difference(&after)).await?;
    run(INSERT, tables, tenant, after.difference(&before)).await
}

/// Served by the primary key.
const REMOVE: &str = "
    DELETE FROM search_3.listed AS l
     USING unnest($2::uuid[], $3::timestamptz[], $4::uuid[])
        AS u (listed_under, start_at, appointment_id)
     WHERE l.tenant_id = $1 AND l.listed_under = u.listed_under
       AND l.start_at = u.start_at AND l.appointment_id = u.appointment_id";

const INSERT: &str = "
    INSERT INTO search_3.listed (tenant_id, listed_under, start_at, appointment_id)
    SELECT h.tenant_id, u.listed_under, u.start_at, u.appointment_id
      FROM log_heads h,
           unnest($2::uuid[], $3::timestamptz[], $4::uuid[])
           AS u (listed_under, start_at, appointment_id)
     WHERE h.tenant_id = $1";

fn entries(rows: &Rows) -> BTreeSet<Entry> {
    rows.values().flat_map(of).collect()
}

pub(super) fn of(row: &FoundAppointment) -> impl Iterator<Item = Entry> {
    let resources = row.resource_ids.iter().map(ResourceId::uuid);
    let under = std::iter::once(row.client_id.uuid()).chain(resources);
    under.map(|under| (under, row.during.start(), row.appointment_id))
}

/// Does this to these entries: to all of them, for a list that does not agree with its rows must not be
/// committed.
async fn run(
    statement: &str,
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    entries: impl Iterator<Item = &Entry>,
) -> Result<(), sqlx::Error> {
    let (under, starts, ids) = columns(entries);
    if ids.is_empty() {
        return Ok(());
    }
    let statement = tables.sql(statement);
    let statement = sqlx::query(&statement).bind(tenant.as_str()).bind(under).bind(starts);
    let done = statement.bind(&ids).execute(tables.connection()).await?;
    if done.rows_affected() == ids.len() as u64 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

fn columns<'a>(
    entries: impl Iterator<Item = &'a Entry>,
) -> (Vec<Uuid>, Vec<DateTime<Utc>>, Vec<Uuid>) {
    let (mut under, mut starts, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for (listed_under, start, id) in entries {
        under.push(*listed_under);
        starts.push(*start);
        ids.push(id.uuid());
    }
    (under, starts, ids)
}

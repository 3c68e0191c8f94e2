//! Where the appointments of each client and resource are or were.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::{ResourceId, TenantId};
use uuid::Uuid;

use super::version::AppointmentVersion;
use crate::{ApplyError, CopyRows, Tables};

/// Those that are busy for longer after their start are looked for apart.
pub(super) const LONG: TimeDelta = TimeDelta::days(7);

/// A place in a list: under whom, and in its order.
type Entry = (Uuid, DateTime<Utc>, Uuid);

/// The columns of an entry.
pub(super) const NAMES: &str = "listed_under, start_at, appointment_id, busy_until, long";

/// An appointment is as often at a place as it has had events there; the entry is one. Its end only grows: it
/// serves to leave out what was over.
const INSERT: &str = "
    INSERT INTO history_2.listed AS l
           (tenant_id, listed_under, start_at, appointment_id, busy_until, long)
    SELECT h.tenant_id, u.listed_under, u.start_at, u.appointment_id, u.busy_until, u.long
      FROM log_heads h,
           unnest($2::uuid[], $3::timestamptz[], $4::uuid[], $5::timestamptz[], $6::boolean[])
           AS u (listed_under, start_at, appointment_id, busy_until, long)
     WHERE h.tenant_id = $1
    ON CONFLICT (tenant_id, listed_under, start_at, appointment_id) DO UPDATE
       SET busy_until = excluded.busy_until, long = excluded.long
     WHERE l.busy_until < excluded.busy_until";

/// Adds the entries of new rows. Those that were there before stay.
pub(super) async fn insert(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    rows: &[AppointmentVersion],
) -> Result<(), sqlx::Error> {
    let entries = entries(rows);
    if entries.is_empty() {
        return Ok(());
    }
    let each = entries.iter();
    sqlx::query(&tables.sql(INSERT))
        .bind(tenant.as_str())
        .bind(each.clone().map(|((under, ..), _)| *under).collect::<Vec<_>>())
        .bind(each.clone().map(|((_, start, _), _)| *start).collect::<Vec<_>>())
        .bind(each.clone().map(|((.., id), _)| *id).collect::<Vec<_>>())
        .bind(each.clone().map(|(_, until)| *until).collect::<Vec<_>>())
        .bind(each.map(|((_, start, _), until)| is_long(*start, *until)).collect::<Vec<_>>())
        .execute(tables.connection())
        .await?;
    Ok(())
}

/// Adds the entries of one appointment, whose rows these all are.
pub(super) fn copy(
    tenant: &TenantId,
    versions: &[AppointmentVersion],
    to: &mut CopyRows,
) -> Result<(), ApplyError> {
    for ((under, start, id), until) in entries(versions) {
        to.row(6)
            .push(tenant.as_str())?
            .push(under)?
            .push(start)?
            .push(id)?
            .push(until)?
            .push(is_long(start, until))?;
    }
    Ok(())
}

fn is_long(start: DateTime<Utc>, busy_until: DateTime<Utc>) -> bool {
    busy_until - start > LONG
}

/// In one order in every transaction, and in that of the primary key.
fn entries(rows: &[AppointmentVersion]) -> BTreeMap<Entry, DateTime<Utc>> {
    let mut entries = BTreeMap::new();
    for row in rows {
        let found = &row.appointment;
        let resources = found.resource_ids.iter().map(ResourceId::uuid);
        for under in std::iter::once(found.client_id.uuid()).chain(resources) {
            let entry = (under, found.during.start(), found.appointment_id.uuid());
            let until = entries.entry(entry).or_insert(row.placed.busy.end());
            *until = (*until).max(row.placed.busy.end());
        }
    }
    entries
}

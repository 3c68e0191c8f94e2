//! How many appointments of each status there are on each day: where a search for a status begins.
//!
//! Most of what is past was booked once, and hardly any of it is. An index on the status of rows would read
//! them all to find that out.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use daybook_domain::TenantId;
use daybook_domain::appointment::Status;

use super::version::AppointmentVersion;
use crate::Tables;

/// What a batch changes of a day's appointments of a status.
#[derive(Debug, Default)]
struct Change {
    standing: i64,
    first_position: Option<i64>,
    last_until: Option<i64>,
}

const ADD: &str = "
    INSERT INTO history_2.standing AS s
           (tenant_id, status, day, standing, first_position, last_until)
    SELECT h.tenant_id, u.status, u.day, u.standing, u.first_position, u.last_until
      FROM log_heads h,
           unnest($2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[])
           AS u (status, day, standing, first_position, last_until)
     WHERE h.tenant_id = $1
    ON CONFLICT (tenant_id, status, day) DO UPDATE
       SET standing = s.standing + excluded.standing,
           first_position = least(s.first_position, excluded.first_position),
           last_until = greatest(s.last_until, excluded.last_until)";

/// The same of all rows of all tenants, where nothing has been noted yet.
pub(super) const OF_ALL: &str = "
    INSERT INTO history_2.standing
           (tenant_id, status, day, standing, first_position, last_until)
    SELECT tenant_id, status, (start_at AT TIME ZONE 'UTC')::date,
           count(*) FILTER (WHERE until_position IS NULL), min(position), max(until_position)
      FROM history_2.appointments
     GROUP BY 1, 2, 3";

/// Takes note of rows that were made, and of rows that were there before and are closed.
pub(super) async fn add(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    made: &[AppointmentVersion],
    closed: &[AppointmentVersion],
) -> Result<(), sqlx::Error> {
    let changes = changes(made, closed);
    if changes.is_empty() {
        return Ok(());
    }
    let each = changes.iter();
    let done = sqlx::query(&tables.sql(ADD))
        .bind(tenant.as_str())
        .bind(each.clone().map(|((status, _), _)| *status).collect::<Vec<_>>())
        .bind(each.clone().map(|((_, day), _)| *day).collect::<Vec<_>>())
        .bind(each.clone().map(|(_, change)| change.standing).collect::<Vec<_>>())
        .bind(each.clone().map(|(_, change)| change.first_position).collect::<Vec<_>>())
        .bind(each.map(|(_, change)| change.last_until).collect::<Vec<_>>())
        .execute(tables.connection())
        .await?;
    let all = done.rows_affected() == changes.len() as u64;
    if all { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

/// In the order of the primary key, as in every transaction.
fn changes(
    made: &[AppointmentVersion],
    closed: &[AppointmentVersion],
) -> BTreeMap<(&'static str, NaiveDate), Change> {
    let mut changes: BTreeMap<_, Change> = BTreeMap::new();
    let new = made.iter().map(|row| (row, 1));
    for (row, count) in new.chain(closed.iter().map(|row| (row, 0))) {
        let status: Status = row.appointment.status;
        let day = row.appointment.during.start().date_naive();
        let change = changes.entry((status.as_str(), day)).or_default();
        let position = row.appointment.position.as_i64();
        change.standing += count;
        change.first_position = Some(change.first_position.map_or(position, |it| it.min(position)));
        if let Some(until) = row.until {
            change.standing -= 1;
            change.last_until = change.last_until.max(Some(until.position.as_i64()));
        }
    }
    changes
}

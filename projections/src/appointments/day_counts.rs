//! How many appointments of each status there are on each day: where a search for a status begins.
//!
//! Most of what is past was booked once, and hardly any of it is. An index on the status of rows would read
//! them all to find that out, and have an entry for each of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::NaiveDate;
use daybook_domain::appointment::Status;
use daybook_store::Position;

use super::Appointments;
use super::version::AppointmentVersion;
use crate::kit::{Column, OnConflict, Table, statement};

/// What a batch changes of a day's appointments of a status.
pub(super) struct DayCount {
    status: &'static str,
    day: NaiveDate,
    count: i64,
    first_position: Position,
    last_until: Option<Position>,
}

pub(super) static DAY_COUNTS: LazyLock<Table<DayCount>> = LazyLock::new(|| {
    Table::new(
        "status_day_counts",
        [
            Column::field("status", |row: &DayCount| &row.status).key(),
            Column::field("day", |row: &DayCount| &row.day).key(),
            Column::field("count", |row| &row.count),
            Column::field("first_position", |row| &row.first_position),
            Column::field("last_until", |row| &row.last_until),
        ],
    )
});

/// Adds what a batch changes to what was counted before.
pub(super) const ADD: OnConflict = OnConflict::Do(
    "DO UPDATE SET count = t.count + excluded.count,
                   first_position = least(t.first_position, excluded.first_position),
                   last_until = greatest(t.last_until, excluded.last_until)",
);

statement!(
    /// All of all tenants, where nothing has been counted yet.
    pub(super) COUNT_ALL: Appointments = "
    INSERT INTO {schema}.status_day_counts
           (tenant_id, status, day, count, first_position, last_until)
    SELECT tenant_id, status, (start_at AT TIME ZONE 'UTC')::date,
           count(*) FILTER (WHERE until_position IS NULL), min(position), max(until_position)
      FROM {schema}.appointments
     GROUP BY 1, 2, 3"
);

/// Of versions that were made, and of those that were there before and have ended: in the order of the primary
/// key, as in every transaction.
pub(super) fn changes<'v>(
    made: impl IntoIterator<Item = &'v AppointmentVersion>,
    ended: &'v [AppointmentVersion],
) -> Vec<DayCount> {
    let mut changes: BTreeMap<(&'static str, NaiveDate), DayCount> = BTreeMap::new();
    let new = made.into_iter().map(|version| (version, 1));
    for (version, count) in new.chain(ended.iter().map(|version| (version, 0))) {
        let status = Status::as_str(version.appointment.status);
        let day = version.appointment.during.start().date_naive();
        let first_position = version.appointment.position;
        let change = changes.entry((status, day)).or_insert(DayCount {
            status,
            day,
            count: 0,
            first_position,
            last_until: None,
        });
        change.count += count;
        change.first_position = change.first_position.min(first_position);
        if let Some(until) = version.until {
            change.count -= 1;
            change.last_until = change.last_until.max(Some(until.position));
        }
    }
    changes.into_values().collect()
}

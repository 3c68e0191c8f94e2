//! Where the appointments of each party are or were: of a client or a resource.
//!
//! A service has no such list: there are few services, so their lists would be long, and are found by their
//! signature.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::{AppointmentId, ResourceId};
use uuid::Uuid;

use super::version::AppointmentVersion;
use crate::kit::{Column, OnConflict, Table};

/// Those that are busy for longer after their start are looked for apart.
pub(crate) const LONG: TimeDelta = TimeDelta::days(7);

/// An appointment is as often at a place as it has had events there; the entry is one. Its end only grows: it
/// serves to leave out what was over.
pub(super) const LATER_END: OnConflict = OnConflict::Do(
    "DO UPDATE SET busy_until = excluded.busy_until, long = excluded.long
      WHERE t.busy_until < excluded.busy_until",
);

/// An entry.
pub(super) struct Entry {
    party_id: Uuid,
    start_at: DateTime<Utc>,
    appointment_id: AppointmentId,
    busy_until: DateTime<Utc>,
}

pub(super) static BY_PARTY: LazyLock<Table<Entry>> = LazyLock::new(|| {
    Table::new(
        "appointments_by_party",
        [
            Column::field("party_id", |row: &Entry| &row.party_id).key(),
            Column::field("start_at", |row: &Entry| &row.start_at).key(),
            Column::field("appointment_id", |row: &Entry| &row.appointment_id).key(),
            Column::field("busy_until", |row| &row.busy_until),
            Column::value("long", |row| row.busy_until - row.start_at > LONG),
        ],
    )
});

/// The entries of these versions: in one order in every transaction, and in that of the primary key.
pub(super) fn entries<'v>(
    versions: impl IntoIterator<Item = &'v AppointmentVersion>,
) -> Vec<Entry> {
    let mut ends: BTreeMap<_, DateTime<Utc>> = BTreeMap::new();
    for AppointmentVersion { appointment, placed, .. } in versions {
        let resources = appointment.resource_ids.iter().map(ResourceId::uuid);
        for party in std::iter::once(appointment.client_id.uuid()).chain(resources) {
            let key = (party, appointment.during.start(), appointment.appointment_id);
            let end = ends.entry(key).or_insert(placed.busy.end());
            *end = (*end).max(placed.busy.end());
        }
    }
    let entry = |((party_id, start_at, appointment_id), busy_until)| Entry {
        party_id,
        start_at,
        appointment_id,
        busy_until,
    };
    ends.into_iter().map(entry).collect()
}

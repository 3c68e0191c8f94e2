//! The rows: standing appointments, and the resources that they use.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, SubsecRound as _, Utc};
use daybook_domain::appointment::{ConflictReason, Details, Excused, Slot};
use daybook_domain::resource::Resource;
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, ClientId, ResourceId, ResourceIds, ServiceId, Title};
use daybook_store::{Position, RecordedEvent};
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use crate::kit::read::decode;
use crate::kit::{Column, Json, Table, column};

/// An appointment that is held or booked, after its last event that the projection has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) appointment_id: AppointmentId,
    pub(super) during: Interval,
    pub(super) hold_expires_at: Option<DateTime<Utc>>,
    pub(super) service_id: ServiceId,
    pub(super) client_id: ClientId,
    pub(super) title: Title,
    pub(super) resource_ids: ResourceIds,
    pub(super) excused: Excused,
    pub(super) version: u64,
    pub(super) position: Position,
    pub(super) uses: BTreeMap<ResourceId, Use>,
}

/// What is known of one of its resources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) conflict: Option<ConflictReason>,
    /// Where it began to use it then, if that is in the batch that is being applied: by what the
    /// resource was like there it is to be judged.
    pub(super) since: Option<Position>,
}

/// That a standing appointment uses a resource: a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UseRow {
    pub(super) appointment_id: AppointmentId,
    pub(super) resource_id: ResourceId,
    pub(super) during: Interval,
    pub(super) conflict: Option<ConflictReason>,
    /// What would be no conflict, as somebody stands by it.
    pub(super) excused: Vec<ConflictReason>,
}

impl UseRow {
    /// Why the resource, as it is given, cannot be had then, unless that is excused.
    pub(super) fn conflict_with(&self, resource: &Resource) -> Option<ConflictReason> {
        let found = ConflictReason::of(resource, &self.during);
        found.filter(|reason| !self.excused.contains(reason))
    }
}

pub(super) static APPOINTMENTS: LazyLock<Table<Standing>> = LazyLock::new(|| {
    Table::new(
        "appointments",
        [
            Column::field("appointment_id", |row: &Standing| &row.appointment_id).key(),
            Column::value("start_at", |row| row.during.start()),
            Column::value("end_at", |row| row.during.end()),
            Column::field("hold_expires_at", |row| &row.hold_expires_at),
            Column::field("service_id", |row| &row.service_id),
            Column::field("client_id", |row| &row.client_id),
            Column::field("title", |row| &row.title),
            Column::field("resource_ids", |row| &row.resource_ids),
            Column::json("excused", |row| &row.excused),
            Column::field("version", |row| &row.version),
            Column::field("position", |row| &row.position),
        ],
    )
});

pub(super) static USES: LazyLock<Table<UseRow>> = LazyLock::new(|| {
    Table::new(
        "uses",
        [
            Column::field("appointment_id", |row: &UseRow| &row.appointment_id).key(),
            Column::field("resource_id", |row: &UseRow| &row.resource_id).key(),
            Column::value("start_at", |row| row.during.start()),
            Column::value("end_at", |row| row.during.end()),
            Column::field("conflict", |row| &row.conflict),
            Column::field("excused", |row| &row.excused),
        ],
    )
});

impl Standing {
    pub(super) fn made(
        appointment_id: AppointmentId,
        details: &Details,
        hold_expires_at: Option<DateTime<Utc>>,
        recorded: &RecordedEvent,
    ) -> Self {
        let mut standing = Self {
            appointment_id,
            during: details.slot.during,
            hold_expires_at: hold_expires_at.map(|lapses| lapses.trunc_subsecs(6)),
            service_id: details.service_id,
            client_id: details.client_id,
            title: details.title.clone(),
            resource_ids: details.slot.resource_ids.clone(),
            excused: Excused::default(),
            version: recorded.sequence,
            position: recorded.position,
            uses: BTreeMap::new(),
        };
        standing.uses_anew(&details.slot, recorded.position);
        standing
    }

    /// Its rows of [`USES`].
    pub(super) fn use_rows(&self) -> impl Iterator<Item = UseRow> {
        self.uses.iter().map(|(resource_id, used)| UseRow {
            appointment_id: self.appointment_id,
            resource_id: *resource_id,
            during: self.during,
            conflict: used.conflict,
            excused: self.excused.reasons(*resource_id).collect(),
        })
    }

    /// All its resources are to be judged, by what they are like at `position`.
    pub(super) fn uses_anew(&mut self, slot: &Slot, position: Position) {
        self.uses.clear();
        self.uses_as_before(slot, position);
    }

    /// Those of its resources that it did not use then before are to be judged.
    pub(super) fn uses_as_before(&mut self, slot: &Slot, position: Position) {
        if self.during != slot.during {
            self.uses.clear();
        }
        self.during = slot.during;
        self.resource_ids = slot.resource_ids.clone();
        let ids = slot.resource_ids.as_slice();
        self.uses.retain(|id, _| ids.contains(id));
        for id in ids {
            let new = Use { conflict: None, since: Some(position) };
            self.uses.entry(*id).or_insert(new);
        }
    }
}

impl FromRow<'_, PgRow> for Standing {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(excused) = column(row, "excused")?;
        Ok(Self {
            appointment_id: column(row, "appointment_id")?,
            during: during(row)?,
            hold_expires_at: column(row, "hold_expires_at")?,
            service_id: column(row, "service_id")?,
            client_id: column(row, "client_id")?,
            title: column(row, "title")?,
            resource_ids: column(row, "resource_ids")?,
            excused,
            version: column(row, "version")?,
            position: column(row, "position")?,
            uses: BTreeMap::new(),
        })
    }
}

impl FromRow<'_, PgRow> for UseRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            appointment_id: column(row, "appointment_id")?,
            resource_id: column(row, "resource_id")?,
            during: during(row)?,
            conflict: column(row, "conflict")?,
            excused: column(row, "excused")?,
        })
    }
}

fn during(row: &PgRow) -> Result<Interval, sqlx::Error> {
    Interval::new(column(row, "start_at")?, column(row, "end_at")?).map_err(decode)
}

//! The rows: standing appointments, and the resources that they use.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, SubsecRound as _, Utc};
use daybook_domain::appointment::{Appointment, ConflictReason, Excused};
use daybook_domain::resource::Resource;
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, ClientId, FreeTitle, ResourceId, ResourceIds, ServiceId};
use daybook_store::Position;
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use super::fold::standing_slot;
use crate::change::AppointmentChange;
use crate::kit::read::decode;
use crate::kit::{Column, Json, Table, column};

/// An appointment that is held or booked, after its last event that the projection has read: a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) appointment_id: AppointmentId,
    pub(super) during: Interval,
    pub(super) hold_expires_at: Option<DateTime<Utc>>,
    pub(super) service_id: ServiceId,
    pub(super) client_id: ClientId,
    pub(super) title: FreeTitle,
    pub(super) resource_ids: ResourceIds,
    pub(super) version: u64,
    pub(super) position: Position,
}

/// The same, and what is known of its resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) standing: Standing,
    pub(super) excused: Excused,
    pub(super) uses: Uses,
}

/// What is known of an appointment's resources.
pub(super) type Uses = BTreeMap<ResourceId, Use>;

/// What is known of one of them.
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
            Column::json("title", |row| &row.title),
            Column::field("resource_ids", |row| &row.resource_ids),
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

impl Judged {
    /// `None`: it does not stand (any longer).
    pub(super) fn after(change: &AppointmentChange<'_>, uses: Uses) -> Option<Self> {
        let Appointment::Made { details, excused, .. } = &*change.after else { return None };
        let slot = standing_slot(&change.after)?;
        let standing = Standing {
            appointment_id: change.id,
            during: slot.during,
            hold_expires_at: change.after.hold_expires_at().map(|lapses| lapses.trunc_subsecs(6)),
            service_id: details.service_id,
            client_id: details.client_id,
            title: details.title.clone(),
            resource_ids: slot.resource_ids.clone(),
            version: change.sequence,
            position: change.position,
        };
        Some(Self { standing, excused: excused.clone(), uses })
    }

    /// Its rows of [`USES`].
    pub(super) fn use_rows(&self) -> impl Iterator<Item = UseRow> {
        self.uses.iter().map(|(resource_id, used)| UseRow {
            appointment_id: self.standing.appointment_id,
            resource_id: *resource_id,
            during: self.standing.during,
            conflict: used.conflict,
            excused: self.excused.reasons(*resource_id).collect(),
        })
    }
}

impl FromRow<'_, PgRow> for Standing {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            appointment_id: column(row, "appointment_id")?,
            during: during(row)?,
            hold_expires_at: column(row, "hold_expires_at")?,
            service_id: column(row, "service_id")?,
            client_id: column(row, "client_id")?,
            title: column::<Json<FreeTitle>>(row, "title")?.0,
            resource_ids: column(row, "resource_ids")?,
            version: column(row, "version")?,
            position: column(row, "position")?,
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

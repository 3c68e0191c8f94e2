//! An appointment as search has it.

use chrono::{DateTime, SubsecRound as _, Utc};
use daybook_domain::appointment::Status;
use daybook_domain::time::Interval;
use daybook_domain::{
    AppointmentId, Category, ClientId, FreeTitle, Location, Metadata, Reference, ResourceIds,
    ServiceId, Tags,
};
use daybook_store::Position;
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use crate::ApplyError;
use crate::change::AppointmentChange;
use crate::kit::read::decode;
use crate::kit::{Json, column};
use crate::page::keyset::StartKey;

/// An appointment as it is after its last event that the projection has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAppointment {
    pub appointment_id: AppointmentId,
    /// When it is, in whole microseconds.
    pub during: Interval,
    /// What became of it.
    pub status: Status,
    /// When its hold lapses; only of a held one.
    pub hold_expires_at: Option<DateTime<Utc>>,
    pub category: Category,
    pub tags: Tags,
    pub service_id: ServiceId,
    /// The resources it uses.
    pub resource_ids: ResourceIds,
    pub client_id: ClientId,
    /// What it is called.
    pub title: FreeTitle,
    /// Where it takes place.
    pub location: Option<Location>,
    /// What the caller's own system calls it.
    pub reference: Option<Reference>,
    /// What the caller keeps with it.
    pub metadata: Metadata,
    /// The number of its events.
    pub version: u64,
    /// Where its last event is in the log.
    pub position: Position,
    /// When its first event was recorded.
    pub created_at: DateTime<Utc>,
    /// When its last event was.
    pub updated_at: DateTime<Utc>,
}

impl FoundAppointment {
    /// As it is to be shown: a hold that has lapsed is over, even before that is recorded.
    pub(crate) fn show_at(&mut self, now: DateTime<Utc>) {
        if self.hold_expires_at.is_some_and(|lapses| lapses <= now) {
            self.status = Status::Cancelled;
            self.hold_expires_at = None;
        }
    }

    /// Where it is in the order of a page.
    pub(crate) fn key(&self) -> StartKey {
        StartKey { start_at: self.during.start(), id: self.appointment_id.uuid() }
    }

    /// As it is after a change.
    pub(crate) fn after(change: &AppointmentChange<'_>) -> Result<Self, ApplyError> {
        let (details, state) = change.made()?;
        Ok(Self {
            appointment_id: change.id,
            during: in_microseconds(&details.slot.during),
            status: state.status(),
            hold_expires_at: change.after.hold_expires_at().map(|at| at.trunc_subsecs(6)),
            category: details.category.clone(),
            tags: details.tags.clone(),
            service_id: details.service_id,
            resource_ids: details.slot.resource_ids.clone(),
            client_id: details.client_id,
            title: details.title.clone(),
            location: details.location.clone(),
            reference: details.reference.clone(),
            metadata: details.metadata.clone(),
            version: change.sequence,
            position: change.position,
            created_at: change.created_at,
            updated_at: change.recorded_at,
        })
    }
}

/// What PostgreSQL keeps of it.
fn in_microseconds(interval: &Interval) -> Interval {
    let (start, end) = (interval.start().trunc_subsecs(6), interval.end().trunc_subsecs(6));
    Interval::new(start, end).unwrap_or(*interval)
}

/// The columns that a [`FoundAppointment`] is read from.
pub(super) const COLUMNS: [&str; 18] = [
    "appointment_id",
    "start_at",
    "end_at",
    "status",
    "hold_expires_at",
    "category",
    "tags",
    "service_id",
    "resource_ids",
    "client_id",
    "title",
    "location",
    "reference",
    "metadata",
    "version",
    "position",
    "created_at",
    "recorded_at",
];

impl FromRow<'_, PgRow> for FoundAppointment {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            appointment_id: column(row, "appointment_id")?,
            during: Interval::new(column(row, "start_at")?, column(row, "end_at")?)
                .map_err(decode)?,
            status: column(row, "status")?,
            hold_expires_at: column(row, "hold_expires_at")?,
            category: column(row, "category")?,
            tags: column(row, "tags")?,
            service_id: column(row, "service_id")?,
            resource_ids: column(row, "resource_ids")?,
            client_id: column(row, "client_id")?,
            title: column::<Json<FreeTitle>>(row, "title")?.0,
            location: column(row, "location")?,
            reference: column(row, "reference")?,
            metadata: column::<Json<Metadata>>(row, "metadata")?.0,
            version: column(row, "version")?,
            position: column(row, "position")?,
            created_at: column(row, "created_at")?,
            updated_at: column(row, "recorded_at")?,
        })
    }
}

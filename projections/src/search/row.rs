//! An appointment as search has it.

use std::collections::BTreeSet;

use chrono::{DateTime, SubsecRound, Utc};
use daybook_domain::appointment::{Slot, Status};
use daybook_domain::time::Interval;
use daybook_domain::{
    AppointmentId, Category, ClientId, ResourceId, ResourceIds, ServiceId, Tag, Tags, Title,
};
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

/// An appointment as it is after its last event that the projection has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAppointment {
    /// Which one.
    pub appointment_id: AppointmentId,
    /// When it is, in whole microseconds.
    pub during: Interval,
    /// What became of it.
    pub status: Status,
    /// When its hold lapses; only of a held one.
    pub hold_expires_at: Option<DateTime<Utc>>,
    /// Its category.
    pub category: Category,
    /// Its tags.
    pub tags: Tags,
    /// What was booked.
    pub service_id: ServiceId,
    /// The resources it uses.
    pub resource_ids: ResourceIds,
    /// For whom.
    pub client_id: ClientId,
    /// What it is called.
    pub title: Title,
    /// The number of its events.
    pub version: u64,
    /// Where its last event is in the log.
    pub position: Position,
}

/// The columns that [`FoundAppointment`] is read from.
pub(crate) const COLUMNS: &str = "appointment_id, start_at, end_at, status, hold_expires_at, \
     category, tags, service_id, resource_ids, client_id, title, version, position";

impl FoundAppointment {
    /// As it is to be shown: a hold that has lapsed is over, even before that is recorded.
    pub(crate) fn shown_at(mut self, now: DateTime<Utc>) -> Self {
        if self.hold_expires_at.is_some_and(|lapses| lapses <= now) {
            self.status = Status::Cancelled;
            self.hold_expires_at = None;
        }
        self
    }

    pub(super) fn move_to(&mut self, slot: &Slot) {
        self.during = in_microseconds(&slot.during);
        self.resource_ids = slot.resource_ids.clone();
    }
}

/// What PostgreSQL keeps of it.
pub(super) fn in_microseconds(interval: &Interval) -> Interval {
    let (start, end) = (interval.start().trunc_subsecs(6), interval.end().trunc_subsecs(6));
    Interval::new(start, end).unwrap_or(*interval)
}

impl FromRow<'_, PgRow> for FoundAppointment {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let tags: Vec<String> = row.try_get("tags")?;
        let tags: BTreeSet<Tag> =
            tags.into_iter().map(Tag::try_from).collect::<Result<_, _>>().map_err(decode)?;
        let resources: Vec<Uuid> = row.try_get("resource_ids")?;
        let resources: Vec<ResourceId> = resources.into_iter().map(Into::into).collect();
        Ok(Self {
            appointment_id: row.try_get::<Uuid, _>("appointment_id")?.into(),
            during: Interval::new(row.try_get("start_at")?, row.try_get("end_at")?)
                .map_err(decode)?,
            status: row.try_get::<&str, _>("status")?.parse().map_err(decode)?,
            hold_expires_at: row.try_get("hold_expires_at")?,
            category: Category::new(row.try_get("category")?).map_err(decode)?,
            tags: Tags::try_from(tags).map_err(decode)?,
            service_id: row.try_get::<Uuid, _>("service_id")?.into(),
            resource_ids: ResourceIds::try_from(resources).map_err(decode)?,
            client_id: row.try_get::<Uuid, _>("client_id")?.into(),
            title: Title::new(row.try_get("title")?).map_err(decode)?,
            version: row.try_get::<i64, _>("version")?.cast_unsigned(),
            position: Position::from_i64(row.try_get("position")?),
        })
    }
}

pub(crate) fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

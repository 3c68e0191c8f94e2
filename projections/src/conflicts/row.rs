//! A standing appointment as this projection has it.

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound as _, Utc};
use daybook_domain::appointment::{ConflictReason, Details, Excused, Slot};
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, ClientId, ResourceId, ResourceIds, ServiceId, Title};
use daybook_store::{Position, RecordedEvent};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

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

/// The columns that a [`Standing`] is read from, but for its uses.
pub(super) const COLUMNS: &str = "a.appointment_id, a.start_at, a.end_at, a.hold_expires_at, \
     a.service_id, a.client_id, a.title, a.resource_ids, a.excused, a.version, a.position";

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
        let resources: Vec<Uuid> = row.try_get("resource_ids")?;
        let resources: Vec<ResourceId> = resources.into_iter().map(Into::into).collect();
        let Json(excused) = row.try_get("excused")?;
        Ok(Self {
            appointment_id: row.try_get::<Uuid, _>("appointment_id")?.into(),
            during: during(row)?,
            hold_expires_at: row.try_get("hold_expires_at")?,
            service_id: row.try_get::<Uuid, _>("service_id")?.into(),
            client_id: row.try_get::<Uuid, _>("client_id")?.into(),
            title: Title::new(row.try_get("title")?).map_err(decode)?,
            resource_ids: ResourceIds::try_from(resources).map_err(decode)?,
            excused,
            version: row.try_get::<i64, _>("version")?.cast_unsigned(),
            position: Position::from_i64(row.try_get("position")?),
            uses: BTreeMap::new(),
        })
    }
}

pub(super) fn during(row: &PgRow) -> Result<Interval, sqlx::Error> {
    Interval::new(row.try_get("start_at")?, row.try_get("end_at")?).map_err(decode)
}

pub(super) fn reason(text: &str) -> Result<ConflictReason, sqlx::Error> {
    text.parse().map_err(decode)
}

pub(super) fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

//! How conflicts are shown: resources that cannot be had when an appointment uses them.

use chrono::{DateTime, Utc};
use daybook_domain::appointment::{AppointmentConflictAccepted, Conflict, ConflictReason, Status};
use daybook_domain::{ClientId, Reason, ResourceId, ResourceIds, ServiceId, Title};
use daybook_projections::conflicts::InConflict;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Times;
use super::appointment::said;
use super::times::timed;

/// That an appointment uses a resource when that cannot be had.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConflictView {
    resource_id: ResourceId,
    reason: ConflictReason,
}

impl From<Conflict> for ConflictView {
    fn from(Conflict { resource_id, reason }: Conflict) -> Self {
        Self { resource_id, reason }
    }
}

/// That somebody stands by an appointment as it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedConflictView {
    /// Why; `withheld` for whoever has no key with the scope `personal`.
    reason: Reason,
    /// What is accepted; other conflicts are not.
    conflicts: Vec<ConflictView>,
}

impl From<AppointmentConflictAccepted> for AcceptedConflictView {
    fn from(accepted: AppointmentConflictAccepted) -> Self {
        let AppointmentConflictAccepted { reason, conflicts } = accepted;
        let conflicts = conflicts.into_iter().map(ConflictView::from).collect();
        Self { reason: said(&reason), conflicts }
    }
}

impl AcceptedConflictView {
    /// For whoever is not told what is personal.
    pub(super) fn withheld(self) -> Self {
        Self { reason: Reason::withheld(), ..self }
    }
}

/// An appointment to come that uses resources when they cannot be had.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConflictSummary {
    id: Uuid,
    status: Status,
    version: u64,
    service_id: ServiceId,
    resource_ids: ResourceIds,
    client_id: ClientId,
    #[serde(flatten)]
    times: Times,
    /// `withheld` for whoever has no key with the scope `personal`, where it is personal.
    title: Title,
    /// Until when it can be confirmed, where it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_expires_at: Option<DateTime<Utc>>,
    /// What is in conflict, and why.
    conflicts: Vec<ConflictView>,
}

timed!(ConflictSummary);

impl From<InConflict> for ConflictSummary {
    fn from(found: InConflict) -> Self {
        Self {
            id: found.appointment_id.uuid(),
            status: found.status(),
            version: found.version,
            service_id: found.service_id,
            resource_ids: found.resource_ids,
            client_id: found.client_id,
            times: Times::of(&found.during),
            title: found.title.told(),
            hold_expires_at: found.hold_expires_at,
            conflicts: found.conflicts.into_iter().map(ConflictView::from).collect(),
        }
    }
}

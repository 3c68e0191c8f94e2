//! How an appointment is shown.

use chrono::{DateTime, Utc};
use daybook_domain::appointment::{
    Agreed, Appointment, Cancellation, CancelledBy, Details, State, Status,
};
use daybook_domain::service::Price;
use daybook_domain::time::LeadTime;
use daybook_domain::{
    Category, ClientId, Note, Personal, Reason, ResourceIds, ServiceId, SessionId, Tags, Title,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::conflict::AcceptedConflictView;
use super::overriding::OverriddenView;
use crate::routes::commands::Shown;
use crate::routes::series::InSeriesView;
use crate::routes::services::PriceForm;

/// An appointment.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppointmentView {
    id: Uuid,
    #[schema(value_type = AppointmentStatus)]
    status: Status,
    /// Its version: how many events it has had. The `ETag` says the same.
    version: u64,
    #[schema(value_type = Uuid)]
    service_id: ServiceId,
    #[schema(value_type = Vec<Uuid>)]
    resource_ids: ResourceIds,
    #[schema(value_type = Uuid)]
    client_id: ClientId,
    /// The session that it is in, where it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    session_id: Option<SessionId>,
    start: DateTime<Utc>,
    /// The first instant after it; buffers are not part of it.
    end: DateTime<Utc>,
    #[schema(value_type = String)]
    title: Title,
    #[schema(value_type = String)]
    category: Category,
    #[schema(value_type = Vec<String>)]
    tags: Tags,
    /// Free text about the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    note: Option<Personal<Note>>,
    /// Until when it can be confirmed, where it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_expires_at: Option<DateTime<Utc>>,
    /// Who cancelled it and why, where it is cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation: Option<CancellationView>,
    /// What was agreed when it was made; left out where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreed: Option<AgreedView>,
    /// Why it has its time although rules were against it, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    overridden: Option<OverriddenView>,
    /// That somebody stands by it although resources can no longer be had, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_conflict: Option<AcceptedConflictView>,
    /// Of which series it is an occurrence, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<InSeriesView>,
}

/// What was agreed with the booking, and stands whatever becomes of the service.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgreedView {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PriceForm>)]
    price: Option<Price>,
    /// Until how many minutes before its start the client's side may move it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    rescheduling_window_minutes: Option<LeadTime>,
    /// Until how many minutes before its start the client's side may cancel it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    cancellation_window_minutes: Option<LeadTime>,
}

impl From<Agreed> for AgreedView {
    fn from(agreed: Agreed) -> Self {
        Self {
            price: agreed.price,
            rescheduling_window_minutes: agreed.rescheduling_window,
            cancellation_window_minutes: agreed.cancellation_window,
        }
    }
}

/// Who cancelled, and why.
#[derive(Serialize, ToSchema)]
pub(crate) struct CancellationView {
    /// Nobody's: a hold that lapsed is cancelled by the `system`.
    #[schema(value_type = CancelledBySide)]
    by: CancelledBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reason: Option<Reason>,
    /// Why it was cancelled although a rule was against it, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    overridden: Option<OverriddenView>,
}

/// What has become of an appointment, in FHIR's words where they fit.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it documents `Status`")]
pub(super) enum AppointmentStatus {
    Held,
    Booked,
    CheckedIn,
    Fulfilled,
    Cancelled,
    NoShow,
}

/// On whose side an appointment was cancelled.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it documents `CancelledBy`")]
pub(in crate::routes) enum CancelledBySide {
    Client,
    Staff,
    System,
}

impl AppointmentView {
    /// As everybody must see it at `now`: a hold that has lapsed is cancelled.
    pub(in crate::routes) fn at(
        appointment: Appointment,
        id: Uuid,
        version: u64,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        match appointment {
            Appointment::Unmade => None,
            Appointment::Made { details, state, excused } => {
                let accepted = excused.accepted().cloned().map(Into::into);
                let shown = Self::new(id, version, details, state.at(now));
                Some(Self { accepted_conflict: accepted, ..shown })
            }
        }
    }

    fn new(id: Uuid, version: u64, details: Details, state: State) -> Self {
        let status = state.status();
        let (hold_expires_at, cancellation) = match state {
            State::Held { expires_at } => (Some(expires_at), None),
            State::Cancelled(Cancellation { reason, by, overridden }) => {
                let overridden = overridden.map(Into::into);
                (None, Some(CancellationView { by, reason, overridden }))
            }
            State::Booked | State::CheckedIn | State::Fulfilled | State::NoShow => (None, None),
        };
        Self {
            id,
            status,
            version,
            service_id: details.service_id,
            resource_ids: details.slot.resource_ids,
            client_id: details.client_id,
            session_id: details.slot.session_id,
            start: details.slot.during.start(),
            end: details.slot.during.end(),
            title: details.title,
            category: details.category,
            tags: details.tags,
            note: details.note,
            hold_expires_at,
            cancellation,
            agreed: (!details.agreed.is_empty()).then(|| details.agreed.into()),
            overridden: details.overridden.map(Into::into),
            accepted_conflict: None,
            series: details.series.map(Into::into),
        }
    }
}

/// As a command left it.
impl Shown for Appointment {
    type View = AppointmentView;

    const PATH: &'static str = "/v1/appointments";

    fn show(self, id: Uuid, version: u64) -> Option<AppointmentView> {
        AppointmentView::at(self, id, version, DateTime::<Utc>::MIN_UTC)
    }
}

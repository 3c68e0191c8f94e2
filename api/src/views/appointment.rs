//! How an appointment is shown.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::appointment::{
    Agreed, Appointment, AppointmentState, Cancellation, CancelledBy, Details, Overridden, Status,
};
use daybook_domain::series::{InSeries, RecurrenceId};
use daybook_domain::service::Price;
use daybook_domain::service::rules::Rule;
use daybook_domain::time::LeadTime;
use daybook_domain::{
    Category, ClientId, Location, Metadata, Note, Personal, Reason, Reference, ResourceId,
    ResourceIds, SeriesId, ServiceId, SessionId, Tags, Title,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::client::none_is_known;
use super::conflict::AcceptedConflictView;
use super::expanded::about;
use super::times::timed;
use super::{Times, Viewed};
use crate::http::{Book, Caller, auth};

/// An appointment.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppointmentView {
    id: Uuid,
    status: Status,
    /// Its version: how many events it has had. The `ETag` says the same.
    version: u64,
    service_id: ServiceId,
    resource_ids: ResourceIds,
    client_id: ClientId,
    /// The session that it is in, where it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<SessionId>,
    #[serde(flatten)]
    times: Times,
    /// `withheld` for whoever has no key with the scope `personal`, where it is personal.
    title: Title,
    #[serde(skip)]
    has_personal_title: bool,
    category: Category,
    tags: Tags,
    /// Free text about the client. Only a key with the scope `personal` is told, and of a private appointment only one that
    /// may book, too.
    #[serde(skip_serializing_if = "none_is_known")]
    note: Option<Personal<Note>>,
    /// Where it takes place.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
    /// What your own system calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    /// What you keep with it; left out where there is nothing.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
    /// Whether its text is not for whoever may only read; left out where it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    private: bool,
    /// Whether it takes no time of its resources, and keeps nobody away; left out where it does.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    transparent: bool,
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
    price: Option<Price>,
    /// Until how many minutes before its start the client's side may move it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rescheduling_window_minutes: Option<LeadTime>,
    /// Until how many minutes before its start the client's side may cancel it.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    by: CancelledBy,
    /// Only a key with the scope `personal` is told.
    #[serde(skip_serializing_if = "none_is_known")]
    reason: Option<Personal<Reason>>,
    /// Why it was cancelled although a rule was against it, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    overridden: Option<OverriddenView>,
}

/// That rules were overridden.
#[derive(Serialize, ToSchema)]
pub(crate) struct OverriddenView {
    /// Why; `withheld` for whoever has no key with the scope `personal`.
    reason: Reason,
    /// Which rules were broken; it may be none.
    rules: BTreeSet<Rule>,
    /// Which resources were closed, where any was.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<BTreeSet<ResourceId>>,
}

impl From<Overridden> for OverriddenView {
    fn from(Overridden { reason, rules, closed }: Overridden) -> Self {
        Self { reason: said(&reason), rules, closed }
    }
}

impl OverriddenView {
    /// For whoever is not told what is personal.
    pub(super) fn withheld(self) -> Self {
        Self { reason: Reason::withheld(), ..self }
    }
}

/// A reason that has to be there: what nobody can tell any more is withheld from everybody.
pub(super) fn said(reason: &Personal<Reason>) -> Reason {
    reason.reveal().cloned().unwrap_or_else(Reason::withheld)
}

/// That an appointment is an occurrence of a series.
#[derive(Serialize, ToSchema)]
pub(crate) struct InSeriesView {
    series_id: SeriesId,
    /// Its local start by the rule, wherever it has been moved since.
    #[schema(example = "2027-01-04T09:00")]
    recurrence_id: RecurrenceId,
}

impl From<InSeries> for InSeriesView {
    fn from(InSeries { series_id, recurrence_id }: InSeries) -> Self {
        Self { series_id, recurrence_id }
    }
}

timed!(AppointmentView);

impl AppointmentView {
    /// As everybody must see it at `now`: a hold that has lapsed is cancelled.
    pub(crate) fn at(
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

    /// Whether what is shown of it depends on more than its version: on the time, or on who asks.
    pub(crate) fn varies(appointment: &Appointment) -> bool {
        let private = appointment.details().is_some_and(|details| details.private);
        private || matches!(appointment.state(), Some(AppointmentState::Held { .. }))
    }

    /// As this caller may see it.
    pub(crate) fn for_caller<S>(self, caller: &Caller<S>) -> Self {
        let hidden = self.private && !caller.has::<Book>();
        let shown = Self { note: self.note.filter(|_| !hidden), ..self };
        if caller.has::<auth::Personal>() { shown } else { Appointment::withheld(shown) }
    }

    fn new(id: Uuid, version: u64, details: Details, state: AppointmentState) -> Self {
        let status = state.status();
        let (hold_expires_at, cancellation) = match state {
            AppointmentState::Held { expires_at } => (Some(expires_at), None),
            AppointmentState::Cancelled(Cancellation { reason, by, overridden }) => {
                let overridden = overridden.map(Into::into);
                (None, Some(CancellationView { by, reason, overridden }))
            }
            AppointmentState::Booked
            | AppointmentState::CheckedIn
            | AppointmentState::Fulfilled
            | AppointmentState::NoShow => (None, None),
        };
        Self {
            id,
            status,
            version,
            service_id: details.service_id,
            resource_ids: details.slot.resource_ids,
            client_id: details.client_id,
            session_id: details.slot.session_id,
            times: Times::of(&details.slot.during),
            title: details.title.told(),
            has_personal_title: details.title.is_personal(),
            category: details.category,
            tags: details.tags,
            note: details.note,
            location: details.location,
            reference: details.reference,
            metadata: details.metadata,
            private: details.private,
            transparent: details.slot.transparent,
            hold_expires_at,
            cancellation,
            agreed: (!details.agreed.is_empty()).then(|| details.agreed.into()),
            overridden: details.overridden.map(Into::into),
            accepted_conflict: None,
            series: details.series.map(Into::into),
        }
    }
}

about!(AppointmentView);

/// As a command left it.
impl Viewed for Appointment {
    type View = AppointmentView;

    const PATH: &'static str = "/v1/appointments";

    fn view(self, id: Uuid, version: u64) -> Option<AppointmentView> {
        AppointmentView::at(self, id, version, DateTime::<Utc>::MIN_UTC)
    }

    fn withheld(view: AppointmentView) -> AppointmentView {
        let cancellation = view.cancellation;
        let cancellation = cancellation.map(|it| CancellationView {
            reason: None,
            overridden: it.overridden.map(OverriddenView::withheld),
            ..it
        });
        let overridden = view.overridden.map(OverriddenView::withheld);
        let accepted_conflict = view.accepted_conflict.map(AcceptedConflictView::withheld);
        let title = if view.has_personal_title { Title::withheld() } else { view.title };
        AppointmentView { title, note: None, cancellation, overridden, accepted_conflict, ..view }
    }
}

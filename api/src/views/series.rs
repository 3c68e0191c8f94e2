//! How a series is shown.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::series::{
    Exdates, LeftBecause, LeftOccurrence, Mode, MovedOccurrence, Occurrence, RecurrenceId,
    RefusedOccurrence, Series, SeriesBooked, SeriesCancelled, SeriesChange, SeriesRescheduled,
    Which,
};
use daybook_domain::time::LocalDateTime;
use daybook_domain::{AppointmentId, ClientId, Refusal, RuleText, ServiceId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::times::local;
use super::{AppointmentView, Viewed};
use crate::http::Problem;

/// A series.
#[derive(Serialize, ToSchema)]
pub(crate) struct SeriesView {
    id: Uuid,
    /// Its version: how many events it has had. The `ETag` says the same.
    version: u64,
    service_id: ServiceId,
    client_id: ClientId,
    #[schema(example = "FREQ=WEEKLY;BYDAY=MO;COUNT=10")]
    rrule: RuleText,
    /// The local start that the rule begins with.
    #[schema(example = "2027-01-04T09:00")]
    dtstart: LocalDateTime,
    #[schema(example = "Europe/Oslo")]
    time_zone: Tz,
    exdates: Exdates,
    mode: Mode,
    /// What was booked, in order.
    occurrences: Vec<OccurrenceView>,
    /// What was not booked when the series was, and why.
    refused: Vec<RefusedView>,
    /// What was changed last, where anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_change: Option<ChangeView>,
}

/// An occurrence that was booked.
#[derive(Serialize, ToSchema)]
pub(crate) struct OccurrenceView {
    /// Its local start by the rule, wherever it has been moved since.
    #[schema(example = "2027-01-04T09:00")]
    recurrence_id: RecurrenceId,
    appointment_id: AppointmentId,
    /// The appointment as it is now; left out in answers to commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment: Option<AppointmentView>,
}

/// An occurrence that was refused.
#[derive(Serialize, ToSchema)]
pub(crate) struct RefusedView {
    #[schema(example = "2027-01-04T09:00")]
    recurrence_id: RecurrenceId,
    /// As the answer to the command for this one alone.
    problem: Problem,
    #[serde(skip)]
    refusal: Refusal,
}

impl RefusedView {
    /// As whoever is limited is told it.
    fn limit(&mut self) {
        self.problem = Problem::of_limited(self.refusal.clone());
    }
}

/// What was changed last.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangeView {
    kind: ChangeKind,
    scope: &'static str,
    /// Which occurrence was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrence_id: Option<RecurrenceId>,
    /// What was changed.
    changed: Vec<ChangedView>,
    /// What it did not reach.
    left: Vec<LeftView>,
    /// What was refused.
    refused: Vec<RefusedView>,
}

/// What was done.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChangeKind {
    Rescheduled,
    Cancelled,
}

/// An occurrence that was changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangedView {
    #[schema(example = "2027-01-04T09:00")]
    recurrence_id: RecurrenceId,
    /// When it starts since, where it was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_at: Option<DateTime<Utc>>,
    /// The same as clocks show it in the zone that is asked for, with their offset; else it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2027-03-28T09:00:00+02:00")]
    local_start_at: Option<String>,
}

/// An occurrence that a change did not reach.
#[derive(Serialize, ToSchema)]
pub(crate) struct LeftView {
    #[schema(example = "2027-01-04T09:00")]
    recurrence_id: RecurrenceId,
    /// It had begun, or was no longer booked.
    because: LeftBecause,
}

impl SeriesView {
    fn new(id: Uuid, version: u64, booked: SeriesBooked, latest: Option<SeriesChange>) -> Self {
        let SeriesBooked { recurrence, mode, service_id, client_id, occurrences, refused } = booked;
        let occurrences = occurrences.into_iter();
        let occurrences = occurrences.map(|Occurrence { recurrence_id, appointment_id }| {
            OccurrenceView { recurrence_id, appointment_id, appointment: None }
        });
        Self {
            id,
            version,
            service_id,
            client_id,
            rrule: recurrence.rrule,
            dtstart: recurrence.dtstart,
            time_zone: recurrence.time_zone,
            exdates: recurrence.exdates,
            mode,
            occurrences: occurrences.collect(),
            refused: refused.into_iter().map(Into::into).collect(),
            latest_change: latest.map(Into::into),
        }
    }

    /// The same, with the local times of what was changed where a zone is asked for.
    pub(crate) fn shown_in(mut self, zone: Option<Tz>) -> Self {
        if let (Some(zone), Some(change)) = (zone, &mut self.latest_change) {
            for changed in &mut change.changed {
                changed.local_start_at = changed.start_at.map(|start| local(zone, start));
            }
        }
        self
    }

    /// The appointments that were booked, in order.
    pub(crate) fn appointment_ids(&self) -> impl Iterator<Item = AppointmentId> + '_ {
        self.occurrences.iter().map(|occurrence| occurrence.appointment_id)
    }

    /// The same with these appointments, in the same order.
    pub(crate) fn with_appointments(
        mut self,
        appointments: impl Iterator<Item = Option<AppointmentView>>,
    ) -> Self {
        for (occurrence, appointment) in self.occurrences.iter_mut().zip(appointments) {
            occurrence.appointment = appointment;
        }
        self
    }
}

impl From<RefusedOccurrence> for RefusedView {
    fn from(RefusedOccurrence { recurrence_id, refusal }: RefusedOccurrence) -> Self {
        Self { recurrence_id, problem: refusal.clone().into(), refusal }
    }
}

impl From<LeftOccurrence> for LeftView {
    fn from(LeftOccurrence { recurrence_id, because }: LeftOccurrence) -> Self {
        Self { recurrence_id, because }
    }
}

impl From<SeriesChange> for ChangeView {
    fn from(change: SeriesChange) -> Self {
        match change {
            SeriesChange::Rescheduled(SeriesRescheduled {
                which, moved, left, refused, ..
            }) => {
                let moved = moved.into_iter();
                let changed = moved.map(|MovedOccurrence { recurrence_id, start, .. }| {
                    ChangedView { recurrence_id, start_at: Some(start), local_start_at: None }
                });
                Self::new(ChangeKind::Rescheduled, which, changed.collect(), left, refused)
            }
            SeriesChange::Cancelled(SeriesCancelled {
                which, cancelled, left, refused, ..
            }) => {
                let cancelled = cancelled.into_iter();
                let changed = cancelled.map(|recurrence_id| ChangedView {
                    recurrence_id,
                    start_at: None,
                    local_start_at: None,
                });
                Self::new(ChangeKind::Cancelled, which, changed.collect(), left, refused)
            }
        }
    }
}

impl ChangeView {
    fn new(
        kind: ChangeKind,
        which: Which,
        changed: Vec<ChangedView>,
        left: Vec<LeftOccurrence>,
        refused: Vec<RefusedOccurrence>,
    ) -> Self {
        let scope = match which {
            Which::This(_) => "this",
            Which::Following(_) => "following",
            Which::All => "all",
        };
        Self {
            kind,
            scope,
            recurrence_id: which.named(),
            changed,
            left: left.into_iter().map(Into::into).collect(),
            refused: refused.into_iter().map(Into::into).collect(),
        }
    }
}

impl Viewed for Series {
    type View = SeriesView;

    const PATH: &'static str = "/v1/series";

    fn view(self, id: Uuid, version: u64) -> Option<SeriesView> {
        match self {
            Self::Unmade => None,
            Self::Made { booked, latest, .. } => Some(SeriesView::new(id, version, booked, latest)),
        }
    }

    fn within_limits(mut view: SeriesView) -> SeriesView {
        let changes = view.latest_change.iter_mut().flat_map(|change| &mut change.refused);
        view.refused.iter_mut().chain(changes).for_each(RefusedView::limit);
        view
    }
}

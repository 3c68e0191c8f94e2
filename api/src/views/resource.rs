//! How a resource is shown, and what its opening hours are made of.

use chrono_tz::Tz;
use daybook_domain::resource::{Capacity, Resource, ResourceKind, ResourceProfile};
use daybook_domain::time::{
    ExceptionKind, Holiday, HoursException, LocalDate, LocalSpan, OpeningHours, WeeklyHours,
};
use daybook_domain::{ExceptionId, Metadata, Name, Personal, Reason, Reference, Tags};
use daybook_projections::catalogue::CatalogueStatus;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Viewed;
use super::client::none_is_known;

/// A resource.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ResourceView {
    id: Uuid,
    /// Its version: how many events it has had.
    version: u64,
    status: ResourceStatus,
    name: Name,
    kind: ResourceKind,
    tags: Tags,
    time_zone: Tz,
    weekly_hours: WeeklyHours,
    /// How many appointments it takes at once.
    capacity: Capacity,
    /// What your own system calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    /// What you keep with it; left out where there is nothing.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
    /// Its extra hours and time off, the oldest first. Lists leave them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    exceptions: Option<Vec<ExceptionView>>,
    /// Its holidays, by date. Lists leave them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    holidays: Option<Vec<HolidayView>>,
}

/// Whether it takes bookings.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ResourceStatus {
    /// It does.
    Active,
    /// No longer.
    Retired,
}

impl From<CatalogueStatus> for ResourceStatus {
    fn from(status: CatalogueStatus) -> Self {
        match status {
            CatalogueStatus::Active | CatalogueStatus::Restricted => Self::Active,
            CatalogueStatus::Retired => Self::Retired,
        }
    }
}

impl From<ResourceStatus> for CatalogueStatus {
    fn from(status: ResourceStatus) -> Self {
        match status {
            ResourceStatus::Active => Self::Active,
            ResourceStatus::Retired => Self::Retired,
        }
    }
}

impl ResourceView {
    pub(crate) fn new(
        id: Uuid,
        version: u64,
        status: ResourceStatus,
        profile: ResourceProfile,
    ) -> Self {
        let OpeningHours { weekly_hours, exceptions, holidays } = profile.opening_hours;
        let exceptions = Some(exceptions.iter().cloned().map(ExceptionView::from).collect());
        let holidays = Some(holidays.iter().cloned().map(HolidayView::from).collect());
        Self {
            id,
            version,
            status,
            name: profile.name,
            kind: profile.kind,
            tags: profile.tags,
            time_zone: profile.time_zone,
            weekly_hours,
            capacity: profile.capacity,
            reference: profile.reference,
            metadata: profile.metadata,
            exceptions,
            holidays,
        }
    }

    pub(crate) const fn name(&self) -> &Name {
        &self.name
    }

    /// Whose clocks count there.
    pub(crate) const fn time_zone(&self) -> Tz {
        self.time_zone
    }

    /// As lists show it: without what can be thousands of entries.
    pub(crate) fn in_a_list(self) -> Self {
        Self { exceptions: None, holidays: None, ..self }
    }
}

impl Viewed for Resource {
    type View = ResourceView;

    const PATH: &'static str = "/v1/resources";

    fn view(self, id: Uuid, version: u64) -> Option<ResourceView> {
        let (status, profile) = match self {
            Self::Unregistered => return None,
            Self::Active(profile) => (ResourceStatus::Active, profile),
            Self::Retired(profile) => (ResourceStatus::Retired, profile),
        };
        Some(ResourceView::new(id, version, status, profile))
    }

    fn withheld(view: ResourceView) -> ResourceView {
        let exceptions = view.exceptions;
        let exceptions =
            exceptions.map(|all| all.into_iter().map(ExceptionView::withheld).collect());
        ResourceView { exceptions, ..view }
    }
}

/// Extra hours or time off of a resource.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ExceptionView {
    pub(crate) id: ExceptionId,
    kind: ExceptionKind,
    #[serde(flatten)]
    span: LocalSpan,
    /// Only a key with the scope `personal` is told: why somebody is away is about them.
    #[serde(skip_serializing_if = "none_is_known")]
    reason: Option<Personal<Reason>>,
}

impl ExceptionView {
    /// For whoever is not told what is personal.
    pub(crate) fn withheld(self) -> Self {
        Self { reason: None, ..self }
    }
}

impl From<HoursException> for ExceptionView {
    fn from(HoursException { id, kind, span, reason }: HoursException) -> Self {
        Self { id, kind, span, reason }
    }
}

/// A holiday of a resource.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct HolidayView {
    id: Uuid,
    date: LocalDate,
    name: Name,
}

impl From<Holiday> for HolidayView {
    fn from(Holiday { id, date, name }: Holiday) -> Self {
        Self { id: id.uuid(), date, name }
    }
}

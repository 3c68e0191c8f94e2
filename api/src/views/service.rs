//! How a service is shown.

use daybook_domain::service::rules::BookingRules;
use daybook_domain::service::{
    Choose, DailyLimit, Price, ReminderRules, Roles, Service, ServiceTerms, SessionPlaces,
};
use daybook_domain::time::{Buffer, Duration};
use daybook_domain::{Category, Location, Metadata, Name, Reference, Tags};
use daybook_projections::catalogue::CatalogueStatus;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Viewed;

/// A service.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ServiceView {
    id: Uuid,
    /// Its version: how many events it has had.
    version: u64,
    status: ServiceStatus,
    name: Name,
    category: Category,
    tags: Tags,
    duration_minutes: Duration,
    buffer_before_minutes: Buffer,
    buffer_after_minutes: Buffer,
    needs: Roles,
    choose: Choose,
    /// Where there is such a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_per_client_per_day: Option<DailyLimit>,
    /// How many clients share a session of it, where it is given in sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_places: Option<SessionPlaces>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    /// By which rules it is booked.
    rules: BookingRules,
    /// When clients are reminded of its appointments; left out where they are not.
    #[serde(skip_serializing_if = "ReminderRules::is_empty")]
    reminders: ReminderRules,
    /// Where its appointments take place, unless one says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
    /// What your own system calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    /// What you keep with it; left out where there is nothing.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
}

/// Whether it can be booked.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ServiceStatus {
    /// It can.
    Offered,
    /// No longer.
    Retired,
}

impl From<CatalogueStatus> for ServiceStatus {
    fn from(status: CatalogueStatus) -> Self {
        match status {
            CatalogueStatus::Active | CatalogueStatus::Restricted => Self::Offered,
            CatalogueStatus::Retired => Self::Retired,
        }
    }
}

impl From<ServiceStatus> for CatalogueStatus {
    fn from(status: ServiceStatus) -> Self {
        match status {
            ServiceStatus::Offered => Self::Active,
            ServiceStatus::Retired => Self::Retired,
        }
    }
}

impl ServiceView {
    pub(crate) fn new(id: Uuid, version: u64, status: ServiceStatus, terms: ServiceTerms) -> Self {
        Self {
            id,
            version,
            status,
            name: terms.name,
            category: terms.category,
            tags: terms.tags,
            duration_minutes: terms.duration,
            buffer_before_minutes: terms.buffer_before,
            buffer_after_minutes: terms.buffer_after,
            needs: terms.needs,
            choose: terms.choose,
            limit_per_client_per_day: terms.limit_per_client_per_day,
            session_places: terms.session_places,
            price: terms.price,
            rules: terms.rules,
            reminders: terms.reminders,
            location: terms.location,
            reference: terms.reference,
            metadata: terms.metadata,
        }
    }
}

impl Viewed for Service {
    type View = ServiceView;

    const PATH: &'static str = "/v1/services";

    fn view(self, id: Uuid, version: u64) -> Option<ServiceView> {
        let (status, terms) = match self {
            Self::Undefined => return None,
            Self::Offered(terms) => (ServiceStatus::Offered, terms),
            Self::Retired(terms) => (ServiceStatus::Retired, terms),
        };
        Some(ServiceView::new(id, version, status, terms))
    }
}

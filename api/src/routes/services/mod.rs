//! `/v1/services`: what can be booked.

mod change;
mod define;
mod read;
mod schema;

use daybook_domain::service::rules::BookingRules;
use daybook_domain::service::{
    Choose, DailyLimit, Price, Roles, Service, ServiceTerms, SessionPlaces,
};
use daybook_domain::time::{Buffer, Duration};
use daybook_domain::{Category, Name, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::commands::Shown;
use crate::App;
pub(super) use schema::PriceForm;
pub(super) use schema::RoleForm;
use schema::{ChooseForm, RulesForm};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(define::define_service, read::list_services))
        .routes(routes!(read::get_service))
        .routes(routes!(change::revise_service))
        .routes(routes!(change::retire_service))
}

/// What is agreed about a service.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceBody {
    /// What it is called.
    #[schema(value_type = String, max_length = 200, example = "Check-up")]
    name: Name,
    /// The category of its appointments, unless one says otherwise.
    #[schema(value_type = String, max_length = 80, example = "care")]
    category: Category,
    /// The tags of its appointments, unless one says otherwise.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 20)]
    tags: Tags,
    /// How long an appointment takes: 1 to 44,640 (31 days).
    #[schema(value_type = u32, minimum = 1, maximum = 44640, example = 30)]
    duration_minutes: Duration,
    /// Minutes kept free before each appointment: 0 to 1,440.
    #[serde(default)]
    #[schema(value_type = u32, maximum = 1440)]
    buffer_before_minutes: Buffer,
    /// Minutes kept free after each appointment: 0 to 1,440.
    #[serde(default)]
    #[schema(value_type = u32, maximum = 1440)]
    buffer_after_minutes: Buffer,
    /// What an appointment costs.
    #[schema(value_type = Option<PriceForm>)]
    price: Option<Price>,
    /// By which rules it is booked; a rule that is left out allows everything.
    #[serde(default)]
    #[schema(value_type = RulesForm)]
    rules: BookingRules,
    /// The resources that it needs, by role. None at all: a booking names its resources.
    #[serde(default)]
    #[schema(value_type = Vec<RoleForm>, max_items = 16)]
    needs: Roles,
    /// Which of those that would do is chosen for a role that a booking names nobody for.
    #[serde(default)]
    #[schema(value_type = ChooseForm)]
    choose: Choose,
    /// The most of its appointments that one client can have on one local day: 1 to 100.
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 100)]
    limit_per_client_per_day: Option<DailyLimit>,
    /// It is given in sessions that so many clients share, unless one says otherwise: 1 to 500. Left
    /// out: it is given to one client at a time.
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 500)]
    session_places: Option<SessionPlaces>,
}

impl From<ServiceBody> for ServiceTerms {
    fn from(body: ServiceBody) -> Self {
        Self {
            name: body.name,
            category: body.category,
            tags: body.tags,
            duration: body.duration_minutes,
            buffer_before: body.buffer_before_minutes,
            buffer_after: body.buffer_after_minutes,
            needs: body.needs,
            choose: body.choose,
            limit_per_client_per_day: body.limit_per_client_per_day,
            session_places: body.session_places,
            price: body.price,
            rules: body.rules,
        }
    }
}

/// A service.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceView {
    id: Uuid,
    /// Its version: how many events it has had.
    version: u64,
    status: ServiceStatus,
    #[schema(value_type = String)]
    name: Name,
    #[schema(value_type = String)]
    category: Category,
    #[schema(value_type = Vec<String>)]
    tags: Tags,
    #[schema(value_type = u32)]
    duration_minutes: Duration,
    #[schema(value_type = u32)]
    buffer_before_minutes: Buffer,
    #[schema(value_type = u32)]
    buffer_after_minutes: Buffer,
    #[schema(value_type = Vec<RoleForm>)]
    needs: Roles,
    #[schema(value_type = ChooseForm)]
    choose: Choose,
    /// Where there is such a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u16>)]
    limit_per_client_per_day: Option<DailyLimit>,
    /// How many clients share a session of it, where it is given in sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u16>)]
    session_places: Option<SessionPlaces>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PriceForm>)]
    price: Option<Price>,
    /// By which rules it is booked.
    #[schema(value_type = RulesForm)]
    rules: BookingRules,
}

/// Whether it can be booked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ServiceStatus {
    /// It can.
    Offered,
    /// No longer.
    Retired,
}

impl ServiceView {
    fn new(id: Uuid, version: u64, status: ServiceStatus, terms: ServiceTerms) -> Self {
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
        }
    }
}

impl Shown for Service {
    type View = ServiceView;

    const PATH: &'static str = "/v1/services";

    fn show(self, id: Uuid, version: u64) -> Option<ServiceView> {
        let (status, terms) = match self {
            Self::Undefined => return None,
            Self::Offered(terms) => (ServiceStatus::Offered, terms),
            Self::Retired(terms) => (ServiceStatus::Retired, terms),
        };
        Some(ServiceView::new(id, version, status, terms))
    }
}

//! `/v1/services`: what can be booked.

mod change;
mod define;
mod read;

use daybook_domain::service::{Choose, DailyLimit, Roles, Service, ServiceTerms};
use daybook_domain::time::{Buffer, Duration};
use daybook_domain::{Category, Name, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::commands::Shown;
use super::resources::Kind;
use crate::App;

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
    /// The resources that it needs, by role. None at all: a booking names its resources.
    #[serde(default)]
    #[schema(value_type = Vec<RoleBody>, max_items = 16)]
    needs: Roles,
    /// Which of those that would do is chosen for a role that a booking names nobody for.
    #[serde(default)]
    #[schema(value_type = ChooseBody)]
    choose: Choose,
    /// The most of its appointments that one client can have on one local day: 1 to 100.
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 100)]
    limit_per_client_per_day: Option<DailyLimit>,
}

/// What a service needs a resource for, and which will do.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `Role`")]
pub(crate) struct RoleBody {
    /// What it is called; no two roles of a service are called the same.
    #[schema(max_length = 80, example = "practitioner")]
    role: String,
    /// Only resources of this kind.
    kind: Option<Kind>,
    /// Only resources that have all of these tags.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    /// Only these, in the order in which they are preferred.
    #[schema(max_items = 100)]
    among: Option<Vec<Uuid>>,
    /// How many different resources fill it; all roles together take at most 16.
    #[schema(minimum = 1, maximum = 16, default = 1)]
    count: Option<u8>,
}

/// `first-free`: the first that is free, in the order of `among`, or else by name. `least-booked`: the
/// one of which the fewest minutes are claimed on that local day. `round-robin`: the one that longest
/// ago was given an appointment for that local day.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it documents `Choose`")]
pub(crate) enum ChooseBody {
    FirstFree,
    LeastBooked,
    RoundRobin,
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
    #[schema(value_type = Vec<RoleBody>)]
    needs: Roles,
    #[schema(value_type = ChooseBody)]
    choose: Choose,
    /// Where there is such a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u16>)]
    limit_per_client_per_day: Option<DailyLimit>,
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

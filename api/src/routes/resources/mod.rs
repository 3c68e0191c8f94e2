//! `/v1/resources`: who or what provides a service.

mod change;
mod read;
mod register;

use chrono_tz::Tz;
use daybook_domain::resource::{Capacity, Resource, ResourceKind, ResourceProfile};
use daybook_domain::time::WeeklyHours;
use daybook_domain::{Name, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::commands::Shown;
use crate::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register::register_resource, read::list_resources))
        .routes(routes!(read::get_resource))
        .routes(routes!(change::change_resource_hours))
        .routes(routes!(change::change_resource_capacity))
        .routes(routes!(change::retire_resource))
}

/// What is known of a resource.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceBody {
    /// What it is called.
    #[schema(value_type = String, max_length = 200, example = "Room 1")]
    name: Name,
    /// What kind of thing it is.
    #[schema(value_type = Kind)]
    kind: ResourceKind,
    /// Its labels.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 20)]
    tags: Tags,
    /// The IANA zone in which its hours are read.
    #[serde(deserialize_with = "time_zone")]
    #[schema(value_type = String, example = "Europe/Oslo")]
    time_zone: Tz,
    /// When it is open. No window at all: never.
    #[schema(value_type = Vec<Window>, max_items = 50)]
    weekly_hours: WeeklyHours,
    /// How many appointments it takes at once, each on a place of its own: 1 to 1,000.
    #[serde(default)]
    #[schema(value_type = u16, minimum = 1, maximum = 1000)]
    capacity: Capacity,
}

/// A person, a place or a thing.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it documents `ResourceKind`")]
pub(super) enum Kind {
    Staff,
    Room,
    Equipment,
}

/// Open on these days, from one local time to another on the same day.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `OpeningWindow`")]
pub(super) struct Window {
    /// `mon` to `sun`.
    #[schema(example = json!(["mon", "tue"]))]
    days: Vec<String>,
    /// `HH:MM`.
    #[schema(example = "09:00")]
    from: String,
    /// `HH:MM`, up to `24:00`.
    #[schema(example = "17:00")]
    to: String,
}

fn time_zone<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Tz, D::Error> {
    let name = String::deserialize(from)?;
    name.parse().map_err(|_| serde::de::Error::custom("not an IANA time zone like Europe/Oslo"))
}

impl From<ResourceBody> for ResourceProfile {
    fn from(body: ResourceBody) -> Self {
        let ResourceBody { name, kind, tags, time_zone, weekly_hours, capacity } = body;
        Self { name, kind, tags, time_zone, weekly_hours, capacity }
    }
}

/// A resource.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResourceView {
    id: Uuid,
    /// Its version: how many events it has had.
    version: u64,
    status: ResourceStatus,
    #[schema(value_type = String)]
    name: Name,
    #[schema(value_type = Kind)]
    kind: ResourceKind,
    #[schema(value_type = Vec<String>)]
    tags: Tags,
    #[schema(value_type = String)]
    time_zone: Tz,
    #[schema(value_type = Vec<Window>)]
    weekly_hours: WeeklyHours,
    /// How many appointments it takes at once.
    #[schema(value_type = u16)]
    capacity: Capacity,
}

/// Whether it takes bookings.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ResourceStatus {
    /// It does.
    Active,
    /// No longer.
    Retired,
}

impl ResourceView {
    fn new(id: Uuid, version: u64, status: ResourceStatus, profile: ResourceProfile) -> Self {
        let ResourceProfile { name, kind, tags, time_zone, weekly_hours, capacity } = profile;
        Self { id, version, status, name, kind, tags, time_zone, weekly_hours, capacity }
    }
}

impl Shown for Resource {
    type View = ResourceView;

    const PATH: &'static str = "/v1/resources";

    fn show(self, id: Uuid, version: u64) -> Option<ResourceView> {
        let (status, profile) = match self {
            Self::Unregistered => return None,
            Self::Active(profile) => (ResourceStatus::Active, profile),
            Self::Retired(profile) => (ResourceStatus::Retired, profile),
        };
        Some(ResourceView::new(id, version, status, profile))
    }
}

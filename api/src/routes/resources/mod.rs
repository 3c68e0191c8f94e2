//! `/v1/resources`: who or what provides a service.

mod change;
mod dry_run;
mod exceptions;
mod holidays;
mod opening_hours;
mod read;
mod register;

use chrono_tz::Tz;
use daybook_domain::resource::{Capacity, Resource, ResourceKind, ResourceProfile};
use daybook_domain::time::{Holidays, HoursExceptions, OpeningHours, WeeklyHours};
use daybook_domain::{Name, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::commands::Shown;
use crate::App;
use exceptions::ExceptionView;
use holidays::HolidayView;
pub(super) use opening_hours::Stretch;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register::register_resource, read::list_resources))
        .routes(routes!(read::get_resource))
        .routes(routes!(change::change_resource_hours))
        .routes(routes!(change::change_resource_capacity))
        .routes(routes!(change::retire_resource))
        .routes(routes!(exceptions::add_resource_exception))
        .routes(routes!(exceptions::get_resource_exception, exceptions::remove_resource_exception))
        .routes(routes!(holidays::set_resource_holidays))
        .routes(routes!(opening_hours::get_opening_hours))
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

/// Open on these days, from one local time to another; where that is
/// earlier, to that time of the day after.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `OpeningWindow`")]
pub(super) struct Window {
    /// `mon` to `sun`.
    #[schema(example = json!(["mon", "tue"]))]
    days: Vec<String>,
    /// `HH:MM`.
    #[schema(example = "09:00")]
    from: String,
    /// `HH:MM`, up to `24:00`. `22:00` to `06:00` is open over midnight.
    #[schema(example = "17:00")]
    to: String,
    /// The first day on which it opens, `YYYY-MM-DD`; left out: it always has.
    #[schema(example = "2027-09-01")]
    valid_from: Option<String>,
    /// The last day on which it opens, `YYYY-MM-DD`; left out: it always will.
    #[schema(example = "2028-06-30")]
    valid_until: Option<String>,
}

fn time_zone<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Tz, D::Error> {
    let name = String::deserialize(from)?;
    name.parse().map_err(|_| serde::de::Error::custom("not an IANA time zone like Europe/Oslo"))
}

impl From<ResourceBody> for ResourceProfile {
    fn from(body: ResourceBody) -> Self {
        let ResourceBody { name, kind, tags, time_zone, weekly_hours, capacity } = body;
        Self { name, kind, tags, time_zone, opening_hours: weekly_hours.into(), capacity }
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
    /// Its extra hours and time off, the oldest first. Lists leave them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<ExceptionView>>)]
    exceptions: Option<HoursExceptions>,
    /// Its holidays, by date. Lists leave them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<HolidayView>>)]
    holidays: Option<Holidays>,
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
        let ResourceProfile { name, kind, tags, time_zone, opening_hours, capacity } = profile;
        let OpeningHours { weekly_hours, exceptions, holidays } = opening_hours;
        let (exceptions, holidays) = (Some(exceptions), Some(holidays));
        Self {
            id,
            version,
            status,
            name,
            kind,
            tags,
            time_zone,
            weekly_hours,
            capacity,
            exceptions,
            holidays,
        }
    }

    /// As lists show it: without what can be thousands of entries.
    fn in_a_list(self) -> Self {
        Self { exceptions: None, holidays: None, ..self }
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

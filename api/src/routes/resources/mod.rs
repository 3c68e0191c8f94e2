//! `/v1/resources`: who or what provides a service.

mod change;
mod dry_run;
pub(super) mod exceptions;
pub(super) mod holidays;
mod opening_hours;
mod read;
mod register;

use chrono_tz::Tz;
use daybook_domain::resource::{Capacity, ResourceKind, ResourcePatch, ResourceProfile};
use daybook_domain::time::WeeklyHours;
use daybook_domain::{Metadata, Name, Reference, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::http::patch::patch_form;
#[cfg(test)]
pub(crate) use opening_hours::MAX_DAYS;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register::register_resource, read::list_resources))
        .routes(routes!(read::get_resource, change::change_resource))
        .routes(routes!(change::retire_resource))
        .routes(routes!(exceptions::add_resource_exception))
        .routes(routes!(exceptions::get_resource_exception, exceptions::remove_resource_exception))
        .routes(routes!(holidays::set_resource_holidays))
        .routes(routes!(opening_hours::get_opening_hours))
}

/// What is known of a resource.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceBody {
    /// What it is called.
    #[schema(max_length = 200, example = "Room 1")]
    name: Name,
    /// What kind of thing it is.
    kind: ResourceKind,
    /// Its labels.
    #[serde(default)]
    #[schema(max_items = 20)]
    tags: Tags,
    /// The IANA zone in which its hours are read.
    #[serde(deserialize_with = "time_zone")]
    #[schema(format = "time-zone", example = "Europe/Oslo")]
    time_zone: Tz,
    /// When it is open. No window at all: never.
    #[schema(max_items = 50)]
    weekly_hours: WeeklyHours,
    /// How many appointments it takes at once, each on a place of its own: 1 to 1,000.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    capacity: Capacity,
    /// What your own system calls it; found by `reference`. No two resources have the same.
    #[schema(max_length = 200, example = "A-1041")]
    reference: Option<Reference>,
    /// What you keep with it: at most 50 pairs, keys of at most 40 characters and values of at most 500,
    /// together 8 KiB; found by `metadata[key]=value`.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
}

patch_form! {
    /// What changes of a resource. It keeps its kind and its zone.
    ResourceChanges: ResourcePatch of ResourceBody
}

fn time_zone<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Tz, D::Error> {
    let name = String::deserialize(from)?;
    name.parse().map_err(|_| serde::de::Error::custom("not an IANA time zone like Europe/Oslo"))
}

impl From<ResourceBody> for ResourceProfile {
    fn from(body: ResourceBody) -> Self {
        Self {
            name: body.name,
            kind: body.kind,
            tags: body.tags,
            time_zone: body.time_zone,
            opening_hours: body.weekly_hours.into(),
            capacity: body.capacity,
            reference: body.reference,
            metadata: body.metadata,
        }
    }
}

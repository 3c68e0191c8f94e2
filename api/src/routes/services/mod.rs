//! `/v1/services`: what can be booked.

mod change;
mod define;
mod read;

use daybook_domain::service::rules::BookingRules;
use daybook_domain::service::{
    Choose, DailyLimit, Price, ReminderRules, Roles, ServiceTerms, SessionPlaces, TermsPatch,
};
use daybook_domain::time::{Buffer, Duration};
use daybook_domain::{Category, Location, Metadata, Name, Reference, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::http::patch::patch_form;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(define::define_service, read::list_services))
        .routes(routes!(read::get_service, change::change_service))
        .routes(routes!(change::retire_service))
}

/// What is agreed about a service.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceBody {
    /// What it is called.
    #[schema(max_length = 200, example = "Check-up")]
    name: Name,
    /// The category of its appointments, unless one says otherwise.
    #[schema(max_length = 80, example = "care")]
    category: Category,
    /// The tags of its appointments, unless one says otherwise.
    #[serde(default)]
    #[schema(max_items = 20)]
    tags: Tags,
    /// How long an appointment takes: 1 to 44,640 (31 days).
    #[schema(minimum = 1, maximum = 44640, example = 30)]
    duration_minutes: Duration,
    /// Minutes kept free before each appointment: 0 to 1,440.
    #[serde(default)]
    #[schema(maximum = 1440)]
    buffer_before_minutes: Buffer,
    /// Minutes kept free after each appointment: 0 to 1,440.
    #[serde(default)]
    #[schema(maximum = 1440)]
    buffer_after_minutes: Buffer,
    /// What an appointment costs.
    price: Option<Price>,
    /// By which rules it is booked; a rule that is left out allows everything.
    #[serde(default)]
    rules: BookingRules,
    /// The resources that it needs, by role. None at all: a booking names its resources.
    #[serde(default)]
    #[schema(max_items = 16)]
    needs: Roles,
    /// Which of those that would do is chosen for a role that a booking names nobody for.
    #[serde(default)]
    choose: Choose,
    /// The most of its appointments that one client can have on one local day: 1 to 100.
    #[schema(minimum = 1, maximum = 100)]
    limit_per_client_per_day: Option<DailyLimit>,
    /// It is given in sessions that so many clients share, unless one says otherwise: 1 to 500. Left
    /// out: it is given to one client at a time.
    #[schema(minimum = 1, maximum = 500)]
    session_places: Option<SessionPlaces>,
    /// When clients are reminded of its appointments: at most 5.
    #[serde(default)]
    #[schema(max_items = 5)]
    reminders: ReminderRules,
    /// Where its appointments take place, unless one says otherwise: a place, or the address of an online meeting. It
    /// is shown and exported: no personal data.
    #[schema(max_length = 500, example = "12 Harbour Street, first floor")]
    location: Option<Location>,
    /// What your own system calls it; found by `reference`. No two services have the same.
    #[schema(max_length = 200, example = "A-1041")]
    reference: Option<Reference>,
    /// What you keep with it: at most 50 pairs, keys of at most 40 characters and values of at most 500,
    /// together 8 KiB; found by `metadata[key]=value`.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
}

patch_form! {
    /// What changes of a service; of its price and its rules, too, what is left out stays.
    ServiceChanges: TermsPatch of ServiceBody
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
            location: body.location,
            reference: body.reference,
            metadata: body.metadata,
            price: body.price,
            rules: body.rules,
            reminders: body.reminders,
        }
    }
}

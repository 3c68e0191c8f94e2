//! `/v1/appointments`: what was booked.

mod batch;
pub(super) mod booking;
mod conflict;
mod create;
mod desk;
mod diff;
mod events;
mod list;
pub(super) mod overriding;
mod plan;
mod read;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
pub(super) use conflict::ConflictView;
pub(super) use diff::Moments;
pub(super) use plan::{MovedBySide, by_client};
pub(super) use view::{AppointmentView, CancelledBySide};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create_appointment, list::list_appointments))
        .merge(batch::routes())
        .routes(routes!(read::get_appointment))
        .routes(routes!(events::list_appointment_events))
        .routes(routes!(diff::diff_appointment))
        .routes(routes!(plan::confirm_appointment))
        .routes(routes!(plan::reschedule_appointment))
        .routes(routes!(plan::cancel_appointment))
        .routes(routes!(conflict::accept_conflict))
        .routes(routes!(conflict::reassign_appointment))
        .routes(routes!(desk::check_in_appointment))
        .routes(routes!(desk::complete_appointment))
        .routes(routes!(desk::mark_no_show))
        .routes(routes!(desk::tag_appointment))
}

//! `/v1/appointments`: what was booked.

pub(super) mod accept_conflict;
pub(super) mod batch;
pub(super) mod cancel;
mod change;
mod check_in;
mod complete;
mod create;
mod diff;
mod events;
mod links;
pub(super) mod list;
mod no_show;
mod read;
pub(super) mod reassign;
pub(super) mod reschedule;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
#[cfg(test)]
pub(crate) use batch::MAX_BATCH_BYTES;
#[cfg(test)]
pub(crate) use events::MAX_EVENTS;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create_appointment, list::list_appointments))
        .merge(batch::routes())
        .routes(routes!(read::get_appointment, change::change_appointment))
        .routes(routes!(events::list_appointment_events))
        .routes(routes!(diff::diff_appointment))
        .routes(routes!(links::create_link, links::list_links))
        .routes(routes!(links::revoke_link))
        .routes(routes!(reschedule::reschedule_appointment))
        .routes(routes!(cancel::cancel_appointment))
        .routes(routes!(accept_conflict::accept_conflict))
        .routes(routes!(reassign::reassign_appointment))
        .routes(routes!(check_in::check_in_appointment))
        .routes(routes!(complete::complete_appointment))
        .routes(routes!(no_show::mark_no_show))
}

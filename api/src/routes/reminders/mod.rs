//! `/v1/reminders`: what clients are reminded of, and what has become of it.

mod read;
mod resend;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list_reminders))
        .routes(routes!(read::list_appointment_reminders))
        .routes(routes!(resend::resend_reminder))
}

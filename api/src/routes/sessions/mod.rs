//! `/v1/sessions`: starts of a service that several clients share.

pub(super) mod change;
mod places;
mod read;
pub(super) mod schedule;
mod within;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(schedule::schedule_session, read::list_sessions))
        .routes(routes!(read::get_session))
        .routes(routes!(change::reschedule_session))
        .routes(routes!(change::cancel_session))
        .routes(routes!(places::book_place, places::list_places))
        .routes(routes!(places::hold_place))
}

//! `/v1/waiting-list`: clients who wait for a place.

mod as_of;
pub(super) mod join;
mod leave;
mod read;
mod within;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(join::join_waiting_list, read::list_waiting))
        .routes(routes!(read::get_waiting, leave::leave_waiting_list))
}

//! `/v1/series`: appointments that recur by a rule.

pub(super) mod change;
mod create;
mod read;
mod within;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::book_series))
        .routes(routes!(read::get_series))
        .routes(routes!(change::reschedule_series))
        .routes(routes!(change::cancel_series))
}

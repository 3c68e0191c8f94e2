//! `/v1/series`: appointments that recur by a rule.

mod change;
mod create;
mod read;
mod view;

use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
pub(super) use view::InSeriesView;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::book_series))
        .routes(routes!(read::get_series))
        .routes(routes!(change::reschedule_series))
        .routes(routes!(change::cancel_series))
}

/// All of them or none, or as many as can be.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it documents `Mode`")]
enum SeriesMode {
    AllOrNothing,
    BestEffort,
}

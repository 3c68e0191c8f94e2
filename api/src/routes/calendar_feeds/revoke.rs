//! `DELETE /v1/calendar-feeds/{id}`

use axum::Json;
use axum::extract::State;

use super::{CalendarFeedView, note};
use crate::App;
use crate::http::{Caller, DryRun, Manage, PathId, Problem, Query, Within, auth};
use crate::routes::problems::ReadProblems;

/// Delete a calendar feed
///
/// Its address is none at once, on every program. What was fetched by it stays where it is.
#[utoipa::path(
    delete, path = "/v1/calendar-feeds/{id}", tag = "calendar-feeds",
    params(("id" = Uuid, Path), DryRun), security(("api_key" = ["appointments", "manage"])),
    responses((status = 200, description = "Nobody can follow it", body = CalendarFeedView), ReadProblems)
)]
pub(crate) async fn delete_calendar_feed(
    State(app): State<App>,
    caller: Caller<Within<(auth::Appointments, Manage)>>,
    PathId(id): PathId,
    Query(dry_run): Query<DryRun>,
) -> Result<Json<CalendarFeedView>, Problem> {
    let feed = app.calendar_feed(&caller, id).await?;
    if dry_run.is_asked_for() {
        return Ok(Json(feed.into()));
    }
    let revoked = app.calendar_feeds().revoke(&caller.tenant, id, app.engine.clock().now()).await?;
    note(&caller, id, "deleted a calendar feed");
    Ok(Json(revoked.into()))
}

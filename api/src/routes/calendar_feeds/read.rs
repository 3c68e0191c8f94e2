//! `GET /v1/calendar-feeds` and `GET /v1/calendar-feeds/{id}`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{CalendarFeedView, sees};
use crate::App;
use crate::http::{Answer, Caller, Manage, NoQuery, PathId, Problem, Within, auth};
use crate::routes::problems::ReadProblems;

/// The tenant's calendar feeds.
#[derive(Serialize, ToSchema)]
pub(crate) struct CalendarFeedList {
    items: Vec<CalendarFeedView>,
}

/// List calendar feeds
///
/// All of them, oldest first: at most 1,000. Where your key is limited, those that tell no more than it sees.
#[utoipa::path(
    get, path = "/v1/calendar-feeds", tag = "calendar-feeds",
    security(("api_key" = ["appointments", "manage"])),
    responses((status = 200, description = "All of them", body = CalendarFeedList), ReadProblems)
)]
pub(crate) async fn list_calendar_feeds(
    State(app): State<App>,
    caller: Caller<Within<(auth::Appointments, Manage)>>,
    _: NoQuery,
) -> Result<Json<CalendarFeedList>, Problem> {
    let all = app.calendar_feeds().list(&caller.tenant).await?;
    let items = all.into_iter().filter(|feed| sees(&caller, feed)).map(Into::into).collect();
    Ok(Json(CalendarFeedList { items }))
}

/// Get a calendar feed
#[utoipa::path(
    get, path = "/v1/calendar-feeds/{id}", tag = "calendar-feeds",
    params(("id" = Uuid, Path)), security(("api_key" = ["appointments", "manage"])),
    responses((status = 200, description = "The feed", body = CalendarFeedView), ReadProblems)
)]
pub(crate) async fn get_calendar_feed(
    State(app): State<App>,
    caller: Caller<Within<(auth::Appointments, Manage)>>,
    PathId(id): PathId,
    _: NoQuery,
) -> Result<Answer<CalendarFeedView>, Problem> {
    let feed = app.calendar_feed(&caller, id).await?;
    Ok(Answer::seen(None, None, feed.into()))
}

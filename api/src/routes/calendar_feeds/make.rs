//! `POST /v1/calendar-feeds` and `POST /v1/calendar-feeds/{id}/rotate`: what shows a secret.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use daybook_domain::rights::Principal;
use daybook_store::calendar_feeds::{CalendarFeed, FeedTerms};
use uuid::Uuid;

use super::{CalendarFeedBody, NewCalendarFeedView, kept_by_nobody, note};
use crate::App;
use crate::http::{
    Answer, Body, Caller, Created, DryRun, Manage, PathId, Personal, Problem, Query, Within, auth,
};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// Make a calendar feed
///
/// A calendar that programs follow by its address (Google Calendar, Apple's, Outlook, Thunderbird): what takes place from 31 days ago to
/// 400 days ahead, as iCalendar. The address is its only secret and is shown in the answer to this, and never again: so a request that is
/// sent again makes another one, whatever its `Idempotency-Key`. It is good until the feed is deleted, also when your key is revoked.
/// A feed tells no more than your key sees: where that is limited, so is the feed. A tenant has at most 1,000 (`too-many-calendar-feeds`).
#[utoipa::path(
    post, path = "/v1/calendar-feeds", tag = "calendar-feeds", params(DryRun),
    request_body = CalendarFeedBody, security(("api_key" = ["appointments", "manage"])),
    responses((status = 201, description = "It can be followed", body = NewCalendarFeedView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn create_calendar_feed(
    State(app): State<App>,
    caller: Caller<Within<(auth::Appointments, Manage)>>,
    Query(dry_run): Query<DryRun>,
    Body(CalendarFeedBody { name, limits, tags, detail, personal }): Body<CalendarFeedBody>,
) -> Result<Response, Problem> {
    let limits = limits.or(&caller.limits);
    let terms = FeedTerms { name, limits, tags, detail, personal }.as_told();
    may_be_told(&caller, &terms)?;
    let now = app.engine.clock().now();
    if dry_run.is_asked_for() {
        let feed = tried(&caller, terms, now);
        return Ok(Json(NewCalendarFeedView::of(feed, None)).into_response());
    }
    let made = app.calendar_feeds().make(&caller.tenant, terms, caller.actor(), now).await?;
    let (feed, secret) = made;
    note(&caller, feed.id, "made a calendar feed");
    let location = format!("/v1/calendar-feeds/{}", feed.id);
    let answer = Answer::seen(None, None, NewCalendarFeedView::of(feed, Some(&secret)));
    Ok(kept_by_nobody(Created { location, answer }))
}

/// Give a calendar feed another address
///
/// The address before is none at once, so whoever followed the calendar by it no longer does.
#[utoipa::path(
    post, path = "/v1/calendar-feeds/{id}/rotate", tag = "calendar-feeds",
    params(("id" = Uuid, Path), DryRun),
    security(("api_key" = ["appointments", "manage"])),
    responses((status = 200, description = "It has another address", body = NewCalendarFeedView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn rotate_calendar_feed(
    State(app): State<App>,
    caller: Caller<Within<(auth::Appointments, Manage)>>,
    PathId(id): PathId,
    Query(dry_run): Query<DryRun>,
) -> Result<Response, Problem> {
    let feed = app.calendar_feed(&caller, id).await?;
    may_be_told(&caller, &feed.terms)?;
    let now = app.engine.clock().now();
    if dry_run.is_asked_for() {
        let feed = CalendarFeed { rotated_at: Some(now), ..feed };
        return Ok(Json(NewCalendarFeedView::of(feed, None)).into_response());
    }
    let (feed, secret) = app.calendar_feeds().rotate(&caller.tenant, id, now).await?;
    note(&caller, id, "gave a calendar feed another address");
    Ok(kept_by_nobody(Json(NewCalendarFeedView::of(feed, Some(&secret)))))
}

/// Refuses a feed that tells more than the caller sees.
fn may_be_told<S>(caller: &Caller<S>, terms: &FeedTerms) -> Result<(), Problem> {
    if terms.tells_personal() {
        caller.must_have::<Personal>("personal: told")?;
    }
    if caller.limits.include(&terms.limits) {
        return Ok(());
    }
    let title = "The key is limited";
    let detail = "limits: a feed tells no more than your key sees, and these are more";
    Err(Problem::new(StatusCode::FORBIDDEN, "limited-key", title, detail))
}

fn tried(by: &Principal, terms: FeedTerms, now: DateTime<Utc>) -> CalendarFeed {
    let (id, made_by) = (Uuid::now_v7(), by.actor());
    CalendarFeed { id, terms, made_by, created_at: now, rotated_at: None, last_used_at: None }
}

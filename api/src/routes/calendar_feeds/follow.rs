//! `GET /calendars/{address}`: what programs ask for that follow a calendar.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use crate::App;
use crate::http::etag::Etag;
use crate::http::followed::FollowedFeed;
use crate::http::{NoQuery, Problem};
use crate::routes::calendars::events::{Part, days};
use crate::routes::calendars::written::Written;

/// The calendar, with a tag of its bytes: they stay the same for as long as nothing changes in it.
pub(crate) async fn follow(
    State(app): State<App>,
    FollowedFeed { tenant, feed }: FollowedFeed,
    _: NoQuery,
) -> Result<Response, Problem> {
    let terms = feed.terms;
    let now = app.engine.clock().now();
    let events = match days(now) {
        Some(days) => app.calendar_events(&tenant, &terms, Part::all(days), now).await?,
        None => Vec::new(),
    };
    let written = Written { name: &terms.name, detail: terms.detail, events: &events }.text();
    let etag = Etag::of_body(None, written.as_bytes()).header();
    let mut response = written.into_response();
    let headers = response.headers_mut();
    let of_type = HeaderValue::from_static("text/calendar; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, of_type);
    let named = HeaderValue::from_static("inline; filename=\"calendar.ics\"");
    headers.insert(header::CONTENT_DISPOSITION, named);
    headers.extend(etag.map(|etag| (header::ETAG, etag)));
    Ok(response)
}

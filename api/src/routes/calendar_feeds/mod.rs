//! `/v1/calendar-feeds`: calendars that programs follow by an address; and `/calendars/{address}`, where they do.
//!
//! * `make`: making one, and giving it another address: what shows a secret. `read`: which there are. `revoke`: ending one.
//! * `follow`: what is answered to an address.

mod follow;
mod make;
mod read;
mod revoke;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use daybook_domain::rights::{Limits, Principal};
use daybook_domain::{Name, Tags};
use daybook_store::calendar_feeds::{
    CalendarFeed, CalendarFeeds, Detail, FeedError, FeedTerms, MAX_CALENDAR_FEEDS,
};
use daybook_store::feed::Privacy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::App;
use crate::http::{Caller, Problem};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list_calendar_feeds, make::create_calendar_feed))
        .routes(routes!(read::get_calendar_feed, revoke::delete_calendar_feed))
        .routes(routes!(make::rotate_calendar_feed))
}

/// Where calendars are followed. It is no operation of the document: whoever has an address needs no program that was made for it.
pub(crate) fn addresses() -> Router<App> {
    Router::new().route("/calendars/{address}", get(follow::follow))
}

/// What a calendar feed is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarFeedBody {
    /// What calendars show it as. It is for whoever follows it: name nobody who is not to be named to them.
    name: Name,
    /// What takes place within these; left out: all that your key is good for.
    #[serde(default)]
    limits: Limits,
    /// It has all of these tags, however they are spelt; left out or empty: whatever it has.
    #[serde(default)]
    tags: Tags,
    /// Left out: `full`.
    #[serde(default)]
    detail: Detail,
    /// Whether personal titles and the names of clients are told: `told` needs `personal`.
    #[serde(default)]
    personal: Privacy,
}

/// A calendar feed, but for its address, which is shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct CalendarFeedView {
    id: Uuid,
    name: Name,
    /// What takes place within these; left out: all of the tenant.
    #[serde(skip_serializing_if = "Limits::are_none")]
    limits: Limits,
    tags: Tags,
    detail: Detail,
    personal: Privacy,
    /// Who made it: the `actor` of events.
    made_by: String,
    created_at: DateTime<Utc>,
    /// Since when its address is the present one, where there was one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated_at: Option<DateTime<Utc>>,
    /// When somebody followed it last, to the minute; left out where nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
}

/// A calendar feed whose address was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewCalendarFeedView {
    #[serde(flatten)]
    feed: CalendarFeedView,
    /// The path of its address, which is secret: whoever has it can follow the calendar. It is shown this once; left out in a
    /// dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl From<CalendarFeed> for CalendarFeedView {
    fn from(feed: CalendarFeed) -> Self {
        let CalendarFeed { id, terms, made_by, created_at, rotated_at, last_used_at } = feed;
        let FeedTerms { name, limits, tags, detail, personal } = terms;
        Self {
            id,
            name,
            limits,
            tags,
            detail,
            personal,
            made_by,
            created_at,
            rotated_at,
            last_used_at,
        }
    }
}

impl NewCalendarFeedView {
    fn of(feed: CalendarFeed, secret: Option<&str>) -> Self {
        let path = secret.map(|secret| format!("/calendars/{secret}.ics"));
        Self { feed: feed.into(), path }
    }
}

/// An answer that has a secret: nobody keeps it.
fn kept_by_nobody(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl App {
    fn calendar_feeds(&self) -> CalendarFeeds {
        CalendarFeeds::new(self.engine.log())
    }

    /// A feed, where all that it tells lies within the caller's limits; to whoever sees less of the tenant, it is not there.
    async fn calendar_feed<S: Sync>(
        &self,
        caller: &Caller<S>,
        id: Uuid,
    ) -> Result<CalendarFeed, Problem> {
        let feed = self.calendar_feeds().find(&caller.tenant, id).await?;
        if sees(caller, &feed) { Ok(feed) } else { Err(FeedError::NoFeed.into()) }
    }
}

fn sees(caller: &Principal, feed: &CalendarFeed) -> bool {
    caller.limits.include(&feed.terms.limits)
}

/// What was done to a feed, and by whom.
fn note(by: &Principal, id: Uuid, what: &'static str) {
    tracing::info!(tenant = %by.tenant, actor = by.actor(), calendar_feed_id = %id, "{what}");
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        let detail = error.to_string();
        match error {
            FeedError::NoTenant => Self::not_found("tenant"),
            FeedError::NoFeed => Self::not_found("calendar feed"),
            FeedError::TooMany => {
                let title = "The tenant has too many calendar feeds";
                Self::new(StatusCode::CONFLICT, "too-many-calendar-feeds", title, detail)
                    .with("limit", MAX_CALENDAR_FEEDS)
            }
            FeedError::Random(error) => {
                Self::unavailable("no random bytes to be had").because(&error)
            }
            FeedError::Database(error) => error.into(),
        }
    }
}

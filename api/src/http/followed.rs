//! Who follows a calendar: whoever has its address. Calendars cannot send a key, so the address is the secret, and it stands where
//! requests are logged and measured by none but their route.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use daybook_domain::TenantId;
use daybook_store::audit::{self, Told};
use daybook_store::calendar_feeds::{CalendarFeed, CalendarFeeds, Followed};
use tokio::time::Instant;

use super::Problem;
use super::auth::{known_as, suspended};
use super::in_flight::Place;
use crate::App;

/// How an address ends: by this, programs know what it is of.
const SUFFIX: &str = ".ics";

/// The feed that the address of a request is of.
pub(crate) struct FollowedFeed {
    pub(crate) tenant: TenantId,
    pub(crate) feed: CalendarFeed,
}

impl FromRequestParts<App> for FollowedFeed {
    type Rejection = Problem;

    /// From where many unknown addresses come, none is looked up for a while. One that cannot be any costs no query, but counts.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (from, now) = (app.peers.of(parts), Instant::now());
        app.peers.admit(from, now)?;
        let address = Path::<String>::from_request_parts(parts, app).await;
        let address = address.map(|Path(address)| address).unwrap_or_default();
        let secret = address.strip_suffix(SUFFIX).unwrap_or_default();
        let feeds = CalendarFeeds::new(app.engine.log());
        let (tenant, feed) = match feeds.follow(secret, app.engine.clock().now()).await? {
            Followed::Feed(tenant, feed) => (tenant, *feed),
            Followed::Suspended => return Err(suspended()),
            Followed::Unknown => {
                app.peers.failed(from, now);
                return Err(Problem::not_found("calendar"));
            }
        };
        let quota = app.rate.take(feed.id, now)?;
        if let Some(place) = parts.extensions.get::<Arc<Place>>() {
            place.belongs_to(&tenant)?;
            if let Some(quota) = quota {
                place.has_left(quota);
            }
        }
        tracing::Span::current().record("tenant", tenant.as_str());
        known_as(&feed.id);
        let told = Told { personal: feed.terms.tells_personal(), restricted: false };
        audit::asked_by(Some(&tenant), &feed.actor(), told);
        Ok(Self { tenant, feed })
    }
}

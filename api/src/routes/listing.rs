//! What all lists have in common: pages, links to the next one, and waiting for one's own writes.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_domain::time::day_bounds;
use daybook_projections::{
    Cursor, CursorError, Limit, Page, PageError, ProjectionId, Recorded, RecordedOrder, WaitError,
};
use daybook_store::{Position, Role};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::as_of::AsOfParams;
use crate::App;
use crate::http::query::{invalid, invalid_date, invalid_range, one_of, query_params};
use crate::http::{At, Problem, link};
use crate::views::Timed;

/// How long a list waits for `min_position`.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The same, while there is no program that would do it: one may be starting.
const WAIT_FOR_NOBODY: Duration = Duration::from_secs(1);

query_params! {
    /// On which days.
    pub(crate) struct Days {
        /// Starts on this day or later (`YYYY-MM-DD`, in `tz`).
        from: Option<NaiveDate>,
        /// Starts on this day or earlier (`YYYY-MM-DD`, in `tz`).
        to: Option<NaiveDate>,
        /// The IANA zone of `from` and `to`, and of the local times that are then shown beside; else the tenant's, and
        /// none are.
        tz: Option<Tz>,
    }
}

query_params! {
    /// In which zone it is shown.
    pub(crate) struct ShownIn {
        /// The IANA zone of the local times that are then shown beside; else none are.
        tz: Option<Tz>,
    }
}

query_params! {
    /// How one thing is read.
    pub(crate) struct ReadParams {
        ..moment: AsOfParams,
        ..shown: ShownIn,
    }
}

query_params! {
    /// Which page.
    pub(crate) struct PageParams {
        /// The most items of a page: 1 to 200, 50 where it is left out.
        limit: Option<Limit>,
        /// The `next_cursor` of the page before; the other parameters must be the same as then.
        cursor: Option<Cursor>,
        ..fresh: Freshness,
    }
}

impl PageParams {
    pub(super) fn limit(&self) -> Limit {
        self.limit.unwrap_or_default()
    }
}

query_params! {
    /// How fresh the answer is.
    #[derive(Clone, Copy)]
    pub(crate) struct Freshness {
        /// Show at least what had happened at this position of the log: the `Daybook-Position` of a
        /// command shows what that command did.
        min_position: Option<Position>,
    }
}

one_of!(RecordedOrder {
    "created_at" => recorded(Recorded::Created, false),
    "-created_at" => recorded(Recorded::Created, true),
    "updated_at" => recorded(Recorded::Updated, false),
    "-updated_at" => recorded(Recorded::Updated, true),
});

pub(super) const fn recorded(by: Recorded, descending: bool) -> RecordedOrder {
    RecordedOrder { by, descending, since: None }
}

/// The order that is asked for, where what has changed since a moment goes by when it changed.
pub(super) fn changed_since(
    sort: Option<RecordedOrder>,
    since: Option<DateTime<Utc>>,
) -> Result<Option<RecordedOrder>, Problem> {
    match (sort, since) {
        (sort, None) => Ok(sort),
        (None, since) => Ok(Some(RecordedOrder { since, ..recorded(Recorded::Updated, false) })),
        (Some(order), since) if order.by == Recorded::Updated => {
            Ok(Some(RecordedOrder { since, ..order }))
        }
        (Some(_), Some(_)) => Err(since_goes_with_updated()),
    }
}

pub(super) fn since_goes_with_updated() -> Problem {
    invalid("updated_since", "it goes with sort=updated_at or sort=-updated_at")
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    /// Send it as `cursor` for the next page; left out: this is the last. A page that is not the last can have fewer items
    /// than its limit, where these are large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

/// A page, and where the next one is: `Link: <...>; rel="next"` (RFC 8288).
pub(crate) struct Listed<T> {
    uri: Uri,
    position: Position,
    list: List<T>,
}

impl<T: Timed> Listed<T> {
    /// The same, with local times where a zone is asked for.
    pub(super) fn shown_in(mut self, zone: Option<Tz>) -> Self {
        let items = self.list.items.into_iter();
        self.list.items = items.map(|item| item.shown_in(zone)).collect();
        self
    }
}

impl<T> Listed<T> {
    /// A page of a projection that had read up to this position, each item as `view` shows it.
    pub(crate) fn of<R>(
        uri: Uri,
        position: Position,
        page: Page<R>,
        view: impl Fn(R) -> T,
    ) -> Self {
        let next_cursor = page.next.map(|cursor| cursor.to_string());
        let items = page.items.into_iter().map(view).collect();
        Self { uri, position, list: List { items, next_cursor } }
    }

    fn link(&self) -> Option<HeaderValue> {
        link(&self.uri, self.list.next_cursor.as_deref()?)
    }
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        let link = self.link();
        let mut response = At(self.position, Json(self.list)).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// From an instant on, and before another.
pub(crate) type Bounds = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

fn days(zone: Tz, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Bounds, Problem> {
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        let detail = format!("to ({to}) is before from ({from})");
        return Err(invalid_range(detail));
    }
    let day = |date: NaiveDate| day_bounds(zone, date, date).ok_or_else(|| invalid_date("too far"));
    let from = from.map(day).transpose()?.map(|day| day.start());
    let to = to.map(day).transpose()?.map(|day| day.end());
    Ok((from, to))
}

impl App {
    /// Whole days, both ends included.
    pub(super) async fn days(
        &self,
        tenant: &TenantId,
        Days { from, to, tz }: &Days,
    ) -> Result<Bounds, Problem> {
        let zone = match tz {
            Some(zone) => *zone,
            None => self.zone_of(tenant).await?,
        };
        days(zone, *from, *to)
    }

    /// Waits until `projection` is as fresh as was asked for, and says how far it has read: whatever is read of it
    /// now is at least of that position.
    pub(super) async fn wait(
        &self,
        tenant: &TenantId,
        projection: ProjectionId,
        Freshness { min_position }: Freshness,
    ) -> Result<Position, Problem> {
        match min_position {
            Some(position) => self.wait_for(tenant, projection, position).await,
            None => Ok(self.progress.position(tenant, projection).await?),
        }
    }

    /// Waits until `projection` has read as far as `position`, and says how far it has.
    pub(crate) async fn wait_for(
        &self,
        tenant: &TenantId,
        projection: ProjectionId,
        position: Position,
    ) -> Result<Position, Problem> {
        let limit = if self.has_no(Role::Projector) { WAIT_FOR_NOBODY } else { WAIT_TIMEOUT };
        let deadline = Instant::now() + limit;
        let waited = self.progress.wait_until(tenant, projection, position, deadline).await;
        waited.map_err(|error| match error {
            WaitError::Behind { .. } if self.has_no(Role::Projector) => {
                Problem::role_missing(Role::Projector)
            }
            WaitError::Behind { position } => {
                Problem::unavailable(format!("this list has only read up to position {position}"))
            }
            WaitError::BeyondHead { head } => {
                let detail = format!("min_position: the log ends at position {head}");
                Problem::bad_query("position-ahead", "There is no such position", detail)
            }
            WaitError::Database(error) => error.into(),
        })
    }

    /// Whether this program has heard that no program has a role.
    fn has_no(&self, role: Role) -> bool {
        let heard = self.heard.as_ref();
        heard.is_some_and(|heard| heard.borrow().has(role) == Some(false))
    }
}

impl From<CursorError> for Problem {
    fn from(error: CursorError) -> Self {
        Self::bad_query("invalid-cursor", "The cursor is not valid", error.to_string())
    }
}

impl From<PageError> for Problem {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Cursor(error) => error.into(),
            PageError::TooBroad { .. } => {
                Self::too_broad(format!("{error}: ask for fewer days, or of one resource"))
            }
            PageError::Database(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_to_the_next_page_keeps_the_filters() {
        let uri = "/v1/appointments?category=a%26b&cursor=old&limit=2".parse().unwrap();
        let list = List::<u8> { items: vec![], next_cursor: Some("new".to_owned()) };
        let page = Listed { uri, position: Position::START, list };
        let link = page.link().unwrap();
        let expected = "</v1/appointments?category=a%26b&limit=2&cursor=new>; rel=\"next\"";
        assert_eq!(link.to_str().unwrap(), expected);
    }
}

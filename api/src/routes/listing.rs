//! What all lists have in common: pages, links to the next one, and waiting for one's own writes.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_domain::time::day_bounds;
use daybook_projections::{CursorError, Limit, Page, PageError, ProjectionId, WaitError};
use daybook_store::Position;
use daybook_store::log::Moment;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::App;
use crate::http::answer::POSITION_HEADER;
use crate::http::{Params, Problem};

/// How long a list waits for `min_position`.
const PATIENCE: Duration = Duration::from_secs(5);

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    /// Send it as `cursor` for the next page; `null`: this is the last.
    pub(crate) next_cursor: Option<String>,
}

/// A page, and where the next one is: `Link: <...>; rel="next"` (RFC 8288).
pub(crate) struct Listed<T> {
    uri: Uri,
    list: List<T>,
    /// The position that it is of, where one was asked for.
    position: Option<Position>,
}

impl<T> Listed<T> {
    pub(crate) fn new(uri: Uri, items: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { uri, list: List { items, next_cursor }, position: None }
    }

    /// The same, as of this moment.
    pub(crate) fn at(self, moment: Option<Moment>) -> Self {
        Self { position: moment.map(|moment| moment.position), ..self }
    }

    /// A projection's page, each item as `view` shows it.
    pub(crate) fn of<R>(uri: Uri, page: Page<R>, view: impl Fn(R) -> T) -> Self {
        let next_cursor = page.next.map(|cursor| cursor.to_string());
        Self::new(uri, page.items.into_iter().map(view).collect(), next_cursor)
    }

    fn link(&self) -> Option<HeaderValue> {
        link(&self.uri, self.list.next_cursor.as_deref()?)
    }
}

/// Where the next page of what was asked for is.
pub(crate) fn link(uri: &Uri, cursor: &str) -> Option<HeaderValue> {
    let query = uri.query().unwrap_or_default();
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
    let kept = pairs.iter().filter(|(name, _)| name != "cursor");
    let pairs: Vec<(&str, &str)> = kept
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain([("cursor", cursor)])
        .collect();
    let query = serde_urlencoded::to_string(pairs).ok()?;
    format!("<{}?{query}>; rel=\"next\"", uri.path()).try_into().ok()
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        let (link, position) = (self.link(), self.position);
        let mut response = Json(self.list).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        if let Some(position) = position {
            response.headers_mut().insert(POSITION_HEADER, position.get().into());
        }
        response
    }
}

/// Takes `limit` out of the query.
pub(crate) fn limit(params: &mut Params) -> Result<Limit, Problem> {
    let Some(items) = params.parsed::<u32>("limit")? else { return Ok(Limit::default()) };
    Limit::new(items).map_err(|error| crate::http::params::invalid("limit", error))
}

/// From an instant on, and before another.
pub(crate) type Bounds = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

fn days(zone: Tz, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Bounds, Problem> {
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        let detail = format!("to ({to}) is before from ({from})");
        return Err(Problem::bad_query("invalid-range", "The range is not valid", detail));
    }
    let day = |date: NaiveDate| {
        let out_of_range =
            || Problem::bad_query("invalid-date", "The date is not valid", "too far");
        day_bounds(zone, date, date).ok_or_else(out_of_range)
    };
    let from = from.map(day).transpose()?.map(|day| day.start());
    let to = to.map(day).transpose()?.map(|day| day.end());
    Ok((from, to))
}

impl App {
    /// Takes `from`, `to` and `tz` out of the query: whole days, both ends included.
    pub(crate) async fn days(
        &self,
        tenant: &TenantId,
        params: &mut Params,
    ) -> Result<Bounds, Problem> {
        let (from, to) = (params.date("from")?, params.date("to")?);
        let zone = match params.time_zone("tz")? {
            Some(zone) => zone,
            None => self.zone_of(tenant).await?,
        };
        days(zone, from, to)
    }

    /// Takes `min_position` out of the query, and waits until `projection` has read that far.
    pub(crate) async fn wait(
        &self,
        tenant: &TenantId,
        projection: ProjectionId,
        params: &mut Params,
    ) -> Result<(), Problem> {
        match params.parsed::<Position>("min_position")? {
            Some(position) => self.wait_for(tenant, projection, position).await,
            None => Ok(()),
        }
    }

    /// Waits until `projection` has read as far as `position`.
    pub(crate) async fn wait_for(
        &self,
        tenant: &TenantId,
        projection: ProjectionId,
        position: Position,
    ) -> Result<(), Problem> {
        let deadline = Instant::now() + PATIENCE;
        let waited = self.progress.wait_until(tenant, projection, position, deadline).await;
        waited.map_err(|error| match error {
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
        let page = Listed::<u8>::new(uri, vec![], Some("new".to_owned()));
        let link = page.link().unwrap();
        let expected = "</v1/appointments?category=a%26b&limit=2&cursor=new>; rel=\"next\"";
        assert_eq!(link.to_str().unwrap(), expected);
    }
}

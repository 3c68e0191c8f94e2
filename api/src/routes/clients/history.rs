//! `GET /v1/clients/{id}/history`

use axum::Json;
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use daybook_domain::appointment::CancelledBy;
use daybook_domain::client::Client;
use daybook_domain::{Category, ResourceIds};
use daybook_projections::appointments::Appointments;
use daybook_projections::client_history::{Cancelled, PastAppointment, Summary};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::http::query::query_params;
use crate::http::{At, Caller, PathId, Problem, Query, Within, auth, link};
use crate::routes::as_of::AsOfParams;
use crate::routes::listing::{Days, PageParams};
use crate::routes::problems::ReadProblems;
use crate::views::times::timed;
use crate::views::{Timed as _, Times};

query_params! {
    /// What is asked for.
    pub(crate) struct HistoryParams {
        ..days: Days,
        ..page: PageParams,
        ..moment: AsOfParams,
    }
}

/// A client's appointments, and what they come to.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryView {
    client_id: Uuid,
    /// How many were booked, on whatever days; holds that came to nothing were not.
    booked: u64,
    /// To how many of them the client came.
    kept: u64,
    /// How many of them were cancelled, by either side.
    cancelled: u64,
    /// How many of these the client's side cancelled after the window for that.
    late_cancellations: u64,
    /// To how many the client did not come.
    no_shows: u64,
    /// When the first starts that was booked and not cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_start_at: Option<DateTime<Utc>>,
    /// When the last does.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_start_at: Option<DateTime<Utc>>,
    /// A page of them, by start.
    items: Vec<PastView>,
    /// Send it as `cursor` for the next page; left out: this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// An appointment, and what became of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct PastView {
    /// The appointment.
    id: Uuid,
    /// `held`, `booked`, `checked-in`, `fulfilled`, `cancelled` or `no-show`.
    status: &'static str,
    #[serde(flatten)]
    times: Times,
    service_id: Uuid,
    resource_ids: ResourceIds,
    category: Category,
    /// When it was booked, or its hold confirmed. Nothing: it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    booked_at: Option<DateTime<Utc>>,
    /// How often it was moved.
    times_moved: u32,
    /// How it was cancelled, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled: Option<CalledOffView>,
    version: u64,
}

/// How an appointment was cancelled.
#[derive(Serialize, ToSchema)]
pub(crate) struct CalledOffView {
    /// On whose side: `client`, `staff`, or `system` for a hold that lapsed.
    by: CancelledBy,
    at: DateTime<Utc>,
    /// Whether the client's side did so after the window for that.
    late: bool,
}

impl From<Cancelled> for CalledOffView {
    fn from(Cancelled { by, at, late }: Cancelled) -> Self {
        Self { by, at, late }
    }
}

timed!(PastView);

impl From<PastAppointment> for PastView {
    fn from(PastAppointment { appointment: found, outcome }: PastAppointment) -> Self {
        Self {
            id: found.appointment_id.uuid(),
            status: found.status.as_str(),
            times: Times::of(&found.during),
            service_id: found.service_id.uuid(),
            resource_ids: found.resource_ids,
            category: found.category,
            booked_at: outcome.booked_at,
            times_moved: outcome.times_moved,
            cancelled: outcome.cancelled.map(CalledOffView::from),
            version: found.version,
        }
    }
}

/// See a client's history
///
/// All their appointments and holds by start, with what became of each, and what they come to. With `as_of`, what had
/// become of them by then.
#[utoipa::path(
    get, path = "/v1/clients/{id}/history", tag = "clients",
    params(("id" = Uuid, Path), HistoryParams), security(("api_key" = ["appointments"])),
    responses((status = 200, description = "A page, by start", body = HistoryView), ReadProblems)
)]
pub(crate) async fn get_client_history(
    State(app): State<App>,
    caller: Caller<Within<auth::Appointments>>,
    PathId(client_id): PathId,
    uri: Uri,
    Query(HistoryParams { days, page, moment }): Query<HistoryParams>,
) -> Result<Response, Problem> {
    let tenant = &caller.tenant;
    let bounds = app.days(tenant, &days).await?;
    let (limit, cursor) = (page.limit(), page.cursor);
    let as_of = (moment.as_of, days.tz);
    let reading = app.reading(tenant, as_of, page.fresh, Appointments::ID).await?;
    let client = app.known::<Client>(tenant, client_id, reading.moment).await?;
    if client.is_none() || !app.sees_client(&caller, client_id.into()).await? {
        return Err(Problem::not_found("client"));
    }
    app.may_be_told_of(&caller, client_id).await?;
    let now = app.engine.clock().now();
    let history = &app.client_history;
    let of = (client_id.into(), &caller.limits);
    let summary = history.summary(tenant, of, reading.moment).await?;
    let asked = (cursor.as_ref(), limit);
    let page = history.page(tenant, of, bounds, asked, now, reading.moment).await?;
    let next_cursor = page.next.map(|cursor| cursor.to_string());
    let next = next_cursor.as_deref().and_then(|cursor| link(&uri, cursor));
    let Summary {
        booked,
        kept,
        cancelled,
        late_cancellations,
        no_shows,
        first_start_at,
        last_start_at,
    } = summary;
    let view = HistoryView {
        client_id,
        booked,
        kept,
        cancelled,
        late_cancellations,
        no_shows,
        first_start_at,
        last_start_at,
        items: page.items.into_iter().map(|past| PastView::from(past).shown_in(days.tz)).collect(),
        next_cursor,
    };
    let mut response = At(reading.position, Json(view)).into_response();
    if let Some(next) = next {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

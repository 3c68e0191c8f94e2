//! `GET /v1/waiting-list`, `GET /v1/waiting-list/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::appointment::Appointment;
use daybook_domain::waiting::{State as Entry, Status, WaitingEntry};
use daybook_projections::Cursor;
use daybook_projections::waiting::{WaitingFilter, WaitingList};
use utoipa::IntoParams;
use uuid::Uuid;

use super::view::WaitingView;
use crate::App;
use crate::http::{Answer, Caller, Params, PathId, Problem, Read};
use crate::routes::listing::{List, Listed, limit};
use crate::routes::problems::ReadProblems;

/// Get an entry of the waiting list
///
/// As it is now: an offer is what its hold is.
#[utoipa::path(
    get, path = "/v1/waiting-list/{id}", tag = "waiting-list", params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The entry", body = WaitingView), ReadProblems)
)]
pub(crate) async fn get_waiting(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
) -> Result<Answer<WaitingView>, Problem> {
    let (tenant, now) = (&caller.tenant, app.engine.clock().now());
    let found = app.engine.load::<WaitingEntry>(tenant, id).await?;
    let Some((WaitingEntry::Joined(mut joined), version)) = found else {
        return Err(Problem::not_found("entry"));
    };
    let hold = match joined.state {
        Entry::Offered(offer) => {
            app.engine.load::<Appointment>(tenant, offer.appointment_id.uuid()).await?
        }
        _ => None,
    };
    joined.state = joined.seen(hold.as_ref().map(|(hold, _)| hold), now);
    let service = joined.wishes.service_id;
    let before = match joined.state {
        Entry::Waiting => app.waiting.before(tenant, service, id.into(), now).await?,
        _ => None,
    };
    let mut body = WaitingView::new(id, version, joined);
    body.queue_position = before.map(|before| before + 1);
    Ok(Answer { version, position: None, body })
}

/// The filters, for the documentation. All that are given must be met.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `list_waiting`; this is how it is documented")]
pub(crate) struct WaitingFilters {
    /// They wait for this service.
    service_id: Option<Uuid>,
    /// It is this client who waits.
    client_id: Option<Uuid>,
    /// `waiting`, `offered`, `taken`, `lapsed`, `left` or `expired`.
    status: Option<String>,
    /// The most items of a page: 1 to 200, 50 where it is left out.
    limit: Option<u32>,
    /// The `next_cursor` of the page before; the other parameters must be the same as then.
    cursor: Option<String>,
    /// Show at least what had happened at this position of the log: the `Daybook-Position` of a
    /// command shows what that command did.
    min_position: Option<u64>,
}

/// List the waiting list
///
/// In the order in which it was joined.
#[utoipa::path(
    get, path = "/v1/waiting-list", tag = "waiting-list", params(WaitingFilters),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page, by time of joining", body = List<WaitingView>),
              ReadProblems)
)]
pub(crate) async fn list_waiting(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<WaitingView>, Problem> {
    let filter = WaitingFilter {
        service_id: params.id("service_id")?,
        client_id: params.id("client_id")?,
        status: params.parsed::<Status>("status")?,
    };
    let limit = limit(&mut params)?;
    let cursor = params.text("cursor")?.map(Cursor::new);
    app.wait(&caller.tenant, WaitingList::ID, &mut params).await?;
    params.finish()?;
    let now = app.engine.clock().now();
    let page = app.waiting.page(&caller.tenant, &filter, cursor.as_ref(), limit, now).await?;
    Ok(Listed::of(uri, page, |entry| {
        WaitingView::new(entry.entry_id.uuid(), entry.version, entry.joined)
    }))
}

//! `GET /v1/waiting-list`, `GET /v1/waiting-list/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::appointment::Appointment;
use daybook_domain::waiting::{EntryState as Entry, Status, WaitingEntry};
use daybook_domain::{ClientId, ServiceId};
use daybook_projections::Page;
use daybook_projections::waiting::{WaitingFilter, WaitingList};
use daybook_store::engine::Known;

use super::as_of::MAX_LOOKS;
use crate::App;
use crate::http::query::{Several, query_params};
use crate::http::{Answer, Appointments, Caller, PathId, Problem, Query, Within};
use crate::routes::as_of::AsOfParams;
use crate::routes::listing::{List, Listed, PageParams, ReadParams, ShownIn};
use crate::routes::problems::ReadProblems;
use crate::views::WaitingView;

/// Get an entry of the waiting list
///
/// As it is now, or was as of a moment: an offer is what its hold is.
#[utoipa::path(
    get, path = "/v1/waiting-list/{id}", tag = "waiting-list",
    params(("id" = Uuid, Path), ReadParams),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "The entry", body = WaitingView), ReadProblems)
)]
pub(crate) async fn get_waiting(
    State(app): State<App>,
    caller: Caller<Within<Appointments>>,
    PathId(id): PathId,
    Query(ReadParams { moment: AsOfParams { as_of }, shown }): Query<ReadParams>,
) -> Result<Answer<WaitingView>, Problem> {
    let tenant = &caller.tenant;
    if let Some(moment) = app.moment(tenant, as_of, shown.tz).await? {
        let then = app.entries_as_of(&caller, &[id], moment).await?.pop().flatten();
        let body = then.ok_or_else(|| Problem::not_found("entry"))?;
        return Ok(Answer::read(body.version(), moment.position, body.shown_in(shown.tz)));
    }
    let now = app.engine.clock().now();
    let found = app.known::<WaitingEntry>(tenant, id, None).await?;
    let Some(Known { state: WaitingEntry::Joined(mut joined), version, position, .. }) = found
    else {
        return Err(Problem::not_found("entry"));
    };
    if app.sees_entries(&caller, &[&joined]).await? != [true] {
        return Err(Problem::not_found("entry"));
    }
    let hold = match joined.state {
        Entry::Offered(offer) => {
            app.known::<Appointment>(tenant, offer.appointment_id.uuid(), None).await?
        }
        _ => None,
    };
    let position = hold.as_ref().map_or(position, |hold| position.max(hold.position));
    joined.state = joined.seen(hold.as_ref().map(|hold| &hold.state), now);
    let service = joined.wishes.service_id;
    let before = match joined.state {
        // It counts those whom somebody who is limited does not see.
        Entry::Waiting if caller.limits.are_none() => {
            app.waiting.before(tenant, service, id.into(), now).await?
        }
        _ => None,
    };
    let mut body = WaitingView::new(id, version, joined).shown_in(shown.tz);
    body.queue_position = before.map(|before| before + 1);
    Ok(Answer::seen(Some(version), Some(position), body))
}

query_params! {
    /// The filters. All that are given must be met.
    pub(crate) struct WaitingParams {
        /// They wait for this service, or for one of several.
        service_id: Several<ServiceId>,
        /// It is this client who waits, or one of several.
        client_id: Several<ClientId>,
        /// What has become of the entry: this, or one of several.
        status: Several<Status>,
        ..page: PageParams,
        ..moment: AsOfParams,
        ..shown: ShownIn,
    }
}

/// List the waiting list
///
/// In the order in which it was joined.
#[utoipa::path(
    get, path = "/v1/waiting-list", tag = "waiting-list",
    params(WaitingParams),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "A page, by time of joining", body = List<WaitingView>),
              ReadProblems)
)]
pub(crate) async fn list_waiting(
    State(app): State<App>,
    caller: Caller<Within<Appointments>>,
    uri: Uri,
    Query(asked): Query<WaitingParams>,
) -> Result<Listed<WaitingView>, Problem> {
    let WaitingParams { service_id, client_id, status, page, moment, shown } = asked;
    let filter = WaitingFilter {
        service_ids: service_id.into_iter().collect(),
        client_ids: client_id.into_iter().collect(),
        statuses: status.to_vec(),
    };
    let (tenant, limit, cursor) = (&caller.tenant, page.limit(), page.cursor.as_ref());
    let as_of = (moment.as_of, shown.tz);
    let reading = app.reading(tenant, as_of, page.fresh, WaitingList::ID).await?;
    if let Some(moment) = reading.moment {
        let then = app.waiting_as_of(&caller, &filter, (cursor, limit), moment).await?;
        return Ok(Listed::of(uri, reading.position, then, |entry| entry.shown_in(shown.tz)));
    }
    let now = app.engine.clock().now();
    let (mut items, mut next) = (Vec::new(), cursor.cloned());
    for _ in 0..MAX_LOOKS {
        let Some(left) = limit.less(items.len()) else { break };
        let part = app.waiting.page(tenant, &filter, next.as_ref(), left, now).await?;
        let entries: Vec<_> = part.items.iter().map(|entry| &entry.joined).collect();
        let sees = app.sees_entries(&caller, &entries).await?;
        items.extend(part.items.into_iter().zip(sees).filter_map(|(it, sees)| sees.then_some(it)));
        next = part.next;
        if next.is_none() {
            break;
        }
    }
    let found = Page { items, next };
    Ok(Listed::of(uri, reading.position, found, |entry| {
        let entry = WaitingView::new(entry.entry_id.uuid(), entry.version, entry.joined);
        entry.shown_in(shown.tz)
    }))
}

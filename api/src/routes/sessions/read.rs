//! `GET /v1/sessions`, `GET /v1/sessions/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::session::{Session, SessionStatus};
use daybook_domain::{AppointmentId, ServiceId, SessionId, TenantId};
use daybook_projections::appointments::Appointments;
use daybook_projections::sessions::{ListedSession, SessionFilter, Sessions};
use daybook_projections::{Cursor, Limit, Page};
use daybook_store::engine::Known;
use daybook_store::log::Moment;
use futures::future::try_join_all;

use crate::App;
use crate::http::query::{Several, query_params};
use crate::http::{Answer, Availability, Caller, PathId, Personal, Problem, Query, Within};
use crate::routes::as_of::AsOfParams;
use crate::routes::expanding::{ExpandParams, Source};
use crate::routes::listing::{Days, List, Listed, PageParams, ReadParams};
use crate::routes::problems::{BroadProblems, ReadProblems};
use crate::views::expanded::Expanded;
use crate::views::{SessionView, Timed as _, Viewed as _};

query_params! {
    /// Of which moment, and with what.
    pub(crate) struct SessionAsked {
        ..read: ReadParams,
        ..expand: ExpandParams,
    }
}

/// Get a session
///
/// As the log has it now, or as of a moment, with the places that are free at that moment.
#[utoipa::path(
    get, path = "/v1/sessions/{id}", tag = "sessions",
    params(("id" = Uuid, Path), SessionAsked),
    security(("api_key" = ["availability"])),
    responses((status = 200, description = "The session", body = Expanded<SessionView>),
              ReadProblems)
)]
pub(crate) async fn get_session(
    State(app): State<App>,
    caller: Caller<Within<Availability>>,
    PathId(id): PathId,
    Query(SessionAsked { read, expand }): Query<SessionAsked>,
) -> Result<Answer<Expanded<SessionView>>, Problem> {
    let ReadParams { moment: AsOfParams { as_of }, shown } = read;
    let tenant = &caller.tenant;
    expand.is_for(&caller)?;
    let moment = app.as_of(tenant, as_of, shown.tz).await?;
    let known = app.known::<Session>(tenant, id, moment).await?;
    let Known { state: session, version, position, .. } =
        known.ok_or_else(|| Problem::not_found("session"))?;
    if !app.sees_session(&caller, &session).await? {
        return Err(Problem::not_found("session"));
    }
    let who = app.who_is_in(tenant, &[(id.into(), &session)], moment).await?;
    let taken = who.iter().flatten().count();
    let view = session.view(id, version).ok_or_else(Problem::internal)?;
    let view = told(&caller, view);
    let view = view.with_taken(taken).shown_in(shown.tz);
    let view = app.expand_one(tenant, view, &expand, moment).await?;
    Ok(Answer::seen(Some(version), Some(position), view))
}

query_params! {
    /// The filters. All that are given must be met.
    pub(crate) struct SessionParams {
        /// Of this service, or of one of several.
        service_id: Several<ServiceId>,
        /// Only those that are to take place, or only those that were cancelled.
        status: Option<SessionStatus>,
        ..days: Days,
        ..page: PageParams,
        ..moment: AsOfParams,
        ..expand: ExpandParams,
    }
}

/// List sessions
///
/// By start, each with the places that are free at this moment, or were as of another.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "sessions",
    params(SessionParams),
    security(("api_key" = ["availability"])),
    responses((status = 200, description = "A page, by start", body = List<Expanded<SessionView>>),
              ReadProblems, BroadProblems)
)]
pub(crate) async fn list_sessions(
    State(app): State<App>,
    caller: Caller<Within<Availability>>,
    uri: Uri,
    Query(asked): Query<SessionParams>,
) -> Result<Listed<Expanded<SessionView>>, Problem> {
    let SessionParams { service_id, status, days, page, moment, expand } = asked;
    let tenant = &caller.tenant;
    expand.is_for(&caller)?;
    let (from, to) = app.days(&caller.tenant, &days).await?;
    let service_ids = service_id.into_iter().collect();
    let filter = SessionFilter { from, to, service_ids, status };
    let as_of = (moment.as_of, days.tz);
    let reading = app.reading(tenant, as_of, page.fresh, Sessions::ID).await?;
    let source = Source::of(reading.moment, page.fresh);
    let (limit, cursor) = (page.limit(), page.cursor);
    let mut page = app.sessions_to(&caller, &filter, (cursor, limit), reading.moment).await?;
    let sealed = page.items.iter_mut();
    let mut sealed: Vec<_> =
        sealed.map(|listed| (listed.session_id.uuid(), &mut listed.session)).collect();
    app.engine.open(tenant, &mut sealed).await?;
    let sessions: Vec<_> =
        page.items.iter().map(|listed| (listed.session_id, &listed.session)).collect();
    let who = app.who_is_in(tenant, &sessions, reading.moment).await?;
    let views = page.items.into_iter().zip(who).map(|(listed, who)| {
        let view = listed.session.view(listed.session_id.uuid(), listed.version)?;
        Some(told(&caller, view).with_taken(who.len()))
    });
    let items = views.collect::<Option<Vec<_>>>().ok_or_else(Problem::internal)?;
    let items = items.into_iter().map(|view| view.shown_in(days.tz)).collect();
    let items = app.expand(tenant, items, &expand, source).await?;
    Ok(Listed::of(uri, reading.position, Page { items, next: page.next }, |view| view))
}

/// As this caller is told it.
fn told<S>(caller: &Caller<S>, view: SessionView) -> SessionView {
    if caller.has::<Personal>() { view } else { Session::withheld(view) }
}

/// So many sessions of the past are looked into beside each other.
const BESIDE: usize = 4;

/// How often a page is filled up for whoever is limited: where most lie elsewhere, it has fewer items than it may.
const MAX_LOOKS: usize = 10;

impl App {
    /// A page of the sessions that the caller sees, now or as of a moment.
    async fn sessions_to<S>(
        &self,
        caller: &Caller<S>,
        filter: &SessionFilter,
        (cursor, limit): (Option<Cursor>, Limit),
        moment: Option<Moment>,
    ) -> Result<Page<ListedSession>, Problem> {
        let tenant = &caller.tenant;
        let (mut items, mut next) = (Vec::new(), cursor);
        for _ in 0..MAX_LOOKS {
            let Some(left) = limit.less(items.len()) else { break };
            let part = match moment {
                None => self.sessions.page(tenant, filter, next.as_ref(), left).await?,
                Some(moment) => {
                    self.sessions_as_of(tenant, filter, (next.as_ref(), left), moment).await?
                }
            };
            items.extend(self.seen_sessions(caller, part.items, |it| &it.session).await?);
            next = part.next;
            if next.is_none() {
                break;
            }
        }
        Ok(Page { items, next })
    }

    async fn sessions_as_of(
        &self,
        tenant: &TenantId,
        filter: &SessionFilter,
        page: (Option<&Cursor>, Limit),
        moment: Moment,
    ) -> Result<Page<ListedSession>, Problem> {
        self.wait_for(tenant, Appointments::ID, moment.position).await?;
        let Page { items, next } = self.history.sessions(tenant, filter, page, moment).await?;
        let listed = items.into_iter().map(|then| ListedSession {
            session_id: then.session_id,
            session: then.session,
            version: then.version,
            position: then.position,
        });
        Ok(Page { items: listed.collect(), next })
    }

    /// Who has a place of each of these sessions, now or at a moment.
    pub(super) async fn who_is_in(
        &self,
        tenant: &TenantId,
        sessions: &[(SessionId, &Session)],
        moment: Option<Moment>,
    ) -> Result<Vec<Vec<AppointmentId>>, Problem> {
        let Some(moment) = moment else {
            return Ok(self.engine.who_is_in(tenant, sessions).await?);
        };
        let mut all = Vec::with_capacity(sessions.len());
        for some in sessions.chunks(BESIDE) {
            let each = some.iter().map(|one| self.agenda.who_was_in(tenant, *one, moment));
            all.extend(try_join_all(each).await?);
        }
        Ok(all)
    }
}

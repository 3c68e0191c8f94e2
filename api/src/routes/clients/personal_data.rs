//! `GET /v1/clients/{id}/personal-data`: all that is known of a client, for themselves.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use daybook_domain::TenantId;
use daybook_domain::appointment::Appointment;
use daybook_domain::client::Client;
use daybook_domain::series::Series;
use daybook_domain::waiting::WaitingEntry;
use daybook_projections::Limit;
use daybook_projections::appointments::Appointments;
use daybook_projections::search::{SearchFilter, Sort};
use daybook_projections::waiting::{WaitingFilter, WaitingList};
use daybook_store::ExecuteError;
use daybook_store::audit::{self, AuditFilter, AuditKind};
use daybook_store::log::StreamId;
use daybook_store::personal::About;
use futures::{StreamExt as _, stream};
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;

use crate::App;
use crate::export::ndjson;
use crate::http::limits::CountedApart;
use crate::http::{At, Caller, NoQuery, PathId, Problem, auth};
use crate::routes::problems::ReadProblems;
use crate::views::{AppointmentView, AuditView, EventView, Viewed};

/// How many parts of the file may wait for whoever reads it.
const PARTS: usize = 2;

/// How many events of a thing, and entries of the audit log, are read at a time.
const PAGE: u32 = 200;

/// See all that is known of a client
///
/// A file for themselves (GDPR, Art. 15), with an object per line, whose `what` says what it is: the `client`, what was said of them at
/// any time (`client-event`), each `appointment` and hold of theirs, and what happened to it (`appointment-event`), each `series` and
/// `waiting-entry`; and each time that somebody was told something of this (`reading`, as `GET /v1/audit` has it), as long as
/// that is kept. It is recorded before it begins, or not given. If it cannot be read on, or the key ends, it breaks off.
#[utoipa::path(
    get, path = "/v1/clients/{id}/personal-data", tag = "clients",
    params(("id" = Uuid, Path)), security(("api_key" = ["privacy"])),
    responses((status = 200, description = "The file", content((String = "application/x-ndjson")),
               headers(("Content-Disposition" = String, description = "A name for the file"))),
              ReadProblems)
)]
pub(crate) async fn get_personal_data(
    State(app): State<App>,
    caller: Caller<auth::Privacy>,
    PathId(id): PathId,
    _: NoQuery,
) -> Result<At<Response>, Problem> {
    let tenant = caller.tenant.clone();
    let there = app.engine.load::<Client>(&tenant, id).await?;
    there.ok_or_else(|| Problem::not_found("client"))?;
    let head = app.engine.log().head(&tenant).await?.unwrap_or_default();
    app.wait_for(&tenant, Appointments::ID, head).await?;
    app.wait_for(&tenant, WaitingList::ID, head).await?;
    let opened = app.streams.open(&tenant);
    let opened =
        opened.ok_or_else(|| Problem::overloaded("too many streams and exports at once"))?;
    app.record(&caller, AuditKind::PersonalDataExported, |entry| entry.about(id)).await?;
    let (parts, written) = mpsc::channel(PARTS);
    let credential = caller.credential;
    tokio::spawn(async move {
        let broken_off = parts.clone();
        let file = File { app: &app, tenant: &tenant, client: id, turns: opened.turns(), parts };
        let is_whole = tokio::select! {
            written = file.write() => written.is_ok(),
            () = credential.ended(&app) => false,
        };
        if !is_whole {
            let _ = broken_off.send(Err(BrokenOff)).await;
        }
    });
    Ok(At(head, response(id, written)))
}

fn response(id: Uuid, written: mpsc::Receiver<Part>) -> Response {
    // After an error the connection is cut, so that nobody takes what is there for all.
    let body = stream::unfold(written, async |mut parts| Some((parts.recv().await?, parts)));
    let mut response = Body::from_stream(body.fuse()).into_response();
    response.extensions_mut().insert(CountedApart);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ndjson::MEDIA_TYPE));
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=client-{id}.ndjson")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// The rest cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("the file breaks off")]
struct BrokenOff;

type Part = Result<Vec<u8>, BrokenOff>;

/// A line: what it is, and that.
#[derive(Serialize)]
struct Line<T> {
    what: &'static str,
    #[serde(flatten)]
    of: T,
}

/// What happened to something of theirs.
#[derive(Serialize)]
struct Happened {
    id: Uuid,
    #[serde(flatten)]
    event: EventView,
}

/// The file, while it is written.
struct File<'a> {
    app: &'a App,
    tenant: &'a TenantId,
    client: Uuid,
    turns: &'a Semaphore,
    parts: mpsc::Sender<Part>,
}

impl File<'_> {
    async fn write(&self) -> Result<(), Problem> {
        let known = self.app.known::<Client>(self.tenant, self.client, None).await?;
        let known = known.ok_or_else(|| Problem::not_found("client"))?;
        self.send("client", known.state.view(self.client, known.version)).await?;
        self.events::<Client>("client-event", self.client).await?;
        self.appointments().await?;
        self.waiting_entries().await?;
        self.readings().await
    }

    async fn appointments(&self) -> Result<(), Problem> {
        let Self { app, tenant, client, .. } = *self;
        let filter = SearchFilter { client_ids: vec![client.into()], ..SearchFilter::default() };
        let (mut series, mut next) = (BTreeSet::new(), None);
        loop {
            let now = app.engine.clock().now();
            let turn = self.turns.acquire().await;
            let page = app.search.page(
                tenant,
                &filter,
                Sort::default(),
                next.as_ref(),
                Limit::LONGEST,
                now,
            );
            let page = page.await?;
            let ids: Vec<Uuid> = page.items.iter().map(|it| it.appointment_id.uuid()).collect();
            let known = app.each_known::<Appointment>(tenant, &ids, None).await?;
            drop(turn);
            for (id, known) in ids.into_iter().zip(known) {
                let Some(known) = known else { continue };
                let of_series = known.state.details().and_then(|details| details.series.as_ref());
                series.extend(of_series.map(|series| series.series_id.uuid()));
                let view = AppointmentView::at(known.state, id, known.version, now);
                self.send("appointment", view).await?;
                self.events::<Appointment>("appointment-event", id).await?;
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        for id in series {
            let known = app.known::<Series>(tenant, id, None).await?;
            let view = known.and_then(|known| known.state.view(id, known.version));
            self.send("series", view).await?;
        }
        Ok(())
    }

    async fn waiting_entries(&self) -> Result<(), Problem> {
        let Self { app, tenant, client, .. } = *self;
        let filter =
            WaitingFilter { client_ids: [client.into()].into(), ..WaitingFilter::default() };
        let mut next = None;
        loop {
            let now = app.engine.clock().now();
            let turn = self.turns.acquire().await;
            let page =
                app.waiting.page(tenant, &filter, next.as_ref(), Limit::LONGEST, now).await?;
            let ids: Vec<Uuid> = page.items.iter().map(|it| it.entry_id.uuid()).collect();
            let known = app.each_known::<WaitingEntry>(tenant, &ids, None).await?;
            drop(turn);
            for (id, known) in ids.into_iter().zip(known) {
                let view = known.and_then(|known| known.state.view(id, known.version));
                self.send("waiting-entry", view).await?;
            }
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    /// What names them, and what was handed out of everybody.
    async fn readings(&self) -> Result<(), Problem> {
        let of_them = AuditFilter { subject: Some(self.client), ..AuditFilter::default() };
        let kinds = vec![AuditKind::PersonalDataExported];
        let of_all = AuditFilter { kinds, ..AuditFilter::default() };
        for (filter, all) in [(of_them, false), (of_all, true)] {
            let mut after = None;
            loop {
                let turn = self.turns.acquire().await;
                let pool = self.app.engine.log().pool();
                let page =
                    audit::page(pool, Some(self.tenant), &filter, after, PAGE as usize).await?;
                drop(turn);
                for listed in page.items.into_iter().filter(|it| !all || it.entry.all_subjects) {
                    self.send("reading", Some(AuditView::from(listed))).await?;
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// What happened to one thing, opened.
    async fn events<A: Viewed>(&self, what: &'static str, id: Uuid) -> Result<(), Problem> {
        let stream = StreamId::of::<A>(self.tenant, id);
        let mut after = 0;
        loop {
            let log = self.app.engine.log();
            let events = log.read_stream(self.tenant, &stream, (after, None), PAGE).await?;
            let Some(last) = events.last() else { return Ok(()) };
            after = last.sequence;
            let mut events: Vec<EventView> = events.into_iter().map(EventView::from).collect();
            if let Some(keyring) = self.app.engine.keyring() {
                let about = About { tenant: self.tenant, kind: stream.kind(), id };
                let told = events.iter_mut().map(|event| (about, event.data_mut())).collect();
                keyring.open_json(told).await.map_err(ExecuteError::from)?;
            }
            for event in events {
                self.send(what, Some(Happened { id, event })).await?;
            }
        }
    }

    async fn send<T: Serialize>(&self, what: &'static str, of: Option<T>) -> Result<(), Problem> {
        let Some(of) = of else { return Ok(()) };
        let mut line = serde_json::to_vec(&Line { what, of })
            .map_err(|error| Problem::internal().because(&error))?;
        line.push(b'\n');
        // Whoever wanted it may have gone.
        self.parts.send(Ok(line)).await.map_err(|_| Problem::unavailable("nobody reads it"))
    }
}

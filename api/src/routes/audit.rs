//! `/v1/audit`: who did or was told what.

use std::fmt;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse as _, Response};
use chrono::DateTime;
use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_projections::Limit;
use daybook_store::audit::{self, AuditCursor, AuditFilter, AuditKind, AuditLine};
use daybook_store::feed::Boundary;
use daybook_store::hex;
use futures::{StreamExt as _, stream};
use sqlx::PgPool;
use tokio::sync::mpsc;
use utoipa::openapi::schema::Schema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::listing::{Bounds, List};
use super::problems::ReadProblems;
use crate::App;
use crate::export::ndjson;
use crate::http::limits::CountedApart;
use crate::http::query::{Several, Value, invalid, invalid_range, query_params, string};
use crate::http::{Audit, Caller, CallerOrOperator, Problem, Query, link};
use crate::schema::words;
use crate::views::AuditView;

/// How many parts of an export may wait for whoever reads it.
const PARTS: usize = 2;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_audit)).routes(routes!(export_audit))
}

query_params! {
    /// When.
    pub(crate) struct WhenParams {
        /// At this instant or later, or on this day or later (`YYYY-MM-DD`, in `tz`).
        from: Option<Boundary>,
        /// Before this instant, or on this day or earlier (`YYYY-MM-DD`, in `tz`).
        to: Option<Boundary>,
        /// The IANA zone of days; else the tenant's.
        tz: Option<Tz>,
    }
}

query_params! {
    /// The filters. All that are given must be met.
    pub(crate) struct AuditParams {
        /// By this actor, as entries have it.
        actor: Option<String>,
        /// That name this client.
        subject_id: Option<Uuid>,
        /// Of this kind, or of one of several.
        kind: Several<AuditKind>,
        /// The most items of a page: 1 to 200, 50 where it is left out.
        limit: Option<Limit>,
        /// The `next_cursor` of the page before; the other parameters must be the same as then.
        cursor: Option<Place>,
        ..when: WhenParams,
    }
}

impl Value for AuditKind {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        text.parse().map_err(|error| invalid(name, error))
    }

    fn schema() -> Schema {
        words(Self::ALL.iter().map(|kind| kind.as_str()))
    }
}

/// Where a page ended.
pub(crate) struct Place(AuditCursor);

impl Value for Place {
    fn read(_: &'static str, text: &str) -> Result<Self, Problem> {
        let parts = text.split_once('-');
        let read = parts.and_then(|(at, seq)| {
            let at = DateTime::from_timestamp_micros(at.parse().ok()?)?;
            Some(Self(AuditCursor { at, seq: seq.parse().ok()? }))
        });
        read.ok_or_else(|| {
            Problem::bad_query("invalid-cursor", "The cursor is not valid", "the cursor is damaged")
        })
    }

    fn schema() -> Schema {
        string().pattern(Some("^[0-9]{1,18}-[0-9]{1,18}$")).build().into()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.at.timestamp_micros(), self.0.seq)
    }
}

/// List the audit log
///
/// Who did or was told what, the latest first: the tenant's; for an operator, what was done for all tenants. That it is read is
/// an entry, too. A page can have fewer items than its limit although there is a next one.
#[utoipa::path(
    get, path = "/v1/audit", tag = "audit",
    params(AuditParams),
    security(("api_key" = ["audit"]), ("operator_key" = [])),
    responses((status = 200, description = "A page", body = List<AuditView>), ReadProblems)
)]
pub(crate) async fn list_audit(
    State(app): State<App>,
    who: CallerOrOperator<Audit>,
    uri: Uri,
    Query(asked): Query<AuditParams>,
) -> Result<Response, Problem> {
    let tenant = match &who {
        CallerOrOperator::Caller(caller) => Some(caller.tenant.clone()),
        CallerOrOperator::Operator => None,
    };
    let AuditParams { actor, subject_id: subject, kind, limit, cursor, when } = asked;
    let (from, to) = app.when(tenant.as_ref(), &when).await?;
    let filter = AuditFilter { from, to, actor, subject, kinds: kind.to_vec() };
    let (pool, after) = (app.engine.log().pool(), cursor.map(|Place(cursor)| cursor));
    let limit = limit.unwrap_or_default().items();
    let page = audit::page(pool, tenant.as_ref(), &filter, after, limit).await?;
    app.note_reading(tenant)?;
    let next_cursor = page.next.map(|cursor| Place(cursor).to_string());
    let next = next_cursor.as_deref().and_then(|cursor| link(&uri, cursor));
    let items = page.items.into_iter().map(AuditView::from).collect();
    let mut response = Json(List { items, next_cursor }).into_response();
    if let Some(next) = next {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

impl App {
    async fn when(&self, tenant: Option<&TenantId>, when: &WhenParams) -> Result<Bounds, Problem> {
        let zone = match (when.tz, tenant) {
            (Some(zone), _) => zone,
            (None, Some(tenant)) => self.zone_of(tenant).await?,
            (None, None) => Tz::UTC,
        };
        let from = when.from.map(|boundary| boundary.from(zone));
        let to = when.to.map(|boundary| boundary.to(zone));
        match (from, to) {
            (Some(from), Some(to)) if to < from => {
                Err(invalid_range(format!("to ({to}) is before from ({from})")))
            }
            bounds => Ok(bounds),
        }
    }
}

/// Export the audit log
///
/// From the first entry that is kept, or from `from` on, an entry per line: its `number`, its `hash`, that of the entry before it
/// (`previous`), and the `entry` byte for byte, over which the hash is. So it can be verified elsewhere, as `daybook audit verify`
/// does here. It is recorded before it begins, or not given. If the key ends, it breaks off.
#[utoipa::path(
    get, path = "/v1/audit/export", tag = "audit",
    params(WhenParams),
    security(("api_key" = ["audit"])),
    responses((status = 200, description = "The file", content((String = "application/x-ndjson")),
               headers(("Content-Disposition" = String, description = "A name for the file"))),
              ReadProblems)
)]
pub(crate) async fn export_audit(
    State(app): State<App>,
    caller: Caller<Audit>,
    Query(when): Query<WhenParams>,
) -> Result<Response, Problem> {
    let bounds = app.when(Some(&caller.tenant), &when).await?;
    let opened = app.streams.open(&caller.tenant);
    let opened =
        opened.ok_or_else(|| Problem::overloaded("too many streams and exports at once"))?;
    app.record(&caller, AuditKind::AuditExported, |entry| entry).await?;
    let (parts, written) = mpsc::channel(PARTS);
    let name = format!("attachment; filename=audit-{}.ndjson", caller.tenant);
    let pool = app.engine.log().pool().clone();
    let (tenant, credential) = (caller.tenant.clone(), caller.credential);
    tokio::spawn(async move {
        let broken_off = parts.clone();
        tokio::select! {
            () = write(&pool, &tenant, bounds, parts) => {}
            () = credential.ended(&app) => {
                let _ = broken_off.send(Err(BrokenOff)).await;
            }
        }
        drop(opened);
    });
    let body = stream::unfold(written, async |mut parts| Some((parts.recv().await?, parts)));
    let mut response = Body::from_stream(body.fuse()).into_response();
    response.extensions_mut().insert(CountedApart);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ndjson::MEDIA_TYPE));
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// The rest cannot be had: the connection is cut, so that nobody takes what is there for all.
#[derive(Debug, thiserror::Error)]
#[error("the export breaks off")]
struct BrokenOff;

type Part = Result<Vec<u8>, BrokenOff>;

async fn write(pool: &PgPool, tenant: &TenantId, bounds: Bounds, parts: mpsc::Sender<Part>) {
    let mut after = 0;
    loop {
        let lines = audit::lines(pool, Some(tenant), bounds, after).await;
        let part: Part = match &lines {
            Ok(lines) => Ok(lines.iter().flat_map(line).collect()),
            Err(_) => Err(BrokenOff),
        };
        match lines.ok().and_then(|lines| lines.last().map(|last| last.seq)) {
            Some(last) => after = last,
            None if part.is_ok() => return,
            None => {}
        }
        let is_broken = part.is_err();
        if parts.send(part).await.is_err() || is_broken {
            return;
        }
    }
}

/// The entry stays byte for byte: its hash is over that.
fn line(AuditLine { seq, previous, hash, entry }: &AuditLine) -> Vec<u8> {
    let (previous, hash) = (hex(previous), hex(hash));
    let line = format!(
        "{{\"number\":{seq},\"previous\":\"{previous}\",\"hash\":\"{hash}\",\"entry\":{entry}}}\n"
    );
    line.into_bytes()
}

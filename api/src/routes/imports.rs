//! `/v1/imports`: calendars of other programs, booked.

use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::Name;
use daybook_store::ExecuteError;
use daybook_store::imports::{self as stored, StoredImport};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use tokio::sync::mpsc;
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::problems::{CommandProblems, ReadProblems};
use crate::App;
use crate::http::body::MaxBytes;
use crate::http::query::{Value, query_params};
use crate::http::trace::REPLAYED;
use crate::http::{
    Answer, Appointments, Caller, DryRun, IdempotencyKey, Manage, NoQuery, PathId, Problem, Query,
    body, idempotency_key,
};
use crate::imports::{
    ImportBegun, ImportFault, ImportFile, ImportReport, ImportRequest, MAX_IMPORT_BYTES, SILENT,
};
use crate::schema::words;

/// How many parts of a form's file may wait.
const PARTS: usize = 2;

pub(super) fn routes() -> OpenApiRouter<App> {
    let begin = OpenApiRouter::new()
        .routes(routes!(begin_import))
        .layer(DefaultBodyLimit::max(MAX_IMPORT_BYTES))
        .layer(Extension(MaxBytes(MAX_IMPORT_BYTES)));
    begin.merge(OpenApiRouter::new().routes(routes!(read_import)))
}

query_params! {
    /// How a file is imported.
    pub(crate) struct ImportParams {
        /// The zone of whole days, and of times that name none, where the file names none either; else the tenant's.
        tz: Option<Tz>,
        /// What the source is called that is imported again and again: its events are known by this name and by
        /// their UIDs. Else the calendar's name, else `resource`, else `calendar`.
        source: Option<String>,
        /// Where events are that name no place: a resource's id, or its name. Else a resource that is called as the
        /// calendar, or as `name`.
        resource: Option<Name>,
        /// What the calendar is called, where the file does not say so.
        name: Option<Name>,
        /// From where the category of events comes that name none: `summary-parentheses` is `Workshop` of
        /// `Building teams (Workshop)`. Else from nowhere.
        category_from: Option<CategorySource>,
        ..dry_run: DryRun,
    }
}

/// From where the category of events comes that name none; whoever imports knows which there are.
pub(crate) struct CategorySource(String);

impl Value for CategorySource {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        String::read(name, text).map(Self)
    }

    fn schema() -> Schema {
        words(["summary-parentheses"])
    }
}

/// The header that says how long the answer waits, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by `responds_at_once`; this is how it is documented")]
pub(crate) struct Prefer {
    /// `respond-async` (RFC 7240): the answer does not wait for the import. Whatever else is preferred is passed over.
    prefer: Option<String>,
}

/// Whether the caller would rather look at the report later than wait.
fn responds_at_once(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split(','));
    preferences.any(|preference| {
        let token = preference.split(';').next().unwrap_or_default();
        token.trim().eq_ignore_ascii_case("respond-async")
    })
}

/// An import.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportView {
    id: Uuid,
    status: ImportStatus,
    started_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    report: ImportReport,
}

/// How far an import is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ImportStatus {
    Running,
    Finished,
    /// It ended before all was done; `failure` says why. Sent again, it goes on.
    Failed,
    /// Its program has ended meanwhile. Sent again, it goes on.
    BrokenOff,
}

impl ImportView {
    fn of(stored: StoredImport, now: DateTime<Utc>) -> Result<Self, Problem> {
        let StoredImport { id, begun_at, seen_at, finished_at, report } = stored;
        let report: ImportReport = match report {
            Some(report) => serde_json::from_value(report).map_err(|_| Problem::internal())?,
            None => ImportReport::default(),
        };
        let status = match finished_at {
            Some(_) => ImportStatus::of_done(&report),
            None if now - seen_at > SILENT => ImportStatus::BrokenOff,
            None => ImportStatus::Running,
        };
        Ok(Self { id, status, started_at: begun_at, finished_at, report })
    }
}

impl ImportStatus {
    const fn of_done(report: &ImportReport) -> Self {
        if report.failure.is_some() { Self::Failed } else { Self::Finished }
    }
}

/// A file, as a part of a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents the form")]
pub(crate) struct ImportForm {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Import a calendar
///
/// Books the events of an iCalendar file (RFC 5545) or of a table (CSV), as `daybook import` does: a service per
/// category, a resource per place. Sent again, the same events are known by their UIDs: what has moved, was
/// renamed or cancelled since is moved, renamed, cancelled, unless it was changed here meanwhile. The body is the
/// file, or a form with it as its only part, `file`; at most 32 MiB. A file that is not whole is refused, and books
/// nothing. What takes longer than ten seconds, or is not to be waited for (`Prefer: respond-async`), goes on after the
/// answer, also a dry run: `Location` says where its report is.
///
/// Sent again with the same `Idempotency-Key`, it is the same import, which is begun again only if it was broken off.
#[utoipa::path(
    post, path = "/v1/imports", tag = "imports", params(ImportParams, IdempotencyKey, Prefer),
    request_body(content((String = "text/calendar"), (String = "text/csv"), (ImportForm = "multipart/form-data"))),
    security(("api_key" = ["manage"])),
    responses((status = 201, description = "It is begun, and perhaps done", body = ImportView,
               headers(("Location" = String, description = "Where its report is"))),
              (status = 200, description = "What would happen, where that is known within ten seconds",
               body = ImportView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn begin_import(
    State(app): State<App>,
    caller: Caller<Manage>,
    Query(asked): Query<ImportParams>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let service = app.imports.clone();
    let service = service.ok_or_else(|| Problem::unavailable("this program imports nothing"))?;
    let key = idempotency_key(&headers)?;
    let ImportParams { tz, source, resource, name, category_from, dry_run } = asked;
    let dry_run = dry_run.is_asked_for();
    let id = match key.filter(|_| !dry_run) {
        Some(key) => app.import_of(&caller, &key).await?,
        None => Uuid::now_v7(),
    };
    let request_of = ImportRequest {
        id,
        tenant: caller.tenant.clone(),
        actor: caller.actor(),
        name: name.map(|name| name.as_str().to_owned()),
        time_zone: tz,
        source,
        resource: resource.map(String::from),
        category_from: category_from.map(|CategorySource(text)| text),
        dry_run,
        responds_at_once: responds_at_once(&headers),
    };
    let file = file_of(&headers, request).await?;
    let started_at = app.engine.clock().now();
    let before = match service.begin(request_of, file).await.map_err(problem)? {
        ImportBegun::Kept { before } => before,
        ImportBegun::Tried(report) => {
            let (status, finished_at) = (ImportStatus::of_done(&report), app.engine.clock().now());
            let view =
                ImportView { id, status, started_at, finished_at: Some(finished_at), report };
            return Ok(Json(view).into_response());
        }
    };
    let view = view(&app, &caller.tenant, id).await?;
    let mut response = (StatusCode::CREATED, view).into_response();
    let headers = response.headers_mut();
    if before {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    if let Ok(location) = HeaderValue::try_from(format!("/v1/imports/{id}")) {
        headers.insert(header::LOCATION, location);
    }
    Ok(response)
}

impl App {
    /// The id of the import that a caller has given this key: to tell it from the id takes the tenant's secret.
    async fn import_of<S>(&self, caller: &Caller<S>, key: &str) -> Result<Uuid, Problem> {
        let keyring = self.engine.keyring().ok_or_else(Problem::internal)?;
        let tokens = keyring.tokens(&caller.tenant, "imports").await.map_err(ExecuteError::from)?;
        Ok(tokens.id("key", &format!("{}\n{key}", caller.line())))
    }
}

/// Report of an import
///
/// How far it is, and what became of its events. Reports are kept for 30 days.
#[utoipa::path(
    get, path = "/v1/imports/{id}", tag = "imports",
    params(("id" = Uuid, Path, description = "The import's id")),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "The report", body = ImportView), ReadProblems)
)]
pub(crate) async fn read_import(
    State(app): State<App>,
    caller: Caller<Appointments>,
    _: NoQuery,
    PathId(id): PathId,
) -> Result<Answer<ImportView>, Problem> {
    view(&app, &caller.tenant, id).await
}

async fn view(
    app: &App,
    tenant: &daybook_domain::TenantId,
    id: Uuid,
) -> Result<Answer<ImportView>, Problem> {
    let found = stored::read(app.engine.log().pool(), tenant, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("import"))?;
    // What it has done so far is up to there.
    let position = app.engine.log().head(tenant).await?.unwrap_or_default();
    let view = ImportView::of(found, app.engine.clock().now())?;
    Ok(Answer::seen(None, Some(position), view))
}

/// The bytes of the file, as they come.
async fn file_of(headers: &HeaderMap, request: Request) -> Result<ImportFile, Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default();
    match media_type.trim().to_ascii_lowercase().as_str() {
        "text/calendar" | "text/csv" => {
            let bytes = request.into_body().into_data_stream();
            let whole = bytes.map_err(|_| ImportFault::BrokenOff);
            Ok(Box::pin(at_most(MAX_IMPORT_BYTES, whole)))
        }
        "multipart/form-data" => {
            let form = Multipart::from_request(request, &()).await;
            let form = form.map_err(|rejection| Problem::bad_body(rejection.body_text()))?;
            Ok(parts_of(form))
        }
        _ => {
            Err(body::unsupported("send a file as text/calendar, text/csv or multipart/form-data"))
        }
    }
}

/// The file of a form, part by part: none of it is held.
fn parts_of(form: Multipart) -> ImportFile {
    let (parts, file) = mpsc::channel(PARTS);
    tokio::spawn(async move {
        if let Err(fault) = read_form(form, &parts).await {
            // Whoever wanted it may have gone away.
            let _ = parts.send(Err(fault)).await;
        }
    });
    Box::pin(stream::unfold(file, async |mut file| Some((file.recv().await?, file))))
}

async fn read_form(
    mut form: Multipart,
    parts: &mpsc::Sender<Result<Bytes, ImportFault>>,
) -> Result<(), ImportFault> {
    let broken = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ImportFault::TooLarge,
        _ => ImportFault::BrokenOff,
    };
    let mut is_there = false;
    while let Some(mut field) = form.next_field().await.map_err(broken)? {
        if field.name() != Some("file") || is_there {
            continue;
        }
        is_there = true;
        while let Some(part) = field.chunk().await.map_err(broken)? {
            if parts.send(Ok(part)).await.is_err() {
                return Ok(());
            }
        }
    }
    let none = || ImportFault::Parameter("file", "the form has no part of this name".to_owned());
    is_there.then_some(()).ok_or_else(none)
}

fn at_most(
    max_bytes: usize,
    bytes: impl Stream<Item = Result<Bytes, ImportFault>> + Send,
) -> impl Stream<Item = Result<Bytes, ImportFault>> + Send {
    let mut left = max_bytes;
    bytes.map(move |part| {
        let part = part?;
        left = left.checked_sub(part.len()).ok_or(ImportFault::TooLarge)?;
        Ok(part)
    })
}

fn problem(fault: ImportFault) -> Problem {
    match fault {
        ImportFault::TooLarge => body::too_large(MAX_IMPORT_BYTES),
        ImportFault::BrokenOff => {
            let status = StatusCode::BAD_REQUEST;
            Problem::new(status, "unreadable-body", "The body ended early", "send it again")
        }
        ImportFault::NotACalendar(why) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Problem::new(status, "not-a-calendar", "The file is not a whole calendar", why)
        }
        ImportFault::Parameter(name, why) => {
            let title = "A parameter is not understood";
            Problem::bad_query("invalid-query", title, format!("{name}: {why}"))
        }
        ImportFault::TooMany => Problem::overloaded("too many imports at once"),
        ImportFault::KeyReused => ExecuteError::KeyReused.into(),
        ImportFault::Unavailable(why) => {
            Problem::unavailable("it cannot be imported at present").because(&why)
        }
    }
}

//! Imports that are asked for over HTTP.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use daybook_api::imports::{
    ImportBegun, ImportFault, ImportFile, ImportReport, ImportRequest, ImportService, MAX_TOLD,
    SILENT,
};
use daybook_domain::Name;
use daybook_store::imports::{Begun, NewImport};
use daybook_store::{Engine, imports};
use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::importer::{Importer, Options, Seen};
use super::input::{Input, NO_NAME};
use super::patience::patiently;

/// So many imports are under way at once; who imports is a migration, not a crowd.
const AT_ONCE: usize = 4;

/// How long an answer waits for the import to be done, unless it is asked not to.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is said how far an import is.
const BETWEEN_REPORTS: Duration = Duration::from_secs(5);

/// Imports what is sent over HTTP, in the background.
#[derive(Clone)]
pub(crate) struct Imports {
    engine: Engine,
    room: Arc<Semaphore>,
    /// The program is told to stop.
    stop: CancellationToken,
}

impl Imports {
    pub(crate) fn new(engine: Engine, stop: CancellationToken) -> Self {
        Self { engine, room: Arc::new(Semaphore::new(AT_ONCE)), stop }
    }

    async fn start(
        self,
        request: ImportRequest,
        file: ImportFile,
    ) -> Result<ImportBegun, ImportFault> {
        let begun_at = self.engine.clock().now();
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| ImportFault::TooMany)?;
        let options = options(&request)?;
        let name = name(request.name.as_deref())?;
        let (input, hash) = received(file).await?;
        let importer = Importer::new(self.engine.clone(), &request.tenant, &request.actor, options);
        let importer = importer.await.map_err(|error| match request.resource {
            Some(_) => ImportFault::Parameter("resource", format!("{error:#}")),
            None => ImportFault::Unavailable(format!("{error:#}")),
        })?;
        let work = Work {
            engine: self.engine,
            begun_at,
            events: input.event_count() as u64,
            fingerprint: importer.tokens().digest("import", &fingerprint(&request, hash)).into(),
            request,
            stop: self.stop,
            room: Arc::new(room),
        };
        if work.request.dry_run {
            return work.preview(importer, input, name).await;
        }
        let (begun, patience) = (work.begin().await?, work.patience());
        if begun == Begun::Now {
            // It goes on, whether somebody waits for it or not.
            let done = tokio::spawn(async move {
                let report = work.report(importer, input, name).await;
                work.finish(&report).await;
            });
            let _ = timeout(patience, done).await;
        }
        Ok(ImportBegun::Kept { before: begun == Begun::Before })
    }
}

/// What is asked for: another file, or the same with other options, is another import.
fn fingerprint(request: &ImportRequest, mut file: Sha256) -> Vec<u8> {
    let ImportRequest { name, time_zone, source, resource, category_from, .. } = request;
    file.update(format!("{:?}", (name, time_zone, source, resource, category_from)));
    file.finalize().to_vec()
}

impl ImportService for Imports {
    fn begin(
        &self,
        request: ImportRequest,
        file: ImportFile,
    ) -> BoxFuture<'static, Result<ImportBegun, ImportFault>> {
        self.clone().start(request, file).boxed()
    }
}

fn options(request: &ImportRequest) -> Result<Options, ImportFault> {
    let wrong = |name: &'static str| move |error: String| ImportFault::Parameter(name, error);
    let resource = request.resource.as_deref().map(str::parse).transpose();
    let category_from = request.category_from.as_deref().map(str::parse).transpose();
    Ok(Options {
        time_zone: request.time_zone,
        source: request.source.clone(),
        resource: resource
            .map_err(|error: daybook_domain::TextError| error.to_string())
            .map_err(wrong("resource"))?,
        category_from: category_from
            .map_err(|error: daybook_integrations::calendar::NoSuchRule| error.to_string())
            .map_err(wrong("category_from"))?,
        dry_run: request.dry_run,
    })
}

fn name(given: Option<&str>) -> Result<Name, ImportFault> {
    Name::new(given.unwrap_or(NO_NAME))
        .map_err(|error| ImportFault::Parameter("name", error.to_string()))
}

/// Takes all of a file into a temporary one, and looks whether it is whole; with its hash.
async fn received(mut file: ImportFile) -> Result<(Input, Sha256), ImportFault> {
    let failed = |error: std::io::Error| ImportFault::Unavailable(error.to_string());
    let mut spooled: File = tempfile::tempfile().map_err(failed)?;
    let mut hash = Sha256::new();
    while let Some(part) = file.next().await {
        let part = part?;
        hash.update(&part);
        spooled.write_all(&part).map_err(failed)?;
    }
    spooled.seek(SeekFrom::Start(0)).map_err(failed)?;
    let opened = tokio::task::spawn_blocking(move || Input::open(spooled)).await;
    let opened = opened.map_err(|error| ImportFault::Unavailable(error.to_string()))?;
    let input = opened.map_err(|error| ImportFault::NotACalendar(error.to_string()))?;
    Ok((input, hash))
}

/// An import that has room.
#[derive(Clone)]
struct Work {
    engine: Engine,
    begun_at: DateTime<Utc>,
    /// How many the file has.
    events: u64,
    fingerprint: Vec<u8>,
    request: ImportRequest,
    stop: CancellationToken,
    #[expect(dead_code, reason = "it is given back when the work is over")]
    room: Arc<OwnedSemaphorePermit>,
}

impl Work {
    /// Says what would happen: at once where that is soon known, and else in a report that is kept.
    async fn preview(
        self,
        importer: Importer,
        input: Input,
        name: Name,
    ) -> Result<ImportBegun, ImportFault> {
        let looking = self.clone();
        let looking = async move { looking.report(importer, input, name).await };
        // Whoever hangs up before it is a report does not want it any more.
        let mut looking = AbortOnDropHandle::new(tokio::spawn(looking));
        if let Ok(report) = timeout(self.patience(), &mut looking).await {
            let report = report.map_err(|error| ImportFault::Unavailable(error.to_string()))?;
            return Ok(ImportBegun::Tried(report));
        }
        self.begin().await?;
        tokio::spawn(async move {
            if let Ok(report) = looking.await {
                self.finish(&report).await;
            }
        });
        Ok(ImportBegun::Kept { before: false })
    }

    const fn patience(&self) -> Duration {
        if self.request.responds_at_once { Duration::ZERO } else { PATIENCE }
    }

    /// Keeps a report of it from now on.
    async fn begin(&self) -> Result<Begun, ImportFault> {
        let (pool, now) = (self.engine.log().pool(), self.engine.clock().now());
        let failed = |error: String| ImportFault::Unavailable(error);
        let report = serde_json::to_value(self.nothing_yet());
        let report = report.map_err(|error| failed(error.to_string()))?;
        let import = NewImport {
            id: self.request.id,
            fingerprint: &self.fingerprint,
            begun_at: self.begun_at,
            report: &report,
        };
        let begun = imports::begin(pool, &self.request.tenant, import, now, now - SILENT).await;
        match begun.map_err(|error| failed(error.to_string()))? {
            Begun::Otherwise => Err(ImportFault::KeyReused),
            begun => Ok(begun),
        }
    }

    fn nothing_yet(&self) -> ImportReport {
        let dry_run = self.request.dry_run;
        ImportReport { dry_run, events: self.events, ..ImportReport::default() }
    }

    async fn finish(&self, report: &ImportReport) {
        if let Err(error) = self.keep(report, true).await {
            let (tenant, id) = (&self.request.tenant, self.request.id);
            tracing::warn!(%tenant, import = %id, error = format!("{error:#}"), "its report is not kept");
        }
    }

    async fn keep(&self, report: &ImportReport, is_finished: bool) -> anyhow::Result<()> {
        let ImportRequest { tenant, id, .. } = &self.request;
        let (pool, now) = (self.engine.log().pool(), self.engine.clock().now());
        let report = serde_json::to_value(report)?;
        let kept = patiently(|| imports::report(pool, tenant, *id, &report, now, is_finished));
        kept.await.result.context("the database fails")
    }

    /// Imports it, and says what has become of it.
    async fn report(&self, mut importer: Importer, input: Input, name: Name) -> ImportReport {
        let (tenant, id) = (&self.request.tenant, self.request.id);
        let mut report = self.nothing_yet();
        let outcome = self.until_done(&mut importer, input, name, &mut report).await;
        report.counts = importer.counts();
        if let Err(error) = outcome {
            tracing::warn!(%tenant, import = %id, error = format!("{error:#}"), "an import ended early");
            report.failure = Some("it could not be done to its end: send it again".to_owned());
        }
        report.outcomes.sort_by_key(|outcome| outcome.line);
        report
    }

    async fn until_done(
        &self,
        importer: &mut Importer,
        mut input: Input,
        name: Name,
        report: &mut ImportReport,
    ) -> anyhow::Result<()> {
        let reading = importer.begin(&input, name);
        let mut said = Instant::now();
        loop {
            let mut seen = |seen: Seen<'_>| match seen {
                Seen::Events(events) => report.done += events as u64,
                Seen::Outcome(outcome) if outcome.is_told(report.dry_run) => {
                    if report.outcomes.len() < MAX_TOLD {
                        report.outcomes.push(outcome.clone());
                    } else {
                        report.more = true;
                    }
                }
                Seen::Outcome(_) => {}
            };
            let next = importer.next(&reading, &mut input, &mut seen);
            let more = tokio::select! {
                more = next => more?,
                () = self.stop.cancelled() => anyhow::bail!("the program stops"),
            };
            if !more {
                return Ok(());
            }
            // A dry run, whose id is always a new one, has no report to begin with: then this changes nothing.
            if said.elapsed() >= BETWEEN_REPORTS {
                said = Instant::now();
                report.counts = importer.counts();
                self.keep(report, false).await?;
            }
        }
    }
}

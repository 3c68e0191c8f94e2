//! Folding whole streams to rows: a reader hands parts to as many workers as there are processors.
//!
//! A part is some thousands of events of streams that follow each other. Its rows, and the record that
//! it is done, are committed together. Parts begin where the ones before them end, so whoever goes on
//! after a crash comes by the same parts, and leaves out those that are recorded.

use std::sync::Arc;
use std::time::Instant;

use daybook_domain::TenantId;
use daybook_store::{RecordedEvent, Streams, StreamsPart};
use tokio::task::{JoinSet, spawn_blocking};

use super::pace::Pace;
use super::state::{self, Part, TenantProgress};
use super::{RebuildError, RebuildTarget};
use crate::{ApplyError, Backfill, Bulk, CopyRows, Tables, schema};

/// The transaction of a part: lost with its record, or not at all, so nobody waits for the disk.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// Fills the tables with all streams of a tenant.
///
/// # Errors
/// An event that makes no sense is [`RebuildError::Apply`].
pub(super) async fn tenant(
    target: &Arc<RebuildTarget>,
    rows: &TenantProgress,
    pace: &mut Pace,
) -> Result<(), RebuildError> {
    let (kinds, work) = match target.projection.backfill() {
        Backfill::InOrder => return Ok(()),
        Backfill::ByStream(kinds) => (kinds, Work::Apply),
        Backfill::Copy(bulk) => (bulk.kinds(), Work::Copy(bulk)),
    };
    for kind in kinds {
        let streams = Streams { tenant: rows.tenant.clone(), kind, upto: rows.target };
        backfill(target, &streams, &work, pace).await?;
    }
    Ok(())
}

async fn backfill(
    target: &Arc<RebuildTarget>,
    streams: &Streams,
    work: &Work,
    pace: &mut Pace,
) -> Result<(), RebuildError> {
    let mut workers = JoinSet::new();
    let mut done = dispatch(target, streams, work, pace, &mut workers).await;
    // Also after a failure: a COPY that is broken off would leave its connection in the middle of it.
    while let Some(worked) = workers.join_next().await {
        done = done.and(worked?);
    }
    done
}

async fn dispatch(
    target: &Arc<RebuildTarget>,
    streams: &Streams,
    work: &Work,
    pace: &mut Pace,
    workers: &mut JoinSet<Result<(), RebuildError>>,
) -> Result<(), RebuildError> {
    let (pool, schema) = (target.log.pool(), &target.schema);
    let (mut after, mut more) = (String::new(), true);
    while more {
        target.ensure_wanted().await?;
        let done = state::recorded_part(pool, schema, &streams.tenant, streams.kind, &after);
        if let Some(done) = done.await? {
            (after, more) = (done.upto, done.more);
            continue;
        }
        let begun = Instant::now();
        let start = Some(after.as_str()).filter(|after| !after.is_empty());
        let part = streams.part(pool, start, target.part_events).await?;
        let upto = part.last.clone().unwrap_or_else(|| after.clone());
        more = part.more;
        let job = Job { target: Arc::clone(target), streams: streams.clone(), after, part };
        workers.spawn(Arc::new(job).run(work.clone()));
        after = upto;
        // Where bookings are made, one thing at a time, and rests in between.
        let at_once = if pace.others_work() { 1 } else { target.workers };
        while workers.len() >= at_once {
            let Some(worked) = workers.join_next().await else { break };
            worked??;
        }
        pace.rest(begun.elapsed()).await;
    }
    Ok(())
}

/// How the events of a part become rows.
#[derive(Clone)]
enum Work {
    /// The projection applies them.
    Apply,
    /// Its streams are folded, and their rows copied.
    Copy(Arc<dyn Bulk>),
}

/// A part that somebody works at.
struct Job {
    target: Arc<RebuildTarget>,
    streams: Streams,
    after: String,
    part: StreamsPart,
}

impl Job {
    async fn run(self: Arc<Self>, work: Work) -> Result<(), RebuildError> {
        let job = Arc::clone(&self);
        // Decoding and folding take a processor for a while: requests must not wait for it.
        match work {
            Work::Apply => {
                let events = spawn_blocking(move || job.events()).await??;
                self.apply(&events).await
            }
            Work::Copy(bulk) => {
                let rows = spawn_blocking(move || job.folded(bulk.as_ref())).await??;
                self.copy(rows).await
            }
        }
    }

    fn events(&self) -> Result<Vec<RecordedEvent>, RebuildError> {
        let mut events = Vec::with_capacity(self.part.events());
        self.part.each_stream(self.streams.kind, |stream| {
            events.extend_from_slice(stream);
            Ok::<_, ApplyError>(())
        })?;
        Ok(events)
    }

    fn folded(&self, bulk: &dyn Bulk) -> Result<CopyRows, RebuildError> {
        let mut rows = CopyRows::default();
        let mut folder = bulk.folder(&self.streams.tenant);
        self.part.each_stream(self.streams.kind, |stream| folder.fold(stream, &mut rows))?;
        folder.finish(&mut rows)?;
        Ok(rows)
    }

    async fn apply(&self, events: &[RecordedEvent]) -> Result<(), RebuildError> {
        let mut tx = self.target.log.pool().begin_with(BEGIN).await?;
        if !self.record(&mut tx).await? {
            return Ok(());
        }
        let mut tables = Tables::new(&mut tx, &self.target.schema);
        self.target.projection.apply(&mut tables, &self.streams.tenant, events).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn copy(&self, rows: CopyRows) -> Result<(), RebuildError> {
        let mut tx = self.target.log.pool().begin_with(BEGIN).await?;
        if !self.record(&mut tx).await? {
            return Ok(());
        }
        rows.send(&mut tx, &self.target.schema).await?;
        tx.commit().await?;
        Ok(())
    }

    /// First of all: whoever has done the part already has recorded it.
    async fn record(&self, connection: &mut sqlx::PgConnection) -> Result<bool, sqlx::Error> {
        let part = Part {
            tenant: self.streams.tenant.as_str(),
            kind: self.streams.kind,
            after: &self.after,
            upto: self.part.last.as_deref().unwrap_or(&self.after),
            more: self.part.more,
            events: self.part.events(),
        };
        state::record_part(connection, &self.target.schema, &part).await
    }
}

/// Undoes the backfill of a tenant: its rows are made in the order of the log instead.
pub(super) async fn undo(target: &RebuildTarget, tenant: &TenantId) -> Result<(), sqlx::Error> {
    let mut tx = target.log.pool().begin().await?;
    for table in schema::tables_of(&mut tx, &target.schema).await? {
        let delete = format!("DELETE FROM {}.{table} WHERE tenant_id = $1", target.schema);
        sqlx::query(&delete).bind(tenant.as_str()).execute(&mut *tx).await?;
    }
    state::forget_parts(&mut tx, &target.schema, tenant).await?;
    tx.commit().await
}

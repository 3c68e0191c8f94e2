//! Folding whole streams to rows: a reader hands parts to as many workers as there are processors.
//!
//! A part is some thousands of events of streams that follow each other. Its rows, and the note that
//! it is done, are committed together. Parts begin where the ones before them end, so whoever goes on
//! after a crash comes by the same parts, and leaves out those that are noted.

use std::sync::Arc;
use std::time::Instant;

use daybook_domain::TenantId;
use daybook_store::{RecordedEvent, Streams, StreamsPart};
use sqlx::Connection as _;
use tokio::task::{JoinSet, spawn_blocking};

use super::pace::Pace;
use super::state::{self, Part, TenantRows};
use super::{BuildError, Site};
use crate::bulk::{CopyRows, Filling};
use crate::{ApplyError, Tables, schema};

/// The transaction of a part: lost with its note, or not at all, so nobody waits for the disk.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// Fills the tables with all streams of a tenant.
///
/// # Errors
/// An event that makes no sense is [`BuildError::Apply`].
pub(super) async fn tenant(
    site: &Arc<Site>,
    rows: &TenantRows,
    pace: &mut Pace,
) -> Result<(), BuildError> {
    let kinds = match site.projection.filling() {
        Filling::InOrder => &[][..],
        Filling::ByStream(kinds) => kinds,
        Filling::Copied(bulk) => bulk.kinds(),
    };
    for kind in kinds {
        let streams = Streams { tenant: rows.tenant.clone(), kind, upto: rows.target };
        fill(site, &streams, pace).await?;
    }
    Ok(())
}

async fn fill(site: &Arc<Site>, streams: &Streams, pace: &mut Pace) -> Result<(), BuildError> {
    let mut workers = JoinSet::new();
    let filled = hand_out(site, streams, pace, &mut workers).await;
    // Also after a failure: a COPY that is broken off would leave its connection in the middle of it.
    let mut done = filled;
    while let Some(worked) = workers.join_next().await {
        done = done.and(worked?);
    }
    done
}

async fn hand_out(
    site: &Arc<Site>,
    streams: &Streams,
    pace: &mut Pace,
    workers: &mut JoinSet<Result<(), BuildError>>,
) -> Result<(), BuildError> {
    let (pool, schema) = (site.log.pool(), &site.schema);
    let (mut after, mut more) = (String::new(), true);
    while more {
        site.go_on().await?;
        let done = state::part_after(pool, schema, &streams.tenant, streams.kind, &after).await?;
        if let Some(done) = done {
            (after, more) = (done.upto, done.more);
            continue;
        }
        let begun = Instant::now();
        let start = Some(after.as_str()).filter(|after| !after.is_empty());
        let part = streams.part(pool, start, site.part_events).await?;
        let upto = part.last.clone().unwrap_or_else(|| after.clone());
        more = part.more;
        let work = Work { site: Arc::clone(site), streams: streams.clone(), after, part };
        workers.spawn(work.run());
        after = upto;
        // Where bookings are made, one thing at a time, and rests in between.
        let at_once = if pace.others_work() { 1 } else { site.workers };
        while workers.len() >= at_once {
            let Some(worked) = workers.join_next().await else { break };
            worked??;
        }
        pace.rest(begun.elapsed()).await;
    }
    Ok(())
}

/// A part that somebody works at.
struct Work {
    site: Arc<Site>,
    streams: Streams,
    after: String,
    part: StreamsPart,
}

impl Work {
    async fn run(self) -> Result<(), BuildError> {
        let this = Arc::new(self);
        match this.site.projection.filling() {
            Filling::Copied(_) => {
                let folding = Arc::clone(&this);
                // It takes a processor for a while: requests must not wait for it.
                let rows = spawn_blocking(move || folding.folded()).await??;
                this.copy(rows).await
            }
            Filling::ByStream(_) | Filling::InOrder => {
                let reading = Arc::clone(&this);
                let events = spawn_blocking(move || reading.events()).await??;
                this.apply(&events).await
            }
        }
    }

    fn folded(&self) -> Result<Vec<CopyRows>, BuildError> {
        let Filling::Copied(bulk) = self.site.projection.filling() else { return Ok(Vec::new()) };
        let mut rows: Vec<CopyRows> = bulk.tables().iter().map(|_| CopyRows::default()).collect();
        let mut folder = bulk.folder(&self.streams.tenant);
        self.part.each_stream(self.streams.kind, |stream| folder.fold(stream, &mut rows))?;
        Ok(rows)
    }

    fn events(&self) -> Result<Vec<RecordedEvent>, BuildError> {
        let mut events = Vec::with_capacity(self.part.events());
        self.part.each_stream(self.streams.kind, |stream| {
            events.extend_from_slice(stream);
            Ok::<_, ApplyError>(())
        })?;
        Ok(events)
    }

    async fn copy(&self, mut rows: Vec<CopyRows>) -> Result<(), BuildError> {
        let Filling::Copied(bulk) = self.site.projection.filling() else { return Ok(()) };
        let mut connection = self.site.log.pool().acquire().await?;
        let mut tx = connection.begin_with(BEGIN).await?;
        if !self.note(&mut tx).await? {
            return Ok(());
        }
        for (table, rows) in bulk.tables().iter().zip(&mut rows) {
            if rows.is_empty() {
                continue;
            }
            let table = self.site.schema.sql(table);
            let statement = format!("COPY {table} FROM STDIN (FORMAT binary)");
            let mut copy = tx.copy_in_raw(&statement).await?;
            copy.send(rows.finished()).await?;
            copy.finish().await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn apply(&self, events: &[RecordedEvent]) -> Result<(), BuildError> {
        let mut connection = self.site.log.pool().acquire().await?;
        let mut tx = connection.begin_with(BEGIN).await?;
        if !self.note(&mut tx).await? {
            return Ok(());
        }
        let mut tables = Tables::new(&mut tx, &self.site.schema);
        self.site.projection.apply(&mut tables, &self.streams.tenant, events).await?;
        tx.commit().await?;
        Ok(())
    }

    /// First of all: whoever has done the part already has noted it.
    async fn note(&self, connection: &mut sqlx::PgConnection) -> Result<bool, sqlx::Error> {
        let part = Part {
            tenant: self.streams.tenant.as_str(),
            kind: self.streams.kind,
            after: &self.after,
            upto: self.part.last.as_deref().unwrap_or(&self.after),
            more: self.part.more,
            events: self.part.events(),
        };
        state::add_part(connection, &self.site.schema, &part).await
    }
}

/// Takes back all that was filled in of a tenant: its rows are made in the order of the log instead.
pub(super) async fn take_back(site: &Site, tenant: &TenantId) -> Result<(), sqlx::Error> {
    let mut tx = site.log.pool().begin().await?;
    for table in schema::tables_of(&mut tx, &site.schema).await? {
        let delete = format!("DELETE FROM {}.{table} WHERE tenant_id = $1", site.schema);
        sqlx::query(&delete).bind(tenant.as_str()).execute(&mut *tx).await?;
    }
    state::forget_parts(&mut tx, &site.schema, tenant).await?;
    tx.commit().await
}

//! Reading a log from its beginning to its end, while it grows.
//!
//! What is in the log never changes, so most of it is read in pages, each in a snapshot of its own:
//! a snapshot that is held for long keeps the database from tidying up. Only when no more than a
//! page is left is one snapshot taken for good: of the rest of the log, of its end, and of all that
//! has to agree with it.
//!
//! What comes is decoded in batches, several beside each other: each event says what the hash of the
//! one before it was, so a batch needs of the one before only its last event as it is stored.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{PgConnection, Row};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::chain::{Chain, Stored};
use super::decoded::{DecodedEvent, EventReader};
use super::finding::{Finding, Problem};
use crate::log::Position;
use crate::log::chain::Hash;
use crate::log::copy::{Fields, rows};
use crate::log::head::Head;

/// Positions in a page; in tests few, so that the smallest log has several.
const PAGE: u64 = if cfg!(test) { 5 } else { 65_536 };

/// Events that are decoded, and handed over, at once; few in tests, too.
const BATCH: usize = if cfg!(test) { 2 } else { 512 };

/// An event that is what it was when it was written.
pub(super) struct Event {
    pub(super) position: Position,
    pub(super) sequence: u64,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) decoded: DecodedEvent,
}

/// Events that follow each other, as far as they are in their places.
#[derive(Default)]
pub(super) struct DecodedBatch {
    pub(super) events: Vec<Event>,
    /// What is wrong with the one after these.
    pub(super) broken: Option<Finding>,
}

/// Events that are being decoded.
pub(super) struct Batch {
    pub(super) decoded: JoinHandle<Result<DecodedBatch, sqlx::Error>>,
    /// The end of the log, when it was last looked at.
    pub(super) head: Position,
}

/// How the reading ended.
pub(super) enum Read {
    /// At the end of the log. The connection is in a snapshot that has this very end.
    Whole(Head, PgConnection),
    /// Before its end, or at another one than its head says; what was read was handed over.
    Broken(Finding),
    /// Nobody wanted the rest.
    Abandoned,
}

/// Reads a tenant's log and hands it over in batches.
pub(super) async fn read(
    mut connection: PgConnection,
    tenant: TenantId,
    batches: mpsc::Sender<Batch>,
) -> Result<Read, sqlx::Error> {
    let (chain, reader) = (Chain::of(&tenant), Arc::new(EventReader::of(&tenant)));
    let mut log = Log { tenant, chain, reader, batches, head: Position::START };
    let mut at = Position::START;
    loop {
        let Some(head) = head(&mut connection, &log.tenant).await? else {
            return Ok(log.no_head());
        };
        if head.position <= at.plus(PAGE) {
            break;
        }
        log.head = head.position;
        let to = at.plus(PAGE);
        if !log.read(&mut connection, at, to).await? {
            return Ok(Read::Abandoned);
        }
        at = to;
    }
    sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .execute(&mut connection)
        .await?;
    let Some(head) = head(&mut connection, &log.tenant).await? else { return Ok(log.no_head()) };
    log.head = head.position;
    // What comes after the end must not be there.
    if !log.read(&mut connection, at, Position::from_i64(i64::MAX)).await? {
        return Ok(Read::Abandoned);
    }
    Ok(match log.chain.end(&head) {
        Ok(()) => Read::Whole(head, connection),
        Err(finding) => Read::Broken(finding),
    })
}

struct Log {
    tenant: TenantId,
    /// After what was handed over, as that says itself.
    chain: Chain,
    reader: Arc<EventReader>,
    batches: mpsc::Sender<Batch>,
    head: Position,
}

impl Log {
    fn no_head(self) -> Read {
        let problem = Problem::NoHead(self.tenant);
        Read::Broken(Finding { position: None, problem })
    }

    /// Reads a page; `false`: there is no use in reading on.
    async fn read(
        &mut self,
        connection: &mut PgConnection,
        after: Position,
        to: Position,
    ) -> Result<bool, sqlx::Error> {
        let mut rows = rows(connection, &Stored::page(&self.tenant, after, to)).await?;
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(row) = rows.next_raw().await? {
            batch.push(row);
            if batch.len() == BATCH {
                let batch = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                if !self.hand_over(batch).await? {
                    return Ok(false);
                }
            }
        }
        self.hand_over(batch).await
    }

    /// Has the rows decoded, and goes on meanwhile; `false`: nobody wants them.
    async fn hand_over(&mut self, rows: Vec<Bytes>) -> Result<bool, sqlx::Error> {
        let Some(last) = rows.last() else { return Ok(true) };
        let chain = Chain::after(&Stored::read(Fields::of(last))?);
        let before = std::mem::replace(&mut self.chain, chain);
        let reader = Arc::clone(&self.reader);
        let decoded = tokio::spawn(async move { decode(&rows, before, &reader) });
        Ok(self.batches.send(Batch { decoded, head: self.head }).await.is_ok())
    }
}

/// What these rows mean, after what was before them.
fn decode(
    rows: &[Bytes],
    mut chain: Chain,
    reader: &EventReader,
) -> Result<DecodedBatch, sqlx::Error> {
    let mut decoded = DecodedBatch::default();
    decoded.events.reserve_exact(rows.len());
    for row in rows {
        match event(&Stored::read(Fields::of(row))?, &mut chain, reader) {
            Ok(event) => decoded.events.push(event),
            Err(finding) => {
                decoded.broken = Some(finding);
                break;
            }
        }
    }
    Ok(decoded)
}

fn event(stored: &Stored<'_>, chain: &mut Chain, reader: &EventReader) -> Result<Event, Finding> {
    let recorded_at = chain.follow(stored)?;
    let (position, sequence) = (stored.position, stored.sequence);
    match reader.read(stored, recorded_at) {
        Ok(decoded) => Ok(Event { position, sequence, recorded_at, decoded }),
        Err(reason) => Err(Problem::Unreadable(reason).at(position)),
    }
}

/// The end of a tenant's log; `None`: it has none.
pub(super) async fn head(
    connection: &mut PgConnection,
    tenant: &TenantId,
) -> Result<Option<Head>, sqlx::Error> {
    let row = sqlx::query("SELECT position, hash, recorded_at FROM log_heads WHERE tenant_id = $1")
        .bind(tenant.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let position = Position::from_i64(row.try_get("position")?);
        // A hash of another length is no event's.
        let hash = Hash::try_from(row.try_get::<&[u8], _>("hash")?).unwrap_or_default();
        Ok(Head { position, hash, recorded_at: row.try_get("recorded_at")? })
    })
    .transpose()
}

//! Reading a log from its beginning to its end, while it grows.
//!
//! What is in the log never changes, so most of it is read in pages, each in a snapshot of its own:
//! a snapshot that is held for long keeps the database from tidying up. Only when no more than a
//! page is left is one snapshot taken for good: of the rest of the log, of its end, and of all that
//! has to agree with it.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{PgConnection, Row};
use tokio::sync::mpsc;

use super::chain::{Chain, Stored};
use super::finding::{Finding, Problem};
use super::happened::{Happened, Reader};
use crate::log::Position;
use crate::log::batch::Head;
use crate::log::chain::Hash;
use crate::log::copy::rows;

/// Positions in a page.
const PAGE: u64 = 65_536;

/// Events that are handed over at once.
const BATCH: usize = 512;

/// An event that is what it was when it was written.
pub(super) struct Event {
    pub(super) position: Position,
    pub(super) sequence: u64,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) happened: Happened,
}

/// Events that follow each other.
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    /// The end of the log, when it was last looked at.
    pub(super) head: Position,
}

/// How the reading ended.
pub(super) enum Read {
    /// At the end of the log. The connection is in a snapshot that has this very end.
    Whole(Head, PgConnection),
    /// At the first event that is not what was written there, or cannot be read; those before it
    /// were handed over.
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
    let (chain, reader) = (Chain::of(&tenant), Reader::of(&tenant));
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
        if let Some(ended) = log.read(&mut connection, at, to).await? {
            return Ok(ended);
        }
        at = to;
    }
    sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .execute(&mut connection)
        .await?;
    let Some(head) = head(&mut connection, &log.tenant).await? else { return Ok(log.no_head()) };
    log.head = head.position;
    // What comes after the end must not be there.
    if let Some(ended) = log.read(&mut connection, at, Position::from_i64(i64::MAX)).await? {
        return Ok(ended);
    }
    Ok(match log.chain.end(&head) {
        Ok(()) => Read::Whole(head, connection),
        Err(finding) => Read::Broken(finding),
    })
}

struct Log {
    tenant: TenantId,
    chain: Chain,
    reader: Reader,
    batches: mpsc::Sender<Batch>,
    head: Position,
}

impl Log {
    fn no_head(self) -> Read {
        let problem = Problem::NoHead(self.tenant);
        Read::Broken(Finding { position: None, problem })
    }

    /// Reads a page; `Some`: there is no use in reading on.
    async fn read(
        &mut self,
        connection: &mut PgConnection,
        after: Position,
        to: Position,
    ) -> Result<Option<Read>, sqlx::Error> {
        let mut rows = rows(connection, &Stored::page(&self.tenant, after, to)).await?;
        let mut events = Vec::with_capacity(BATCH);
        let mut broken = None;
        while let Some(row) = rows.next().await? {
            match self.event(&Stored::read(row)?) {
                Ok(event) => events.push(event),
                Err(finding) => {
                    broken = Some(finding);
                    break;
                }
            }
            if events.len() == BATCH {
                let events = std::mem::replace(&mut events, Vec::with_capacity(BATCH));
                if !self.hand_over(events).await {
                    return Ok(Some(Read::Abandoned));
                }
            }
        }
        if !self.hand_over(events).await {
            return Ok(Some(Read::Abandoned));
        }
        Ok(broken.map(Read::Broken))
    }

    fn event(&mut self, stored: &Stored<'_>) -> Result<Event, Finding> {
        let recorded_at = self.chain.follow(stored)?;
        let (position, sequence) = (stored.position, stored.sequence);
        match self.reader.read(stored, recorded_at) {
            Ok(happened) => Ok(Event { position, sequence, recorded_at, happened }),
            Err(reason) => Err(Problem::Unreadable(reason).at(position)),
        }
    }

    async fn hand_over(&mut self, events: Vec<Event>) -> bool {
        self.batches.send(Batch { events, head: self.head }).await.is_ok()
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

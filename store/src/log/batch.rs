//! One batch, one transaction: lock, look, resolve, write, commit.

use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{Connection, PgConnection, Postgres, Transaction};

use super::chain::{Hash, Link};
use super::memory::Memory;
use super::resolve::{Known, Resolution, resolve};
use super::submission::{AppendError, Submission, Verdict};
use super::write::Rows;
use super::{Position, look};

/// The end of a tenant's log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) hash: Hash,
    pub(super) recorded_at: DateTime<Utc>,
}

/// Why a batch got no verdicts.
#[derive(Debug)]
pub(super) enum BatchError {
    /// Nothing was done.
    Failed(sqlx::Error),
    /// The connection died in the commit. If it succeeded, the log ended like this.
    Unknown(sqlx::Error, Head, Vec<Verdict>),
    /// There is nothing to append to.
    UnknownTenant,
}

impl BatchError {
    /// The connection failed in a commit after which the log ends at `new`.
    pub(super) fn of_commit(
        error: sqlx::Error,
        old: Head,
        new: Head,
        verdicts: Vec<Verdict>,
    ) -> Self {
        // Without an event there is nothing to find it by, and nothing that must not happen twice.
        if old.position == new.position {
            Self::Failed(error)
        } else {
            Self::Unknown(error, new, verdicts)
        }
    }
}

impl From<sqlx::Error> for BatchError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<&BatchError> for AppendError {
    fn from(error: &BatchError) -> Self {
        match error {
            BatchError::Failed(error) => super::fault::append_error(error),
            BatchError::Unknown(..) => Self::OutcomeUnknown,
            BatchError::UnknownTenant => Self::UnknownTenant,
        }
    }
}

/// How long a batch may take to be written, and again to be committed. A network that swallows
/// everything would hold the lane for ever.
const LONGEST: Duration = Duration::from_secs(3);

pub(super) async fn bounded<T>(
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let in_time = tokio::time::timeout(LONGEST, work).await;
    in_time.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into())))
}

/// Appends what can be appended of a tenant's submissions, and gives each its verdict: under the
/// lock of the log's end, with everything looked up.
pub(super) async fn commit(
    connection: &mut PgConnection,
    tenant: &TenantId,
    submissions: &[Submission],
    now: DateTime<Utc>,
    memory: &mut Memory,
) -> Result<Vec<Verdict>, BatchError> {
    let mut tx = bounded(connection.begin()).await?;
    let head = bounded(take_head(&mut tx, tenant)).await?.ok_or(BatchError::UnknownTenant)?;
    memory.arrive_at(head);
    let known = bounded(look::known(&mut tx, tenant, head.position, submissions, memory)).await?;
    let Plan { rows, new_head, verdicts, known } =
        Plan::new(tenant, submissions, head, known, now, None)?;
    let Some(rows) = rows else {
        bounded(tx.rollback()).await?;
        return Ok(verdicts);
    };
    bounded(rows.write(&mut tx)).await?;
    if let Err(error) = bounded(tx.commit()).await {
        tracing::warn!(%error, %tenant, "the connection failed in a commit");
        return Err(BatchError::of_commit(error, head, new_head, verdicts));
    }
    memory.ends_at(new_head, known.versions);
    Ok(verdicts)
}

/// What a batch comes to, ready to be written.
pub(super) struct Plan {
    /// `None`: there is nothing to write.
    pub(super) rows: Option<Rows>,
    /// Where the log will end.
    pub(super) new_head: Head,
    /// A verdict for each submission, in their order.
    pub(super) verdicts: Vec<Verdict>,
    /// What is known once it is written.
    pub(super) known: Known,
}

impl Plan {
    /// The batch waits for others as long as `patience` says, in PostgreSQL's form, or as long as its
    /// session does.
    pub(super) fn new(
        tenant: &TenantId,
        submissions: &[Submission],
        head: Head,
        known: Known,
        now: DateTime<Utc>,
        patience: Option<&str>,
    ) -> Result<Self, sqlx::Error> {
        let (resolution, known) = resolve(submissions, known);
        if resolution.changes_nothing() {
            return Ok(Self { rows: None, new_head: head, verdicts: resolution.verdicts, known });
        }
        let (new_head, hashes) = chained(head, now, &resolution);
        let rows = Some(Rows::of(patience, tenant, &head, &new_head, &hashes, &resolution)?);
        Ok(Self { rows, new_head, verdicts: resolution.verdicts, known })
    }
}

/// Where the log will end, and the hash of each event on the way.
fn chained(head: Head, now: DateTime<Utc>, resolution: &Resolution<'_>) -> (Head, Vec<Hash>) {
    // A clock that was set back does not make the log go back.
    let recorded_at = now.max(head.recorded_at);
    let mut new_head = Head { recorded_at, ..head };
    let mut hashes = Vec::new();
    for append in &resolution.appends {
        for (event, sequence) in append.events.iter().zip(append.after + 1..) {
            new_head.position = new_head.position.plus(1);
            new_head.hash = Link {
                position: new_head.position,
                aggregate_type: append.stream.kind(),
                aggregate_id: append.stream.id(),
                sequence,
                event_type: &event.event_type,
                event_version: &event.event_version,
                payload: &event.payload,
                metadata: &event.metadata,
                recorded_at,
            }
            .hash(&new_head.hash);
            hashes.push(new_head.hash);
        }
    }
    (new_head, hashes)
}

/// Locks the end of the log until the transaction ends, and reads it. By an UPDATE: a row locked
/// by `FOR UPDATE` can be moved to another machine under the lock.
pub(super) async fn take_head(
    tx: &mut Transaction<'_, Postgres>,
    tenant: &TenantId,
) -> Result<Option<Head>, sqlx::Error> {
    let row: Option<(i64, Vec<u8>, DateTime<Utc>)> = sqlx::query_as(
        "UPDATE log_heads SET position = position WHERE tenant_id = $1
         RETURNING position, hash, recorded_at",
    )
    .bind(tenant.as_str())
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|(position, hash, recorded_at)| {
        let hash = Hash::try_from(hash.as_slice())
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(Head { position: Position::from_i64(position), hash, recorded_at })
    })
    .transpose()
}

/// Whether a commit whose answer was lost is in the log: whether the event at its last position
/// has its hash. If not, it never will be: a batch that is still being written follows on a head that
/// was recorded earlier, by a microsecond.
pub(super) async fn was_committed(
    connection: &mut PgConnection,
    tenant: &TenantId,
    head: Head,
) -> Result<bool, sqlx::Error> {
    bounded(async {
        let mut tx = connection.begin().await?;
        take_head(&mut tx, tenant).await?;
        let hash: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT hash FROM events WHERE tenant_id = $1 AND position = $2")
                .bind(tenant.as_str())
                .bind(head.position.as_i64())
                .fetch_optional(&mut *tx)
                .await?;
        if hash.is_some_and(|hash| hash == head.hash) {
            tx.rollback().await?;
            return Ok(true);
        }
        sqlx::query(
            "UPDATE log_heads SET recorded_at = recorded_at + interval '1 microsecond'
              WHERE tenant_id = $1",
        )
        .bind(tenant.as_str())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(false)
    })
    .await
}

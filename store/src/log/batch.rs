//! One batch, one transaction: lock, look, resolve, write, commit. Or without a look, where the lane
//! remembers enough.

use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{Connection, PgConnection, Postgres, Transaction};

use super::chain::{Hash, Link};
use super::fault::{Fault, fault};
use super::memory::Memory;
use super::resolve::{Known, Resolution, resolve};
use super::submission::{AppendError, Submission, Verdict};
use super::{Position, look, write as rows};

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

async fn bounded<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let in_time = tokio::time::timeout(LONGEST, work).await;
    in_time.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into())))
}

/// Appends what can be appended of a tenant's submissions, and gives each its verdict.
///
/// What the lane remembers is tried first; if the constraints say that it was wrong, nothing has
/// happened, and everything is looked up.
pub(super) async fn commit(
    connection: &mut PgConnection,
    tenant: &TenantId,
    submissions: &[Submission],
    now: DateTime<Utc>,
    memory: &mut Memory,
) -> Result<Vec<Verdict>, BatchError> {
    if let Some(granted) = memory.taken_for_granted(submissions) {
        match commit_granted(connection, tenant, submissions, now, memory, granted).await {
            Ok(Some(verdicts)) => return Ok(verdicts),
            Ok(None) => {}
            Err(BatchError::Failed(error)) if fault(&error) == Fault::Data => {}
            Err(error) => return Err(error),
        }
        memory.doubt();
    }
    let mut tx = bounded(connection.begin()).await?;
    let looked = bounded(look_and_write(&mut tx, tenant, submissions, now, memory)).await?;
    let (head, resolution) = looked.ok_or(BatchError::UnknownTenant)?;
    finish(tx, tenant, head, resolution, memory).await
}

/// By what is remembered alone; `None`: the log does not end where it was left.
async fn commit_granted(
    connection: &mut PgConnection,
    tenant: &TenantId,
    submissions: &[Submission],
    now: DateTime<Utc>,
    memory: &mut Memory,
    (head, known): (Head, Known),
) -> Result<Option<Vec<Verdict>>, BatchError> {
    let resolution = resolve(submissions, known);
    let (new_head, hashes) = chained(head, now, &resolution);
    let mut tx = bounded(connection.begin()).await?;
    let written = bounded(async {
        // The first statement, and the lock: what comes after it is as of `head`, or is not.
        let moved = rows::move_head(&mut tx, tenant, head, new_head).await?;
        if moved {
            write(&mut tx, tenant, head, new_head, &hashes, &resolution).await?;
        }
        Ok(moved)
    })
    .await;
    match written {
        Ok(true) => finish(tx, tenant, new_head, resolution, memory).await.map(Some),
        Ok(false) => {
            bounded(tx.rollback()).await?;
            Ok(None)
        }
        Err(error) => {
            if fault(&error) == Fault::Data {
                bounded(tx.rollback()).await?;
            }
            Err(error.into())
        }
    }
}

/// Under the lock, with everything looked up: all of a batch but its commit. `None`: there is no
/// such tenant.
async fn look_and_write<'a>(
    tx: &mut Transaction<'_, Postgres>,
    tenant: &TenantId,
    submissions: &'a [Submission],
    now: DateTime<Utc>,
    memory: &mut Memory,
) -> Result<Option<(Head, Resolution<'a>)>, sqlx::Error> {
    let Some(head) = take_head(tx, tenant).await? else { return Ok(None) };
    let versions = memory.versions_at(&head);
    let known = look::known(tx, tenant, head.position, submissions, versions).await?;
    let resolution = resolve(submissions, known);
    if resolution.changes_nothing() {
        return Ok(Some((head, resolution)));
    }
    let (new_head, hashes) = chained(head, now, &resolution);
    write(tx, tenant, head, new_head, &hashes, &resolution).await?;
    if rows::move_head(tx, tenant, head, new_head).await? {
        Ok(Some((new_head, resolution)))
    } else {
        Err(sqlx::Error::Protocol("the head moved under its lock".to_owned()))
    }
}

/// Commits, if there is anything to commit, and remembers where the log ends.
async fn finish(
    tx: Transaction<'_, Postgres>,
    tenant: &TenantId,
    head: Head,
    resolution: Resolution<'_>,
    memory: &mut Memory,
) -> Result<Vec<Verdict>, BatchError> {
    if resolution.changes_nothing() {
        bounded(tx.rollback()).await?;
        return Ok(resolution.verdicts);
    }
    if let Err(error) = bounded(tx.commit()).await {
        tracing::warn!(%error, %tenant, "the connection failed in a commit");
        // Without an event there is nothing to find it by, and nothing that must not happen twice.
        return Err(if resolution.appends.is_empty() {
            BatchError::Failed(error)
        } else {
            BatchError::Unknown(error, head, resolution.verdicts)
        });
    }
    memory.committed(head, &resolution);
    Ok(resolution.verdicts)
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

/// Everything but the head; what is most likely to be refused comes first.
async fn write(
    tx: &mut Transaction<'_, Postgres>,
    tenant: &TenantId,
    head: Head,
    new_head: Head,
    hashes: &[Hash],
    resolution: &Resolution<'_>,
) -> Result<(), sqlx::Error> {
    let recorded_at = new_head.recorded_at;
    rows::release_claims(tx, tenant, &resolution.released).await?;
    rows::take_claims(tx, tenant, &resolution.taken).await?;
    rows::answers(tx, tenant, &resolution.answered, recorded_at).await?;
    rows::events(tx, tenant, head.position, &resolution.appends, hashes, recorded_at).await
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
/// has its hash. The head is locked first, so that a commit still under way has ended by then.
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
        tx.rollback().await?;
        Ok(hash.is_some_and(|hash| hash == head.hash))
    })
    .await
}

//! One batch, one transaction: lock, look, resolve, write, commit.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{Connection, PgConnection, Postgres, Transaction};

use super::chain::{Hash, Link};
use super::resolve::{Resolution, resolve};
use super::submission::{AppendError, Submission, Verdict};
use super::{Position, StreamId, look, write as rows};

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

/// Versions of streams that this lane knows without asking: exact while nobody else appends.
#[derive(Debug, Default)]
pub(super) struct KnownVersions {
    /// The hash of the event that the log ended with: a position can come again, with another
    /// event, where a log was set back.
    at: Hash,
    versions: HashMap<StreamId, u64>,
}

impl KnownVersions {
    /// How many versions are known.
    pub(super) fn len(&self) -> usize {
        self.versions.len()
    }

    /// What is known if the log still ends where this lane left it, else nothing.
    fn at(&mut self, head: &Head) -> &mut HashMap<StreamId, u64> {
        if self.at != head.hash {
            self.versions.clear();
            self.at = head.hash;
        }
        &mut self.versions
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
pub(super) async fn commit(
    connection: &mut PgConnection,
    tenant: &TenantId,
    submissions: &[Submission],
    now: DateTime<Utc>,
    known_versions: &mut KnownVersions,
) -> Result<Vec<Verdict>, BatchError> {
    let mut tx = bounded(connection.begin()).await?;
    let write = write(&mut tx, tenant, submissions, now, known_versions);
    let (new_head, resolution) = bounded(write).await?.ok_or(BatchError::UnknownTenant)?;
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
            BatchError::Unknown(error, new_head, resolution.verdicts)
        });
    }
    for append in &resolution.appends {
        known_versions.versions.insert(append.stream.clone(), append.version());
    }
    known_versions.at = new_head.hash;
    Ok(resolution.verdicts)
}

/// All of a batch but its commit; `None`: there is no such tenant.
async fn write<'a>(
    tx: &mut Transaction<'_, Postgres>,
    tenant: &TenantId,
    submissions: &'a [Submission],
    now: DateTime<Utc>,
    known_versions: &mut KnownVersions,
) -> Result<Option<(Head, Resolution<'a>)>, sqlx::Error> {
    let Some(head) = take_head(tx, tenant).await? else { return Ok(None) };
    let versions = known_versions.at(&head);
    let known = look::known(tx, tenant, head.position, submissions, versions).await?;
    let resolution = resolve(submissions, known);
    let new_head = if resolution.changes_nothing() {
        head
    } else {
        write_all(tx, tenant, head, now, &resolution).await?
    };
    Ok(Some((new_head, resolution)))
}

async fn write_all(
    tx: &mut Transaction<'_, Postgres>,
    tenant: &TenantId,
    head: Head,
    now: DateTime<Utc>,
    resolution: &Resolution<'_>,
) -> Result<Head, sqlx::Error> {
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
    rows::release_claims(tx, tenant, &resolution.released).await?;
    rows::take_claims(tx, tenant, &resolution.taken).await?;
    rows::events(tx, tenant, &resolution.appends, &hashes, recorded_at).await?;
    rows::answers(tx, tenant, &resolution.answered, recorded_at).await?;
    rows::head(tx, tenant, head, new_head).await?;
    Ok(new_head)
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

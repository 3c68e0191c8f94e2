//! One batch, one transaction: lock, look, resolve, write, commit.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{Connection, PgConnection, Postgres, Transaction};

use super::chain::{Hash, Link};
use super::resolve::{Resolution, resolve};
use super::submission::{AppendError, Submission, Verdict};
use super::{Position, StreamId, look, write};

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
    Unknown(Head, Vec<Verdict>),
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
    at: Position,
    versions: HashMap<StreamId, u64>,
}

impl KnownVersions {
    /// How many versions are kept for one tenant before starting over.
    const MAX: usize = 50_000;

    /// What is known if the log still ends where this lane left it, else nothing.
    pub(super) fn at(&mut self, head: Position) -> &mut HashMap<StreamId, u64> {
        if self.at != head || self.versions.len() > Self::MAX {
            self.versions.clear();
            self.at = head;
        }
        &mut self.versions
    }
}

/// Appends what can be appended of a tenant's submissions, and gives each its verdict.
pub(super) async fn commit(
    connection: &mut PgConnection,
    tenant: &TenantId,
    submissions: &[Submission],
    now: DateTime<Utc>,
    known_versions: &mut KnownVersions,
) -> Result<Vec<Verdict>, BatchError> {
    let mut tx = connection.begin().await?;
    let head = take_head(&mut tx, tenant).await?.ok_or(BatchError::UnknownTenant)?;
    let versions = known_versions.at(head.position);
    let known = look::known(&mut tx, tenant, head.position, submissions, versions).await?;
    let resolution = resolve(submissions, known);
    if resolution.appends.is_empty() && resolution.answered.is_empty() {
        tx.rollback().await?;
        return Ok(resolution.verdicts);
    }
    let new_head = write_all(&mut tx, tenant, head, now, &resolution).await?;
    if let Err(error) = tx.commit().await {
        tracing::warn!(%error, %tenant, "the connection failed in a commit");
        return Err(BatchError::Unknown(new_head, resolution.verdicts));
    }
    for append in &resolution.appends {
        versions.insert(append.stream.clone(), append.version());
    }
    known_versions.at = new_head.position;
    Ok(resolution.verdicts)
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
    write::release_claims(tx, tenant, &resolution.released).await?;
    write::take_claims(tx, tenant, &resolution.taken).await?;
    write::events(tx, tenant, &resolution.appends, &hashes, recorded_at).await?;
    write::answers(tx, tenant, &resolution.answered, recorded_at).await?;
    write::head(tx, tenant, head, new_head).await?;
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
}

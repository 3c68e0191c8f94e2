//! A log in which events of before are in clear becomes one that is sealed: `daybook seal`.
//!
//! 1. `copy`: what of each event is in clear is sealed, and the chain worked out anew, in a table beside the log. It can be stopped
//!    anywhere, and goes on.
//! 2. `proof`: each event of the copy, opened, is compared with that of the log, member by member, and the chain of the copy is followed.
//! 3. `swap`: one transaction puts the copy into the log's place, if the log is still the one that was proved.
//!
//! The tenant is suspended meanwhile: what is appended in spite of it, by a part of daybook, makes the swap fail, and the next run goes on.

mod copy;
mod proof;
mod swap;
#[cfg(test)]
mod tests;

use daybook_domain::TenantId;
use sqlx::PgPool;

use super::{Keyring, KeyringError};
use crate::departures;
use crate::log::chain::Hash;
use crate::log::{Position, UnreadableEvent};

/// How many events are read, and written, at a time.
const BATCH: i64 = 500;

/// A log that was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedLog {
    /// How many events it has, at positions from 1 on.
    pub events: u64,
    /// How many members were in clear.
    pub members: u64,
    /// References that were claimed in clear, and are claimed by their tokens now.
    pub references: usize,
    /// Answers that were kept under idempotency keys in clear.
    pub answers: usize,
    /// The hash of its last event.
    pub hash: Hash,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealProgress {
    Copied { events: u64, of: u64 },
    Proved { events: u64, of: u64 },
}

/// A log is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("there is no tenant {0}")]
    NoTenant(TenantId),
    #[error(
        "{0} is not suspended: `daybook tenant suspend {0}` first, so that nobody writes its log meanwhile"
    )]
    NotSuspended(TenantId),
    #[error("the log of {0} went on meanwhile, or another `daybook seal` is at it: run it again")]
    WentOn(TenantId),
    #[error(
        "at position {position}: {why}; what was copied is thrown away, and the log is as it was"
    )]
    Differs { position: Position, why: &'static str },
    #[error("at position {position}, it is not known about whom it is")]
    AboutNobody { position: Position },
    #[error(
        "a reference that is claimed in clear is also claimed sealed, by another thing of its kind: give one of them another reference first"
    )]
    ReferenceTwice,
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The end of a log, or of its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    position: Position,
    hash: Hash,
}

impl Keyring {
    /// Seals what is in clear in the log of a tenant who is suspended.
    ///
    /// # Errors
    /// When the log cannot be read or sealed, or has gone on meanwhile: it is as it was then.
    pub async fn seal_log(
        &self,
        tenant: &TenantId,
        told: impl Fn(SealProgress),
    ) -> Result<SealedLog, SealError> {
        let suspended = departures::suspended(&self.pool, std::slice::from_ref(tenant)).await?;
        let head = head(&self.pool, tenant).await?;
        let head = head.ok_or_else(|| SealError::NoTenant(tenant.clone()))?;
        if suspended.is_empty() {
            return Err(SealError::NotSuspended(tenant.clone()));
        }
        let of = head.position.get();
        let mut end = copy::end(&self.pool, tenant).await?;
        while let Some(next) = copy::some(self, tenant, end, head.position).await? {
            end = next;
            told(SealProgress::Copied { events: end.position.get(), of });
        }
        let proved = proof::prove(self, tenant, head, |events| {
            told(SealProgress::Proved { events, of });
        });
        match proved.await {
            Ok(proof) => swap::swap(self, tenant, head, proof).await,
            Err(error) => {
                // A copy of another log, of before a database was restored, say.
                if matches!(error, SealError::Differs { .. }) {
                    discard(&self.pool, tenant).await?;
                }
                Err(error)
            }
        }
    }
}

/// The end of a tenant's log; `None`: there is no such tenant.
async fn head(pool: &PgPool, tenant: &TenantId) -> Result<Option<End>, sqlx::Error> {
    let row: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT position, hash FROM log_heads WHERE tenant_id = $1")
            .bind(tenant.as_str())
            .fetch_optional(pool)
            .await?;
    row.map(End::of).transpose()
}

async fn discard(pool: &PgPool, tenant: &TenantId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM events_being_sealed WHERE tenant_id = $1")
        .bind(tenant.as_str())
        .execute(pool)
        .await?;
    Ok(())
}

impl End {
    fn of((position, hash): (i64, Vec<u8>)) -> Result<Self, sqlx::Error> {
        let hash = Hash::try_from(hash.as_slice());
        let hash = hash.map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(Self { position: Position::from_i64(position), hash })
    }
}

//! The end of a tenant's log, whose row is the lock under which batches are committed.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{Postgres, Transaction};

use super::Position;
use super::chain::Hash;

/// The end of a tenant's log.
#[derive(Debug, Clone, Copy)]
pub(in crate::log) struct Head {
    pub(in crate::log) position: Position,
    pub(in crate::log) hash: Hash,
    pub(in crate::log) recorded_at: DateTime<Utc>,
}

/// Locks the end of the log until the transaction ends, and reads it. By an UPDATE: a row locked
/// by `FOR UPDATE` can be moved to another machine under the lock.
pub(in crate::log) async fn lock(
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

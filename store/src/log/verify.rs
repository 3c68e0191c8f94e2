//! Walking the hash chain: was anything altered, removed or reordered?

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{FromRow, PgPool};

use super::Position;
use super::chain::{Link, genesis};

/// How many events are looked at in one go.
const PAGE: i64 = 1_000;

/// What a walk along the chain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// Every event up to here is as it was written.
    Whole(Position),
    /// The event at this position is not what was written there, or is missing.
    Broken(Position),
    /// There is no such tenant.
    UnknownTenant,
}

#[derive(FromRow)]
struct Stored {
    position: i64,
    aggregate_type: String,
    aggregate_id: String,
    sequence: i64,
    event_type: String,
    event_version: String,
    payload: String,
    metadata: String,
    recorded_at: DateTime<Utc>,
    hash: Vec<u8>,
}

/// Walks from the beginning of a tenant's log to the end that it has when the walk begins.
pub(super) async fn verify(pool: &PgPool, tenant: &TenantId) -> Result<Verified, sqlx::Error> {
    let end: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT position, hash FROM log_heads WHERE tenant_id = $1")
            .bind(tenant.as_str())
            .fetch_optional(pool)
            .await?;
    let Some((end, end_hash)) = end else { return Ok(Verified::UnknownTenant) };
    let mut hash = genesis(tenant);
    let mut at = Position::START;
    while at.as_i64() < end {
        let events = page(pool, tenant, at, end).await?;
        if events.is_empty() {
            return Ok(Verified::Broken(at.plus(1)));
        }
        for event in &events {
            at = at.plus(1);
            hash = event.link(at).hash(&hash);
            if event.position != at.as_i64() || event.hash != hash {
                return Ok(Verified::Broken(at));
            }
        }
    }
    Ok(if hash.as_slice() == end_hash { Verified::Whole(at) } else { Verified::Broken(at) })
}

impl Stored {
    fn link(&self, position: Position) -> Link<'_> {
        Link {
            position,
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            sequence: self.sequence.cast_unsigned(),
            event_type: &self.event_type,
            event_version: &self.event_version,
            payload: &self.payload,
            metadata: &self.metadata,
            recorded_at: self.recorded_at,
        }
    }
}

/// The events after `after` up to `end`, at most a page of them. Served by
/// `events_tenant_id_position_key`.
async fn page(
    pool: &PgPool,
    tenant: &TenantId,
    after: Position,
    end: i64,
) -> Result<Vec<Stored>, sqlx::Error> {
    sqlx::query_as(
        "SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload::text, metadata::text, recorded_at, hash
           FROM events
          WHERE tenant_id = $1 AND position > $2 AND position <= $3
          ORDER BY position
          LIMIT $4",
    )
    .bind(tenant.as_str())
    .bind(after.as_i64())
    .bind(end)
    .bind(PAGE)
    .fetch_all(pool)
    .await
}

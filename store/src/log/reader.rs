//! Reading the log from a position on.

use cqrs_es::persist::SerializedEvent;
use daybook_domain::{TenantId, upcasters};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};

use super::event::decode;
use super::{Position, RecordedEvent, UnreadableEvent};

/// The events after `after`, at most `limit`. Served by `events_tenant_id_position_key`.
pub(super) async fn read(
    pool: &PgPool,
    tenant: &TenantId,
    after: Position,
    limit: u32,
) -> Result<Vec<Result<RecordedEvent, UnreadableEvent>>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload, metadata, recorded_at
           FROM events
          WHERE tenant_id = $1 AND position > $2
          ORDER BY position
          LIMIT $3",
    )
    .bind(tenant.as_str())
    .bind(after.as_i64())
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    let upcasters = upcasters();
    let mut expected = after;
    let mut events = Vec::with_capacity(rows.len());
    for row in &rows {
        expected = expected.plus(1);
        let position = Position::from_i64(row.try_get("position")?);
        if position != expected {
            // A gap is corruption: nobody may read on as if nothing were missing.
            let reason = format!("the event after position {after} is at {position}");
            events.push(Err(UnreadableEvent { position: expected, reason }));
            break;
        }
        events.push(decode(position, row.try_get("recorded_at")?, stored(row)?, &upcasters));
    }
    Ok(events)
}

fn stored(row: &PgRow) -> Result<SerializedEvent, sqlx::Error> {
    let sequence: i64 = row.try_get("sequence")?;
    Ok(SerializedEvent {
        aggregate_id: row.try_get("aggregate_id")?,
        sequence: usize::try_from(sequence).map_err(|error| sqlx::Error::Decode(error.into()))?,
        aggregate_type: row.try_get("aggregate_type")?,
        event_type: row.try_get("event_type")?,
        event_version: row.try_get("event_version")?,
        payload: row.try_get("payload")?,
        metadata: row.try_get("metadata")?,
    })
}

/// The end of every tenant's log: a look at the whole house, not for a hot path.
pub(super) async fn heads(pool: &PgPool) -> Result<Vec<(TenantId, Position)>, sqlx::Error> {
    let rows = sqlx::query("SELECT tenant_id, position FROM log_heads").fetch_all(pool).await?;
    rows.iter()
        .map(|row| {
            let tenant: &str = row.try_get("tenant_id")?;
            let tenant = tenant.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            Ok((tenant, Position::from_i64(row.try_get("position")?)))
        })
        .collect()
}

/// The end of one tenant's log; `None`: it has none.
pub(super) async fn head(
    pool: &PgPool,
    tenant: &TenantId,
) -> Result<Option<Position>, sqlx::Error> {
    let position: Option<i64> =
        sqlx::query_scalar("SELECT position FROM log_heads WHERE tenant_id = $1")
            .bind(tenant.as_str())
            .fetch_optional(pool)
            .await?;
    Ok(position.map(Position::from_i64))
}

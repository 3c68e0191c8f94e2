//! Reading the log from a position on.

use chrono::{DateTime, Utc};
use cqrs_es::persist::SerializedEvent;
use daybook_domain::{TenantId, upcasters};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};

use super::event::{StoredEvent, decode, upcast};
use super::{Position, RecordedEvent, StreamId, UnreadableEvent};
use crate::trace_context::{self, TraceContext};

/// The events after `after`, at most `limit`. Served by `events_tenant_id_position_key`.
pub(super) async fn read(
    pool: &PgPool,
    tenant: &TenantId,
    after: Position,
    limit: u32,
) -> Result<Vec<Result<RecordedEvent, UnreadableEvent>>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload, recorded_at, CASE WHEN $4 THEN metadata->>'traceparent' END AS traceparent
           FROM events
          WHERE tenant_id = $1 AND position > $2
          ORDER BY position
          LIMIT $3",
    )
    .bind(tenant.as_str())
    .bind(after.as_i64())
    .bind(i64::from(limit))
    .bind(trace_context::export().is_some())
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
        let trace = row.try_get::<Option<&str>, _>("traceparent")?.and_then(TraceContext::parse);
        let read = decode(position, row.try_get("recorded_at")?, &texts(row)?, &upcasters);
        events.push(read.map(|read| RecordedEvent { trace, ..read }));
    }
    Ok(events)
}

/// The events of resources after `after`, at most `limit`; other events lie between them. Served by
/// `events_of_resources`, whose collation is named so that no other index does.
pub(super) async fn read_resources(
    pool: &PgPool,
    tenant: &TenantId,
    after: Position,
    limit: u32,
) -> Result<Vec<Result<RecordedEvent, UnreadableEvent>>, sqlx::Error> {
    let rows = sqlx::query(RESOURCES)
        .persistent(false)
        .bind(tenant.as_str())
        .bind(after.as_i64())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    let upcasters = upcasters();
    let event = |row: &PgRow| {
        let position = Position::from_i64(row.try_get("position")?);
        Ok(decode(position, row.try_get("recorded_at")?, &texts(row)?, &upcasters))
    };
    rows.iter().map(event).collect()
}

pub(crate) const RESOURCES: &str = "SELECT position, aggregate_type, aggregate_id, sequence,
            event_type, event_version, payload, recorded_at
       FROM events
      WHERE tenant_id = $1 COLLATE \"C\" AND position > $2 AND aggregate_type = 'resource'
      ORDER BY position
      LIMIT $3";

fn texts(row: &PgRow) -> Result<StoredEvent<'_>, sqlx::Error> {
    // A `json` is sent as its text.
    let payload = row.try_get_raw("payload")?.as_str().map_err(sqlx::Error::Decode)?;
    Ok(StoredEvent {
        aggregate_type: row.try_get("aggregate_type")?,
        aggregate_id: row.try_get("aggregate_id")?,
        sequence: row.try_get::<i64, _>("sequence")?.cast_unsigned(),
        event_type: row.try_get("event_type")?,
        event_version: row.try_get("event_version")?,
        payload,
    })
}

/// The last event of a resource up to a position. Served as the one before is.
pub(super) async fn last_of_resources(
    pool: &PgPool,
    tenant: &TenantId,
    up_to: Position,
) -> Result<Position, sqlx::Error> {
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT max(position) FROM events
          WHERE tenant_id = $1 COLLATE \"C\" AND position <= $2 AND aggregate_type = 'resource'",
    )
    .bind(tenant.as_str())
    .bind(up_to.as_i64())
    .fetch_one(pool)
    .await?;
    Ok(last.map_or(Position::START, Position::from_i64))
}

pub(crate) fn stored(row: &PgRow) -> Result<SerializedEvent, sqlx::Error> {
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

/// An event of one stream, as a reader of its history sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEvent {
    /// Where it is in its tenant's log.
    pub position: Position,
    /// Its number in its stream, from 1.
    pub sequence: u64,
    /// Its type's name.
    pub event_type: String,
    /// What happened, in the event's present form.
    pub payload: Value,
    /// Who did it and why.
    pub metadata: Value,
    /// When it was committed.
    pub recorded_at: DateTime<Utc>,
}

/// Which events of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamRange {
    /// Those after this one of the stream.
    pub(crate) after: u64,
    /// Those up to this position of the log.
    pub(crate) up_to: Position,
}

/// One stream's events in a range, at most `limit`. Served by `events_pkey`.
pub(super) async fn read_stream(
    pool: &PgPool,
    tenant: &TenantId,
    stream: &StreamId,
    StreamRange { after, up_to }: StreamRange,
    limit: u32,
) -> Result<Vec<StreamEvent>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload, metadata, recorded_at
           FROM events
          WHERE aggregate_type = $1 AND aggregate_id = $2 AND tenant_id = $3 AND sequence > $4
            AND position <= $5
          ORDER BY sequence
          LIMIT $6",
    )
    .bind(stream.kind())
    .bind(stream.id())
    .bind(tenant.as_str())
    .bind(i64::try_from(after).unwrap_or(i64::MAX))
    .bind(up_to.as_i64())
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    let upcasters = upcasters();
    rows.iter()
        .map(|row| {
            let event = upcast(stored(row)?, &upcasters);
            Ok(StreamEvent {
                position: Position::from_i64(row.try_get("position")?),
                sequence: event.sequence as u64,
                event_type: event.event_type,
                payload: event.payload,
                metadata: event.metadata,
                recorded_at: row.try_get("recorded_at")?,
            })
        })
        .collect()
}

/// The end of every tenant's log: reads all tenants, so not for a hot path.
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

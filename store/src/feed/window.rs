//! One bounded stretch of the log.

use daybook_domain::{TenantId, upcasters};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};

use super::{CloudEvent, Feed, FeedFilter};
use crate::Position;
use crate::log::{stored, upcast};

/// How many events are looked at closely at once: those that may be about what is asked for.
const CLOSELY: usize = 1_000;

/// The rows of a statement as far as their payloads fit: each with how many bytes they are up to it.
macro_rules! as_far_as_fits {
    ($rows:literal) => {
        concat!(
            "SELECT * FROM (
                SELECT *, sum(bytes) OVER (ORDER BY position) AS bytes_so_far FROM (",
            $rows,
            ") AS events) AS sized
              WHERE bytes_so_far - bytes < $7
              ORDER BY position"
        )
    };
}

/// By position. Served by `events_tenant_id_position_key`: the type of aggregate is compared in a form
/// that `events_pkey`, which would read all events of the type, cannot serve.
const BY_POSITION: &str = as_far_as_fits!(
    "SELECT position, aggregate_type, aggregate_id, sequence, event_type,
            event_version, payload, metadata, recorded_at, octet_length(payload::text) AS bytes
       FROM events
      WHERE tenant_id = $1 AND position > $2 AND position <= $3
        AND ($4::text[] IS NULL OR event_type = ANY($4))
        AND aggregate_type || '' = ANY($5)
      ORDER BY position
      LIMIT $6"
);

/// Of one aggregate. Served by `events_pkey`; the collation and the sum keep the index by position
/// away, in which the planner might look for the few among all.
const OF_ONE: &str = as_far_as_fits!(
    "SELECT position, aggregate_type, aggregate_id, sequence, event_type,
            event_version, payload, metadata, recorded_at, octet_length(payload::text) AS bytes
       FROM events
      WHERE tenant_id = $1 COLLATE \"C\" AND position > $2 AND position <= $3
        AND ($4::text[] IS NULL OR event_type = ANY($4))
        AND aggregate_type = ANY($5) AND aggregate_id = $8
      ORDER BY position + 0
      LIMIT $6"
);

/// What was read of the log.
pub(super) struct Window {
    pub(super) events: Vec<CloudEvent>,
    /// There is none other up to here.
    pub(super) read_to: Position,
    /// How large the payloads are.
    pub(super) bytes: usize,
}

/// What may pass the filter after a position, and up to where that is all.
pub(super) async fn read(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &FeedFilter,
    after: Position,
    until: Position,
    limit: usize,
) -> Result<Window, sqlx::Error> {
    let limit = if filter.looks_closely() { limit.min(CLOSELY) } else { limit };
    let (statement, end) = match filter.aggregate_id {
        None => (BY_POSITION, until.min(after.plus(Feed::STRETCH))),
        Some(_) => (OF_ONE, until),
    };
    let mut query = sqlx::query(statement)
        .persistent(false)
        .bind(tenant.as_str())
        .bind(after.as_i64())
        .bind(end.as_i64())
        .bind(filter.types())
        .bind(filter.aggregate_types())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(i64::try_from(Feed::MAX_BYTES).unwrap_or(i64::MAX));
    if let Some(id) = filter.aggregate_id {
        query = query.bind(format!("{tenant}/{id}"));
    }
    let rows = query.fetch_all(pool).await?;
    let upcasters = upcasters();
    let event = |row: &PgRow| {
        let position = Position::from_i64(row.try_get("position")?);
        let stored = upcast(stored(row)?, &upcasters);
        CloudEvent::of(tenant, position, row.try_get("recorded_at")?, stored)
    };
    let events = rows.iter().map(event).collect::<Result<Vec<_>, _>>()?;
    let bytes: Option<i64> = rows.last().map(|last| last.try_get("bytes_so_far")).transpose()?;
    let bytes = usize::try_from(bytes.unwrap_or_default()).unwrap_or(usize::MAX);
    // With as many as fit, more may come right after the last.
    let is_full = events.len() == limit || bytes >= Feed::MAX_BYTES;
    let read_to = events.last().filter(|_| is_full).map_or(end, |last| last.position);
    Ok(Window { events, read_to, bytes })
}

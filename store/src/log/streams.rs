//! Reading the log stream by stream: for whoever folds each stream to what it has come to.

use chrono::{DateTime, Utc};
use daybook_domain::{TenantId, upcasters};
use sqlx::{Executor as _, PgConnection, PgPool};
use uuid::Uuid;

use super::copy::{Fields, literal, rows};
use super::event::{StoredEvent, decode};
use super::{Position, RecordedEvent, UnreadableEvent};

/// Keeps to the order of the index, `events_pkey`: to sort what is left of the log for each part would
/// read all of it each time.
const BY_INDEX: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
     SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off; SET LOCAL jit = off;
     SET LOCAL max_parallel_workers_per_gather = 0";

/// Which streams are read, and how far.
#[derive(Debug, Clone)]
pub struct Streams {
    pub tenant: TenantId,
    /// The aggregates' type.
    pub kind: &'static str,
    /// Up to this position of the log: what is after it is as if it had not happened.
    pub upto: Position,
}

/// Whole streams that follow each other, as they came from the database.
#[derive(Debug, Default)]
pub struct StreamsPart {
    bytes: Vec<u8>,
    /// Where each row ends.
    ends: Vec<usize>,
    /// The last stream of it; `None`: there are none left.
    pub last: Option<String>,
    /// Whether streams follow.
    pub more: bool,
}

impl Streams {
    /// The streams after `after`, in the order of their ids: about `events` events, and at least one
    /// stream, whole. What one asks for again is the same again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn part(
        &self,
        pool: &PgPool,
        after: Option<&str>,
        events: usize,
    ) -> Result<StreamsPart, sqlx::Error> {
        let mut limit = events;
        loop {
            let part = self.page(pool, after, limit).await?;
            if part.last.is_some() || !part.more {
                return Ok(part);
            }
            // Not even one stream was whole.
            limit *= 4;
        }
    }

    async fn page(
        &self,
        pool: &PgPool,
        after: Option<&str>,
        limit: usize,
    ) -> Result<StreamsPart, sqlx::Error> {
        let mut part = StreamsPart::default();
        let mut tx = pool.begin().await?;
        tx.execute(BY_INDEX).await?;
        let query = self.query(after, limit);
        let mut found = rows(&mut tx, &query).await?;
        while let Some(row) = found.next().await? {
            part.bytes.extend_from_slice(row.raw());
            part.ends.push(part.bytes.len());
        }
        drop(found);
        tx.commit().await?;
        part.more = part.ends.len() >= limit;
        if part.more {
            // The last stream may go on.
            let cut = part.last_id()?;
            while cut.is_some() && part.last_id()? == cut {
                part.ends.pop();
            }
        }
        part.last = part.last_id()?;
        Ok(part)
    }

    fn query(&self, after: Option<&str>, limit: usize) -> String {
        let (tenant, kind, upto) = (&self.tenant, self.kind, self.upto.as_i64());
        // An id ends in hexadecimal digits, so all of the tenant's lie between these two, whatever the
        // order of texts; others can lie there, too.
        let (first, beyond) = (format!("{tenant}/"), format!("{tenant}/g"));
        let after = after.unwrap_or(&first).replace('\'', "''");
        let tenant = literal(tenant);
        format!(
            "SELECT aggregate_id, position, sequence, event_type, event_version, payload,
                    recorded_at
               FROM events
              WHERE aggregate_type = '{kind}' AND aggregate_id > '{after}'
                AND aggregate_id < '{beyond}' AND tenant_id = {tenant} AND position <= {upto}
              ORDER BY aggregate_type, aggregate_id, sequence
              LIMIT {limit}"
        )
    }
}

/// Served by the primary key of `events`; the collation keeps the index by position away, which would read
/// all of a tenant that is newer than the statistics.
pub(crate) const STREAM_EVENTS: &str = "
    SELECT e.*
      FROM unnest($3::text[]) AS s (id)
     CROSS JOIN LATERAL (
           SELECT aggregate_id, position, sequence, event_type, event_version, payload::text,
                  recorded_at
             FROM events
            WHERE aggregate_type = $2 AND aggregate_id = s.id AND tenant_id = $1 COLLATE \"C\"
              AND position < $4
            ORDER BY sequence
           OFFSET 0) AS e";

/// The events of these streams before a position, stream by stream.
///
/// # Errors
/// When the database fails.
pub async fn stream_events(
    connection: &mut PgConnection,
    tenant: &TenantId,
    kind: &str,
    ids: &[Uuid],
    before: Position,
) -> Result<Vec<Result<RecordedEvent, UnreadableEvent>>, sqlx::Error> {
    type Stored = (String, i64, i64, String, String, String, DateTime<Utc>);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let streams: Vec<String> = ids.iter().map(|id| format!("{tenant}/{id}")).collect();
    let found: Vec<Stored> = sqlx::query_as(STREAM_EVENTS)
        .bind(tenant.as_str())
        .bind(kind)
        .bind(streams)
        .bind(before.as_i64())
        .fetch_all(connection)
        .await?;
    let upcasters = upcasters();
    let decoded = found.iter().map(|(id, position, sequence, event_type, version, payload, at)| {
        let stored = StoredEvent {
            aggregate_type: kind,
            aggregate_id: id,
            sequence: sequence.cast_unsigned(),
            event_type,
            event_version: version,
            payload,
        };
        decode(Position::from_i64(*position), *at, &stored, &upcasters)
    });
    Ok(decoded.collect())
}

impl StreamsPart {
    /// How many events there are.
    #[must_use]
    pub const fn events(&self) -> usize {
        self.ends.len()
    }

    fn row(&self, n: usize) -> Fields<'_> {
        let start = n.checked_sub(1).map_or(0, |before| self.ends[before]);
        Fields::of(&self.bytes[start..self.ends[n]])
    }

    fn last_id(&self) -> Result<Option<String>, sqlx::Error> {
        let Some(last) = self.ends.len().checked_sub(1) else { return Ok(None) };
        Ok(Some(self.row(last).text()?.to_owned()))
    }

    /// Reads the events and hands over each stream, from its first event on. It takes processor time,
    /// and waits for nothing.
    ///
    /// # Errors
    /// What `each` fails with, or what it makes of an event that this program cannot read.
    pub fn each_stream<E>(
        &self,
        kind: &str,
        mut each: impl FnMut(&[RecordedEvent]) -> Result<(), E>,
    ) -> Result<(), E>
    where
        E: From<UnreadableEvent> + From<sqlx::Error>,
    {
        let upcasters = upcasters();
        let mut stream: Vec<RecordedEvent> = Vec::new();
        let mut of = "";
        for n in 0..self.ends.len() {
            let mut fields = self.row(n);
            let aggregate_id = fields.text()?;
            let position = Position::from_i64(fields.bigint()?);
            let stored = StoredEvent {
                aggregate_type: kind,
                aggregate_id,
                sequence: fields.bigint()?.cast_unsigned(),
                event_type: fields.text()?,
                event_version: fields.text()?,
                payload: fields.text()?,
            };
            let recorded_at = fields.instant()?.unwrap_or_default();
            if aggregate_id != of {
                if !stream.is_empty() {
                    each(&stream)?;
                    stream.clear();
                }
                of = aggregate_id;
            }
            stream.push(decode(position, recorded_at, &stored, &upcasters)?);
        }
        if stream.is_empty() { Ok(()) } else { each(&stream) }
    }
}

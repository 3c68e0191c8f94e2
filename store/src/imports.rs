//! What is known of events that were imported: control data beside the log.
//!
//! The log has what became of them, as of any appointment; what the *source* said last is nobody's event. It
//! is kept so that the next import can tell what has changed there since, and what was changed here.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::TenantId;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

/// An event of a source, as an import has left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedEvent {
    /// Which event it is: of its UID and occurrence.
    pub entry: Uuid,
    /// Which others it belongs to: of its UID.
    pub series: Uuid,
    /// When the occurrence was to be before anybody moved it. `None`: it is no series.
    pub occurs_at: Option<DateTime<Utc>>,
    pub appointment_id: Uuid,
    pub sequence: u32,
    pub stamped_at: Option<DateTime<Utc>>,
    /// What the source said of it. `None`: that it is cancelled.
    pub content: Option<Uuid>,
    /// The appointment's version after the last command of an import.
    pub version: u64,
}

const COLUMNS: &str =
    "entry, series, occurs_at, appointment_id, sequence, stamped_at, content, version";

/// What is known of these events of a source.
///
/// # Errors
/// When the database fails.
pub async fn known(
    pool: &PgPool,
    tenant: &TenantId,
    source: Uuid,
    entries: &[Uuid],
) -> Result<HashMap<Uuid, ImportedEvent>, sqlx::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM imported_events JOIN unnest($3::uuid[]) AS wanted ON entry = wanted
          WHERE tenant_id = $1 AND source = $2"
    );
    let rows = fetch(pool, &sql, tenant, source, entries).await?;
    Ok(rows.into_iter().map(|event| (event.entry, event)).collect())
}

/// All that is known of these UIDs of a source, and not cancelled.
///
/// # Errors
/// When the database fails.
pub async fn of_series(
    pool: &PgPool,
    tenant: &TenantId,
    source: Uuid,
    series: &[Uuid],
) -> Result<Vec<ImportedEvent>, sqlx::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM imported_events JOIN unnest($3::uuid[]) AS wanted ON series = wanted
          WHERE tenant_id = $1 AND source = $2 AND content IS NOT NULL"
    );
    fetch(pool, &sql, tenant, source, series).await
}

/// The ids are joined, by a plan of this moment. While an import fills the table there are no statistics of it, and PostgreSQL takes a
/// source for a few rows: with `= ANY` it reads all of them and compares each with every id, where a join has a hash; and a
/// plan that it made when there were few it would keep.
async fn fetch(
    pool: &PgPool,
    sql: &str,
    tenant: &TenantId,
    source: Uuid,
    ids: &[Uuid],
) -> Result<Vec<ImportedEvent>, sqlx::Error> {
    let query = sqlx::query(sql).persistent(false);
    let rows = query.bind(tenant.as_str()).bind(source).bind(ids).fetch_all(pool).await?;
    rows.iter().map(decode).collect()
}

fn decode(row: &PgRow) -> Result<ImportedEvent, sqlx::Error> {
    let whole = |error: std::num::TryFromIntError| sqlx::Error::Decode(error.into());
    Ok(ImportedEvent {
        entry: row.try_get("entry")?,
        series: row.try_get("series")?,
        occurs_at: row.try_get("occurs_at")?,
        appointment_id: row.try_get("appointment_id")?,
        sequence: u32::try_from(row.try_get::<i64, _>("sequence")?).map_err(whole)?,
        stamped_at: row.try_get("stamped_at")?,
        content: row.try_get("content")?,
        version: u64::try_from(row.try_get::<i64, _>("version")?).map_err(whole)?,
    })
}

/// Keeps what is known of events of a source from now on: of each entry once.
///
/// # Errors
/// When the database fails.
pub async fn keep(
    pool: &PgPool,
    tenant: &TenantId,
    source: Uuid,
    events: &[ImportedEvent],
) -> Result<(), sqlx::Error> {
    let each = |of: fn(&ImportedEvent) -> Uuid| events.iter().map(of).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO imported_events (tenant_id, source, entry, series, occurs_at, appointment_id,
                                      sequence, stamped_at, content, version)
         SELECT $1, $2, e.* FROM unnest($3::uuid[], $4::uuid[], $5::timestamptz[], $6::uuid[],
                                        $7::bigint[], $8::timestamptz[], $9::uuid[], $10::bigint[]) e
             ON CONFLICT (tenant_id, source, entry) DO UPDATE
            SET series = excluded.series, occurs_at = excluded.occurs_at,
                appointment_id = excluded.appointment_id, sequence = excluded.sequence,
                stamped_at = excluded.stamped_at, content = excluded.content,
                version = excluded.version",
    )
    .bind(tenant.as_str())
    .bind(source)
    .bind(each(|event| event.entry))
    .bind(each(|event| event.series))
    .bind(events.iter().map(|event| event.occurs_at).collect::<Vec<_>>())
    .bind(each(|event| event.appointment_id))
    .bind(events.iter().map(|event| i64::from(event.sequence)).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.stamped_at).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.content).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.version.cast_signed()).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

/// An import whose report is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredImport {
    pub id: Uuid,
    pub begun_at: DateTime<Utc>,
    /// When its program last said something of it.
    pub seen_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    /// As far as it has come.
    pub report: Option<Value>,
}

/// For how long reports are kept.
const KEPT: TimeDelta = TimeDelta::days(30);

/// An import that is to have a report.
#[derive(Debug, Clone, Copy)]
pub struct NewImport<'a> {
    pub id: Uuid,
    /// A hash of the request and its file.
    pub fingerprint: &'a [u8],
    pub begun_at: DateTime<Utc>,
    /// What is known of it so far.
    pub report: &'a Value,
}

/// What is there of an import that is to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// Nothing, or what was broken off: it begins.
    Now,
    /// It runs already, or has finished.
    Before,
    /// An import of this id that was asked for otherwise.
    Otherwise,
}

/// Keeps that an import begins, and forgets those that are old. One of which nothing was said since `silent_since`
/// begins again.
///
/// # Errors
/// When the database fails.
pub async fn begin(
    pool: &PgPool,
    tenant: &TenantId,
    import: NewImport<'_>,
    now: DateTime<Utc>,
    silent_since: DateTime<Utc>,
) -> Result<Begun, sqlx::Error> {
    sqlx::query("DELETE FROM imports WHERE begun_at < $1").bind(now - KEPT).execute(pool).await?;
    let NewImport { id, fingerprint, begun_at, report } = import;
    let begun = sqlx::query(
        "INSERT INTO imports AS i (tenant_id, import_id, begun_at, seen_at, fingerprint, report)
         VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant_id, import_id) DO UPDATE
            SET begun_at = excluded.begun_at, seen_at = excluded.seen_at, finished_at = NULL,
                report = excluded.report
          WHERE i.finished_at IS NULL AND i.seen_at < $7
            AND coalesce(i.fingerprint = excluded.fingerprint, true)",
    )
    .bind(tenant.as_str())
    .bind(id)
    .bind(begun_at)
    .bind(now)
    .bind(fingerprint)
    .bind(report)
    .bind(silent_since)
    .execute(pool)
    .await?;
    if begun.rows_affected() == 1 {
        return Ok(Begun::Now);
    }
    let is_the_same: Option<bool> = sqlx::query_scalar(
        "SELECT coalesce(fingerprint = $3, true) FROM imports WHERE tenant_id = $1 AND import_id = $2",
    )
    .bind(tenant.as_str())
    .bind(id)
    .bind(fingerprint)
    .fetch_optional(pool)
    .await?;
    Ok(if is_the_same == Some(false) { Begun::Otherwise } else { Begun::Before })
}

/// Keeps how far an import is.
///
/// # Errors
/// When the database fails.
pub async fn report(
    pool: &PgPool,
    tenant: &TenantId,
    id: Uuid,
    report: &Value,
    now: DateTime<Utc>,
    is_finished: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE imports SET report = $3, seen_at = $4, finished_at = CASE WHEN $5 THEN $4 END
          WHERE tenant_id = $1 AND import_id = $2",
    )
    .bind(tenant.as_str())
    .bind(id)
    .bind(report)
    .bind(now)
    .bind(is_finished)
    .execute(pool)
    .await?;
    Ok(())
}

/// An import; `None`: there is none, or it is old.
///
/// # Errors
/// When the database fails.
pub async fn read(
    pool: &PgPool,
    tenant: &TenantId,
    id: Uuid,
) -> Result<Option<StoredImport>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT begun_at, seen_at, finished_at, report FROM imports
          WHERE tenant_id = $1 AND import_id = $2",
    )
    .bind(tenant.as_str())
    .bind(id)
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(StoredImport {
            id,
            begun_at: row.try_get("begun_at")?,
            seen_at: row.try_get("seen_at")?,
            finished_at: row.try_get("finished_at")?,
            report: row.try_get("report")?,
        })
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{House, noon, uuid};

    fn event(entry: u128, series: u128, content: Option<u128>) -> ImportedEvent {
        ImportedEvent {
            entry: uuid(entry),
            series: uuid(series),
            occurs_at: entry.is_multiple_of(2).then(noon),
            appointment_id: uuid(100 + entry),
            sequence: 3,
            stamped_at: Some(noon()),
            content: content.map(uuid),
            version: 2,
        }
    }

    #[tokio::test]
    async fn what_is_kept_of_a_source_is_known_of_it_and_of_no_other() {
        let house = House::new().await;
        let (pool, tenant) = (&house.pool, &house.tenant);
        let events = [event(1, 10, Some(7)), event(2, 10, None), event(3, 11, Some(8))];
        keep(pool, tenant, uuid(50), &events).await.unwrap();
        let all = [uuid(1), uuid(2), uuid(4)];
        let found = known(pool, tenant, uuid(50), &all).await.unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((&found[&uuid(1)], &found[&uuid(2)]), (&events[0], &events[1]));
        assert_eq!(known(pool, tenant, uuid(51), &all).await.unwrap().len(), 0);
        let other = "salon".parse().unwrap();
        assert_eq!(known(pool, &other, uuid(50), &all).await.unwrap().len(), 0);

        let of_series = of_series(pool, tenant, uuid(50), &[uuid(10)]).await.unwrap();
        assert_eq!(of_series, [events[0].clone()], "what is cancelled is none of them");
        let later = ImportedEvent { sequence: 4, content: Some(uuid(9)), ..events[1].clone() };
        keep(pool, tenant, uuid(50), std::slice::from_ref(&later)).await.unwrap();
        let found = known(pool, tenant, uuid(50), &all).await.unwrap();
        assert_eq!(found[&uuid(2)], later);
        keep(pool, tenant, uuid(50), &[]).await.unwrap();
    }

    #[tokio::test]
    async fn an_import_is_begun_once_and_again_when_nothing_is_heard_of_it() {
        let house = House::new().await;
        let (pool, tenant) = (&house.pool, &house.tenant);
        let hour = |hours| noon() + TimeDelta::hours(hours);
        let nothing = serde_json::json!({});
        let begin = async |id, fingerprint: &[u8], now, silent_since| {
            let import = NewImport { id, fingerprint, begun_at: now, report: &nothing };
            begin(pool, tenant, import, now, silent_since).await.unwrap()
        };
        let id = uuid(1);
        assert_eq!(begin(id, b"a", hour(0), hour(-1)).await, Begun::Now);
        assert_eq!(begin(id, b"a", hour(1), hour(-1)).await, Begun::Before);
        assert_eq!(begin(id, b"b", hour(1), hour(-1)).await, Begun::Otherwise);
        let said = serde_json::json!({"done": 3});
        report(pool, tenant, id, &said, hour(1), false).await.unwrap();
        let found = read(pool, tenant, id).await.unwrap().unwrap();
        assert_eq!((found.seen_at, found.finished_at), (hour(1), None));
        assert_eq!(found.report, Some(said.clone()));
        assert_eq!(begin(id, b"b", hour(3), hour(2)).await, Begun::Otherwise);
        assert_eq!(begin(id, b"a", hour(3), hour(2)).await, Begun::Now, "nothing was heard of it");
        report(pool, tenant, id, &said, hour(4), true).await.unwrap();
        assert_eq!(begin(id, b"a", hour(9), hour(8)).await, Begun::Before, "it has finished");
        assert_eq!(read(pool, tenant, uuid(2)).await.unwrap(), None);
        let later = noon() + KEPT + TimeDelta::days(1);
        assert_eq!(begin(uuid(2), b"a", later, noon()).await, Begun::Now);
        assert_eq!(read(pool, tenant, id).await.unwrap(), None, "it is old");
    }
}

//! Reading the audit log: a page of it, the latest first.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::chain::column;
use super::{AuditEntry, AuditKind};

/// How many entries are looked at for a page, whatever the filter: it may have fewer than it could.
const LOOKED_AT: i64 = 5_000;

/// Which entries. All that is given must be met.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// At this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub to: Option<DateTime<Utc>>,
    pub actor: Option<String>,
    /// That name this person.
    pub subject: Option<Uuid>,
    /// Of one of these kinds; all, if there is none.
    pub kinds: Vec<AuditKind>,
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditCursor {
    pub at: DateTime<Utc>,
    pub seq: i64,
}

/// An entry, and where it is in its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEntry {
    pub seq: i64,
    /// Its hash, by which the chain goes on.
    pub hash: Vec<u8>,
    pub entry: AuditEntry,
}

/// A page of the audit log.
#[derive(Debug, Clone, Default)]
pub struct AuditPage {
    pub items: Vec<ListedEntry>,
    /// `None`: it is the last.
    pub next: Option<AuditCursor>,
}

/// A page of at most `limit` entries after a cursor, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn page(
    pool: &PgPool,
    owner: Option<&TenantId>,
    filter: &AuditFilter,
    after: Option<AuditCursor>,
    limit: usize,
) -> Result<AuditPage, sqlx::Error> {
    let AuditFilter { from, to, actor, subject, kinds } = filter;
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    // By `audit_entries_by_time`; of one person by `audit_entries_of_subject`.
    let of_whom = match subject {
        None => "$6::uuid IS NULL",
        Some(_) => "subjects @> ARRAY[$6::uuid]",
    };
    let is_sieved = actor.is_some() || !kinds.is_empty();
    // One more, by which it is seen whether there is a next page.
    let most = i64::try_from(limit).unwrap_or(LOOKED_AT).min(LOOKED_AT - 1) + 1;
    let looked_at = if is_sieved { LOOKED_AT } else { most };
    let sql = format!(
        "WITH looked_at AS MATERIALIZED
              (SELECT seq, at, actor, kind, hash, entry FROM audit_entries
                WHERE tenant_id = $1 AND {of_whom}
                  AND ($2::timestamptz IS NULL OR at >= $2)
                  AND ($3::timestamptz IS NULL OR at < $3)
                  AND ($4::timestamptz IS NULL OR (at, seq) < ($4, $5))
                ORDER BY at DESC, seq DESC LIMIT $7)
         SELECT * FROM
              ((SELECT seq, at, hash, entry, false AS is_the_end FROM looked_at
                 WHERE ($8::text IS NULL OR actor = $8)
                   AND (cardinality($9::text[]) = 0 OR kind = ANY ($9))
                 ORDER BY at DESC, seq DESC LIMIT $10)
               UNION ALL
               (SELECT seq, at, hash, NULL, true FROM looked_at ORDER BY at, seq LIMIT 1)) AS found
          ORDER BY is_the_end, at DESC, seq DESC"
    );
    let rows = sqlx::query(&sql)
        .bind(column(owner))
        .bind(from)
        .bind(to)
        .bind(after.map(|cursor| cursor.at))
        .bind(after.map(|cursor| cursor.seq))
        .bind(subject)
        .bind(looked_at)
        .bind(actor)
        .bind(kinds)
        .bind(most)
        .fetch_all(pool)
        .await?;
    paged(pool, owner, &rows, filter, limit).await
}

async fn paged(
    pool: &PgPool,
    owner: Option<&TenantId>,
    rows: &[PgRow],
    filter: &AuditFilter,
    limit: usize,
) -> Result<AuditPage, sqlx::Error> {
    let Some((end, found)) = rows.split_last() else { return Ok(AuditPage::default()) };
    let items = found.iter().take(limit).map(listed).collect::<Result<Vec<_>, _>>()?;
    if found.len() > limit {
        let next = items.last().map(|last| AuditCursor { at: last.entry.at, seq: last.seq });
        return Ok(AuditPage { items, next });
    }
    // What was looked at was all that is asked for.
    if filter.actor.is_none() && filter.kinds.is_empty() {
        return Ok(AuditPage { items, next: None });
    }
    let end = AuditCursor { at: end.try_get("at")?, seq: end.try_get("seq")? };
    let goes_on: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM audit_entries
                         WHERE tenant_id = $1 AND (at, seq) < ($2, $3)
                           AND ($4::timestamptz IS NULL OR at >= $4))",
    )
    .bind(column(owner))
    .bind(end.at)
    .bind(end.seq)
    .bind(filter.from)
    .fetch_one(pool)
    .await?;
    Ok(AuditPage { items, next: goes_on.then_some(end) })
}

/// How many entries of an export are read at a time.
const LINES: i64 = 1_000;

/// An entry as it stands in the chain, for whoever verifies it elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    pub seq: i64,
    pub previous: Vec<u8>,
    pub hash: Vec<u8>,
    /// As JSON, byte for byte.
    pub entry: String,
}

/// The next entries after a place in the chain, in its order, of those from an instant on and before another; none: that is
/// all.
///
/// # Errors
/// When the database fails.
pub async fn lines(
    pool: &PgPool,
    owner: Option<&TenantId>,
    (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    after: i64,
) -> Result<Vec<AuditLine>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT seq, previous, hash, entry FROM audit_entries
          WHERE tenant_id = $1 AND seq > $2
            AND ($3::timestamptz IS NULL OR at >= $3) AND ($4::timestamptz IS NULL OR at < $4)
          ORDER BY seq LIMIT $5",
    )
    .bind(column(owner))
    .bind(after)
    .bind(from)
    .bind(to)
    .bind(LINES)
    .fetch_all(pool)
    .await?;
    let line = |row: &PgRow| {
        Ok(AuditLine {
            seq: row.try_get("seq")?,
            previous: row.try_get("previous")?,
            hash: row.try_get("hash")?,
            entry: row.try_get("entry")?,
        })
    };
    rows.iter().map(line).collect()
}

fn listed(row: &PgRow) -> Result<ListedEntry, sqlx::Error> {
    let entry: &str = row.try_get("entry")?;
    let entry = serde_json::from_str(entry).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(ListedEntry { seq: row.try_get("seq")?, hash: row.try_get("hash")?, entry })
}

//! The audit log: who did or was told what, of whom; apart from the tenants' logs.
//!
//! * [`entry`]: what an entry says.
//! * [`gathered`]: what a request opens of what is personal.
//! * [`recorder`]: writes entries beside requests, or before they are answered.
//! * [`chain`]: each tenant's entries follow each other by hash; [`verify`]: whether they still do.
//! * [`list`]: reading it.
//!
//! It is no part of a log of events: nothing is derived from it, it has another retention, and it is not told to whoever reads
//! the log.

mod chain;
mod entry;
mod gathered;
mod list;
mod recorder;
#[cfg(test)]
mod tests;
mod verify;

use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveTime, Utc};
use sqlx::{PgConnection, PgPool};

pub use chain::{Owner, append};
pub use entry::{AuditEntry, AuditKind, InvalidPurpose, Purpose, UnknownAuditKind};
pub(crate) use gathered::withholds_restricted;
pub use gathered::{Asked, Gathered, Told, asked_by, entry, gathering, opened, unseen};
pub use list::{AuditCursor, AuditFilter, AuditLine, AuditPage, ListedEntry, lines, page};
pub use recorder::{NotRecorded, Recorder};
pub use verify::{AuditFinding, AuditVerified, verify};

/// How many entries are deleted by one statement.
const BATCH: i64 = 5_000;

/// What the database's clock shows.
pub(crate) async fn now(tx: &mut PgConnection) -> Result<DateTime<Utc>, sqlx::Error> {
    sqlx::query_scalar("SELECT now()").fetch_one(tx).await
}

/// The first instant of what is kept, where so many whole months are beside the present one.
#[must_use]
pub fn kept_since(now: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    let first = NaiveDate::from_ymd_opt(now.year(), now.month(), 1);
    let since = first.and_then(|first| first.checked_sub_months(Months::new(months)));
    since.map_or(DateTime::<Utc>::MIN_UTC, |day| day.and_time(NaiveTime::MIN).and_utc())
}

/// Deletes what is older, of all tenants at once, but for the last entry of each chain. Each chain's head says up to where it
/// is forgotten, so that nothing else can be missing. How many entries that were.
///
/// # Errors
/// When the database fails: then it goes on next time.
pub async fn forget(pool: &PgPool, before: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    // By `audit_entries_old`: chains that have nothing so old are not looked at.
    sqlx::query(
        "UPDATE audit_heads h SET forgotten = least(old.seq, h.seq - 1)
           FROM (SELECT tenant_id, max(seq) AS seq FROM audit_entries
                  WHERE at < $1 GROUP BY tenant_id) AS old
          WHERE h.tenant_id = old.tenant_id AND h.forgotten < least(old.seq, h.seq - 1)",
    )
    .bind(before)
    .execute(pool)
    .await?;
    let mut all = 0;
    loop {
        // What another program has written a moment later can stand before it.
        let deleted = sqlx::query(
            "DELETE FROM audit_entries WHERE ctid = ANY
                 (ARRAY (SELECT e.ctid FROM audit_entries e JOIN audit_heads h USING (tenant_id)
                          WHERE e.at < $1 + interval '1 day' AND e.seq <= h.forgotten LIMIT $2))",
        )
        .bind(before)
        .bind(BATCH)
        .execute(pool)
        .await?
        .rows_affected();
        all += deleted;
        if deleted < BATCH.unsigned_abs() {
            return Ok(all);
        }
    }
}

//! Whether a chain is whole: nothing in it was changed, taken out, moved, or put in.

use std::fmt;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::AuditEntry;
use super::chain::{BEGINNING, column, hash};

/// How many entries are read at a time.
const PAGE: i64 = 1_000;

/// What was found of a chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditVerified {
    pub entries: u64,
    /// The first that is kept; those before it were kept long enough. `None`: there is none.
    pub first: Option<i64>,
    /// The hash of the last: whoever has kept an earlier one can find it again.
    pub last_hash: Option<Vec<u8>>,
    /// The first thing that is wrong.
    pub finding: Option<AuditFinding>,
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditFinding {
    /// Entries that were there are not.
    Missing { from: i64, to: i64 },
    /// An entry is not as it was written, or is not in its place.
    Changed { seq: i64 },
    /// It does not follow the entry before it.
    DoesNotFollow { seq: i64 },
    /// What can be asked for is not what the entry says.
    Columns { seq: i64 },
    /// The chain goes on beyond its end.
    BeyondTheEnd { end: i64 },
}

impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { from, to } if from == to => write!(f, "entry {from} is missing"),
            Self::Missing { from, to } => write!(f, "entries {from} to {to} are missing"),
            Self::Changed { seq } => {
                write!(f, "entry {seq} is not as it was written, or is not in its place")
            }
            Self::DoesNotFollow { seq } => {
                write!(f, "entry {seq} does not follow the one before it")
            }
            Self::Columns { seq } => write!(f, "the columns of entry {seq} are not what it says"),
            Self::BeyondTheEnd { end } => write!(f, "there are entries after the last, {end}"),
        }
    }
}

/// Verifies the chain of a tenant, or of whoever runs daybook, up to where it ends now.
///
/// # Errors
/// When the database fails.
pub async fn verify(pool: &PgPool, owner: Option<&TenantId>) -> Result<AuditVerified, sqlx::Error> {
    let owner = column(owner);
    let head = head(pool, owner).await?;
    let forgotten = head.as_ref().map_or(0, |head| head.2);
    let mut chain = Chain { owner, forgotten, at: None, verified: AuditVerified::default() };
    loop {
        let after = chain.at.as_ref().map_or(forgotten, |at| at.0);
        let rows = sqlx::query(
            "SELECT seq, at, actor, kind, subjects, entry, previous, hash FROM audit_entries
              WHERE tenant_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4",
        )
        .bind(owner)
        .bind(after)
        .bind(head.as_ref().map_or(i64::MAX, |head| head.0))
        .bind(PAGE)
        .fetch_all(pool)
        .await?;
        for row in &rows {
            if let Err(finding) = chain.follow(row)? {
                return Ok(AuditVerified { finding: Some(finding), ..chain.verified });
            }
        }
        if rows.is_empty() {
            break;
        }
    }
    let end = ended(&chain, head);
    let finding = match end {
        Some(finding) => Some(finding),
        None => beyond(pool, owner).await?,
    };
    let last_hash = chain.at.map(|(_, hash)| hash);
    Ok(AuditVerified { last_hash, finding, ..chain.verified })
}

type At = (i64, Vec<u8>);

/// Where it ends, and up to where it is forgotten.
type Head = (i64, Vec<u8>, i64);

async fn head(pool: &PgPool, owner: &str) -> Result<Option<Head>, sqlx::Error> {
    sqlx::query_as("SELECT seq, hash, forgotten FROM audit_heads WHERE tenant_id = $1")
        .bind(owner)
        .fetch_optional(pool)
        .await
}

/// Whether the chain ends where its head says.
fn ended(chain: &Chain<'_>, head: Option<Head>) -> Option<AuditFinding> {
    match (&chain.at, head) {
        (None, None | Some((0, ..))) => None,
        // The last one is always kept.
        (None, Some((end, _, forgotten))) => {
            Some(AuditFinding::Missing { from: forgotten + 1, to: end })
        }
        (Some((seq, _)), None) => Some(AuditFinding::BeyondTheEnd { end: seq - 1 }),
        (Some((seq, _)), Some((end, ..))) if *seq < end => {
            Some(AuditFinding::Missing { from: seq + 1, to: end })
        }
        (Some((seq, hash)), Some((_, expected, _))) => {
            (*hash != expected).then_some(AuditFinding::Changed { seq: *seq })
        }
    }
}

async fn beyond(pool: &PgPool, owner: &str) -> Result<Option<AuditFinding>, sqlx::Error> {
    // In one statement: nothing is appended in between.
    let end: Option<i64> = sqlx::query_scalar(
        "SELECT h.seq FROM audit_heads h WHERE h.tenant_id = $1
            AND EXISTS (SELECT FROM audit_entries e WHERE e.tenant_id = $1 AND e.seq > h.seq)",
    )
    .bind(owner)
    .fetch_optional(pool)
    .await?;
    Ok(end.map(|end| AuditFinding::BeyondTheEnd { end }))
}

struct Chain<'a> {
    owner: &'a str,
    forgotten: i64,
    at: Option<At>,
    verified: AuditVerified,
}

impl Chain<'_> {
    fn follow(&mut self, row: &PgRow) -> Result<Result<(), AuditFinding>, sqlx::Error> {
        let (seq, entry): (i64, &str) = (row.try_get("seq")?, row.try_get("entry")?);
        let (previous, found): (&[u8], &[u8]) = (row.try_get("previous")?, row.try_get("hash")?);
        let last = self.at.as_ref().map_or(self.forgotten, |at| at.0);
        if seq != last + 1 {
            return Ok(Err(AuditFinding::Missing { from: last + 1, to: seq - 1 }));
        }
        match &self.at {
            Some((_, hash)) if hash != previous => {
                return Ok(Err(AuditFinding::DoesNotFollow { seq }));
            }
            None if seq == 1 && previous != BEGINNING => {
                return Ok(Err(AuditFinding::DoesNotFollow { seq }));
            }
            _ => {}
        }
        if hash(self.owner, seq, previous, entry) != found {
            return Ok(Err(AuditFinding::Changed { seq }));
        }
        if !says(row, entry)? {
            return Ok(Err(AuditFinding::Columns { seq }));
        }
        self.verified.first.get_or_insert(seq);
        self.verified.entries += 1;
        self.at = Some((seq, found.to_vec()));
        Ok(Ok(()))
    }
}

/// Whether the columns are what the entry says; what a later version has written is only what its text says.
fn says(row: &PgRow, entry: &str) -> Result<bool, sqlx::Error> {
    let Ok(entry) = serde_json::from_str::<AuditEntry>(entry) else { return Ok(false) };
    let kind: &str = row.try_get("kind")?;
    Ok(row.try_get::<DateTime<Utc>, _>("at")? == entry.at
        && row.try_get::<&str, _>("actor")? == entry.actor
        && row.try_get::<Vec<Uuid>, _>("subjects")? == entry.subjects
        && (kind == entry.kind.as_str() || entry.kind == super::AuditKind::Other))
}

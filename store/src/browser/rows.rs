//! Making, listing and ending sessions of browsers.

use std::sync::atomic::AtomicI64;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_domain::rights::{Limits, Principal, Scope, Scopes};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgPool, Row as _};
use tokio::time::Instant;
use uuid::Uuid;

use super::{BrowserSession, IDLE, LONGEST, MAX_OF_ONE, MadeSession};
use crate::keys::{Bare, SecretHash, notice_of, tell};

/// How many of a tenant's sessions that have ended are forgotten when one is made.
const FORGOTTEN: i64 = 100;

/// A session could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The machine gave no random bytes.
    #[error("no random bytes to be had: {0}")]
    Random(#[from] rand::rand_core::OsError),
}

/// What a session is made by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Maker {
    Key { id: Uuid, hash: SecretHash },
    Token { issuer: Uuid, subject: Uuid, scopes: Scopes, limits: Limits, ends_at: DateTime<Utc> },
}

impl Maker {
    pub(super) const fn id(&self) -> Uuid {
        match self {
            Self::Key { id, .. } => *id,
            Self::Token { subject, .. } => *subject,
        }
    }
}

/// Makes a session; those of the same maker that are beyond the most there can be end: by what they were known.
pub(super) async fn make(
    pool: &PgPool,
    principal: &Principal,
    maker: &Maker,
    now: DateTime<Utc>,
) -> Result<(MadeSession, Vec<SecretHash>), MakeError> {
    let tenant = principal.tenant.as_str();
    let (text, hash) = Bare::Session.new_text()?;
    let longest = now + LONGEST;
    let (key_hash, issuer, scopes, limits, ends_at) = match maker {
        Maker::Key { hash, .. } => (Some(hash.as_slice()), None, None, None, longest),
        Maker::Token { issuer, scopes, limits, ends_at, .. } => {
            let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
            (None, Some(*issuer), Some(names), Some(Json(limits)), longest.min(*ends_at))
        }
    };
    let id = Uuid::now_v7();
    let mut tx = pool.begin().await?;
    // By browser_sessions_by_end.
    sqlx::query(
        "DELETE FROM browser_sessions WHERE tenant_id = $1 AND session_id IN
             (SELECT session_id FROM browser_sessions WHERE tenant_id = $1 AND ends_at <= $2
               ORDER BY ends_at LIMIT $3 FOR UPDATE SKIP LOCKED)",
    )
    .bind(tenant)
    .bind(now)
    .bind(FORGOTTEN)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT INTO browser_sessions
             (tenant_id, session_id, session_hash, maker_id, key_hash, issuer_id, scopes,
              limits, created_at, used_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)",
    )
    .bind(tenant)
    .bind(id)
    .bind(hash.as_slice())
    .bind(maker.id())
    .bind(key_hash)
    .bind(issuer)
    .bind(scopes)
    .bind(limits)
    .bind(now)
    .bind(ends_at)
    .execute(&mut *tx)
    .await?;
    // By browser_sessions_of_makers.
    let beyond: Vec<SecretHash> = sqlx::query_scalar(
        "DELETE FROM browser_sessions WHERE tenant_id = $1 AND session_id IN
             (SELECT session_id FROM browser_sessions
               WHERE tenant_id = $1 AND maker_id = $2 AND session_id <> $3
               ORDER BY used_at DESC, session_id DESC OFFSET $4 FOR UPDATE SKIP LOCKED)
         RETURNING session_hash",
    )
    .bind(tenant)
    .bind(maker.id())
    .bind(id)
    .bind(MAX_OF_ONE - 1)
    .fetch_all(&mut *tx)
    .await?;
    for hash in &beyond {
        tell(&mut tx, &notice_of(hash)).await?;
    }
    tx.commit().await?;
    let listed = BrowserSession { id, created_at: now, used_at: now, ends_at };
    Ok((MadeSession { text, listed }, beyond))
}

/// The sessions of one maker that have not ended, the one that was used last first.
pub(super) async fn list(
    pool: &PgPool,
    tenant: &TenantId,
    maker: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<BrowserSession>, sqlx::Error> {
    // By browser_sessions_of_makers.
    let rows = sqlx::query(
        "SELECT session_id, created_at, used_at, ends_at FROM browser_sessions
          WHERE tenant_id = $1 AND maker_id = $2 AND ends_at > $3 AND used_at > $4
          ORDER BY used_at DESC, session_id DESC LIMIT $5",
    )
    .bind(tenant.as_str())
    .bind(maker)
    .bind(now)
    .bind(now - IDLE)
    .bind(MAX_OF_ONE)
    .fetch_all(pool)
    .await?;
    rows.iter().map(listed).collect()
}

/// Ends one of a maker's sessions, everywhere; with the hash by which it was known. `None`: there is no such session.
pub(super) async fn end(
    pool: &PgPool,
    tenant: &TenantId,
    maker: Uuid,
    id: Uuid,
) -> Result<Option<(BrowserSession, SecretHash)>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query(
        "DELETE FROM browser_sessions WHERE tenant_id = $1 AND session_id = $2 AND maker_id = $3
         RETURNING session_id, session_hash, created_at, used_at, ends_at",
    )
    .bind(tenant.as_str())
    .bind(id)
    .bind(maker)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let hash: SecretHash = row.try_get("session_hash")?;
    tell(&mut tx, &notice_of(&hash)).await?;
    tx.commit().await?;
    Ok(Some((listed(&row)?, hash)))
}

fn listed(row: &PgRow) -> Result<BrowserSession, sqlx::Error> {
    Ok(BrowserSession {
        id: row.try_get("session_id")?,
        created_at: row.try_get("created_at")?,
        used_at: row.try_get("used_at")?,
        ends_at: row.try_get("ends_at")?,
    })
}

/// A session that was looked up.
#[derive(Debug)]
pub(crate) struct KnownSession {
    pub(super) tenant: TenantId,
    pub(super) listed: BrowserSession,
    pub(super) maker: Maker,
    /// By what the issuer of its token is looked up.
    pub(super) trusted: Option<(String, String)>,
    pub(crate) looked_up_at: Instant,
    /// When it was noted last that it is used, in seconds since 1970.
    pub(super) noted_at: AtomicI64,
}

/// By `browser_sessions_of_cookies`. One whose issuer was removed is none.
pub(super) async fn look_up(
    pool: &PgPool,
    hash: &SecretHash,
) -> Result<Option<KnownSession>, sqlx::Error> {
    let looked_up_at = Instant::now();
    let row = sqlx::query(
        "SELECT s.tenant_id, session_id, maker_id, key_hash, s.issuer_id, s.scopes, s.limits, s.created_at,
                used_at, ends_at, i.issuer, i.audience
           FROM browser_sessions s
           LEFT JOIN issuers i ON i.tenant_id = s.tenant_id AND i.issuer_id = s.issuer_id
          WHERE session_hash = $1 AND (s.issuer_id IS NULL OR i.issuer_id IS NOT NULL)",
    )
    .bind(hash.as_slice())
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let tenant: Result<TenantId, _> = row.try_get::<&str, _>("tenant_id")?.parse();
    let listed = listed(&row)?;
    let id = row.try_get("maker_id")?;
    let names = row.try_get::<Option<Vec<String>>, _>("scopes")?.unwrap_or_default();
    // A limit that this version does not know makes it good for nothing.
    let limits = row.try_get::<Option<Json<serde_json::Value>>, _>("limits")?;
    let limits = limits.and_then(|Json(limits)| serde_json::from_value(limits).ok());
    let maker = match row.try_get::<Option<SecretHash>, _>("key_hash")? {
        Some(hash) => Maker::Key { id, hash },
        None => Maker::Token {
            issuer: row.try_get("issuer_id")?,
            subject: id,
            scopes: match limits {
                Some(_) => names.iter().filter_map(|name| name.parse().ok()).collect(),
                None => Scopes::default(),
            },
            limits: limits.unwrap_or_default(),
            ends_at: listed.ends_at,
        },
    };
    let (issuer, audience): (Option<String>, Option<String>) =
        (row.try_get("issuer")?, row.try_get("audience")?);
    Ok(Some(KnownSession {
        tenant: tenant.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        noted_at: AtomicI64::new(listed.used_at.timestamp()),
        listed,
        maker,
        trusted: issuer.zip(audience),
        looked_up_at,
    }))
}

/// It is used at this moment.
pub(super) async fn note(
    pool: &PgPool,
    tenant: &TenantId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE browser_sessions SET used_at = $3
          WHERE tenant_id = $1 AND session_id = $2 AND used_at < $3",
    )
    .bind(tenant.as_str())
    .bind(id)
    .bind(now)
    .execute(pool)
    .await?;
    Ok(())
}

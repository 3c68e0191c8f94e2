//! A tenant's feeds: making, listing, rotating and revoking them, and looking up an address.
//!
//! What changes who can follow a calendar has its entry in the audit log, in the same transaction.

use std::collections::BTreeSet;
use std::error::Error;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::rights::Limits;
use daybook_domain::{Name, Tag, Tags, TenantId};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool, Row as _};
use uuid::Uuid;

use super::{CalendarFeed, FeedTerms, MAX_CALENDAR_FEEDS};
use crate::Log;
use crate::audit::{self, AuditKind};
use crate::feed::Privacy;
use crate::keys::{Bare, SecretHash};
use crate::tenants;

/// What [`feed`] reads of a row.
const COLUMNS: &str = "feed_id, name, limits, tags, detail, tells_personal, made_by, created_at, rotated_at, last_used_at";

/// How often it is written that a feed is used.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Something could not be done to a feed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error("there is no such tenant")]
    NoTenant,
    #[error("a tenant has at most {MAX_CALENDAR_FEEDS} calendar feeds: revoke one")]
    TooMany,
    #[error("there is no such calendar feed")]
    NoFeed,
    /// The machine gave no random bytes.
    #[error("no random bytes to be had: {0}")]
    Random(#[from] rand::rand_core::OsError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What an address is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    Feed(TenantId, Box<CalendarFeed>),
    /// Its tenant is suspended.
    Suspended,
    /// It is of none, or of none any more.
    Unknown,
}

/// The feeds of tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CalendarFeeds {
    pool: PgPool,
}

impl CalendarFeeds {
    /// Those in the database of a log.
    #[must_use]
    pub fn new(log: &Log) -> Self {
        Self { pool: log.pool().clone() }
    }

    /// A tenant's feeds, oldest first. By the primary key, whose ids are in the order of time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, tenant: &TenantId) -> Result<Vec<CalendarFeed>, sqlx::Error> {
        let rows = sqlx::query(&format!(
            "SELECT {COLUMNS}
               FROM calendar_feeds WHERE tenant_id = $1 ORDER BY feed_id LIMIT $2"
        ))
        .bind(tenant.as_str())
        .bind(MAX_CALENDAR_FEEDS)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(feed).collect()
    }

    /// One of a tenant's feeds.
    ///
    /// # Errors
    /// When there is no such feed, or the database fails.
    pub async fn find(&self, tenant: &TenantId, id: Uuid) -> Result<CalendarFeed, FeedError> {
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS}
               FROM calendar_feeds WHERE tenant_id = $1 AND feed_id = $2"
        ))
        .bind(tenant.as_str())
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        Ok(feed(&row.ok_or(FeedError::NoFeed)?)?)
    }

    /// Makes a feed, and gives the secret of its address.
    ///
    /// # Errors
    /// When there is no such tenant, it has too many feeds, or the database or the machine's randomness fails.
    pub async fn make(
        &self,
        tenant: &TenantId,
        terms: FeedTerms,
        made_by: String,
        now: DateTime<Utc>,
    ) -> Result<(CalendarFeed, String), FeedError> {
        let (secret, hash) = Bare::CalendarFeed.new_text()?;
        let mut tx = self.pool.begin().await?;
        let count = tenants::count_alone(&mut tx, tenant, "calendar_feeds")
            .await?
            .ok_or(FeedError::NoTenant)?;
        if count >= MAX_CALENDAR_FEEDS {
            return Err(FeedError::TooMany);
        }
        let id = Uuid::now_v7();
        let made = CalendarFeed {
            id,
            terms,
            made_by,
            created_at: now,
            rotated_at: None,
            last_used_at: None,
        };
        let tags: Vec<&str> = made.terms.tags.iter().map(Tag::as_str).collect();
        sqlx::query(
            "INSERT INTO calendar_feeds (tenant_id, feed_id, secret_hash, name, limits, tags, detail,
                                         tells_personal, made_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(tenant.as_str())
        .bind(id)
        .bind(hash.as_slice())
        .bind(made.terms.name.as_str())
        .bind(Json(&made.terms.limits))
        .bind(tags)
        .bind(made.terms.detail.as_str())
        .bind(made.terms.tells_personal())
        .bind(&made.made_by)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        note(&mut tx, tenant, id, (AuditKind::KeyMade, now)).await?;
        tx.commit().await?;
        Ok((made, secret))
    }

    /// Gives a feed another address; the one before is none from now on.
    ///
    /// # Errors
    /// When there is no such feed, or the database or the machine's randomness fails.
    pub async fn rotate(
        &self,
        tenant: &TenantId,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(CalendarFeed, String), FeedError> {
        let (secret, hash) = Bare::CalendarFeed.new_text()?;
        let mut tx = self.pool.begin().await?;
        let row = sqlx::query(&format!(
            "UPDATE calendar_feeds SET secret_hash = $3, rotated_at = $4
              WHERE tenant_id = $1 AND feed_id = $2
              RETURNING {COLUMNS}"
        ))
        .bind(tenant.as_str())
        .bind(id)
        .bind(hash.as_slice())
        .bind(now)
        .fetch_optional(&mut *tx)
        .await?;
        let rotated = feed(&row.ok_or(FeedError::NoFeed)?)?;
        note(&mut tx, tenant, id, (AuditKind::KeyRotated, now)).await?;
        tx.commit().await?;
        Ok((rotated, secret))
    }

    /// Revokes a feed: its address is none from now on, on every program, for none remembers it.
    ///
    /// # Errors
    /// When there is no such feed, or the database fails.
    pub async fn revoke(
        &self,
        tenant: &TenantId,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<CalendarFeed, FeedError> {
        let mut tx = self.pool.begin().await?;
        let row = sqlx::query(&format!(
            "DELETE FROM calendar_feeds WHERE tenant_id = $1 AND feed_id = $2
             RETURNING {COLUMNS}"
        ))
        .bind(tenant.as_str())
        .bind(id)
        .fetch_optional(&mut *tx)
        .await?;
        let revoked = feed(&row.ok_or(FeedError::NoFeed)?)?;
        note(&mut tx, tenant, id, (AuditKind::KeyRevoked, now)).await?;
        tx.commit().await?;
        Ok(revoked)
    }

    /// Which feed a secret is of, and that it is used. A text that is no secret costs no query.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow(&self, secret: &str, now: DateTime<Utc>) -> Result<Followed, sqlx::Error> {
        let Some(hash) = Bare::CalendarFeed.read(secret) else { return Ok(Followed::Unknown) };
        let Some((tenant, found, is_suspended)) = look_up(&self.pool, &hash).await? else {
            return Ok(Followed::Unknown);
        };
        if is_suspended {
            return Ok(Followed::Suspended);
        }
        let is_noted = found.last_used_at.is_some_and(|last| now - last < NOTED_EVERY);
        if !is_noted && let Err(error) = self.used(&tenant, found.id, now).await {
            tracing::debug!(%error, "not written when a calendar feed was used; it is next time");
        }
        Ok(Followed::Feed(tenant, Box::new(found)))
    }

    async fn used(
        &self,
        tenant: &TenantId,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE calendar_feeds SET last_used_at = $3
              WHERE tenant_id = $1 AND feed_id = $2 AND (last_used_at IS NULL OR last_used_at <= $4)",
        )
        .bind(tenant.as_str())
        .bind(id)
        .bind(now)
        .bind(now - NOTED_EVERY)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// By `calendar_feeds_of_addresses`.
async fn look_up(
    pool: &PgPool,
    hash: &SecretHash,
) -> Result<Option<(TenantId, CalendarFeed, bool)>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT f.tenant_id, feed_id, f.name, limits, tags, detail, tells_personal, made_by, f.created_at,
                rotated_at, last_used_at, t.suspended_at IS NOT NULL AS is_suspended
           FROM calendar_feeds f JOIN tenants t ON t.tenant_id = f.tenant_id
          WHERE secret_hash = $1",
    )
    .bind(hash.as_slice())
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let tenant: TenantId = row.try_get::<&str, _>("tenant_id")?.parse().map_err(not_understood)?;
    Ok(Some((tenant, feed(&row)?, row.try_get("is_suspended")?)))
}

/// It is on record who can follow a calendar, and who can no longer.
async fn note(
    tx: &mut PgConnection,
    tenant: &TenantId,
    id: Uuid,
    (kind, now): (AuditKind, DateTime<Utc>),
) -> Result<(), sqlx::Error> {
    let entry = audit::entry(now, kind).to(format!("calendar feed {id}"));
    audit::append(tx, &[(Some(tenant.clone()), entry)]).await
}

fn not_understood(error: impl Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// A limit that this version does not know makes it an error: it would tell too much.
fn feed(row: &PgRow) -> Result<CalendarFeed, sqlx::Error> {
    let tags: Vec<String> = row.try_get("tags")?;
    let tags = tags.iter().map(|tag| Tag::new(tag).map_err(not_understood));
    let tags: BTreeSet<Tag> = tags.collect::<Result<_, _>>()?;
    let Json(limits): Json<Limits> = row.try_get("limits")?;
    let is_told: bool = row.try_get("tells_personal")?;
    Ok(CalendarFeed {
        id: row.try_get("feed_id")?,
        terms: FeedTerms {
            name: Name::new(row.try_get::<&str, _>("name")?).map_err(not_understood)?,
            limits,
            tags: Tags::try_from(tags).map_err(not_understood)?,
            detail: row.try_get::<&str, _>("detail")?.parse().map_err(not_understood)?,
            personal: if is_told { Privacy::Told } else { Privacy::Withheld },
        },
        made_by: row.try_get("made_by")?,
        created_at: row.try_get("created_at")?,
        rotated_at: row.try_get("rotated_at")?,
        last_used_at: row.try_get("last_used_at")?,
    })
}

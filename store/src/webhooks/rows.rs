//! A tenant's endpoints: adding, listing, changing and removing them, and what whoever tells them must know.
//!
//! What somebody may be told is changed with an entry of the audit log, in the same transaction.

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::{Category, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row as _};
use uuid::Uuid;

use super::{
    MAX_WEBHOOKS, Secret, SecretError, Secrets, Webhook, WebhookPatch, WebhookTerms, WebhookUrl,
};
use crate::audit::{self, AuditEntry, AuditKind};
use crate::feed::Privacy;
use crate::followers::{self, Follower, FollowerKind, FollowerStatus};
use crate::personal::{About, Keyring, KeyringError};
use crate::{Log, Position, tenants};

/// What secrets are sealed for.
const KIND: &str = "webhook";
const MEMBER: &str = "secret";

/// An endpoint that is to be told something.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    pub terms: WebhookTerms,
    pub is_active: bool,
    /// After which position it begins.
    pub after: Position,
}

/// Something could not be done to an endpoint.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("there is no such tenant")]
    NoTenant,
    #[error("a tenant has at most {MAX_WEBHOOKS} webhooks: remove one")]
    TooMany,
    #[error("there is no such webhook")]
    NoWebhook,
    /// It has another version than the one that was seen.
    #[error("it is at version {present}")]
    Stale { present: u64 },
    /// Secrets are sealed, and there is nothing to seal them with.
    #[error(
        "secrets of webhooks are sealed, and this program has no master key: name one with --master-key"
    )]
    NoMasterKey,
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The endpoints of tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Webhooks {
    pool: PgPool,
    keyring: Option<Keyring>,
}

/// The follower that an endpoint is.
#[must_use]
pub fn by_follower(tenant: &TenantId, id: Uuid) -> Follower {
    Follower { tenant: tenant.clone(), kind: FollowerKind::Webhook, id }
}

impl Webhooks {
    /// Those in the database of a log, whose secrets these keys seal.
    #[must_use]
    pub fn new(log: &Log, keyring: Option<Keyring>) -> Self {
        Self { pool: log.pool().clone(), keyring }
    }

    /// A tenant's endpoints, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, tenant: &TenantId) -> Result<Vec<Webhook>, WebhookError> {
        let mut status = followers::status(&self.pool, tenant, FollowerKind::Webhook).await?;
        let rows = sqlx::query(
            "SELECT webhook_id, url, event_types, categories, tells_personal, previous_until, version,
                    created_at
               FROM webhooks WHERE tenant_id = $1 ORDER BY created_at, webhook_id LIMIT $2",
        )
        .bind(tenant.as_str())
        .bind(MAX_WEBHOOKS)
        .fetch_all(&self.pool)
        .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            // One that was removed at this moment is in one of both.
            let Some(status) = status.remove(&row.try_get("webhook_id")?) else { continue };
            all.push(webhook(row, status)?);
        }
        Ok(all)
    }

    /// One of a tenant's endpoints.
    ///
    /// # Errors
    /// When there is no such endpoint, or the database fails.
    pub async fn find(&self, tenant: &TenantId, id: Uuid) -> Result<Webhook, WebhookError> {
        let mut connection = self.pool.acquire().await?;
        find(&mut connection, tenant, id, "").await
    }

    /// Adds an endpoint, and gives its secret.
    ///
    /// # Errors
    /// When there is no such tenant, it has too many endpoints, its secret cannot be sealed, or the database fails.
    pub async fn add(
        &self,
        tenant: &TenantId,
        new: NewWebhook,
        now: DateTime<Utc>,
    ) -> Result<(Webhook, Secret), WebhookError> {
        let (id, secret) = (Uuid::now_v7(), Secret::generate()?);
        let sealed = self.seal(tenant, id, &secret).await?;
        let NewWebhook { terms, is_active, after } = new;
        let mut tx = self.pool.begin().await?;
        let count = tenants::count_alone(&mut tx, tenant, "webhooks")
            .await?
            .ok_or(WebhookError::NoTenant)?;
        if count >= MAX_WEBHOOKS {
            return Err(WebhookError::TooMany);
        }
        sqlx::query(
            "INSERT INTO webhooks (tenant_id, webhook_id, url, event_types, categories, tells_personal,
                                   secret, version, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)",
        )
        .bind(tenant.as_str())
        .bind(id)
        .bind(terms.url.as_str())
        .bind(&terms.event_types)
        .bind(texts(&terms))
        .bind(terms.tells_personal())
        .bind(sealed)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let follower = by_follower(tenant, id);
        followers::add(&mut *tx, &follower, after).await?;
        if !is_active {
            followers::pause(&mut *tx, &follower).await?;
        }
        changed(&mut tx, tenant, id, terms.tells_personal(), now).await?;
        let added = find(&mut tx, tenant, id, "").await?;
        tx.commit().await?;
        Ok((added, secret))
    }

    /// Changes what a patch names. One that was given up and is to be active again is told what comes next, from where it is.
    ///
    /// # Errors
    /// When there is no such endpoint, it is not at the version that was seen, or the database fails.
    pub async fn change(
        &self,
        tenant: &TenantId,
        id: Uuid,
        seen: Option<u64>,
        patch: &WebhookPatch,
        now: DateTime<Utc>,
    ) -> Result<Webhook, WebhookError> {
        let mut tx = self.pool.begin().await?;
        let before = find(&mut tx, tenant, id, "FOR NO KEY UPDATE OF w").await?;
        if seen.is_some_and(|seen| seen != before.version) {
            return Err(WebhookError::Stale { present: before.version });
        }
        let terms = patch.terms(&before.terms);
        sqlx::query(
            "UPDATE webhooks SET url = $3, event_types = $4, categories = $5, tells_personal = $6,
                    version = version + 1
              WHERE tenant_id = $1 AND webhook_id = $2",
        )
        .bind(tenant.as_str())
        .bind(id)
        .bind(terms.url.as_str())
        .bind(&terms.event_types)
        .bind(texts(&terms))
        .bind(terms.tells_personal())
        .execute(&mut *tx)
        .await?;
        match patch.active.0 {
            Some(true) => followers::resume(&mut *tx, &by_follower(tenant, id)).await?,
            Some(false) => followers::pause(&mut *tx, &by_follower(tenant, id)).await?,
            None => {}
        }
        changed(&mut tx, tenant, id, terms.tells_personal(), now).await?;
        let changed = find(&mut tx, tenant, id, "").await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Removes an endpoint: it is told nothing more. What was sent to it is known for as long as of others.
    ///
    /// # Errors
    /// When there is no such endpoint, or the database fails.
    pub async fn remove(
        &self,
        tenant: &TenantId,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Webhook, WebhookError> {
        let mut tx = self.pool.begin().await?;
        let removed = find(&mut tx, tenant, id, "FOR UPDATE OF w").await?;
        followers::remove(&mut *tx, &by_follower(tenant, id)).await?;
        sqlx::query("DELETE FROM webhooks WHERE tenant_id = $1 AND webhook_id = $2")
            .bind(tenant.as_str())
            .bind(id)
            .execute(&mut *tx)
            .await?;
        changed(&mut tx, tenant, id, false, now).await?;
        tx.commit().await?;
        Ok(removed)
    }

    /// Tells an endpoint what comes after a position, once more.
    ///
    /// # Errors
    /// When there is no such endpoint, or the database fails.
    pub async fn replay(
        &self,
        tenant: &TenantId,
        id: Uuid,
        after: Position,
    ) -> Result<Webhook, WebhookError> {
        let mut tx = self.pool.begin().await?;
        find(&mut tx, tenant, id, "FOR NO KEY UPDATE OF w").await?;
        followers::set_position(&mut *tx, &by_follower(tenant, id), after).await?;
        let replayed = find(&mut tx, tenant, id, "").await?;
        tx.commit().await?;
        Ok(replayed)
    }

    /// Gives an endpoint another secret; messages are signed with the one before, too, for a while.
    ///
    /// # Errors
    /// When there is no such endpoint, its secret cannot be sealed, or the database fails.
    pub async fn rotate_secret(
        &self,
        tenant: &TenantId,
        id: Uuid,
        overlap: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<(Webhook, Secret), WebhookError> {
        let secret = Secret::generate()?;
        let sealed = self.seal(tenant, id, &secret).await?;
        let mut tx = self.pool.begin().await?;
        let rotated = sqlx::query(
            "UPDATE webhooks SET previous_secret = secret, previous_until = $4, secret = $3,
                    version = version + 1
              WHERE tenant_id = $1 AND webhook_id = $2",
        )
        .bind(tenant.as_str())
        .bind(id)
        .bind(sealed)
        .bind(now + overlap)
        .execute(&mut *tx)
        .await?;
        if rotated.rows_affected() == 0 {
            return Err(WebhookError::NoWebhook);
        }
        changed(&mut tx, tenant, id, false, now).await?;
        let rotated = find(&mut tx, tenant, id, "").await?;
        tx.commit().await?;
        Ok((rotated, secret))
    }

    /// What whoever tells an endpoint must know; `None`: it was removed.
    ///
    /// # Errors
    /// When its secret does not open, or the database fails.
    pub async fn endpoint(
        &self,
        follower: &Follower,
        now: DateTime<Utc>,
    ) -> Result<Option<(WebhookTerms, Secrets)>, WebhookError> {
        let Follower { tenant, id, .. } = follower;
        let row = sqlx::query(
            "SELECT url, event_types, categories, tells_personal, secret, previous_secret, previous_until
               FROM webhooks WHERE tenant_id = $1 AND webhook_id = $2",
        )
        .bind(tenant.as_str())
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let present = self.open(tenant, *id, row.try_get("secret")?).await?;
        let until: Option<DateTime<Utc>> = row.try_get("previous_until")?;
        let previous: Option<&str> = row.try_get("previous_secret")?;
        let previous = match previous.filter(|_| until.is_some_and(|until| now < until)) {
            Some(sealed) => Some(self.open(tenant, *id, sealed).await?),
            None => None,
        };
        Ok(Some((terms(&row)?, Secrets { present, previous })))
    }

    async fn seal(
        &self,
        tenant: &TenantId,
        id: Uuid,
        secret: &Secret,
    ) -> Result<String, WebhookError> {
        let keyring = self.keyring.as_ref().ok_or(WebhookError::NoMasterKey)?;
        let about = About { tenant, kind: KIND, id };
        Ok(keyring.seal_secret(&about, MEMBER, secret.bytes()).await?)
    }

    async fn open(
        &self,
        tenant: &TenantId,
        id: Uuid,
        sealed: &str,
    ) -> Result<Secret, WebhookError> {
        let keyring = self.keyring.as_ref().ok_or(WebhookError::NoMasterKey)?;
        let about = About { tenant, kind: KIND, id };
        Ok(Secret::of(keyring.open_secret(&about, MEMBER, sealed).await?))
    }
}

fn texts(terms: &WebhookTerms) -> Vec<&str> {
    terms.categories.iter().map(Category::as_str).collect()
}

/// It is on record who changed what somebody is told, and that all that is personal is told, where it is.
async fn changed(
    tx: &mut PgConnection,
    tenant: &TenantId,
    id: Uuid,
    tells_personal: bool,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let object = format!("webhook {id}");
    let mut entries = vec![audit::entry(now, AuditKind::RightsChanged).to(&object)];
    if tells_personal {
        let told = audit::entry(now, AuditKind::PersonalDataExported).to(&object);
        entries.push(AuditEntry { all_subjects: true, ..told });
    }
    let entries: Vec<_> = entries.into_iter().map(|entry| (Some(tenant.clone()), entry)).collect();
    audit::append(tx, &entries).await
}

async fn find(
    connection: &mut PgConnection,
    tenant: &TenantId,
    id: Uuid,
    lock: &str,
) -> Result<Webhook, WebhookError> {
    let sql = format!(
        "SELECT webhook_id, url, event_types, categories, tells_personal, previous_until, version, created_at
           FROM webhooks w WHERE tenant_id = $1 AND webhook_id = $2 {lock}"
    );
    let row =
        sqlx::query(&sql).bind(tenant.as_str()).bind(id).fetch_optional(&mut *connection).await?;
    let row = row.ok_or(WebhookError::NoWebhook)?;
    let mut status = followers::status(connection, tenant, FollowerKind::Webhook).await?;
    let status = status.remove(&id).ok_or(WebhookError::NoWebhook)?;
    Ok(webhook(&row, status)?)
}

fn webhook(row: &PgRow, status: FollowerStatus) -> Result<Webhook, sqlx::Error> {
    Ok(Webhook {
        id: row.try_get("webhook_id")?,
        terms: terms(row)?,
        version: row.try_get::<i64, _>("version")?.unsigned_abs(),
        created_at: row.try_get("created_at")?,
        previous_until: row.try_get("previous_until")?,
        status,
    })
}

fn terms(row: &PgRow) -> Result<WebhookTerms, sqlx::Error> {
    fn not_understood(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
        sqlx::Error::Decode(Box::new(error))
    }
    let categories: Vec<String> = row.try_get("categories")?;
    let is_told: bool = row.try_get("tells_personal")?;
    let categories = categories.iter().map(|text| Category::new(text).map_err(not_understood));
    Ok(WebhookTerms {
        url: WebhookUrl::new(row.try_get::<String, _>("url")?).map_err(not_understood)?,
        event_types: row.try_get("event_types")?,
        categories: categories.collect::<Result<_, _>>()?,
        personal: if is_told { Privacy::Told } else { Privacy::Withheld },
    })
}

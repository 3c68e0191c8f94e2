//! Making, listing, revoking and rotating keys.
//!
//! A key that ends is told to all programs by NOTIFY, in the transaction in which it ends: that is rare, and must not be lost.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::Name;
use daybook_domain::rights::{Limits, LinkActions, Scope, ScopeSet, Scopes};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool, Row as _};
use uuid::Uuid;

use super::links::MAX_LINKS;
use super::text::{self, Kind, SecretHash};
use super::{CHANNEL, CreatedKey, ListedKey, NewKey, Owner, remembered};
use crate::audit::{self, AuditEntry, AuditKind};

/// The most keys of one owner, those that have ended and are still listed among them.
pub const MAX_KEYS: i64 = 1_000;

/// A key could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    #[error("there is no such tenant")]
    NoTenant,
    #[error("there are {MAX_KEYS} keys that have not ended, and no more are kept: revoke some")]
    TooMany,
    #[error("there are {MAX_LINKS} links of the appointment that have not ended: revoke some")]
    TooManyLinks,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The machine gave no random bytes.
    #[error("no random bytes to be had: {0}")]
    Random(#[from] rand::rand_core::OsError),
}

/// A key could not be rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateKeyError {
    #[error("there is no such key")]
    NoKey,
    /// Nothing is to be continued.
    #[error("the key has ended: make a new one")]
    Ended,
    /// It is good for more than whoever rotates it may give.
    #[error("the key is good for {needed}, and only {held} may be given")]
    Larger { needed: Scopes, held: Scopes },
    #[error(transparent)]
    Create(#[from] CreateKeyError),
}

impl From<sqlx::Error> for RotateKeyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Create(error.into())
    }
}

/// Makes a key.
///
/// # Errors
/// When there is no such tenant, it has too many keys, or the database or the machine's randomness fails.
pub async fn create(
    pool: &PgPool,
    owner: impl Into<Owner>,
    new: NewKey,
    now: DateTime<Utc>,
) -> Result<CreatedKey, CreateKeyError> {
    let owner = owner.into();
    let mut tx = pool.begin().await?;
    let created = insert(&mut tx, &owner, new, None, now).await?;
    let made = audit::entry(now, AuditKind::KeyMade).to(created.listed.id);
    let made = AuditEntry { fields: names_of(created.listed.scopes), ..made };
    audit::append(&mut tx, &[(owner.audited(), made)]).await?;
    tx.commit().await?;
    Ok(created)
}

/// What a key is good for, as its entry in the audit log has it.
pub(super) fn names_of(scopes: Scopes) -> BTreeSet<String> {
    scopes.iter().map(|scope| scope.as_str().to_owned()).collect()
}

async fn insert(
    tx: &mut PgConnection,
    owner: &Owner,
    new: NewKey,
    replaces: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<CreatedKey, CreateKeyError> {
    make_room(tx, owner, now).await?;
    let id = Uuid::now_v7();
    let kind = match owner {
        Owner::Operator => Kind::Operators,
        Owner::Tenant(_) => Kind::Tenants,
    };
    let (key, hash) = text::new_key(id, kind)?;
    let listed = ListedKey::of(id, new, replaces, now);
    let (names, limited) = columns(&listed);
    sqlx::query(
        "INSERT INTO api_keys
             (key_hash, tenant_id, key_id, scopes, name, created_at, expires_at, replaces, limited,
              lineage)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,
                 (SELECT coalesce(lineage, key_id) FROM api_keys
                   WHERE tenant_id = $2 AND key_id = $8))",
    )
    .bind(hash.as_slice())
    .bind(owner.column())
    .bind(id)
    .bind(names)
    .bind(listed.name.as_ref().map(Name::as_str))
    .bind(now)
    .bind(listed.expires_at)
    .bind(replaces)
    .bind(limited.map(Json))
    .execute(tx)
    .await?;
    Ok(CreatedKey { key, listed })
}

/// Sees to it that there is a tenant, and room for one more key: those that ended first are forgotten first.
async fn make_room(
    tx: &mut PgConnection,
    owner: &Owner,
    now: DateTime<Utc>,
) -> Result<(), CreateKeyError> {
    // Whoever else makes a key of the same owner waits until this one is there.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('daybook keys'), hashtext($1))")
        .bind(owner.column())
        .execute(&mut *tx)
        .await?;
    let (has_tenant, count): (bool, i64) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM tenants WHERE tenant_id = $1),
                (SELECT count(*) FROM api_keys WHERE tenant_id = $1 AND appointment_id IS NULL)",
    )
    .bind(owner.column())
    .fetch_one(&mut *tx)
    .await?;
    if !has_tenant && *owner != Owner::Operator {
        return Err(CreateKeyError::NoTenant);
    }
    let too_many = count + 1 - MAX_KEYS;
    if too_many <= 0 {
        return Ok(());
    }
    let forgotten = sqlx::query(
        "DELETE FROM api_keys WHERE tenant_id = $1 AND key_hash IN
             (SELECT key_hash FROM api_keys
               WHERE tenant_id = $1 AND appointment_id IS NULL
                 AND LEAST(revoked_at, expires_at) <= $2
               ORDER BY LEAST(revoked_at, expires_at) LIMIT $3)",
    )
    .bind(owner.column())
    .bind(now)
    .bind(too_many)
    .execute(tx)
    .await?;
    if i64::try_from(forgotten.rows_affected()).is_ok_and(|forgotten| forgotten >= too_many) {
        Ok(())
    } else {
        Err(CreateKeyError::TooMany)
    }
}

const LISTED: &str = "key_hash, key_id, scope, scopes, limited, name, created_at, expires_at, last_used_at, \
                      revoked_at, replaces";

/// Links are looked after with their appointments.
const ONE: &str = "key_id = $2 AND appointment_id IS NULL";

/// An owner's keys, oldest first; those that have ended among them.
///
/// # Errors
/// When the database fails.
pub async fn list(pool: &PgPool, owner: impl Into<Owner>) -> Result<Vec<ListedKey>, sqlx::Error> {
    // By api_keys_of_tenant.
    let sql = format!(
        "SELECT {LISTED} FROM api_keys WHERE tenant_id = $1 AND appointment_id IS NULL
         ORDER BY created_at, key_id LIMIT $2"
    );
    let rows = sqlx::query(&sql).bind(owner.into().column()).bind(MAX_KEYS).fetch_all(pool).await?;
    rows.iter().map(listed).collect()
}

/// One of an owner's keys; `None`: there is no such key.
///
/// # Errors
/// When the database fails.
pub async fn find(
    pool: &PgPool,
    owner: impl Into<Owner>,
    id: Uuid,
) -> Result<Option<ListedKey>, sqlx::Error> {
    let sql = format!("SELECT {LISTED} FROM api_keys WHERE tenant_id = $1 AND {ONE}");
    let row = sqlx::query(&sql).bind(owner.into().column()).bind(id).fetch_optional(pool).await?;
    row.as_ref().map(listed).transpose()
}

/// Ends a key of an owner at once, everywhere. One that has ended before stays as it is. `None`: there is no such key.
///
/// # Errors
/// When the database fails.
pub async fn revoke(
    pool: &PgPool,
    owner: impl Into<Owner>,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<ListedKey>, sqlx::Error> {
    let owner = owner.into();
    let mut tx = pool.begin().await?;
    let Some((hash, found)) = locked(&mut tx, &owner, id).await? else { return Ok(None) };
    if found.revoked_at.is_some() {
        return Ok(Some(found));
    }
    end(&mut tx, &hash, now).await?;
    tell(&mut tx, &remembered::notice_of(&hash)).await?;
    let revoked = audit::entry(now, AuditKind::KeyRevoked).to(id);
    audit::append(&mut tx, &[(owner.audited(), revoked)]).await?;
    tx.commit().await?;
    Ok(Some(ListedKey { revoked_at: Some(now), ..found }))
}

/// Its hash is another one from now on: no program finds it, also none that knows of no revocation but the row's end.
pub(super) async fn end(
    tx: &mut PgConnection,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let sql =
        "UPDATE api_keys SET revoked_at = $2, key_hash = sha256(key_hash) WHERE key_hash = $1";
    sqlx::query(sql).bind(hash).bind(now).execute(tx).await?;
    Ok(())
}

/// Makes a key that is good for the same, and ends the old one after `overlap`, or earlier where that is its end. The new one
/// ends at `expires_at`, or else is good for as long as the old one was to be. Nobody gives more than they `may_give`.
///
/// # Errors
/// When there is no such key, it has ended, is good for more than that, or a new one cannot be made.
pub async fn rotate(
    pool: &PgPool,
    owner: impl Into<Owner>,
    id: Uuid,
    (overlap, expires_at): (TimeDelta, Option<DateTime<Utc>>),
    may_give: Scopes,
    now: DateTime<Utc>,
) -> Result<CreatedKey, RotateKeyError> {
    let owner = owner.into();
    let mut tx = pool.begin().await?;
    let (hash, old) = locked(&mut tx, &owner, id).await?.ok_or(RotateKeyError::NoKey)?;
    let new = old.successor(expires_at, may_give, now)?;
    let created = insert(&mut tx, &owner, new, Some(id), now).await?;
    sqlx::query("UPDATE api_keys SET expires_at = LEAST(expires_at, $2) WHERE key_hash = $1")
        .bind(hash.as_slice())
        .bind(now + overlap)
        .execute(&mut *tx)
        .await?;
    tell(&mut tx, &remembered::notice_of(&hash)).await?;
    let rotated =
        audit::entry(now, AuditKind::KeyRotated).to(format!("{id} by {}", created.listed.id));
    audit::append(&mut tx, &[(owner.audited(), rotated)]).await?;
    tx.commit().await?;
    Ok(created)
}

async fn locked(
    tx: &mut PgConnection,
    owner: &Owner,
    id: Uuid,
) -> Result<Option<(SecretHash, ListedKey)>, sqlx::Error> {
    let sql = format!("SELECT {LISTED} FROM api_keys WHERE tenant_id = $1 AND {ONE} FOR UPDATE");
    let row = sqlx::query(&sql).bind(owner.column()).bind(id).fetch_optional(tx).await?;
    row.map(|row| Ok((row.try_get("key_hash")?, listed(&row)?))).transpose()
}

/// Tells all programs when the transaction commits.
pub(crate) async fn tell(tx: &mut PgConnection, notice: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(notice).execute(tx).await?;
    Ok(())
}

fn listed(row: &PgRow) -> Result<ListedKey, sqlx::Error> {
    let Limited { scopes, limits, .. } = good_for(row)?;
    Ok(ListedKey {
        id: row.try_get("key_id")?,
        // A name that this version would not give is none.
        name: row.try_get::<Option<&str>, _>("name")?.and_then(|name| Name::new(name).ok()),
        scopes,
        limits,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        last_used_at: row.try_get("last_used_at")?,
        revoked_at: row.try_get("revoked_at")?,
        replaces: row.try_get("replaces")?,
    })
}

/// What a key is good for, as its row has it where it is limited.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limited {
    pub(super) scopes: Scopes,
    pub(super) limits: Limits,
    /// Of a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) actions: Option<LinkActions>,
}

/// Its `scopes`, and `limited`: an older program, which knows of no limits, lets one that is limited do nothing.
fn columns(key: &ListedKey) -> (Vec<&'static str>, Option<Limited>) {
    if key.limits.are_none() {
        return (key.scopes.iter().map(Scope::as_str).collect(), None);
    }
    (Vec::new(), Some(Limited { scopes: key.scopes, limits: key.limits.clone(), actions: None }))
}

/// What a row's key is good for, and within what. A limit that this version does not know makes it good for nothing.
pub(super) fn good_for(row: &PgRow) -> Result<Limited, sqlx::Error> {
    if let Some(Json(limited)) = row.try_get::<Option<Json<Value>>, _>("limited")? {
        return Ok(serde_json::from_value(limited).unwrap_or_default());
    }
    Ok(Limited { scopes: scopes(row)?, ..Limited::default() })
}

/// What a row's key is good for that is not limited: its set, or what the one scope meant that keys had before. What a newer version has given,
/// and this one does not know, it does not allow either.
fn scopes(row: &PgRow) -> Result<Scopes, sqlx::Error> {
    if let Some(names) = row.try_get::<Option<Vec<String>>, _>("scopes")? {
        return Ok(names.iter().filter_map(|name| name.parse().ok()).collect());
    }
    let set = row.try_get::<Option<&str>, _>("scope")?.and_then(|set| set.parse().ok());
    Ok(set.map(ScopeSet::scopes).unwrap_or_default())
}

//! API keys: who may use a tenant's log, and for what.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use futures::future::BoxFuture;
use moka::future::Cache;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// What every key begins with, and how many random bytes it has.
const PREFIX: &str = "daybook_";
const BYTES: usize = 32;

/// SHA-256 of a key's text.
type KeyHash = [u8; 32];

/// What a key is good for. Each scope includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read appointments, services, resources and clients.
    Read,
    /// Make and change appointments, register clients.
    Book,
    /// Define services and resources.
    Manage,
    /// Operate the tenant.
    Admin,
}

impl Scope {
    /// Every scope, smallest first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Book, Self::Manage, Self::Admin];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Book => "book",
            Self::Manage => "manage",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no scope {0:?}: read, book, manage or admin")]
pub struct UnknownScope(String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let named = Self::ALL.into_iter().find(|scope| scope.as_str() == text);
        named.ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// Who a key speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// The key's own id: it appears in events as the actor.
    pub key_id: Uuid,
    /// Whose log it opens.
    pub tenant: TenantId,
    /// What it is good for.
    pub scope: Scope,
}

/// A key could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The machine gave no random bytes.
    #[error("no random bytes to be had: {0}")]
    Random(#[from] rand::rand_core::OsError),
}

/// Makes a key for a tenant that exists. The key is only ever shown here.
///
/// # Errors
/// When the database or the machine's randomness fails.
pub async fn create(
    pool: &PgPool,
    tenant: &TenantId,
    scope: Scope,
    now: DateTime<Utc>,
) -> Result<String, CreateKeyError> {
    let mut bytes = [0u8; BYTES];
    OsRng.try_fill_bytes(&mut bytes)?;
    let key = format!("{PREFIX}{}", hex(&bytes));
    sqlx::query(
        "INSERT INTO api_keys (key_hash, tenant_id, key_id, scope, created_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(hash(&key).as_slice())
    .bind(tenant.as_str())
    .bind(Uuid::now_v7())
    .bind(scope.as_str())
    .bind(now)
    .execute(pool)
    .await?;
    Ok(key)
}

/// A key as it is listed: not the key itself, which nobody keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    pub holder: KeyHolder,
    pub created_at: DateTime<Utc>,
}

/// A tenant's keys, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(pool: &PgPool, tenant: &TenantId) -> Result<Vec<ListedKey>, sqlx::Error> {
    // No index: it is a question of operators, and there is a row per key.
    let rows = sqlx::query(
        "SELECT tenant_id, key_id, scope, created_at FROM api_keys
          WHERE tenant_id = $1 ORDER BY created_at, key_id",
    )
    .bind(tenant.as_str())
    .fetch_all(pool)
    .await?;
    let listed = |row: &PgRow| {
        Ok(ListedKey { holder: holder_of(row)?, created_at: row.try_get("created_at")? })
    };
    rows.iter().map(listed).collect()
}

/// Revokes a key of a tenant: programs that run take it for at most [`KeyHolders::KEPT`] longer. `false`: there is no
/// such key.
///
/// # Errors
/// When the database fails.
pub async fn revoke(pool: &PgPool, tenant: &TenantId, key_id: Uuid) -> Result<bool, sqlx::Error> {
    let revoked = sqlx::query("DELETE FROM api_keys WHERE tenant_id = $1 AND key_id = $2")
        .bind(tenant.as_str())
        .bind(key_id)
        .execute(pool)
        .await?;
    Ok(revoked.rows_affected() > 0)
}

/// Whether a text can be a key at all: most that are wrong are not even that.
fn may_be_key(text: &str) -> bool {
    let digits = text.strip_prefix(PREFIX).unwrap_or_default().as_bytes();
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits.len() == 2 * BYTES && digits.iter().all(is_digit)
}

async fn look_up(pool: &PgPool, hash: &KeyHash) -> Result<Option<KeyHolder>, sqlx::Error> {
    let row = sqlx::query("SELECT tenant_id, key_id, scope FROM api_keys WHERE key_hash = $1")
        .bind(hash.as_slice())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(holder_of).transpose()
}

fn holder_of(row: &PgRow) -> Result<KeyHolder, sqlx::Error> {
    let decode = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
    Ok(KeyHolder {
        key_id: row.try_get("key_id")?,
        tenant: row.try_get::<&str, _>("tenant_id")?.parse().map_err(|e| decode(Box::new(e)))?,
        scope: row.try_get::<&str, _>("scope")?.parse().map_err(|e| decode(Box::new(e)))?,
    })
}

/// Who keys speak for, as it was a moment ago. Cheap to clone; clones are one cache.
///
/// A key that is wrong again costs no query, and of all others that are looked up at a time there are only a few: so
/// whoever tries keys is not in the way of those who have one. Right and wrong ones are remembered apart, so that
/// many wrong ones push no right one out.
#[derive(Debug, Clone)]
pub struct KeyHolders {
    pool: PgPool,
    right: Cache<KeyHash, KeyHolder>,
    wrong: Cache<KeyHash, ()>,
    looked_up: Arc<Semaphore>,
}

/// Nobody has looked it up for a while.
struct Unknown;

impl KeyHolders {
    /// How long an answer is gone by: a key that was revoked works on for as long.
    pub const KEPT: Duration = Duration::from_secs(10);

    /// How many right ones, and how many wrong ones.
    const CAPACITY: u64 = 50_000;

    /// How many are looked up at once.
    const LOOK_UPS: usize = 4;

    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            right: Cache::builder().max_capacity(Self::CAPACITY).time_to_live(Self::KEPT).build(),
            wrong: Cache::builder().max_capacity(Self::CAPACITY).time_to_live(Self::KEPT).build(),
            looked_up: Arc::new(Semaphore::new(Self::LOOK_UPS)),
        }
    }

    /// Who a key speaks for; `None`: it is no key.
    ///
    /// # Errors
    /// When the database fails.
    #[must_use]
    pub fn holder<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<KeyHolder>, sqlx::Error>> {
        Box::pin(async move {
            if !may_be_key(key) {
                return Ok(None);
            }
            let hash = hash(key);
            if let Ok(known) = self.known(&hash).await {
                return Ok(known);
            }
            let _permit = self.looked_up.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
            // Another may have looked it up meanwhile.
            if let Ok(known) = self.known(&hash).await {
                return Ok(known);
            }
            let found = look_up(&self.pool, &hash).await?;
            match &found {
                Some(holder) => self.right.insert(hash, holder.clone()).await,
                None => self.wrong.insert(hash, ()).await,
            }
            Ok(found)
        })
    }

    async fn known(&self, hash: &KeyHash) -> Result<Option<KeyHolder>, Unknown> {
        if let Some(holder) = self.right.get(hash).await {
            return Ok(Some(holder));
        }
        self.wrong.get(hash).await.map(|()| None).ok_or(Unknown)
    }
}

/// With 256 random bits there is nothing for a slow hash to protect.
fn hash(key: &str) -> KeyHash {
    Sha256::digest(key.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{House, noon};

    #[tokio::test]
    async fn a_key_opens_its_tenants_log_and_only_its_hash_is_kept() {
        let house = House::new().await;
        let key = create(&house.pool, &house.tenant, Scope::Book, noon()).await.unwrap();
        let holder = KeyHolders::new(house.pool.clone()).holder(&key).await.unwrap().unwrap();
        assert_eq!((holder.tenant, holder.scope), (house.tenant.clone(), Scope::Book));
        let rows: Vec<String> = sqlx::query_scalar("SELECT api_keys::text FROM api_keys")
            .fetch_all(&house.pool)
            .await
            .unwrap();
        let secret = key.strip_prefix("daybook_").unwrap();
        assert_eq!(rows.len(), 1);
        assert!(!rows[0].contains(secret), "{rows:?}");
    }

    #[tokio::test]
    async fn what_is_no_key_has_no_holder() {
        let house = House::new().await;
        let key = create(&house.pool, &house.tenant, Scope::Read, noon()).await.unwrap();
        let other = format!("{PREFIX}{}", "0".repeat(2 * BYTES));
        let holders = KeyHolders::new(house.pool.clone());
        for not_a_key in ["", "daybook_", &key[..key.len() - 1], &key.to_uppercase(), &other] {
            assert_eq!(holders.holder(not_a_key).await.unwrap(), None, "{not_a_key:?}");
        }
    }

    #[tokio::test]
    async fn keys_that_are_known_to_be_right_or_wrong_are_not_looked_up() {
        let house = House::new().await;
        let holders = KeyHolders::new(house.pool.clone());
        let right = create(&house.pool, &house.tenant, Scope::Read, noon()).await.unwrap();
        let wrong = format!("{PREFIX}{}", "0".repeat(2 * BYTES));
        assert!(holders.holder(&right).await.unwrap().is_some());
        assert!(holders.holder(&wrong).await.unwrap().is_none());
        sqlx::query("DROP TABLE api_keys").execute(&house.pool).await.unwrap();
        assert!(holders.holder(&right).await.unwrap().is_some());
        assert!(holders.holder(&wrong).await.unwrap().is_none());
        assert!(holders.holder("no key").await.unwrap().is_none());
        assert!(holders.holder(&wrong.replace('0', "1")).await.is_err(), "that one is looked up");
    }

    #[tokio::test]
    async fn a_key_that_was_revoked_opens_nothing_and_is_not_listed() {
        let house = House::new().await;
        let tenant = &house.tenant;
        let kept = create(&house.pool, tenant, Scope::Read, noon()).await.unwrap();
        let revoked = create(&house.pool, tenant, Scope::Admin, noon()).await.unwrap();
        let scopes = |listed: Vec<ListedKey>| {
            listed.iter().map(|key| key.holder.scope).collect::<std::collections::BTreeSet<_>>()
        };
        let both = [Scope::Read, Scope::Admin].into();
        assert_eq!(scopes(list(&house.pool, tenant).await.unwrap()), both);
        let holder = KeyHolders::new(house.pool.clone()).holder(&revoked).await.unwrap().unwrap();
        let other = "another".parse().unwrap();
        assert!(!revoke(&house.pool, &other, holder.key_id).await.unwrap(), "it is not theirs");
        assert!(revoke(&house.pool, tenant, holder.key_id).await.unwrap());
        assert!(!revoke(&house.pool, tenant, holder.key_id).await.unwrap(), "it is gone");
        assert_eq!(scopes(list(&house.pool, tenant).await.unwrap()), [Scope::Read].into());
        let holders = KeyHolders::new(house.pool.clone());
        assert!(holders.holder(&revoked).await.unwrap().is_none());
        assert!(holders.holder(&kept).await.unwrap().is_some());
    }

    #[test]
    fn a_scope_includes_those_before_it() {
        assert!(Scope::ALL.is_sorted());
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
    }
}

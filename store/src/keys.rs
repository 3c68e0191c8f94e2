//! API keys: who may use a tenant's log, and for what.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row};
use uuid::Uuid;

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
    let mut bytes = [0u8; 32];
    OsRng.try_fill_bytes(&mut bytes)?;
    let key = format!("daybook_{}", hex(&bytes));
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

/// Who a key speaks for; `None`: it is no key.
///
/// # Errors
/// When the database fails.
pub async fn holder(pool: &PgPool, key: &str) -> Result<Option<KeyHolder>, sqlx::Error> {
    let row = sqlx::query("SELECT tenant_id, key_id, scope FROM api_keys WHERE key_hash = $1")
        .bind(hash(key).as_slice())
        .fetch_optional(pool)
        .await?;
    let decode = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
    row.map(|row| {
        Ok(KeyHolder {
            key_id: row.try_get("key_id")?,
            tenant: row
                .try_get::<&str, _>("tenant_id")?
                .parse()
                .map_err(|e| decode(Box::new(e)))?,
            scope: row.try_get::<&str, _>("scope")?.parse().map_err(|e| decode(Box::new(e)))?,
        })
    })
    .transpose()
}

/// SHA-256 of the key's text. With 256 random bits there is nothing for a slow hash to protect.
#[must_use]
pub fn hash(key: &str) -> [u8; 32] {
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
        let holder = holder(&house.pool, &key).await.unwrap().unwrap();
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
        for not_a_key in ["", "daybook_", &key[..key.len() - 1], &key.to_uppercase()] {
            assert_eq!(holder(&house.pool, not_a_key).await.unwrap(), None, "{not_a_key:?}");
        }
    }

    #[test]
    fn a_scope_includes_those_before_it() {
        assert!(Scope::ALL.is_sorted());
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
    }
}

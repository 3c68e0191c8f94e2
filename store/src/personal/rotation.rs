//! Another master key: living keys are wrapped anew, so that the old one can be destroyed.

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::key::SubjectKey;
use super::{Keyring, KeyringError, MasterKeyId};
use crate::audit::{self, AuditKind};

/// How many keys are wrapped anew by one statement.
const BATCH: i64 = 500;

/// A master key that the database knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMasterKey {
    pub id: MasterKeyId,
    /// When a program came with it first.
    pub created_at: DateTime<Utc>,
    /// How many living keys it wraps.
    pub keys: u64,
}

/// A master key stays.
#[derive(Debug, thiserror::Error)]
pub enum RetireError {
    #[error("the database knows no master key {0}")]
    Unknown(MasterKeyId),
    #[error("{keys} keys are wrapped by {id}: `daybook master-key rotate` wraps them anew")]
    InUse { id: MasterKeyId, keys: u64 },
    #[error("{0} is the one that wraps")]
    First(MasterKeyId),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Keyring {
    /// The master keys that the database knows, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn master_keys(&self) -> Result<Vec<KnownMasterKey>, sqlx::Error> {
        // Served by `personal_keys_living`: a question of operators.
        let rows = sqlx::query(
            "SELECT m.master_key_id, m.created_at,
                    (SELECT count(*) FROM personal_keys k
                      WHERE k.master_key_id = m.master_key_id AND k.wrapped IS NOT NULL) AS keys
               FROM master_keys m ORDER BY m.created_at",
        )
        .fetch_all(&self.pool)
        .await?;
        let known = |row: &PgRow| {
            Ok(KnownMasterKey {
                id: MasterKeyId::named(row.try_get("master_key_id")?),
                created_at: row.try_get("created_at")?,
                keys: row.try_get::<i64, _>("keys")?.unsigned_abs(),
            })
        };
        rows.iter().map(known).collect()
    }

    /// Wraps some of the living keys by the first master key that are wrapped by another, and says how many; 0: all are. It can
    /// be stopped anywhere.
    ///
    /// # Errors
    /// When a master key is missing, or the database fails.
    pub async fn rewrap_some(&self) -> Result<usize, KeyringError> {
        let first = self.master.first().0.clone();
        // Served by `personal_keys_living`.
        let rows = sqlx::query(
            "SELECT tenant_id, key_id, subject_id, wrapped, master_key_id FROM personal_keys
              WHERE wrapped IS NOT NULL AND master_key_id <> $1
              ORDER BY master_key_id, tenant_id, key_id LIMIT $2",
        )
        .bind(first.as_str())
        .bind(BATCH)
        .fetch_all(&self.pool)
        .await?;
        let (mut tenants, mut ids, mut wraps) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            let tenant: String = row.try_get("tenant_id")?;
            let (id, subject): (Uuid, Uuid) = (row.try_get("key_id")?, row.try_get("subject_id")?);
            let old = MasterKeyId::named(row.try_get("master_key_id")?);
            let wrapping =
                self.master.get(&old).ok_or_else(|| KeyringError::NoMasterKey(old.clone()))?;
            let wrapped: &[u8] = row.try_get("wrapped")?;
            let anew =
                SubjectKey::rewrap((wrapping, &old), &self.master, &tenant, (id, subject), wrapped);
            wraps.push(anew.map_err(|_| KeyringError::DoesNotOpen {
                member: "key",
                kind: String::from("key"),
                id: subject,
            })?);
            tenants.push(tenant);
            ids.push(id);
        }
        // A key that is destroyed meanwhile stays so.
        sqlx::query(
            "UPDATE personal_keys k SET wrapped = n.wrapped, master_key_id = $4
               FROM unnest($1::text[], $2::uuid[], $3::bytea[]) AS n (tenant_id, key_id, wrapped)
              WHERE k.tenant_id = n.tenant_id AND k.key_id = n.key_id AND k.wrapped IS NOT NULL",
        )
        .bind(&tenants)
        .bind(&ids)
        .bind(&wraps)
        .bind(first.as_str())
        .execute(&self.pool)
        .await?;
        Ok(rows.len())
    }

    /// Tells the audit log that all keys were wrapped anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rewrapped(&self) -> Result<(), sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        let now = audit::now(&mut tx).await?;
        let rotated = audit::entry(now, AuditKind::MasterKeysRotated).to(self.master.first().0);
        audit::append(&mut tx, &[(None, rotated)]).await?;
        tx.commit().await
    }

    /// Makes the database forget a master key that wraps nothing: programs need not have it any more.
    ///
    /// # Errors
    /// When it wraps something, or is not known.
    pub async fn retire(&self, id: &MasterKeyId) -> Result<(), RetireError> {
        if self.master.first().0 == id {
            return Err(RetireError::First(id.clone()));
        }
        let mut tx = self.pool.begin().await?;
        // First, so that no key is made with it meanwhile.
        let forgotten = sqlx::query("DELETE FROM master_keys WHERE master_key_id = $1")
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
        if forgotten.rows_affected() == 0 {
            return Err(RetireError::Unknown(id.clone()));
        }
        let wraps: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM personal_keys WHERE master_key_id = $1 AND wrapped IS NOT NULL",
        )
        .bind(id.as_str())
        .fetch_one(&mut *tx)
        .await?;
        match wraps.unsigned_abs() {
            0 => {
                let now = audit::now(&mut tx).await?;
                let retired = audit::entry(now, AuditKind::MasterKeyRetired).to(id);
                audit::append(&mut tx, &[(None, retired)]).await?;
                Ok(tx.commit().await?)
            }
            keys => Err(RetireError::InUse { id: id.clone(), keys }),
        }
    }
}

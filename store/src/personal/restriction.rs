//! What is known of a client and told to few only: their key says so, for it is where all that is told has been opened.
//!
//! What counts stands in the log, as events of the client; the key follows it. Whoever is about to change it notes that first, so
//! that a change that was cut off is found again without looking at any log.

use daybook_domain::{ClientId, TenantId};
use uuid::Uuid;

use super::{Keyring, KeyringError};
use crate::keys::{PERSON, tell};

/// How old one is that nobody is at any more, and how many are gone on with at a time.
const LEFT_SECONDS: f64 = 5.0;
const AT_A_TIME: i64 = 100;

/// Somebody is about to restrict a client, or to lift that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestrictionBegun {
    pub tenant: TenantId,
    pub client: ClientId,
    attempt: Uuid,
}

impl Keyring {
    /// Notes that a client is about to be restricted, or that this is to be lifted.
    ///
    /// # Errors
    /// When their key is destroyed, or cannot be had.
    pub async fn begin_restriction(
        &self,
        tenant: &TenantId,
        client: ClientId,
    ) -> Result<RestrictionBegun, KeyringError> {
        // Of whom all was written in clear, there is none yet.
        self.key_of(tenant, client.uuid(), true).await?;
        let attempt = Uuid::now_v7();
        sqlx::query(
            "INSERT INTO restrictions_begun (tenant_id, attempt_id, client_id) VALUES ($1, $2, $3)",
        )
        .bind(tenant.as_str())
        .bind(attempt)
        .bind(client.uuid())
        .execute(&self.pool)
        .await?;
        Ok(RestrictionBegun { tenant: tenant.clone(), client, attempt })
    }

    /// Makes the key follow what the log has of its client at this version, unless it follows a later one already.
    ///
    /// # Errors
    /// When the database fails: then it is gone on with later.
    pub async fn end_restriction(
        &self,
        begun: &RestrictionBegun,
        (restricted, version): (bool, u64),
    ) -> Result<(), sqlx::Error> {
        let RestrictionBegun { tenant, client, attempt } = begun;
        let mut tx = self.pool.begin().await?;
        sqlx::query(
            "UPDATE personal_keys SET restricted = $3, restricted_at_version = $4
              WHERE tenant_id = $1 AND subject_id = $2 AND restricted_at_version < $4",
        )
        .bind(tenant.as_str())
        .bind(client.uuid())
        .bind(restricted)
        .bind(i64::try_from(version).unwrap_or(i64::MAX))
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM restrictions_begun WHERE tenant_id = $1 AND attempt_id = $2")
            .bind(tenant.as_str())
            .bind(attempt)
            .execute(&mut *tx)
            .await?;
        // All programs look keys of persons up anew.
        tell(&mut tx, PERSON).await?;
        tx.commit().await?;
        self.kept.invalidate_all();
        Ok(())
    }

    /// Those that were begun a while ago and are not ended, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn restrictions_left(&self) -> Result<Vec<RestrictionBegun>, sqlx::Error> {
        // Served by `restrictions_begun_by_age`.
        let rows: Vec<(String, Uuid, Uuid)> = sqlx::query_as(
            "SELECT tenant_id, attempt_id, client_id FROM restrictions_begun
              WHERE begun_at < now() - make_interval(secs => $1)
              ORDER BY begun_at LIMIT $2",
        )
        .bind(LEFT_SECONDS)
        .bind(AT_A_TIME)
        .fetch_all(&self.pool)
        .await?;
        let begun = |(tenant, attempt, client): (String, Uuid, Uuid)| {
            let tenant = tenant.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            Ok(RestrictionBegun { tenant, client: client.into(), attempt })
        };
        rows.into_iter().map(begun).collect()
    }
}

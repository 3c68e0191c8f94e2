//! Forgetting somebody: their key is destroyed, and what is kept of commands about them goes with it.
//!
//! An erasure is noted before it is in the log, so that one that was cut off anywhere is found again without looking at any
//! log; what stands in the log decides what there is to do.

use daybook_domain::{ClientId, TenantId};
use sqlx::Row as _;

use super::Keyring;
use crate::keys::tell;

/// How old one is that nobody is at any more, and how many are gone on with at a time.
const LEFT_SECONDS: f64 = 5.0;
const AT_A_TIME: i64 = 100;

impl Keyring {
    /// Notes that a client is to be erased.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_erasure(
        &self,
        tenant: &TenantId,
        client: ClientId,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO erasures AS e (tenant_id, client_id) VALUES ($1, $2)
             ON CONFLICT (tenant_id, client_id) DO UPDATE SET requested_at = now()
              WHERE e.finished_at IS NULL",
        )
        .bind(tenant.as_str())
        .bind(client.uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Erasures that were begun a while ago and are not finished, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erasures_left(&self) -> Result<Vec<(TenantId, ClientId)>, sqlx::Error> {
        // Served by `erasures_unfinished`.
        let rows = sqlx::query(
            "SELECT tenant_id, client_id FROM erasures
              WHERE finished_at IS NULL AND requested_at < now() - make_interval(secs => $1)
              ORDER BY requested_at LIMIT $2",
        )
        .bind(LEFT_SECONDS)
        .bind(AT_A_TIME)
        .fetch_all(&self.pool)
        .await?;
        let left = |row: &sqlx::postgres::PgRow| {
            let tenant: String = row.try_get("tenant_id")?;
            let tenant = tenant.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            Ok((tenant, row.try_get::<uuid::Uuid, _>("client_id")?.into()))
        };
        rows.iter().map(left).collect()
    }

    /// Destroys a client's key for good, and what was asked in commands about them: of the body of each a hash was kept, by which
    /// it could be guessed. Who sends one again is refused, for it is another request now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn destroy(&self, tenant: &TenantId, client: ClientId) -> Result<(), sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        // Also where nothing was ever sealed: nothing is to be sealed later.
        sqlx::query(
            "INSERT INTO personal_keys (tenant_id, key_id, subject_id, master_key_id, destroyed_at)
             VALUES ($1, $2, $3, '', now())
             ON CONFLICT (tenant_id, subject_id) DO UPDATE
                SET wrapped = NULL, destroyed_at = coalesce(personal_keys.destroyed_at, now())",
        )
        .bind(tenant.as_str())
        .bind(uuid::Uuid::now_v7())
        .bind(client.uuid())
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "UPDATE commands c SET fingerprint = sha256(random()::text::bytea) FROM events e
              WHERE e.tenant_id = $1 AND e.aggregate_type = 'client' AND e.aggregate_id = $2
                AND e.event_type <> 'ClientErasureRequested'
                AND c.tenant_id = $1 AND c.idempotency_key = e.metadata ->> 'idempotency_key'",
        )
        .bind(tenant.as_str())
        .bind(format!("{tenant}/{client}"))
        .execute(&mut *tx)
        .await?;
        // All programs look keys up anew.
        tell(&mut tx, "*").await?;
        tx.commit().await?;
        self.kept.invalidate_all();
        Ok(())
    }

    /// Notes that an erasure is finished.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_erasure(
        &self,
        tenant: &TenantId,
        client: ClientId,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE erasures SET finished_at = now()
              WHERE tenant_id = $1 AND client_id = $2 AND finished_at IS NULL",
        )
        .bind(tenant.as_str())
        .bind(client.uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets an erasure that was noted long ago and never begun: it was refused, or ended before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_erasure(
        &self,
        tenant: &TenantId,
        client: ClientId,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "DELETE FROM erasures
              WHERE tenant_id = $1 AND client_id = $2 AND finished_at IS NULL
                AND requested_at < now() - interval '1 hour'",
        )
        .bind(tenant.as_str())
        .bind(client.uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

//! Forgetting somebody: their key is destroyed, and what is kept of commands about them goes with it.
//!
//! An erasure is noted before it is in the log, so that one that was cut off anywhere is found again without looking at any
//! log; what stands in the log decides what there is to do.

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use daybook_domain::{ClientId, TenantId};
use sqlx::{PgConnection, Postgres, Row as _, Transaction};
use uuid::Uuid;

use super::{ErasedClient, Keyring, KeyringError};
use crate::audit::{self, AuditKind};
use crate::keys::{PERSON, tell};

/// How old one is that nobody is at any more, and how many are gone on with at a time.
const LEFT_SECONDS: f64 = 5.0;
const AT_A_TIME: i64 = 100;

/// How many of the ledger are looked up at a time.
const AT_ONCE: usize = 1_000;

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
        let mut tx = self.pool.begin().await?;
        let requested_at: Option<DateTime<Utc>> = sqlx::query_scalar(
            "INSERT INTO erasures AS e (tenant_id, client_id) VALUES ($1, $2)
             ON CONFLICT (tenant_id, client_id) DO UPDATE SET requested_at = now()
              WHERE e.finished_at IS NULL
             RETURNING requested_at",
        )
        .bind(tenant.as_str())
        .bind(client.uuid())
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(at) = requested_at {
            let begun = audit::entry(at, AuditKind::ErasureBegun).about(client.uuid());
            audit::append(&mut tx, &[(Some(tenant.clone()), begun)]).await?;
        }
        tx.commit().await
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
    /// it could be guessed. Who sends one again is refused, for it is another request now. It is in the ledger first, if there is
    /// one.
    ///
    /// # Errors
    /// When the ledger cannot be written, or the database fails.
    pub async fn destroy(&self, tenant: &TenantId, client: ClientId) -> Result<(), KeyringError> {
        let mut tx = self.pool.begin().await?;
        let (key, at, is_done) = destroyed(&mut tx, tenant, client).await?;
        if let Some(ledger) = self.ledger.as_ref().filter(|_| !is_done) {
            ledger.append(ErasedClient { tenant: tenant.clone(), client, key, at }).await?;
        }
        self.forget(tx, tenant, client).await
    }

    /// Whether a client's key is destroyed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_destroyed(
        &self,
        tenant: &TenantId,
        client: ClientId,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM personal_keys
                             WHERE tenant_id = $1 AND subject_id = $2 AND destroyed_at IS NOT NULL)",
        )
        .bind(tenant.as_str())
        .bind(client.uuid())
        .fetch_one(&self.pool)
        .await
    }

    /// Destroys the keys of those in the ledger who have one here: the database was restored from a copy of before. The rest of
    /// each erasure is gone on with later. How many they were; from then on this keyring opens what it is asked for.
    ///
    /// # Errors
    /// When the ledger cannot be read, or the database fails.
    pub async fn apply_ledger(&self) -> Result<usize, KeyringError> {
        let Some(ledger) = self.ledger.clone() else { return Ok(0) };
        let read = tokio::task::spawn_blocking(move || ledger.erased()).await;
        let erased = read.map_err(|lost| sqlx::Error::Io(std::io::Error::other(lost)))??;
        let mut applied = 0;
        for some in erased.chunks(AT_ONCE) {
            for (tenant, client) in self.living(some).await? {
                self.begin_erasure(&tenant, client).await?;
                let mut tx = self.pool.begin().await?;
                destroyed(&mut tx, &tenant, client).await?;
                self.forget(tx, &tenant, client).await?;
                applied += 1;
            }
        }
        self.ledger_applied.store(true, Ordering::Release);
        Ok(applied)
    }

    /// Those of these whose keys are not destroyed, and whose tenants are there.
    async fn living(
        &self,
        erased: &[ErasedClient],
    ) -> Result<Vec<(TenantId, ClientId)>, sqlx::Error> {
        let tenants: Vec<&str> = erased.iter().map(|it| it.tenant.as_str()).collect();
        let clients: Vec<Uuid> = erased.iter().map(|it| it.client.uuid()).collect();
        // By the primary key of tenants, and the keys of each subject.
        let rows: Vec<(String, Uuid)> = sqlx::query_as(
            "SELECT DISTINCT n.tenant_id, n.client_id
               FROM unnest($1::text[], $2::uuid[]) AS n (tenant_id, client_id)
               JOIN tenants t ON t.tenant_id = n.tenant_id
               LEFT JOIN personal_keys k
                 ON k.tenant_id = n.tenant_id AND k.subject_id = n.client_id
              WHERE k.destroyed_at IS NULL",
        )
        .bind(tenants)
        .bind(clients)
        .fetch_all(&self.pool)
        .await?;
        let living = |(tenant, client): (String, Uuid)| {
            let tenant = tenant.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            Ok((tenant, client.into()))
        };
        rows.into_iter().map(living).collect()
    }

    /// Forgets what is kept of commands about somebody, with their key.
    async fn forget(
        &self,
        mut tx: Transaction<'_, Postgres>,
        tenant: &TenantId,
        client: ClientId,
    ) -> Result<(), KeyringError> {
        sqlx::query(
            "UPDATE commands c
                SET fingerprint = substring(sha256(gen_random_uuid()::text::bytea) FOR 16)
                               || substring(c.fingerprint FROM 17)
               FROM events e
              WHERE e.tenant_id = $1 AND e.aggregate_type = 'client' AND e.aggregate_id = $2
                AND e.event_type <> 'ClientErasureRequested'
                AND c.tenant_id = $1 AND c.idempotency_key = e.metadata ->> 'idempotency_key'",
        )
        .bind(tenant.as_str())
        .bind(format!("{tenant}/{client}"))
        .execute(&mut *tx)
        .await?;
        // All programs look keys of persons up anew.
        tell(&mut tx, PERSON).await?;
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
        let mut tx = self.pool.begin().await?;
        let finished_at: Option<DateTime<Utc>> = sqlx::query_scalar(
            "UPDATE erasures SET finished_at = now()
              WHERE tenant_id = $1 AND client_id = $2 AND finished_at IS NULL
             RETURNING finished_at",
        )
        .bind(tenant.as_str())
        .bind(client.uuid())
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(at) = finished_at {
            let ended = audit::entry(at, AuditKind::ErasureEnded).about(client.uuid());
            audit::append(&mut tx, &[(Some(tenant.clone()), ended)]).await?;
        }
        tx.commit().await
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

/// Destroys a client's key in this transaction, also where nothing was ever sealed: nothing is to be sealed later. The key's id, when
/// it was destroyed, and whether that was before.
async fn destroyed(
    tx: &mut PgConnection,
    tenant: &TenantId,
    client: ClientId,
) -> Result<(Uuid, DateTime<Utc>, bool), sqlx::Error> {
    sqlx::query_as(
        "INSERT INTO personal_keys (tenant_id, key_id, subject_id, master_key_id, destroyed_at)
         VALUES ($1, $2, $3, '', now())
         ON CONFLICT (tenant_id, subject_id) DO UPDATE
            SET wrapped = NULL, destroyed_at = coalesce(personal_keys.destroyed_at, now())
         RETURNING key_id, destroyed_at, destroyed_at < now()",
    )
    .bind(tenant.as_str())
    .bind(Uuid::now_v7())
    .bind(client.uuid())
    .fetch_one(tx)
    .await
}

//! Links: keys of one appointment each, for its client.

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::rights::{Limits, LinkActions};
use daybook_domain::{AppointmentId, ClientId, TenantId};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::holders::KeyHolders;
use super::rows::{self, Limited};
use super::text::{self, Kind, SecretHash};
use super::{CreateKeyError, remembered};
use crate::audit::{self, AuditEntry, AuditKind};

/// The most links of one appointment; those that have ended are forgotten for new ones.
pub const MAX_LINKS: i64 = 10;

/// How long a link is good at most, whenever the visit is.
const LONGEST: TimeDelta = TimeDelta::days(400);

/// How many that have ended are forgotten when one is made.
const FORGOTTEN: i64 = 100;

/// What a link is to be.
#[derive(Debug, Clone)]
pub struct NewLink {
    pub appointment_id: AppointmentId,
    /// Whose appointment it is.
    pub client_id: ClientId,
    pub actions: LinkActions,
}

/// A link as it is listed: not the link itself, which nobody keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedLink {
    pub id: Uuid,
    pub actions: LinkActions,
    pub created_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// To the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

impl ListedLink {
    /// One that is made now.
    #[must_use]
    pub fn of(id: Uuid, new: &NewLink, now: DateTime<Utc>) -> Self {
        Self {
            id,
            actions: new.actions.clone(),
            created_at: now,
            expires_at: now + LONGEST,
            last_used_at: None,
            revoked_at: None,
        }
    }
}

/// Makes a link, and gives its text.
///
/// # Errors
/// When there are too many of the appointment, or the database or the machine's randomness fails.
pub async fn create(
    pool: &PgPool,
    tenant: &TenantId,
    new: NewLink,
    now: DateTime<Utc>,
) -> Result<(String, ListedLink), CreateKeyError> {
    let appointment_id = new.appointment_id;
    let mut tx = pool.begin().await?;
    // By links_by_end; what another program forgets at this moment it forgets.
    sqlx::query(
        "DELETE FROM api_keys WHERE (key_hash, tenant_id) IN
             (SELECT key_hash, tenant_id FROM api_keys
               WHERE tenant_id = $1 AND appointment_id IS NOT NULL AND expires_at <= $2
               ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED)",
    )
    .bind(tenant.as_str())
    .bind(now)
    .bind(FORGOTTEN)
    .execute(&mut *tx)
    .await?;
    // Whoever else makes one of the same appointment waits until this one is there.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('daybook links'), hashtext($1))")
        .bind(appointment_id.to_string())
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "DELETE FROM api_keys
          WHERE tenant_id = $1 AND appointment_id = $2 AND revoked_at IS NOT NULL
            AND (SELECT count(*) FROM api_keys WHERE tenant_id = $1 AND appointment_id = $2) >= $3",
    )
    .bind(tenant.as_str())
    .bind(appointment_id.uuid())
    .bind(MAX_LINKS)
    .execute(&mut *tx)
    .await?;
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM api_keys WHERE tenant_id = $1 AND appointment_id = $2",
    )
    .bind(tenant.as_str())
    .bind(appointment_id.uuid())
    .fetch_one(&mut *tx)
    .await?;
    if count >= MAX_LINKS {
        return Err(CreateKeyError::TooManyLinks);
    }
    let listed = ListedLink::of(Uuid::now_v7(), &new, now);
    let NewLink { appointment_id, client_id, actions } = new;
    let (id, expires_at) = (listed.id, listed.expires_at);
    let (text, hash) = text::new_key(id, Kind::Link)?;
    let limits = Limits { client_id: Some(client_id), ..Limits::default() };
    let scopes = actions.scopes();
    let limited = Limited { scopes, limits, actions: Some(actions) };
    sqlx::query(
        "INSERT INTO api_keys
             (tenant_id, key_hash, key_id, scopes, created_at, expires_at, limited, appointment_id)
         VALUES ($1, $2, $3, '{}', $4, $5, $6, $7)",
    )
    .bind(tenant.as_str())
    .bind(hash.as_slice())
    .bind(id)
    .bind(now)
    .bind(expires_at)
    .bind(Json(limited))
    .bind(appointment_id.uuid())
    .execute(&mut *tx)
    .await?;
    let made = audit::entry(now, AuditKind::KeyMade).to(format!("link {id} of {appointment_id}"));
    let made = AuditEntry { fields: rows::names_of(scopes), ..made };
    audit::append(&mut tx, &[(Some(tenant.clone()), made)]).await?;
    tx.commit().await?;
    Ok((text, listed))
}

/// The links of an appointment, oldest first. By `links_of_appointment`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    pool: &PgPool,
    tenant: &TenantId,
    appointment: AppointmentId,
) -> Result<Vec<ListedLink>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT key_id, scope, scopes, limited, created_at, expires_at, last_used_at, revoked_at
           FROM api_keys WHERE tenant_id = $1 AND appointment_id = $2
          ORDER BY created_at, key_id LIMIT $3",
    )
    .bind(tenant.as_str())
    .bind(appointment.uuid())
    .bind(MAX_LINKS)
    .fetch_all(pool)
    .await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &PgRow) -> Result<ListedLink, sqlx::Error> {
    Ok(ListedLink {
        id: row.try_get("key_id")?,
        actions: rows::good_for(row)?.actions.unwrap_or_default(),
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        last_used_at: row.try_get("last_used_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}

impl KeyHolders {
    /// Ends a link at once, everywhere. One that has ended before stays as it is; `false`: there is no such link.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_link(
        &self,
        tenant: &TenantId,
        (appointment, id): (AppointmentId, Uuid),
        now: DateTime<Utc>,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.pool().begin().await?;
        let found: Option<(Vec<u8>, Option<DateTime<Utc>>)> = sqlx::query_as(
            "SELECT key_hash, revoked_at FROM api_keys
              WHERE tenant_id = $1 AND appointment_id = $2 AND key_id = $3 FOR UPDATE",
        )
        .bind(tenant.as_str())
        .bind(appointment.uuid())
        .bind(id)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((hash, revoked_at)) = found else { return Ok(false) };
        if revoked_at.is_some() {
            return Ok(true);
        }
        rows::end(&mut tx, &hash, now).await?;
        if let Ok(hash) = SecretHash::try_from(hash.as_slice()) {
            rows::tell(&mut tx, &remembered::notice_of(&hash)).await?;
        }
        let revoked =
            audit::entry(now, AuditKind::KeyRevoked).to(format!("link {id} of {appointment}"));
        audit::append(&mut tx, &[(Some(tenant.clone()), revoked)]).await?;
        tx.commit().await?;
        self.forget_all();
        Ok(true)
    }
}

//! Adding, listing and removing issuers, and finding that of a token.
//!
//! Whatever changes is told to all programs as keys that end are, in the transaction in which it changes.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool, Row as _};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Audience, Grant, Issuer, IssuerUrl, MAX_ISSUERS, NewIssuer};
use crate::audit::{self, AuditKind};
use crate::keys::{self, Owner, tell};
use crate::tenants;

/// An issuer could not be added.
#[derive(Debug, thiserror::Error)]
pub enum AddIssuerError {
    #[error("there is no such tenant")]
    NoTenant,
    #[error("a tenant has at most {MAX_ISSUERS} issuers: remove one")]
    TooMany,
    /// Tokens must be of one tenant: this one's, or another's.
    #[error(
        "there is an issuer with this URL and this audience: have the provider give another audience"
    )]
    Taken,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Trusts an issuer from now on.
///
/// # Errors
/// When there is no such tenant, it has too many issuers, the issuer and audience are somebody's, or the database fails.
pub async fn add(
    pool: &PgPool,
    tenant: &TenantId,
    terms: NewIssuer,
    now: DateTime<Utc>,
) -> Result<Issuer, AddIssuerError> {
    let mut tx = pool.begin().await?;
    let count =
        tenants::count_alone(&mut tx, tenant, "issuers").await?.ok_or(AddIssuerError::NoTenant)?;
    if count >= MAX_ISSUERS {
        return Err(AddIssuerError::TooMany);
    }
    let id = Uuid::now_v7();
    let algorithms: Vec<&str> = terms.algorithms.iter().map(|it| it.as_str()).collect();
    let token_types: Vec<&str> = terms.token_types.iter().map(|it| it.as_str()).collect();
    let added = sqlx::query(
        "INSERT INTO issuers
             (tenant_id, issuer_id, issuer, audience, algorithms, token_types, grants, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (issuer, audience) DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(id)
    .bind(terms.url.as_str())
    .bind(terms.audience.as_str())
    .bind(algorithms)
    .bind(token_types)
    .bind(Json(&terms.grants))
    .bind(now)
    .execute(&mut *tx)
    .await?;
    if added.rows_affected() == 0 {
        return Err(AddIssuerError::Taken);
    }
    changed(&mut tx, tenant, id, now).await?;
    tx.commit().await?;
    Ok(Issuer { id, tenant: tenant.clone(), terms, created_at: now })
}

/// A tenant's issuers, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(pool: &PgPool, tenant: &TenantId) -> Result<Vec<Issuer>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT tenant_id, issuer_id, issuer, audience, algorithms, token_types, grants, created_at
           FROM issuers WHERE tenant_id = $1 ORDER BY created_at, issuer_id LIMIT $2",
    )
    .bind(tenant.as_str())
    .bind(MAX_ISSUERS)
    .fetch_all(pool)
    .await?;
    rows.iter().map(issuer).collect()
}

/// One of a tenant's issuers; `None`: there is no such issuer.
///
/// # Errors
/// When the database fails.
pub async fn find(
    pool: &PgPool,
    tenant: &TenantId,
    id: Uuid,
) -> Result<Option<Issuer>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT tenant_id, issuer_id, issuer, audience, algorithms, token_types, grants, created_at
           FROM issuers WHERE tenant_id = $1 AND issuer_id = $2",
    )
    .bind(tenant.as_str())
    .bind(id)
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(issuer).transpose()
}

/// Trusts an issuer no more: all its tokens end at once, everywhere. `None`: there is no such issuer.
///
/// # Errors
/// When the database fails.
pub async fn remove(
    pool: &PgPool,
    tenant: &TenantId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Issuer>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query(
        "DELETE FROM issuers WHERE tenant_id = $1 AND issuer_id = $2
         RETURNING tenant_id, issuer_id, issuer, audience, algorithms, token_types, grants, created_at",
    )
    .bind(tenant.as_str())
    .bind(id)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    changed(&mut tx, tenant, id, now).await?;
    tx.commit().await?;
    Ok(Some(issuer(&row)?))
}

/// It is rare, so whatever programs remember is asked for anew; and who did it is on record.
async fn changed(
    tx: &mut PgConnection,
    tenant: &TenantId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    tell(tx, keys::ANY).await?;
    let changed = audit::entry(now, AuditKind::RightsChanged).to(format!("issuer {id}"));
    audit::append(tx, &[(Owner::from(tenant).audited(), changed)]).await
}

fn issuer(row: &PgRow) -> Result<Issuer, sqlx::Error> {
    let text = |column| row.try_get::<String, _>(column);
    let tenant: TenantId = text("tenant_id")?.parse().map_err(not_understood)?;
    let url = IssuerUrl::new(text("issuer")?).map_err(not_understood)?;
    let audience = Audience::new(text("audience")?).map_err(not_understood)?;
    // What a newer version takes, and this one does not know, it does not take.
    let (algorithms, kinds): (Vec<String>, Vec<String>) =
        (row.try_get("algorithms")?, row.try_get("token_types")?);
    let Json(grants) = row.try_get::<Json<Vec<serde_json::Value>>, _>("grants")?;
    let terms = NewIssuer {
        url,
        audience,
        algorithms: algorithms.iter().filter_map(|it| super::Algorithm::named(it)).collect(),
        token_types: kinds.iter().filter_map(|it| super::TokenType::named(it)).collect(),
        grants: grants
            .into_iter()
            .filter_map(|it| serde_json::from_value::<Grant>(it).ok())
            .collect(),
    };
    Ok(Issuer {
        id: row.try_get("issuer_id")?,
        tenant,
        terms,
        created_at: row.try_get("created_at")?,
    })
}

fn not_understood(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// By what a token's issuer is looked up: the hash of its issuer and one of its audiences, for they can be long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Asked([u8; 32]);

impl Asked {
    pub(super) fn of(issuer: &str, audience: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(issuer.len().to_be_bytes());
        hash.update(issuer);
        hash.update(audience);
        Self(hash.finalize().into())
    }
}

/// An issuer that was looked up.
#[derive(Debug, Clone)]
pub(crate) struct KnownIssuer {
    pub(super) issuer: Issuer,
    pub(super) is_suspended: bool,
    pub(crate) looked_up_at: Instant,
}

/// Those of a token: by `issuers_of_tokens`.
pub(super) async fn look_up(
    pool: &PgPool,
    url: &str,
    audiences: &[&str],
) -> Result<Vec<KnownIssuer>, sqlx::Error> {
    let looked_up_at = Instant::now();
    let rows = sqlx::query(
        "SELECT i.tenant_id, issuer_id, issuer, audience, algorithms, token_types, grants,
                i.created_at, t.suspended_at IS NOT NULL AS is_suspended
           FROM issuers i JOIN tenants t ON t.tenant_id = i.tenant_id
          WHERE issuer = $1 AND audience = ANY ($2)",
    )
    .bind(url)
    .bind(audiences)
    .fetch_all(pool)
    .await?;
    let known = |row: &PgRow| {
        let is_suspended = row.try_get("is_suspended")?;
        Ok(KnownIssuer { issuer: issuer(row)?, is_suspended, looked_up_at })
    };
    rows.iter().map(known).collect()
}

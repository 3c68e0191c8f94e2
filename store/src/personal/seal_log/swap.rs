//! The copy takes the log's place, in one transaction.

use daybook_domain::TenantId;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use sqlx::PgConnection;
use uuid::Uuid;

use super::proof::Proof;
use super::{End, SealError, SealedLog};
use crate::audit::{self, AuditKind};
use crate::log::CommandKey;
use crate::personal::{Keyring, Tokens};

pub(super) async fn swap(
    keyring: &Keyring,
    tenant: &TenantId,
    head: End,
    proof: Proof,
) -> Result<SealedLog, SealError> {
    let tokens = keyring.tokens(tenant, "idempotency").await?;
    let mut tx = keyring.pool.begin().await?;
    // Nobody appends from here on; whoever is about to does so where the log ends then.
    let locked: Option<(i64, Vec<u8>)> = sqlx::query_as(
        "UPDATE log_heads h SET position = h.position FROM tenants t
          WHERE h.tenant_id = $1 AND t.tenant_id = h.tenant_id AND t.suspended_at IS NOT NULL
         RETURNING h.position, h.hash",
    )
    .bind(tenant.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    let locked = locked.ok_or_else(|| SealError::NotSuspended(tenant.clone()))?;
    if End::of(locked)? != head {
        return Err(SealError::WentOn(tenant.clone()));
    }
    let events = sqlx::query(
        "UPDATE events e SET payload = s.payload, metadata = s.metadata, hash = s.hash
           FROM events_being_sealed s
          WHERE e.tenant_id = $1 AND s.tenant_id = e.tenant_id AND s.position = e.position",
    )
    .bind(tenant.as_str())
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if events != head.position.get() {
        return Err(SealError::WentOn(tenant.clone()));
    }
    sqlx::query("UPDATE log_heads SET hash = $2 WHERE tenant_id = $1")
        .bind(tenant.as_str())
        .bind(proof.hash.as_slice())
        .execute(&mut *tx)
        .await?;
    let references = claim_by_token(&mut tx, tenant, &proof).await?;
    let answers = keep_answers(&mut tx, tenant, &tokens).await?;
    sqlx::query("DELETE FROM events_being_sealed WHERE tenant_id = $1")
        .bind(tenant.as_str())
        .execute(&mut *tx)
        .await?;
    let sealed = audit::entry(audit::now(&mut tx).await?, AuditKind::LogSealed).to(tenant);
    audit::append(&mut tx, &[(Some(tenant.clone()), sealed.clone()), (None, sealed)]).await?;
    tx.commit().await?;
    Ok(SealedLog { events, members: proof.members, references, answers, hash: proof.hash })
}

/// References that are claimed in clear are claimed by what stands for them, so that nobody can take them once more.
async fn claim_by_token(
    tx: &mut PgConnection,
    tenant: &TenantId,
    proof: &Proof,
) -> Result<usize, SealError> {
    let (before, after): (Vec<Uuid>, Vec<Uuid>) =
        proof.places.iter().map(|(before, after)| (before.uuid(), after.uuid())).unzip();
    let claimed = sqlx::query(
        "UPDATE claims c SET resource_id = n.after
           FROM unnest($2::uuid[], $3::uuid[]) AS n (before, after)
          WHERE c.tenant_id = $1 AND c.resource_id = n.before",
    )
    .bind(tenant.as_str())
    .bind(before)
    .bind(after)
    .execute(tx)
    .await;
    match claimed {
        Ok(claimed) => Ok(usize::try_from(claimed.rows_affected()).unwrap_or(usize::MAX)),
        Err(error) if error.as_database_error().is_some_and(is_taken) => {
            Err(SealError::ReferenceTwice)
        }
        Err(error) => Err(error.into()),
    }
}

fn is_taken(error: &(dyn sqlx::error::DatabaseError + 'static)) -> bool {
    // exclusion_violation, unique_violation
    error.code().is_some_and(|code| ["23P01", "23505"].contains(&&*code))
}

/// Answers that are kept under keys in clear: whose they are was not kept, so whoever repeats one is refused, and nothing is done twice.
async fn keep_answers(
    tx: &mut PgConnection,
    tenant: &TenantId,
    tokens: &Tokens,
) -> Result<usize, SealError> {
    let clear: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "SELECT idempotency_key, fingerprint FROM commands
          WHERE tenant_id = $1 AND idempotency_key NOT LIKE '% %'",
    )
    .bind(tenant.as_str())
    .fetch_all(&mut *tx)
    .await?;
    let (mut before, mut after, mut fingerprints) = (Vec::new(), Vec::new(), Vec::new());
    for (key, fingerprint) in clear {
        let mut whose = [0; 32];
        OsRng
            .try_fill_bytes(&mut whose)
            .map_err(|error| sqlx::Error::Io(std::io::Error::other(error.to_string())))?;
        let name = tokens.digest("name", key.as_bytes());
        let kept = CommandKey::kept(&name, &tokens.digest("request", &fingerprint), &whose);
        before.push(key);
        after.push(kept.key);
        fingerprints.push(kept.fingerprint.to_vec());
    }
    let kept = sqlx::query(
        "UPDATE commands c SET idempotency_key = n.after, fingerprint = n.fingerprint
           FROM unnest($2::text[], $3::text[], $4::bytea[]) AS n (before, after, fingerprint)
          WHERE c.tenant_id = $1 AND c.idempotency_key = n.before",
    )
    .bind(tenant.as_str())
    .bind(before)
    .bind(after)
    .bind(fingerprints)
    .execute(tx)
    .await?;
    Ok(usize::try_from(kept.rows_affected()).unwrap_or(usize::MAX))
}

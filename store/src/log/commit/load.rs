//! The state that a batch is decided by, read under the lock of the tenant's head.
//!
//! These statements are not kept prepared: a plan made while a table was small may read all of it
//! when it has grown, until it is analysed.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use daybook_domain::claim::{Claim, ClaimIndex};
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, TenantId};
use sqlx::types::Json;
use sqlx::{PgConnection, Postgres, Row, Transaction};
use uuid::Uuid;

use super::head_cache::HeadCache;
use super::resolve::BatchState;
use crate::log::submission::{CommandKey, Decision, FirstAnswer, Submission};
use crate::log::{Position, StreamId, overlapping_claims};

/// Holder, resource, seat, start, end, expiry.
type ClaimRow = (Uuid, Uuid, i16, DateTime<Utc>, DateTime<Utc>, Option<DateTime<Utc>>);

type Tx<'c> = Transaction<'c, Postgres>;

/// All of it, but the versions of the streams that are remembered.
pub(super) async fn state(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    head: Position,
    submissions: &[Submission],
    cache: &mut HeadCache,
) -> Result<BatchState, sqlx::Error> {
    let answers = answers(tx, tenant, submissions).await?;
    let unknown = cache.unknown(submissions, |_| true);
    cache.learn(versions(tx, tenant, unknown).await?);
    let claims = claims(tx, tenant, submissions).await?;
    Ok(BatchState { head, versions: cache.versions_of(submissions), answers, claims })
}

/// The versions of streams; 0: there is no such stream. Served by `events_pkey`, backwards.
pub(super) async fn versions(
    connection: &mut PgConnection,
    tenant: &TenantId,
    streams: Vec<StreamId>,
) -> Result<Vec<(StreamId, u64)>, sqlx::Error> {
    if streams.is_empty() {
        return Ok(Vec::new());
    }
    let kinds: Vec<&str> = streams.iter().map(StreamId::kind).collect();
    let ids: Vec<&str> = streams.iter().map(StreamId::id).collect();
    let found: Vec<i64> = sqlx::query_scalar(
        "SELECT coalesce((SELECT e.sequence FROM events e
                           WHERE e.aggregate_type = s.kind AND e.aggregate_id = s.id
                             AND e.tenant_id = $1
                           ORDER BY e.sequence DESC LIMIT 1), 0)
           FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS s (kind, id, n)
          ORDER BY s.n",
    )
    .bind(tenant.as_str())
    .bind(kinds)
    .bind(ids)
    .persistent(false)
    .fetch_all(connection)
    .await?;
    Ok(streams.into_iter().zip(found.into_iter().map(i64::cast_unsigned)).collect())
}

/// The answers that the batch's keys got before. Served by `commands_pkey`, each key by itself.
async fn answers(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    submissions: &[Submission],
) -> Result<HashMap<String, (CommandKey, FirstAnswer)>, sqlx::Error> {
    let keys: BTreeSet<&str> = submissions
        .iter()
        .filter_map(|submission| Some(submission.key.as_ref()?.key.as_str()))
        .collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "SELECT c.idempotency_key, c.fingerprint, c.aggregate_id, c.version, c.position, c.refusal
           FROM unnest($2::text[]) AS asked (idempotency_key)
          CROSS JOIN LATERAL (
                SELECT * FROM commands
                 WHERE tenant_id = $1 AND idempotency_key = asked.idempotency_key
                OFFSET 0) AS c",
    )
    .bind(tenant.as_str())
    .bind(keys.into_iter().collect::<Vec<_>>())
    .persistent(false)
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(answer).collect()
}

fn answer(row: &sqlx::postgres::PgRow) -> Result<(String, (CommandKey, FirstAnswer)), sqlx::Error> {
    let key: String = row.try_get("idempotency_key")?;
    let fingerprint = <[u8; 32]>::try_from(row.try_get::<&[u8], _>("fingerprint")?)
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let answer = match row.try_get("refusal")? {
        Some(Json(refusal)) => FirstAnswer::Refused(refusal),
        None => FirstAnswer::Accepted {
            id: row.try_get("aggregate_id")?,
            version: row.try_get::<i64, _>("version")?.cast_unsigned(),
            position: Position::from_i64(row.try_get("position")?),
        },
    };
    Ok((key.clone(), (CommandKey { key, fingerprint }, answer)))
}

pub(in crate::log) const CLAIMS: &str = concat!(
    "SELECT DISTINCT c.appointment_id, c.resource_id, c.seat,
            lower(c.during), upper(c.during), c.expires_at
       FROM unnest($2::uuid[], $3::smallint[], $4::timestamptz[], $5::timestamptz[])
            AS w (resource_id, seat, starts_at, ends_at)
      CROSS JOIN LATERAL ",
    overlapping_claims!(
        resource: "w.resource_id", seat: "w.seat", during: "tstzrange(w.starts_at, w.ends_at)"
    ),
    " AS c"
);

/// The claims that overlap what the batch wants.
async fn claims(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    submissions: &[Submission],
) -> Result<ClaimIndex, sqlx::Error> {
    let mut index = ClaimIndex::default();
    let wanted: Vec<&Claim> = submissions
        .iter()
        .flat_map(|submission| match &submission.decision {
            Decision::Accept { claims, .. } => claims.as_slice(),
            Decision::Refuse(_) => &[],
        })
        .flat_map(|(_, claims)| claims)
        .collect();
    if wanted.is_empty() {
        return Ok(index);
    }
    let rows: Vec<ClaimRow> = sqlx::query_as(CLAIMS)
        .persistent(false)
        .bind(tenant.as_str())
        .bind(wanted.iter().map(|claim| claim.resource.uuid()).collect::<Vec<_>>())
        .bind(wanted.iter().map(|claim| claim.seat.cast_signed()).collect::<Vec<_>>())
        .bind(wanted.iter().map(|claim| claim.during.start()).collect::<Vec<_>>())
        .bind(wanted.iter().map(|claim| claim.during.end()).collect::<Vec<_>>())
        .fetch_all(&mut **tx)
        .await?;
    for (holder, resource, seat, start, end, expires_at) in rows {
        let during =
            Interval::new(start, end).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let seat = seat.cast_unsigned();
        let claim = Claim { resource: resource.into(), seat, during, expires_at };
        index.restore(AppointmentId::from(holder), vec![claim]);
    }
    Ok(index)
}

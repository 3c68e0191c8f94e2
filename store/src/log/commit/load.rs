//! The state that a batch is decided by, read under the lock of the tenant's head: in one statement, since
//! everybody who writes this log waits meanwhile.
//!
//! The statements are kept prepared, with one plan for good: on the committers' connections tables are never
//! scanned, and each part of these statements is written so that only one index can serve it. So a plan that was made
//! while a table was small does not read all of it when it has grown.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::claim::{Claim, ClaimIndex};
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, Refusal, TenantId};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::head_cache::HeadCache;
use super::resolve::BatchState;
use crate::log::submission::{CommandKey, Decision, FirstAnswer, Submission};
use crate::log::{Position, StreamId, overlapping_claims};

/// Key, fingerprint, and what it led to: aggregate, version, position, or a refusal.
type AnswerRow = (String, Vec<u8>, Option<Uuid>, Option<i64>, Option<i64>, Option<Json<Refusal>>);

/// Holder, resource, seat, start, end, expiry.
type ClaimRow = (Uuid, Uuid, i16, DateTime<Utc>, DateTime<Utc>, Option<DateTime<Utc>>);

/// The versions of the streams `$2` and `$3`; 0: there is no such stream. Served by `events_pkey`, backwards; the
/// collation keeps the other index away, which would find all of the tenant's events.
macro_rules! versions {
    () => {
        r#"ARRAY(
            SELECT coalesce((SELECT e.sequence FROM events e
                              WHERE e.aggregate_type = s.kind AND e.aggregate_id = s.id
                                AND e.tenant_id = $1 COLLATE "C"
                              ORDER BY e.sequence DESC LIMIT 1), 0)
              FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS s (kind, id, n)
             ORDER BY s.n) AS versions"#
    };
}

const VERSIONS: &str = concat!("SELECT ", versions!());

/// Answers are served by `commands_pkey`, each key by itself; claims by `no_double_booking`.
pub(in crate::log) const STATE: &str = concat!(
    "SELECT ",
    versions!(),
    ",
        ARRAY(
            SELECT ROW(c.idempotency_key, c.fingerprint, c.aggregate_id, c.version, c.position,
                       c.refusal)
              FROM unnest($4::text[]) AS asked (idempotency_key)
             CROSS JOIN LATERAL (
                    SELECT * FROM commands
                     WHERE tenant_id = $1 AND idempotency_key = asked.idempotency_key
                    OFFSET 0) AS c) AS answers,
        ARRAY(
            SELECT DISTINCT ROW(c.appointment_id, c.resource_id, c.seat, lower(c.during),
                                upper(c.during), c.expires_at)
              FROM unnest($5::uuid[], $6::smallint[], $7::timestamptz[], $8::timestamptz[])
                   AS w (resource_id, seat, starts_at, ends_at)
             CROSS JOIN LATERAL ",
    overlapping_claims!(
        resource: "w.resource_id", seat: "w.seat", during: "tstzrange(w.starts_at, w.ends_at)"
    ),
    " AS c) AS claims"
);

/// All of it, but the versions of the streams that are remembered.
pub(super) async fn state(
    connection: &mut PgConnection,
    tenant: &TenantId,
    head: Position,
    submissions: &[Submission],
    cache: &mut HeadCache,
) -> Result<BatchState, sqlx::Error> {
    let streams = cache.unknown(submissions, |_| true);
    let (keys, claims) = (keys(submissions), wanted(submissions));
    let row = sqlx::query(STATE)
        .bind(tenant.as_str())
        .bind(streams.iter().map(StreamId::kind).collect::<Vec<_>>())
        .bind(streams.iter().map(StreamId::id).collect::<Vec<_>>())
        .bind(keys.into_iter().collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.resource.uuid()).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.seat.cast_signed()).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.during.start()).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.during.end()).collect::<Vec<_>>())
        .fetch_one(connection)
        .await?;
    cache.learn(versions_in(&row, streams)?);
    let answers: Vec<AnswerRow> = row.try_get("answers")?;
    let claims: Vec<ClaimRow> = row.try_get("claims")?;
    Ok(BatchState {
        head,
        versions: cache.versions_of(submissions),
        answers: answers.into_iter().map(answer).collect::<Result<_, _>>()?,
        claims: index(claims)?,
    })
}

/// The versions of streams; 0: there is no such stream.
pub(super) async fn versions(
    connection: &mut PgConnection,
    tenant: &TenantId,
    streams: Vec<StreamId>,
) -> Result<Vec<(StreamId, u64)>, sqlx::Error> {
    if streams.is_empty() {
        return Ok(Vec::new());
    }
    let row = sqlx::query(VERSIONS)
        .bind(tenant.as_str())
        .bind(streams.iter().map(StreamId::kind).collect::<Vec<_>>())
        .bind(streams.iter().map(StreamId::id).collect::<Vec<_>>())
        .fetch_one(connection)
        .await?;
    versions_in(&row, streams)
}

fn versions_in(row: &PgRow, streams: Vec<StreamId>) -> Result<Vec<(StreamId, u64)>, sqlx::Error> {
    let found: Vec<i64> = row.try_get("versions")?;
    Ok(streams.into_iter().zip(found.into_iter().map(i64::cast_unsigned)).collect())
}

/// The keys of a batch.
fn keys(submissions: &[Submission]) -> BTreeSet<&str> {
    let keys = submissions.iter().filter_map(|submission| submission.key.as_ref());
    keys.map(|key| key.key.as_str()).collect()
}

/// The claims that a batch wants.
fn wanted(submissions: &[Submission]) -> Vec<&Claim> {
    let all = submissions.iter().flat_map(|submission| match &submission.decision {
        Decision::Accept { claims, .. } => claims.as_slice(),
        Decision::Answer(_) => &[],
    });
    all.flat_map(|(_, claims)| claims).collect()
}

fn answer(row: AnswerRow) -> Result<(String, (CommandKey, FirstAnswer)), sqlx::Error> {
    let (key, fingerprint, id, version, position, refusal) = row;
    let fingerprint = <[u8; 32]>::try_from(fingerprint.as_slice()).map_err(unreadable)?;
    let answer = match (refusal, id, version, position) {
        (Some(Json(refusal)), ..) => FirstAnswer::Refused(refusal),
        (None, Some(id), Some(version), Some(position)) => FirstAnswer::Accepted {
            id,
            version: version.cast_unsigned(),
            position: Position::from_i64(position),
        },
        (None, ..) => return Err(unreadable("an answer that says nothing")),
    };
    Ok((key.clone(), (CommandKey { key, fingerprint }, answer)))
}

fn index(rows: Vec<ClaimRow>) -> Result<ClaimIndex, sqlx::Error> {
    let mut index = ClaimIndex::default();
    for (holder, resource, seat, start, end, expires_at) in rows {
        let during = Interval::new(start, end).map_err(unreadable)?;
        let seat = seat.cast_unsigned();
        let claim = Claim { resource: resource.into(), seat, during, expires_at };
        index.restore(AppointmentId::from(holder), vec![claim]);
    }
    Ok(index)
}

fn unreadable(error: impl Into<sqlx::error::BoxDynError>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

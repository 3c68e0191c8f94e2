//! What a batch writes: one statement per table.
//!
//! Each insert selects from `log_heads` and checks the number of rows: on a cluster that form stays
//! on the tenant's own node and commits in one phase.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::claim::Claim;
use daybook_domain::{AppointmentId, TenantId};
use sqlx::types::Json;
use sqlx::{Postgres, Transaction};

use super::Position;
use super::batch::Head;
use super::chain::Hash;
use super::submission::{Append, CommandKey, FirstAnswer};

type Tx<'c> = Transaction<'c, Postgres>;

fn all_written(written: u64, wanted: usize) -> Result<(), sqlx::Error> {
    if written == wanted as u64 {
        return Ok(());
    }
    tracing::error!(written, wanted, "the head of the log is gone");
    Err(sqlx::Error::RowNotFound)
}

/// Served by `claims_pkey`.
pub(super) async fn release_claims(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    released: &BTreeSet<AppointmentId>,
) -> Result<(), sqlx::Error> {
    if released.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM claims WHERE tenant_id = $1 AND appointment_id = ANY($2)")
        .bind(tenant.as_str())
        .bind(released.iter().map(|holder| holder.uuid()).collect::<Vec<_>>())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn take_claims(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    taken: &[(AppointmentId, Claim)],
) -> Result<(), sqlx::Error> {
    if taken.is_empty() {
        return Ok(());
    }
    let written = sqlx::query(
        "INSERT INTO claims (tenant_id, appointment_id, resource_id, seat, during, expires_at)
         SELECT h.tenant_id, u.appointment_id, u.resource_id, u.seat,
                tstzrange(u.starts_at, u.ends_at), u.expires_at
           FROM log_heads h,
                unnest($2::uuid[], $3::uuid[], $4::smallint[], $5::timestamptz[],
                       $6::timestamptz[], $7::timestamptz[])
                AS u (appointment_id, resource_id, seat, starts_at, ends_at, expires_at)
          WHERE h.tenant_id = $1",
    )
    .bind(tenant.as_str())
    .bind(taken.iter().map(|(holder, _)| holder.uuid()).collect::<Vec<_>>())
    .bind(taken.iter().map(|(_, claim)| claim.resource.uuid()).collect::<Vec<_>>())
    .bind(taken.iter().map(|(_, claim)| claim.seat.cast_signed()).collect::<Vec<_>>())
    .bind(taken.iter().map(|(_, claim)| claim.during.start()).collect::<Vec<_>>())
    .bind(taken.iter().map(|(_, claim)| claim.during.end()).collect::<Vec<_>>())
    .bind(taken.iter().map(|(_, claim)| claim.expires_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    all_written(written.rows_affected(), taken.len())
}

pub(super) async fn events(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    after: Position,
    appends: &[&Append],
    hashes: &[Hash],
    recorded_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    if hashes.is_empty() {
        return Ok(());
    }
    let events = || {
        appends.iter().flat_map(|append| {
            append.events.iter().zip(append.after + 1..).map(move |(e, n)| (&append.stream, e, n))
        })
    };
    let written = sqlx::query(
        "INSERT INTO events (tenant_id, position, aggregate_type, aggregate_id, sequence,
                             event_type, event_version, payload, metadata, recorded_at, hash)
         SELECT h.tenant_id, $11 + u.n, u.kind, u.id, u.sequence,
                u.event_type, u.event_version, u.payload::json, u.metadata::json, $10, u.hash
           FROM log_heads h,
                unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[],
                       $7::text[], $8::text[], $9::bytea[]) WITH ORDINALITY
                AS u (kind, id, sequence, event_type, event_version, payload, metadata, hash, n)
          WHERE h.tenant_id = $1",
    )
    .bind(tenant.as_str())
    .bind(events().map(|(stream, ..)| stream.kind()).collect::<Vec<_>>())
    .bind(events().map(|(stream, ..)| stream.id()).collect::<Vec<_>>())
    .bind(events().map(|(_, _, sequence)| sequence.cast_signed()).collect::<Vec<_>>())
    .bind(events().map(|(_, event, _)| event.event_type.as_str()).collect::<Vec<_>>())
    .bind(events().map(|(_, event, _)| event.event_version.as_str()).collect::<Vec<_>>())
    .bind(events().map(|(_, event, _)| event.payload.as_str()).collect::<Vec<_>>())
    .bind(events().map(|(_, event, _)| event.metadata.as_str()).collect::<Vec<_>>())
    .bind(hashes.iter().map(Hash::as_slice).collect::<Vec<_>>())
    .bind(recorded_at)
    .bind(after.as_i64())
    .execute(&mut **tx)
    .await?;
    all_written(written.rows_affected(), hashes.len())
}

pub(super) async fn answers(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    answered: &[(&CommandKey, FirstAnswer)],
    recorded_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    if answered.is_empty() {
        return Ok(());
    }
    let accepted = |answer: &FirstAnswer| match answer {
        FirstAnswer::Accepted { id, version, position } => Some((*id, *version, *position)),
        FirstAnswer::Refused(_) => None,
    };
    let refused = |answer: &FirstAnswer| match answer {
        FirstAnswer::Refused(refusal) => Some(Json(refusal.clone())),
        FirstAnswer::Accepted { .. } => None,
    };
    let each = || answered.iter().map(|(_, answer)| accepted(answer));
    let written = sqlx::query(
        "INSERT INTO commands (tenant_id, idempotency_key, fingerprint, aggregate_id,
                               version, position, refusal, recorded_at)
         SELECT h.tenant_id, u.key, u.fingerprint, u.id,
                u.version, u.position, u.refusal, $8
           FROM log_heads h,
                unnest($2::text[], $3::bytea[], $4::uuid[], $5::bigint[], $6::bigint[], $7::json[])
                AS u (key, fingerprint, id, version, position, refusal)
          WHERE h.tenant_id = $1",
    )
    .bind(tenant.as_str())
    .bind(answered.iter().map(|(key, _)| key.key.as_str()).collect::<Vec<_>>())
    .bind(answered.iter().map(|(key, _)| key.fingerprint.as_slice()).collect::<Vec<_>>())
    .bind(each().map(|answer| answer.map(|(id, ..)| id)).collect::<Vec<_>>())
    .bind(
        each()
            .map(|answer| answer.map(|(_, version, _)| version.cast_signed()))
            .collect::<Vec<_>>(),
    )
    .bind(each().map(|answer| answer.map(|(_, _, at)| at.as_i64())).collect::<Vec<_>>())
    .bind(answered.iter().map(|(_, answer)| refused(answer)).collect::<Vec<_>>())
    .bind(recorded_at)
    .execute(&mut **tx)
    .await?;
    all_written(written.rows_affected(), answered.len())
}

/// Moves the end of the log by compare-and-set; `false`: it does not end at `old`.
pub(super) async fn move_head(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    old: Head,
    new: Head,
) -> Result<bool, sqlx::Error> {
    let written = sqlx::query(
        "UPDATE log_heads SET position = $4, hash = $5, recorded_at = $6
          WHERE tenant_id = $1 AND position = $2 AND hash = $3",
    )
    .bind(tenant.as_str())
    .bind(old.position.as_i64())
    .bind(old.hash.as_slice())
    .bind(new.position.as_i64())
    .bind(new.hash.as_slice())
    .bind(new.recorded_at)
    .execute(&mut **tx)
    .await?;
    Ok(written.rows_affected() == 1)
}

//! The logs that are looked at, and what is kept beside them: as many as takes a moment, however many there are.

use daybook_domain::TenantId;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};

use super::Ailment;
use crate::log::CLAIMING;

/// So many of those in which something happens are looked at, and about as many of all, by chance. Where there are no
/// more, that is all of them.
pub(super) const LOGS: u32 = 1_000;

/// So many claims, of all these logs together; of each log the newest.
const CLAIMS: usize = 100_000;

/// No table is read from end to end.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL enable_seqscan = off";

/// By `log_heads_active`, and by pages of the table that are chosen by chance. At most four times as many: what is known
/// of the table's size may be old.
const CHOSEN: &str = r#"
    (SELECT tenant_id FROM log_heads WHERE active ORDER BY tenant_id COLLATE "C" LIMIT $1)
     UNION
    (SELECT tenant_id FROM log_heads TABLESAMPLE SYSTEM ($2) LIMIT 4 * $1)"#;

pub(super) async fn chosen(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    let known: f32 = sqlx::query_scalar(
        "SELECT coalesce(max(reltuples), 0)::real FROM pg_class WHERE oid = to_regclass('log_heads')",
    )
    .fetch_one(pool)
    .await?;
    let share = 100.0 * f64::from(LOGS) / f64::from(known).max(f64::from(LOGS));
    #[expect(clippy::cast_possible_truncation, reason = "a share")]
    sqlx::query_scalar(CHOSEN).bind(i64::from(LOGS)).bind(share as f32).fetch_all(pool).await
}

/// By `events_tenant_id_position_key`.
const ENDS: &str = "
    SELECT h.tenant_id FROM log_heads h
     WHERE h.tenant_id = ANY($1)
       AND (h.position > 0
            AND (SELECT e.hash FROM events e
                  WHERE e.tenant_id = h.tenant_id AND e.position = h.position) IS DISTINCT FROM h.hash
            OR EXISTS (SELECT FROM events o
                        WHERE o.tenant_id = h.tenant_id AND o.position > h.position))";

/// What holds a reference has another first digit of its version: see `claim/reference.rs` of the domain.
/// By `claims_pkey` and `events_pkey`. The inner query answers with a value: a join would be free to read all events.
const CLAIMS_OF_NOTHING: &str = "
    SELECT c.tenant_id, count(*)
      FROM unnest($1::text[]) AS t (tenant_id)
           CROSS JOIN LATERAL (
               SELECT tenant_id, appointment_id, seat FROM claims WHERE tenant_id = t.tenant_id
                ORDER BY appointment_id DESC LIMIT $2) AS c
     WHERE (SELECT e.position FROM events e
             WHERE e.aggregate_type = ANY($3)
               AND e.aggregate_id = c.tenant_id || '/' || CASE WHEN c.seat >= 0 THEN c.appointment_id::text
                       ELSE overlay(c.appointment_id::text PLACING translate(
                                substr(c.appointment_id::text, 15, 1), '89abcdef01234567', '0123456789abcdef')
                            FROM 15) END
               AND e.tenant_id = c.tenant_id AND e.sequence = 1
             LIMIT 1) IS NULL
     GROUP BY 1";

/// By `checkpoints_pkey`.
const CHECKPOINTS_AHEAD: &str = "
    SELECT h.tenant_id, c.projection || '_' || c.version AS projection
      FROM log_heads h JOIN checkpoints c ON c.tenant_id = h.tenant_id AND c.position > h.position
     WHERE h.tenant_id = ANY($1)";

pub(super) async fn examine(pool: &PgPool, logs: &[String]) -> Result<Vec<Ailment>, sqlx::Error> {
    let mut tx = pool.begin_with(BEGIN).await?;
    let mut found = Vec::new();
    for row in sqlx::query(ENDS).bind(logs).fetch_all(&mut *tx).await? {
        found.push(Ailment::EndIsNotLastEvent(tenant(&row)?));
    }
    let of_each = i64::try_from(CLAIMS / logs.len().max(1)).unwrap_or(i64::MAX);
    for row in sqlx::query(CLAIMS_OF_NOTHING)
        .bind(logs)
        .bind(of_each)
        .bind(CLAIMING.as_slice())
        .fetch_all(&mut *tx)
        .await?
    {
        let count = row.try_get::<i64, _>("count")?.cast_unsigned();
        found.push(Ailment::ClaimsOfNothing { tenant: tenant(&row)?, count });
    }
    for row in sqlx::query(CHECKPOINTS_AHEAD).bind(logs).fetch_all(&mut *tx).await? {
        let projection = row.try_get("projection")?;
        found.push(Ailment::CheckpointAhead { tenant: tenant(&row)?, projection });
    }
    tx.commit().await?;
    Ok(found)
}

fn tenant(row: &PgRow) -> Result<TenantId, sqlx::Error> {
    let tenant: &str = row.try_get("tenant_id")?;
    tenant.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

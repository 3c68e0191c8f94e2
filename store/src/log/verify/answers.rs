//! What an idempotency key answers with is there: the version, at the position.

use daybook_domain::{EVENT_TYPES, TenantId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::finding::{Finding, Problem};
use super::walk::VersionFingerprints;
use crate::log::Position;
use crate::log::copy::{literal, rows};

/// Answers that are looked up at once.
const LOOKED_UP: usize = 1_000;

/// An answer to a command that was accepted.
#[derive(Clone, Copy)]
struct Answer {
    id: Uuid,
    version: i64,
    position: i64,
}

/// Compares the answers with the log; how many there are.
pub(super) async fn compare(
    connection: &mut PgConnection,
    tenant: &TenantId,
    log: &VersionFingerprints,
) -> Result<Result<u64, Finding>, sqlx::Error> {
    let query = format!(
        "SELECT aggregate_id, version, position FROM commands
          WHERE tenant_id = {} AND version IS NOT NULL",
        literal(tenant)
    );
    let mut seen = 0;
    // A decision on several streams answers with the first's version and the last's position.
    let mut elsewhere = Vec::new();
    let mut answers = rows(connection, &query).await?;
    while let Some(mut row) = answers.next().await? {
        seen += 1;
        let (id, version) = (row.optional_uuid()?, row.bigint()?);
        let Some((id, position)) = id.zip(row.optional_bigint()?) else {
            return Ok(Err(Finding { position: None, problem: Problem::AnswerMisshapen }));
        };
        if !log.has(id, version.cast_unsigned(), Position::from_i64(position)) {
            elsewhere.push(Answer { id, version, position });
        }
    }
    drop(answers);
    elsewhere.sort_unstable_by_key(|answer| answer.position);
    for answers in elsewhere.chunks(LOOKED_UP) {
        if let Some(Answer { id, version, position }) = look_up(connection, tenant, answers).await?
        {
            let problem = Problem::AnswerUnfounded { id, version };
            return Ok(Err(problem.at(Position::from_i64(position))));
        }
    }
    Ok(Ok(seen))
}

/// The first of these answers that names a version which was not written at the instant of the
/// position and for the same reason, or is after it. Served by `events_pkey` and `events_tenant_id_position_key`.
async fn look_up(
    connection: &mut PgConnection,
    tenant: &TenantId,
    answers: &[Answer],
) -> Result<Option<Answer>, sqlx::Error> {
    let unfounded: Option<i64> = sqlx::query_scalar(
        "SELECT a.n
           FROM unnest($2::text[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
                AS a (aggregate_id, version, position, n)
          WHERE NOT EXISTS (
                SELECT 1
                  FROM events e
                  JOIN events l ON l.tenant_id = e.tenant_id AND l.recorded_at = e.recorded_at
                                   AND l.metadata::text = e.metadata::text
                 WHERE e.tenant_id = $1 AND e.aggregate_type = ANY($5)
                   AND e.aggregate_id = a.aggregate_id AND e.sequence = a.version
                   AND e.position <= a.position
                   AND l.tenant_id = $1 AND l.position = a.position)
          ORDER BY a.n
          LIMIT 1",
    )
    .bind(tenant.as_str())
    .bind(answers.iter().map(|answer| format!("{tenant}/{}", answer.id)).collect::<Vec<_>>())
    .bind(answers.iter().map(|answer| answer.version).collect::<Vec<_>>())
    .bind(answers.iter().map(|answer| answer.position).collect::<Vec<_>>())
    .bind(EVENT_TYPES.iter().map(|(aggregate_type, _)| *aggregate_type).collect::<Vec<_>>())
    .fetch_optional(connection)
    .await?;
    let index = unfounded.and_then(|n| usize::try_from(n - 1).ok());
    Ok(index.and_then(|index| answers.get(index)).copied())
}

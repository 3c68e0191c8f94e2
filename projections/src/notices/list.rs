//! What is due, and what is known of a notice.

use daybook_domain::{NoticeId, TenantId};
use sqlx::PgPool;

use super::Notices;
use super::row::{NOTICES, NoticeRow};
use crate::due::{self, IS_THERE, LOOKED_AT, UNTIL, fair, overdue_by};
use crate::kit::statement;
use crate::{Due, DueQuery};

statement!(
    /// Served by `notices_planned` and `notices_open`. What changed a day ago and was never begun is not asked for: it is not
    /// told any more ([`MAX_LATE`](daybook_domain::sending::MAX_LATE)).
    DUE: Notices = fair(format!(
        "(SELECT tenant_id, notice_id AS id, next_at AS due_at FROM {{schema}}.notices d
           WHERE status = 'planned' AND next_at IS NOT NULL AND next_at <= {UNTIL}
             AND next_at > statement_timestamp() - interval '24 hours' AND notice_id <> ALL ($2) AND {IS_THERE}
           ORDER BY next_at
           LIMIT $3)
         UNION ALL
         (SELECT tenant_id, notice_id, next_at FROM {{schema}}.notices d
           WHERE status <> 'planned' AND next_at IS NOT NULL AND next_at <= {UNTIL}
             AND notice_id <> ALL ($2) AND {IS_THERE}
           ORDER BY next_at
           LIMIT $3)"
    ))
);

statement!(
    /// Since when it is so what clients are not told yet. Served by `notices_planned` and `notices_open`.
    OVERDUE: Notices = overdue_by(format!(
        "(SELECT next_at AS due_at FROM {{schema}}.notices d
           WHERE status = 'planned' AND next_at IS NOT NULL AND next_at <= statement_timestamp()
             AND next_at > statement_timestamp() - interval '24 hours' AND {IS_THERE}
           ORDER BY next_at
           LIMIT 1)
         UNION ALL
         (SELECT changed_at FROM {{schema}}.notices d
           WHERE status <> 'planned' AND next_at IS NOT NULL AND {IS_THERE}
           ORDER BY next_at
           LIMIT {LOOKED_AT})"
    ))
);

pub(super) async fn overdue(pool: &PgPool) -> Result<f64, sqlx::Error> {
    due::overdue(pool, &OVERDUE.live()).await
}

pub(super) async fn due(
    pool: &PgPool,
    query: DueQuery<'_>,
) -> Result<Vec<Due<NoticeId>>, sqlx::Error> {
    due::due(pool, &DUE.live(), query).await
}

statement!(
    /// Served by the primary key.
    ONE: Notices = format!(
        "SELECT {} FROM {{schema}}.notices WHERE tenant_id = $1 AND notice_id = $2",
        NOTICES.names()
    )
);

pub(super) async fn one(
    pool: &PgPool,
    tenant: &TenantId,
    id: NoticeId,
) -> Result<Option<NoticeRow>, sqlx::Error> {
    sqlx::query_as(&ONE.live()).bind(tenant.as_str()).bind(id.uuid()).fetch_optional(pool).await
}

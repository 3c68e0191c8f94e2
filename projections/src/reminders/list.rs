//! What is due, and what is known of a reminder.

use chrono::{DateTime, Utc};
use daybook_domain::sending::Status;
use daybook_domain::service::Channel;
use daybook_domain::{AppointmentId, ReminderId, TenantId};
use sqlx::{PgPool, Postgres, QueryBuilder, Row as _};

use super::Reminders;
use super::row::{REMINDERS, ReminderRow};
use crate::due::{self, IS_THERE, LOOKED_AT, UNTIL, fair, overdue_by};
use crate::kit::statement;
use crate::page::cursor::List;
use crate::page::keyset::{Keyset, StartKey};
use crate::{Cursor, Due, DueQuery, Limit, Page, PageError, Schema};

statement!(
    /// Served by `reminders_planned` and `reminders_open`. What was due a day ago and was never begun is not asked for: it is
    /// not sent any more ([`MAX_LATE`](daybook_domain::sending::MAX_LATE)).
    pub(super) DUE: Reminders = fair(format!(
        "(SELECT tenant_id, reminder_id AS id, next_at AS due_at FROM {{schema}}.reminders d
           WHERE status = 'planned' AND next_at <= {UNTIL}
             AND next_at > statement_timestamp() - interval '24 hours' AND reminder_id <> ALL ($2) AND {IS_THERE}
           ORDER BY next_at
           LIMIT $3)
         UNION ALL
         (SELECT tenant_id, reminder_id, next_at FROM {{schema}}.reminders d
           WHERE status IN ('begun', 'failed', 'asked') AND next_at IS NOT NULL
             AND next_at <= {UNTIL} AND reminder_id <> ALL ($2) AND {IS_THERE}
           ORDER BY next_at
           LIMIT $3)"
    ))
);

statement!(
    /// The same of those that others send. Served by `reminders_of_webhooks`.
    DUE_OF_WEBHOOKS: Reminders = fair(format!(
        "SELECT tenant_id, reminder_id AS id, next_at AS due_at FROM {{schema}}.reminders d
          WHERE status IN ('planned', 'asked') AND rule LIKE 'webhook-%' AND next_at <= {UNTIL}
            AND next_at > statement_timestamp() - interval '24 hours' AND reminder_id <> ALL ($2) AND {IS_THERE}
          ORDER BY next_at
          LIMIT $3"
    ))
);

statement!(
    /// When they were due that are not sent: what was asked for again, when it was. Served by `reminders_planned` and
    /// `reminders_open`.
    OVERDUE: Reminders = overdue_by(format!(
        "(SELECT next_at AS due_at FROM {{schema}}.reminders d
           WHERE status = 'planned' AND next_at <= statement_timestamp()
             AND next_at > statement_timestamp() - interval '24 hours' AND {IS_THERE}
           ORDER BY next_at
           LIMIT 1)
         UNION ALL
         (SELECT CASE status WHEN 'asked' THEN next_at ELSE due_at END FROM {{schema}}.reminders d
           WHERE status IN ('begun', 'failed', 'asked') AND next_at IS NOT NULL AND {IS_THERE}
           ORDER BY next_at
           LIMIT {LOOKED_AT})"
    ))
);

statement!(
    /// The same of those that others send. Served by `reminders_of_webhooks`.
    OVERDUE_OF_WEBHOOKS: Reminders = overdue_by(format!(
        "SELECT next_at AS due_at FROM {{schema}}.reminders d
          WHERE status IN ('planned', 'asked') AND rule LIKE 'webhook-%'
            AND next_at <= statement_timestamp()
            AND next_at > statement_timestamp() - interval '24 hours' AND {IS_THERE}
          ORDER BY next_at
          LIMIT 1"
    ))
);

pub(super) async fn overdue(pool: &PgPool, channel: Option<Channel>) -> Result<f64, sqlx::Error> {
    let statement = match channel {
        Some(Channel::Webhook) => &OVERDUE_OF_WEBHOOKS,
        Some(Channel::Email) | None => &OVERDUE,
    };
    due::overdue(pool, &statement.live()).await
}

pub(super) async fn due(
    pool: &PgPool,
    query: DueQuery<'_>,
    channel: Option<Channel>,
) -> Result<Vec<Due<ReminderId>>, sqlx::Error> {
    let statement = match channel {
        Some(Channel::Webhook) => &DUE_OF_WEBHOOKS,
        Some(Channel::Email) | None => &DUE,
    };
    due::due(pool, &statement.live(), query).await
}

/// A reminder that something is to be done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueReminder {
    pub row: ReminderRow,
    /// Whether a later one for the same start by the same channel is due, too, or was; of two that are due at once, one is the
    /// later.
    pub is_superseded: bool,
}

statement!(
    /// Served by the primary key and `reminders_of_appointment`.
    ONE: Reminders = format!(
        "SELECT {}, EXISTS (
                    SELECT FROM {{schema}}.reminders o
                     WHERE o.tenant_id = r.tenant_id AND o.appointment_id = r.appointment_id
                       AND o.start_at = r.start_at
                       AND split_part(o.rule, '-', 1) = split_part(r.rule, '-', 1)
                       AND (o.due_at, o.reminder_id) > (r.due_at, r.reminder_id)
                       AND o.due_at <= statement_timestamp()) AS is_superseded
           FROM {{schema}}.reminders r WHERE tenant_id = $1 AND reminder_id = $2",
        REMINDERS.names()
    )
);

pub(super) async fn one(
    pool: &PgPool,
    tenant: &TenantId,
    id: ReminderId,
) -> Result<Option<DueReminder>, sqlx::Error> {
    let row =
        sqlx::query(&ONE.live()).bind(tenant.as_str()).bind(id.uuid()).fetch_optional(pool).await?;
    row.map(|row| {
        let is_superseded = row.try_get("is_superseded")?;
        Ok(DueReminder { row: sqlx::FromRow::from_row(&row)?, is_superseded })
    })
    .transpose()
}

/// The order of the list.
const KEY: &str = "due_at, reminder_id";

/// Which reminders are asked for; each field that is not given lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReminderFilter {
    /// It is due at this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// It is due before this instant.
    pub to: Option<DateTime<Utc>>,
    /// It is of this appointment.
    pub appointment_id: Option<AppointmentId>,
    /// One of these has become of it.
    pub statuses: Vec<Status>,
}

/// Served by `reminders_by_due`, or of an appointment by `reminders_of_appointment`.
pub(super) async fn page(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &ReminderFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page<ReminderRow>, PageError> {
    let keyset = Keyset::<StartKey>::new(List::of(tenant, "reminders", filter), cursor, limit)?;
    let schema = Schema::of(Reminders::ID);
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT {} FROM {schema}.reminders WHERE tenant_id = ",
        REMINDERS.names()
    ));
    sql.push_bind(tenant.as_str());
    keyset.push_after(&mut sql, KEY);
    if let Some(id) = filter.appointment_id {
        sql.push(" AND appointment_id = ").push_bind(id.uuid());
    }
    if let Some(from) = filter.from {
        sql.push(" AND due_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        sql.push(" AND due_at < ").push_bind(to);
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|it| it.as_str()).collect();
        sql.push(" AND status = ANY(").push_bind(statuses).push(")");
    }
    keyset.push_order(&mut sql, KEY);
    let rows: Vec<ReminderRow> = sql.build_query_as().fetch_all(pool).await?;
    let key = |row: &ReminderRow| StartKey { start_at: row.of.due, id: row.reminder_id.uuid() };
    Ok(keyset.page(rows.into_iter().map(|row| (key(&row), row)).collect()))
}

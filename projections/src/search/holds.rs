//! Holds that have lapsed.

use daybook_domain::AppointmentId;
use sqlx::PgPool;

use crate::appointments::Appointments;
use crate::due::{Due, DueQuery, UNTIL, due, fair};
use crate::kit::statement;

statement!(
    /// Served by `current_holds`.
    pub(super) LAPSED: Appointments = fair(format!(
        "SELECT tenant_id, appointment_id AS id, hold_expires_at AS due_at
           FROM {{schema}}.appointments
          WHERE status = 'held' AND until_position IS NULL AND hold_expires_at <= {UNTIL}
            AND appointment_id <> ALL ($2)
          ORDER BY hold_expires_at
          LIMIT $3"
    ))
);

pub(super) async fn lapsed(
    pool: &PgPool,
    query: DueQuery<'_>,
) -> Result<Vec<Due<AppointmentId>>, sqlx::Error> {
    due(pool, &LAPSED.live(), query).await
}

//! What was on the calendars of resources at a moment.

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::claim::Claim;
use daybook_domain::time::Interval;
use daybook_domain::{ResourceId, TenantId};
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Row as _};

use super::{AppointmentVersion, SessionVersion};
use crate::appointments::Appointments;
use crate::appointments::parties::LONG;
use crate::appointments::sessions::SESSIONS;
use crate::appointments::version::APPOINTMENTS;
use crate::kit::statement;

/// A buffer is as long as this, at most: an appointment is busy so long before its start.
const LONGEST_BUFFER: TimeDelta = TimeDelta::days(1);

/// A session, with its buffers, is busy for no longer than that after its start.
const LONGEST_SESSION: TimeDelta = TimeDelta::days(32);

/// All that was on a resource's calendar in some time, whatever had become of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnCalendar {
    /// Appointments, in sessions too, by start.
    pub appointments: Vec<AppointmentVersion>,
    /// Sessions, by start.
    pub sessions: Vec<SessionVersion>,
}

/// For each of the resources in turn: what was busy, buffers included, in some part of that time, as it was
/// after the event at `position`; at most `limit` appointments, and as many sessions, of all together.
pub(super) async fn on(
    pool: &PgPool,
    tenant: &TenantId,
    resources: &[ResourceId],
    during: Interval,
    (position, limit): (Position, usize),
) -> Result<Vec<OnCalendar>, sqlx::Error> {
    let mut all = vec![OnCalendar::default(); resources.len()];
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut connection = pool.acquire().await?;
    let rows = sqlx::query(&APPOINTMENTS_ON.live())
        .bind(tenant.as_str())
        .bind(resources.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .bind(during.start())
        .bind(during.end())
        .bind(during.start() - LONG)
        .bind(during.end() + LONGEST_BUFFER)
        .bind(position.as_i64())
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
    for row in &rows {
        // Counted from one.
        let n: i64 = row.try_get("n")?;
        let calendar = usize::try_from(n - 1).ok().and_then(|n| all.get_mut(n));
        if let Some(calendar) = calendar {
            calendar.appointments.push(AppointmentVersion::from_row(row)?);
        }
    }
    let rows: Vec<PgRow> = sqlx::query(&SESSIONS_ON.live())
        .bind(tenant.as_str())
        .bind(resources.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .bind(during.start())
        .bind(during.start() - LONGEST_SESSION)
        .bind(during.end() + LONGEST_BUFFER)
        .bind(position.as_i64())
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
    for row in &rows {
        let version = SessionVersion::from_row(row)?;
        let Some(plan) = version.session.plan() else { continue };
        if !plan.slot.claimed().overlaps(&during) {
            continue;
        }
        for (resource, calendar) in resources.iter().zip(&mut all) {
            if plan.slot.resource_ids.iter().any(|id| id == *resource) {
                calendar.sessions.push(version.clone());
            }
        }
    }
    Ok(all)
}

statement!(
    /// Places from the primary key of `appointments_by_party` and from `long_by_party`; the rows from the
    /// primary key of `appointments`. An `OFFSET` keeps each from being joined otherwise.
    APPOINTMENTS_ON: Appointments = format!(
        "SELECT w.n, v.*
           FROM unnest($2::uuid[]) WITH ORDINALITY AS w (resource_id, n)
          CROSS JOIN LATERAL (
                SELECT v.*
                  FROM (SELECT start_at, appointment_id FROM {{schema}}.appointments_by_party
                         WHERE tenant_id = $1 AND party_id = w.resource_id
                           AND start_at >= $5 AND start_at < $6 AND busy_until > $3
                        UNION
                        SELECT start_at, appointment_id FROM {{schema}}.appointments_by_party
                         WHERE tenant_id = $1 AND party_id = w.resource_id AND long
                           AND busy_until > $3 AND start_at < $6) AS l
                 CROSS JOIN LATERAL (
                       SELECT {} FROM {{schema}}.appointments
                        WHERE tenant_id = $1 AND appointment_id = l.appointment_id
                          AND position <= $7 AND (until_position IS NULL OR until_position > $7)
                          AND start_at = l.start_at AND resource_ids @> ARRAY[w.resource_id]
                          AND busy_until > $3 AND busy_from < $4
                       OFFSET 0) AS v
                 ORDER BY v.start_at, v.appointment_id
                 LIMIT $8) AS v
          ORDER BY w.n, v.start_at, v.appointment_id
          LIMIT $8",
        APPOINTMENTS.names()
    )
);

statement!(
    /// Served by `sessions_start`.
    SESSIONS_ON: Appointments = format!(
        "SELECT {} FROM {{schema}}.sessions
          WHERE tenant_id = $1 AND start_at >= $4 AND start_at < $5 AND busy_until > $3
            AND resource_ids && $2
            AND position <= $6 AND (until_position IS NULL OR until_position > $6)
          ORDER BY start_at, session_id
          LIMIT $7",
        SESSIONS.names()
    )
);

impl OnCalendar {
    /// What was claimed of the resource, without what had lapsed at `now`.
    #[must_use]
    pub fn claims(&self, resource: ResourceId, now: DateTime<Utc>) -> Vec<Claim> {
        let appointments = self.appointments.iter().filter_map(|it| it.claim(resource, now));
        let sessions = self.sessions.iter().filter_map(|it| it.claim(resource));
        appointments.chain(sessions).collect()
    }
}

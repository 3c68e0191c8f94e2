//! A client's history: pages, and what it comes to.

use chrono::{DateTime, Utc};
use daybook_domain::{ClientId, TenantId};
use sqlx::{PgPool, Postgres, QueryBuilder, Row as _};

use super::ClientHistory;
use super::row::{APPOINTMENTS, PastAppointment};
use crate::kit::statement;
use crate::page::cursor::List;
use crate::page::keyset::{Keyset, StartKey};
use crate::{Cursor, Limit, Page, PageError, Schema};

/// The order of the list.
const KEY: &str = "start_at, appointment_id";

/// What a client's appointments come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How many were booked; holds that came to nothing were not.
    pub booked: u64,
    /// To how many of them the client came.
    pub kept: u64,
    /// How many of them were called off, by either side.
    pub cancelled: u64,
    /// How many of these the client's side called off when it was no longer free to.
    pub late_cancellations: u64,
    /// To how many of them the client did not come.
    pub no_shows: u64,
    /// When the first starts that was booked and not called off.
    pub first_start: Option<DateTime<Utc>>,
    /// When the last does.
    pub last_start: Option<DateTime<Utc>>,
}

statement!(
    /// Served by `appointments_of_client`.
    SUMMARY: ClientHistory = "
    SELECT count(*) AS booked,
           count(*) FILTER (WHERE status IN ('checked-in', 'fulfilled')) AS kept,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE cancelled_late) AS late,
           count(*) FILTER (WHERE status = 'no-show') AS no_shows,
           min(start_at) FILTER (WHERE status <> 'cancelled') AS first_start,
           max(start_at) FILTER (WHERE status <> 'cancelled') AS last_start
      FROM {schema}.appointments
     WHERE tenant_id = $1 AND client_id = $2 AND booked_at IS NOT NULL"
);

pub(super) async fn summary(
    pool: &PgPool,
    tenant: &TenantId,
    client: ClientId,
) -> Result<Summary, sqlx::Error> {
    let row = sqlx::query(&Schema::of(ClientHistory::ID).sql(&SUMMARY))
        .bind(tenant.as_str())
        .bind(client.uuid())
        .fetch_one(pool)
        .await?;
    let count = |name| Ok::<_, sqlx::Error>(row.try_get::<i64, _>(name)?.cast_unsigned());
    Ok(Summary {
        booked: count("booked")?,
        kept: count("kept")?,
        cancelled: count("cancelled")?,
        late_cancellations: count("late")?,
        no_shows: count("no_shows")?,
        first_start: row.try_get("first_start")?,
        last_start: row.try_get("last_start")?,
    })
}

/// From an instant on, and before another; `None` lets all through.
pub(super) type Bounds = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// Served by `appointments_of_client`.
pub(super) async fn page(
    pool: &PgPool,
    tenant: &TenantId,
    client: ClientId,
    bounds: Bounds,
    cursor: Option<&Cursor>,
    limit: Limit,
    now: DateTime<Utc>,
) -> Result<Page<PastAppointment>, PageError> {
    let list = List::of(tenant, "client_history", &(client, bounds));
    let keyset = Keyset::new(list, cursor, limit)?;
    let mut sql = QueryBuilder::<Postgres>::new(Schema::of(ClientHistory::ID).sql(&format!(
        "SELECT {} FROM {{schema}}.appointments WHERE tenant_id = ",
        APPOINTMENTS.names()
    )));
    sql.push_bind(tenant.as_str());
    sql.push(" AND client_id = ").push_bind(client.uuid());
    keyset.push_after(&mut sql, KEY);
    let (from, to) = bounds;
    if let Some(from) = from {
        sql.push(" AND start_at >= ").push_bind(from);
    }
    if let Some(to) = to {
        sql.push(" AND start_at < ").push_bind(to);
    }
    keyset.push_order(&mut sql, KEY);
    let found: Vec<PastAppointment> = sql.build_query_as().fetch_all(pool).await?;
    let rows = found.into_iter().map(|item| {
        let (start_at, id) = (item.during.start(), item.appointment_id.uuid());
        (StartKey { start_at, id }, item.shown_at(now))
    });
    Ok(keyset.page(rows.collect()))
}

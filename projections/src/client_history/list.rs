//! A client's history: pages, and what it comes to.

use chrono::{DateTime, Utc};
use daybook_domain::{ClientId, TenantId};
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder, Row as _};

use crate::appointments::Appointments;
use crate::appointments::version::{APPOINTMENTS, Outcome};
use crate::kit::statement;
use crate::page::cursor::List;
use crate::page::keyset::Keyset;
use crate::search::FoundAppointment;
use crate::{Cursor, Limit, Page, PageError, Schema};

/// The order of the list.
const KEY: &str = "l.start_at, l.appointment_id";

/// An appointment, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAppointment {
    /// As it is, or was.
    pub appointment: FoundAppointment,
    /// What became of it.
    pub outcome: Outcome,
}

impl FromRow<'_, PgRow> for PastAppointment {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let appointment = FoundAppointment::from_row(row)?;
        Ok(Self { appointment, outcome: Outcome::from_row(row)? })
    }
}

/// What a client's appointments come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How many were booked; holds that came to nothing were not.
    pub booked: u64,
    /// To how many of them the client came.
    pub kept: u64,
    /// How many of them were cancelled, by either side.
    pub cancelled: u64,
    /// How many of these the client's side cancelled when it was no longer free to.
    pub late_cancellations: u64,
    /// To how many of them the client did not come.
    pub no_shows: u64,
    /// When the first starts that was booked and not cancelled.
    pub first_start_at: Option<DateTime<Utc>>,
    /// When the last does.
    pub last_start_at: Option<DateTime<Utc>>,
}

/// The current versions of a client's appointments, as `a`, in the order of a page; or those that were valid at a
/// position, which is this parameter. Entries are read from the primary key of `appointments_by_party`, and each
/// one's row from `current_start` or `appointments_start`: an `OFFSET` keeps them from being joined otherwise.
fn of_client(columns: &str, position: Option<&str>) -> String {
    let valid = position.map_or_else(
        || "until_position IS NULL".to_owned(),
        |at| format!("position <= {at} AND (until_position IS NULL OR until_position > {at})"),
    );
    format!(
        "FROM {{schema}}.appointments_by_party l
        CROSS JOIN LATERAL (
              SELECT {columns} FROM {{schema}}.appointments
               WHERE tenant_id = l.tenant_id AND start_at = l.start_at
                 AND appointment_id = l.appointment_id AND client_id = l.party_id
                 AND {valid}
              OFFSET 0) AS a"
    )
}

const SUMMED_UP: &str = "
    SELECT count(*) AS booked,
           count(*) FILTER (WHERE a.status IN ('checked-in', 'fulfilled')) AS kept,
           count(*) FILTER (WHERE a.status = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE a.cancelled_late) AS late,
           count(*) FILTER (WHERE a.status = 'no-show') AS no_shows,
           min(a.start_at) FILTER (WHERE a.status <> 'cancelled') AS first_start_at,
           max(a.start_at) FILTER (WHERE a.status <> 'cancelled') AS last_start_at";

statement!(
    SUMMARY: Appointments = format!(
        "{SUMMED_UP} {} WHERE l.tenant_id = $1 AND l.party_id = $2 AND a.booked_at IS NOT NULL",
        of_client("status, cancelled_late, start_at, booked_at", None)
    )
);

statement!(
    SUMMARY_AS_OF: Appointments = format!(
        "{SUMMED_UP} {} WHERE l.tenant_id = $1 AND l.party_id = $2 AND a.booked_at IS NOT NULL",
        of_client("status, cancelled_late, start_at, booked_at", Some("$3"))
    )
);

pub(super) async fn summary(
    pool: &PgPool,
    tenant: &TenantId,
    client: ClientId,
    position: Option<Position>,
) -> Result<Summary, sqlx::Error> {
    let statement = if position.is_some() { SUMMARY_AS_OF.live() } else { SUMMARY.live() };
    let summary = sqlx::query(&statement).bind(tenant.as_str()).bind(client.uuid());
    let summary = match position {
        Some(position) => summary.bind(position.as_i64()),
        None => summary,
    };
    let row = summary.fetch_one(pool).await?;
    let count = |name| Ok::<_, sqlx::Error>(row.try_get::<i64, _>(name)?.cast_unsigned());
    Ok(Summary {
        booked: count("booked")?,
        kept: count("kept")?,
        cancelled: count("cancelled")?,
        late_cancellations: count("late")?,
        no_shows: count("no_shows")?,
        first_start_at: row.try_get("first_start_at")?,
        last_start_at: row.try_get("last_start_at")?,
    })
}

/// From an instant on, and before another; `None` lets all through.
pub(super) type Bounds = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

pub(super) async fn page(
    pool: &PgPool,
    tenant: &TenantId,
    client: ClientId,
    bounds: Bounds,
    (cursor, limit): (Option<&Cursor>, Limit),
    (now, position): (DateTime<Utc>, Option<Position>),
) -> Result<Page<PastAppointment>, PageError> {
    let list = List::of(tenant, "client_history", &(client, bounds));
    let list = position.map_or(list, |position| list.at(position.get()));
    let keyset = Keyset::new(list, cursor, limit)?;
    let position = position.map(|position| position.to_string());
    let found = of_client(&APPOINTMENTS.names(), position.as_deref());
    let select = format!("SELECT a.* {found} WHERE l.tenant_id = ");
    let mut sql = QueryBuilder::<Postgres>::new(Schema::of(Appointments::ID).sql(&select));
    sql.push_bind(tenant.as_str());
    sql.push(" AND l.party_id = ").push_bind(client.uuid());
    keyset.push_after(&mut sql, KEY);
    let (from, to) = bounds;
    if let Some(from) = from {
        sql.push(" AND l.start_at >= ").push_bind(from);
    }
    if let Some(to) = to {
        sql.push(" AND l.start_at < ").push_bind(to);
    }
    keyset.push_order(&mut sql, KEY);
    let found: Vec<PastAppointment> = sql.build_query_as().fetch_all(pool).await?;
    let rows = found.into_iter().map(|mut item| {
        item.appointment.show_at(now);
        (item.appointment.key(), item)
    });
    Ok(keyset.page(rows.collect()))
}

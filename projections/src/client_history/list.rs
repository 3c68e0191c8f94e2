//! A client's history: pages, and what it comes to.

use chrono::{DateTime, Utc};
use daybook_domain::rights::Limits;
use daybook_domain::{ClientId, TenantId};
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder, Row as _};

use crate::appointments::Appointments;
use crate::appointments::version::{APPOINTMENTS, Outcome};
use crate::page::cursor::List;
use crate::page::keyset::Keyset;
use crate::search::FoundAppointment;
use crate::within::push_limits;
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

/// Pushes the current versions of a client's appointments, as `a`, in the order of a page; or those that were valid at a
/// position; and of these, those that lie within the limits. Entries are read from the primary key of
/// `appointments_by_party`, and each one's row from `current_start` or `appointments_start`: an `OFFSET` keeps them from
/// being joined otherwise.
fn push_of_client(
    sql: &mut QueryBuilder<'_, Postgres>,
    columns: &str,
    (tenant, client, within): (&TenantId, ClientId, &Limits),
    position: Option<Position>,
) {
    let schema = Schema::of(Appointments::ID);
    sql.push(format!(
        " FROM {schema}.appointments_by_party l
        CROSS JOIN LATERAL (
              SELECT {columns} FROM {schema}.appointments v
               WHERE v.tenant_id = l.tenant_id AND v.start_at = l.start_at
                 AND v.appointment_id = l.appointment_id AND v.client_id = l.party_id"
    ));
    match position {
        None => {
            sql.push(" AND v.until_position IS NULL");
        }
        Some(position) => {
            sql.push(" AND v.position <= ").push_bind(position.as_i64());
            sql.push(" AND (v.until_position IS NULL OR v.until_position > ");
            sql.push_bind(position.as_i64()).push(")");
        }
    }
    push_limits(within, "v.", sql);
    sql.push(" OFFSET 0) AS a WHERE l.tenant_id = ").push_bind(tenant.as_str().to_owned());
    sql.push(" AND l.party_id = ").push_bind(client.uuid());
}

const SUMMED_UP: &str = "
    SELECT count(*) AS booked,
           count(*) FILTER (WHERE a.status IN ('checked-in', 'fulfilled')) AS kept,
           count(*) FILTER (WHERE a.status = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE a.cancelled_late) AS late,
           count(*) FILTER (WHERE a.status = 'no-show') AS no_shows,
           min(a.start_at) FILTER (WHERE a.status <> 'cancelled') AS first_start_at,
           max(a.start_at) FILTER (WHERE a.status <> 'cancelled') AS last_start_at";

pub(super) async fn summary(
    pool: &PgPool,
    tenant: &TenantId,
    (client, within): (ClientId, &Limits),
    position: Option<Position>,
) -> Result<Summary, sqlx::Error> {
    let mut summary = QueryBuilder::<Postgres>::new(SUMMED_UP);
    let columns = "status, cancelled_late, start_at, booked_at";
    push_of_client(&mut summary, columns, (tenant, client, within), position);
    summary.push(" AND a.booked_at IS NOT NULL");
    let row = summary.build().fetch_one(pool).await?;
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
    (client, within): (ClientId, &Limits),
    bounds: Bounds,
    (cursor, limit): (Option<&Cursor>, Limit),
    (now, position): (DateTime<Utc>, Option<Position>),
) -> Result<Page<PastAppointment>, PageError> {
    let list = List::of(tenant, "client_history", &(client, bounds));
    let list = position.map_or(list, |position| list.at(position.get()));
    let keyset = Keyset::new(list.within(within), cursor, limit)?;
    let mut sql = QueryBuilder::<Postgres>::new("SELECT a.*");
    push_of_client(&mut sql, &APPOINTMENTS.names(), (tenant, client, within), position);
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

//! What takes place: all of it at once and by start, for calendars that follow it.

use chrono::{DateTime, Utc};
use daybook_domain::time::Interval;
use daybook_domain::{
    AppointmentId, Category, ClientId, FreeTitle, Location, ResourceIds, Tags, TenantId,
};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::SearchFilter;
use super::terms::TermsOf;
use crate::Schema;
use crate::appointments::Appointments;
use crate::appointments::version::NO_PLACE;
use crate::kit::read::decode;
use crate::kit::{Json, column};

/// An appointment that takes place, as calendars show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakesPlace {
    pub appointment_id: AppointmentId,
    /// When it is, in whole microseconds.
    pub during: Interval,
    /// Whether it is held and not booked.
    pub is_held: bool,
    /// Whether it takes no time of its resources.
    pub is_transparent: bool,
    pub category: Category,
    pub tags: Tags,
    pub resource_ids: ResourceIds,
    pub client_id: ClientId,
    pub title: FreeTitle,
    pub location: Option<Location>,
    /// The number of its events.
    pub version: u64,
    /// When its last event was recorded.
    pub updated_at: DateTime<Utc>,
}

impl FromRow<'_, PgRow> for TakesPlace {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            appointment_id: column(row, "appointment_id")?,
            during: Interval::new(column(row, "start_at")?, column(row, "end_at")?)
                .map_err(decode)?,
            is_held: row.try_get("is_held")?,
            is_transparent: row.try_get("is_transparent")?,
            category: column(row, "category")?,
            tags: column(row, "tags")?,
            resource_ids: column(row, "resource_ids")?,
            client_id: column(row, "client_id")?,
            title: column::<Json<FreeTitle>>(row, "title")?.0,
            location: column(row, "location")?,
            version: column(row, "version")?,
            updated_at: column(row, "recorded_at")?,
        })
    }
}

/// Of what the filter lets through, the first `limit` that take place: what was cancelled does not, nor that to which nobody came, nor a
/// hold that had lapsed at `now`.
///
/// By `appointments_by_party` and the primary key where parties are named, else by `current_terms` or `current_start`.
pub(super) async fn taking_place(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &SearchFilter,
    with_sessions: bool,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Vec<TakesPlace>, sqlx::Error> {
    let schema = Schema::of(Appointments::ID);
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT appointment_id, start_at, end_at, status = 'held' AS is_held,
                {NO_PLACE} = ANY (seats) AS is_transparent, category, tags, resource_ids, client_id, title,
                location, version, recorded_at
           FROM {schema}.appointments WHERE tenant_id = "
    ));
    sql.push_bind(tenant.as_str());
    sql.push(" AND until_position IS NULL AND status NOT IN ('cancelled', 'no-show')");
    sql.push(" AND (status <> 'held' OR hold_expires_at > ").push_bind(now).push(")");
    push_days(filter, &mut sql);
    if !with_sessions {
        sql.push(" AND session_id IS NULL");
    }
    let parties: Vec<Uuid> = filter.parties().into_iter().collect();
    if parties.is_empty() {
        let terms = filter.search_terms(&TermsOf::new(tenant), &[]);
        if !terms.all.is_empty() {
            sql.push(" AND terms @> ").push_bind(terms.all);
        }
        for any in terms.any {
            sql.push(" AND terms && ").push_bind(any);
        }
    } else {
        sql.push(format!(
            " AND appointment_id IN (SELECT appointment_id FROM {schema}.appointments_by_party
                                      WHERE tenant_id = "
        ));
        sql.push_bind(tenant.as_str()).push(" AND party_id = ANY(").push_bind(parties).push(")");
        push_days(filter, &mut sql);
        sql.push(")");
    }
    filter.push_conditions(&mut sql, now);
    sql.push(" ORDER BY start_at, appointment_id LIMIT ");
    sql.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
    sql.build_query_as().fetch_all(pool).await
}

fn push_days(filter: &SearchFilter, sql: &mut QueryBuilder<'_, Postgres>) {
    if let Some(from) = filter.from {
        sql.push(" AND start_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        sql.push(" AND start_at < ").push_bind(to);
    }
}

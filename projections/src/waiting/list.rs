//! Pages of the waiting list, and what is to be done of it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::waiting::Status;
use daybook_domain::{ClientId, ServiceId, TenantId, WaitingEntryId};
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::WaitingList;
use super::row::{ENTRIES, Entry};
use crate::due::{self, UNTIL, fair};
use crate::kit::statement;
use crate::page::cursor::List;
use crate::page::keyset::{Keyset, Union};
use crate::{Cursor, Due, DueQuery, Limit, Page, PageError, Schema};

/// The order of the list.
const KEY: &str = "turn";

/// Which entries are asked for; each field that is not given lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitingFilter {
    /// They wait for one of these services.
    pub service_ids: BTreeSet<ServiceId>,
    /// It is one of these clients who waits.
    pub client_ids: BTreeSet<ClientId>,
    /// One of these has become of them.
    pub statuses: Vec<Status>,
}

impl WaitingFilter {
    /// The column and the values that are looked for in an index, and the others.
    fn sides(&self) -> [(&'static str, Vec<Uuid>); 2] {
        let services = self.service_ids.iter().map(|id| id.uuid()).collect();
        let clients: Vec<Uuid> = self.client_ids.iter().map(|id| id.uuid()).collect();
        let (services, clients) = (("service_id", services), ("client_id", clients));
        if self.client_ids.is_empty() { [services, clients] } else { [clients, services] }
    }
}

/// The entries that come after the pages before, of the value of the first side.
fn push_entries<'q>(
    sql: &mut QueryBuilder<'q, Postgres>,
    tenant: &'q TenantId,
    [(column, _), (other, others)]: &[(&'static str, Vec<Uuid>); 2],
    value: Option<&Uuid>,
    keyset: &Keyset<Position>,
) {
    let schema = Schema::of(WaitingList::ID);
    sql.push(format!("SELECT {} FROM {schema}.entries WHERE tenant_id = ", ENTRIES.names()));
    sql.push_bind(tenant.as_str());
    keyset.push_after(sql, KEY);
    if let Some(value) = value {
        sql.push(format!(" AND {column} = ")).push_bind(*value);
    }
    if !others.is_empty() {
        sql.push(format!(" AND {other} = ANY(")).push_bind(others.clone()).push(")");
    }
}

/// Served by `entries_turn`, or with a service or a client by `entries_of_service` or
/// `entries_of_client`.
pub(super) async fn page(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &WaitingFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
    now: DateTime<Utc>,
) -> Result<Page<Entry>, PageError> {
    let keyset = Keyset::new(List::of(tenant, "waiting", filter), cursor, limit)?;
    let mut sql = statement(tenant, filter, &keyset, now, "");
    let entries: Vec<Entry> = sql.build_query_as().fetch_all(pool).await?;
    Ok(keyset.page(entries.into_iter().map(|entry| (entry.turn, entry.at(now))).collect()))
}

pub(super) fn statement<'q>(
    tenant: &'q TenantId,
    filter: &WaitingFilter,
    keyset: &Keyset<Position>,
    now: DateTime<Utc>,
    prefix: &str,
) -> QueryBuilder<'q, Postgres> {
    let sides = filter.sides();
    let mut sql = QueryBuilder::new(prefix);
    keyset.push_each(&mut sql, (sides[0].1.as_slice(), Union::All), KEY, |sql, value| {
        push_entries(sql, tenant, &sides, value, keyset);
        if !filter.statuses.is_empty() {
            // As `Entry::at` shows it.
            sql.push(" AND CASE WHEN status = 'offered' AND offer_expires_at <= ").push_bind(now);
            sql.push(" THEN 'lapsed' WHEN status = 'waiting' AND until_at <= ").push_bind(now);
            let statuses: Vec<&str> = filter.statuses.iter().map(|it| it.as_str()).collect();
            sql.push(" THEN 'expired' ELSE status END = ANY(").push_bind(statuses).push(")");
        }
    });
    sql
}

/// Served by the same indexes.
pub(super) async fn joined_by(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &WaitingFilter,
    at: Position,
    (cursor, limit): (Option<&Cursor>, Limit),
) -> Result<Page<WaitingEntryId>, PageError> {
    let list = List::of(tenant, "waiting", filter).at(at.get());
    let keyset = Keyset::<Position>::new(list, cursor, limit)?;
    let sides = filter.sides();
    let mut sql = QueryBuilder::<Postgres>::new("SELECT turn, entry_id FROM (");
    keyset.push_each(&mut sql, (sides[0].1.as_slice(), Union::All), KEY, |sql, value| {
        push_entries(sql, tenant, &sides, value, &keyset);
        sql.push(" AND turn <= ").push_bind(at.as_i64());
    });
    sql.push(format!(") AS joined ORDER BY {KEY}"));
    let rows: Vec<(i64, Uuid)> = sql.build_query_as().fetch_all(pool).await?;
    let rows = rows.into_iter().map(|(turn, id)| (Position::from_i64(turn), id.into()));
    Ok(keyset.page(rows.collect()))
}

statement!(
    /// Served by `entries_waiting_for_service`.
    BEFORE: WaitingList =
        "SELECT (SELECT count(*) FROM {schema}.entries o
                  WHERE o.tenant_id = $1 AND o.service_id = $2 AND o.status = 'waiting'
                    AND o.turn < e.turn AND o.until_at > $4)
           FROM {schema}.entries e
          WHERE e.tenant_id = $1 AND e.entry_id = $3 AND e.status = 'waiting'"
);

pub(super) async fn before(
    pool: &PgPool,
    tenant: &TenantId,
    service: ServiceId,
    entry: WaitingEntryId,
    now: DateTime<Utc>,
) -> Result<Option<u64>, sqlx::Error> {
    let count: Option<i64> = sqlx::query_scalar(&Schema::of(WaitingList::ID).sql(&BEFORE))
        .bind(tenant.as_str())
        .bind(service.uuid())
        .bind(entry.uuid())
        .bind(now)
        .fetch_optional(pool)
        .await?;
    Ok(count.map(i64::cast_unsigned))
}

statement!(
    /// Served by `entries_waiting`.
    IN_TURN: WaitingList = format!(
        "SELECT {} FROM {{schema}}.entries
          WHERE tenant_id = $1 AND status = 'waiting' AND turn > $2 AND until_at > $3
          ORDER BY turn
          LIMIT $4",
        ENTRIES.names()
    )
);

pub(super) async fn in_turn(
    pool: &PgPool,
    tenant: &TenantId,
    after: Position,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as(&Schema::of(WaitingList::ID).sql(&IN_TURN))
        .bind(tenant.as_str())
        .bind(after.as_i64())
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
}

/// A tenant of whom somebody waits, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingTenant {
    pub tenant: TenantId,
    /// Where its log ends.
    pub head: Position,
    /// Up to where what has become available was offered, as it is recorded.
    pub promoted: Option<Position>,
    /// Up to when what time alone has brought was.
    pub passed: Option<DateTime<Utc>>,
}

statement!(
    /// From one tenant to the next, by `entries_waiting`: those who do not wait cost nothing.
    TENANTS: WaitingList =
        "WITH RECURSIVE waiting (tenant_id) AS (
             (SELECT tenant_id FROM {schema}.entries
               WHERE status = 'waiting' AND tenant_id > $1 ORDER BY tenant_id LIMIT 1)
             UNION ALL
             SELECT (SELECT e.tenant_id FROM {schema}.entries e
                      WHERE e.status = 'waiting' AND e.tenant_id > w.tenant_id
                      ORDER BY e.tenant_id LIMIT 1)
               FROM waiting w WHERE w.tenant_id IS NOT NULL
         )
         SELECT w.tenant_id,
                (SELECT position FROM log_heads h WHERE h.tenant_id = w.tenant_id) AS head,
                (SELECT read_position FROM promotions p WHERE p.tenant_id = w.tenant_id),
                (SELECT passed_at FROM promotions p WHERE p.tenant_id = w.tenant_id)
           FROM waiting w WHERE w.tenant_id IS NOT NULL
          LIMIT $2"
);

pub(super) async fn tenants(
    pool: &PgPool,
    after: Option<&TenantId>,
    limit: u32,
) -> Result<Vec<WaitingTenant>, sqlx::Error> {
    let rows = sqlx::query(&TENANTS.live())
        .bind(after.map_or("", TenantId::as_str))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    let position = |row: &PgRow, column| {
        row.try_get::<Option<i64>, _>(column).map(|at| at.map(Position::from_i64))
    };
    let tenant = |row: &PgRow| {
        Ok(WaitingTenant {
            tenant: tenant(row)?,
            head: position(row, "head")?.unwrap_or_default(),
            promoted: position(row, "read_position")?,
            passed: row.try_get("passed_at")?,
        })
    };
    rows.iter().map(tenant).collect()
}

fn tenant(row: &PgRow) -> Result<TenantId, sqlx::Error> {
    let tenant: &str = row.try_get("tenant_id")?;
    tenant.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Whether anybody waits of a tenant, as far as its log has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnybodyWaits {
    pub tenant: TenantId,
    pub waits: bool,
    pub read: Position,
}

statement!(
    /// Served by `entries_waiting` and `checkpoints_pkey`. Both are of one snapshot: what the checkpoint says is in the rows.
    ANYBODY: WaitingList = format!(
        "SELECT asked.tenant_id, asked.position,
                EXISTS (SELECT FROM {{schema}}.entries e
                         WHERE e.tenant_id = asked.tenant_id AND e.status = 'waiting') AS waits
           FROM (SELECT t.tenant_id, c.position
                   FROM unnest($1::text[]) AS t (tenant_id)
                   LEFT JOIN checkpoints c ON c.tenant_id = t.tenant_id
                    AND c.projection = '{}' AND c.version = {}) AS asked",
        WaitingList::ID.name,
        WaitingList::ID.version
    )
);

pub(super) async fn whether_anybody_waits(
    pool: &PgPool,
    tenants: &[TenantId],
) -> Result<Vec<AnybodyWaits>, sqlx::Error> {
    let names: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
    let rows = sqlx::query(&ANYBODY.live()).bind(names).fetch_all(pool).await?;
    let answer = |row: &PgRow| {
        let read = row.try_get::<Option<i64>, _>("position")?;
        let read = read.map(Position::from_i64).unwrap_or_default();
        Ok(AnybodyWaits { tenant: tenant(row)?, waits: row.try_get("waits")?, read })
    };
    rows.iter().map(answer).collect()
}

statement!(
    /// Served by `entries_due`, `entries_lapsing` and `entries_passing`.
    pub(super) DUE: WaitingList = fair(format!(
        "(SELECT tenant_id, entry_id AS id, statement_timestamp() AS due_at
            FROM {{schema}}.entries
           WHERE due AND entry_id <> ALL ($2)
           LIMIT $3)
         UNION ALL
         (SELECT tenant_id, entry_id, offer_expires_at FROM {{schema}}.entries
           WHERE status = 'offered' AND offer_expires_at <= {UNTIL} AND entry_id <> ALL ($2)
           ORDER BY offer_expires_at
           LIMIT $3)
         UNION ALL
         (SELECT tenant_id, entry_id, until_at FROM {{schema}}.entries
           WHERE status = 'waiting' AND until_at <= {UNTIL} AND entry_id <> ALL ($2)
           ORDER BY until_at
           LIMIT $3)"
    ))
);

pub(super) async fn due(
    pool: &PgPool,
    query: DueQuery<'_>,
) -> Result<Vec<Due<WaitingEntryId>>, sqlx::Error> {
    due::due(pool, &DUE.live(), query).await
}

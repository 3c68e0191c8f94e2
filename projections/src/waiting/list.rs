//! Pages of the waiting list, and what is to be done of it.

use chrono::{DateTime, Utc};
use daybook_domain::waiting::Status;
use daybook_domain::{ClientId, ServiceId, TenantId, WaitingEntryId};
use daybook_store::Position;
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::WaitingList;
use super::row::{ENTRIES, Entry};
use crate::kit::statement;
use crate::page::cursor::List;
use crate::page::keyset::Keyset;
use crate::{Cursor, Limit, Page, PageError, Schema};

/// The order of the list.
const KEY: &str = "turn";

/// Which entries are asked for; each field that is not given lets all through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitingFilter {
    /// They wait for this service.
    pub service_id: Option<ServiceId>,
    /// It is this client who waits.
    pub client_id: Option<ClientId>,
    /// This has become of them.
    pub status: Option<Status>,
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
    let schema = Schema::of(WaitingList::ID);
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT {} FROM {schema}.entries WHERE tenant_id = ",
        ENTRIES.names()
    ));
    sql.push_bind(tenant.as_str());
    keyset.push_after(&mut sql, KEY);
    if let Some(service) = filter.service_id {
        sql.push(" AND service_id = ").push_bind(service.uuid());
    }
    if let Some(client) = filter.client_id {
        sql.push(" AND client_id = ").push_bind(client.uuid());
    }
    if let Some(status) = filter.status {
        // As `Entry::at` shows it.
        sql.push(" AND CASE WHEN status = 'offered' AND offer_expires_at <= ").push_bind(now);
        sql.push(" THEN 'lapsed' WHEN status = 'waiting' AND until_at <= ").push_bind(now);
        sql.push(" THEN 'expired' ELSE status END = ").push_bind(status.as_str());
    }
    keyset.push_order(&mut sql, KEY);
    let entries: Vec<Entry> = sql.build_query_as().fetch_all(pool).await?;
    Ok(keyset.page(entries.into_iter().map(|entry| (entry.turn, entry.at(now))).collect()))
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

statement!(
    /// Served by `entries_due`, `entries_lapsing` and `entries_passing`.
    DUE: WaitingList =
        "(SELECT entry_id FROM {schema}.entries WHERE tenant_id = $1 AND due
           ORDER BY turn LIMIT $3)
         UNION ALL
         (SELECT entry_id FROM {schema}.entries
           WHERE tenant_id = $1 AND status = 'offered' AND offer_expires_at <= $2
           ORDER BY offer_expires_at LIMIT $3)
         UNION ALL
         (SELECT entry_id FROM {schema}.entries
           WHERE tenant_id = $1 AND status = 'waiting' AND until_at <= $2
           ORDER BY until_at LIMIT $3)
         LIMIT $3"
);

pub(super) async fn due(
    pool: &PgPool,
    tenant: &TenantId,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<WaitingEntryId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(&Schema::of(WaitingList::ID).sql(&DUE))
        .bind(tenant.as_str())
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    Ok(ids.into_iter().map(WaitingEntryId::from).collect())
}

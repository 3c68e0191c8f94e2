//! Pages of sessions.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::session::{Session, SessionStatus};
use daybook_domain::{ServiceId, SessionId, TenantId};
use daybook_store::Position;
use sqlx::{PgPool, Postgres, QueryBuilder};

use super::Sessions;
use super::rows::{Row, SESSIONS};
use crate::page::cursor::List;
use crate::page::keyset::{Keyset, StartKey, Union};
use crate::{Cursor, Limit, Page, PageError, Schema};

/// The order of the list.
const KEY: &str = "start_at, session_id";

/// Which sessions are asked for; each field that is not given lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// It starts at this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// It starts before this instant.
    pub to: Option<DateTime<Utc>>,
    /// It is of one of these services.
    pub service_ids: BTreeSet<ServiceId>,
    /// This became of it.
    pub status: Option<SessionStatus>,
}

impl SessionFilter {
    /// Whether it lets a session through that starts when it is asked for.
    pub(crate) fn lets_through(&self, session: &Session) -> bool {
        let Session::Made { plan, status, .. } = session else { return false };
        (self.service_ids.is_empty() || self.service_ids.contains(&plan.service_id))
            && self.status.is_none_or(|wanted| wanted == *status)
    }
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    pub session_id: SessionId,
    /// All about it.
    pub session: Session,
    /// The number of its events.
    pub version: u64,
    /// Where its last event is in the log.
    pub position: Position,
}

/// Served by `sessions_by_start`, or with services by `sessions_of_service`.
pub(super) async fn page(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &SessionFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page<ListedSession>, PageError> {
    let keyset = Keyset::new(List::of(tenant, "sessions", filter), cursor, limit)?;
    let mut sql = statement(tenant, filter, &keyset, "");
    let rows: Vec<Row> = sql.build_query_as().fetch_all(pool).await?;
    Ok(keyset.page(rows.into_iter().map(listed).collect()))
}

pub(super) fn statement<'q>(
    tenant: &'q TenantId,
    filter: &SessionFilter,
    keyset: &Keyset<StartKey>,
    prefix: &str,
) -> QueryBuilder<'q, Postgres> {
    let schema = Schema::of(Sessions::ID);
    let services: Vec<ServiceId> = filter.service_ids.iter().copied().collect();
    let mut sql = QueryBuilder::new(prefix);
    keyset.push_each(&mut sql, (services.as_slice(), Union::All), KEY, |sql, service| {
        sql.push(format!("SELECT {} FROM {schema}.sessions WHERE tenant_id = ", SESSIONS.names()));
        sql.push_bind(tenant.as_str());
        keyset.push_after(sql, KEY);
        if let Some(from) = filter.from {
            sql.push(" AND start_at >= ").push_bind(from);
        }
        if let Some(to) = filter.to {
            sql.push(" AND start_at < ").push_bind(to);
        }
        if let Some(service_id) = service {
            sql.push(" AND service_id = ").push_bind(service_id.uuid());
        }
        if let Some(status) = filter.status {
            sql.push(" AND status = ").push_bind(status.as_str());
        }
    });
    sql
}

fn listed(row: Row) -> (StartKey, ListedSession) {
    let Row { session_id, start_at, session, version, position, .. } = row;
    let key = StartKey { start_at, id: session_id.uuid() };
    (key, ListedSession { session_id, session, version, position })
}

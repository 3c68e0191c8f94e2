//! Pages of sessions.

use chrono::{DateTime, Utc};
use daybook_domain::session::{Session, SessionStatus};
use daybook_domain::{ServiceId, SessionId, TenantId};
use daybook_store::Position;
use sqlx::types::Json;
use sqlx::{PgPool, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::page::seal::Fingerprint;
use crate::search::{Cursor, Place, SearchError};
use crate::{Limit, Page};

/// Which sessions are asked for; each field that is not given lets all through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// It starts at this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// It starts before this instant.
    pub to: Option<DateTime<Utc>>,
    /// It is one of this service.
    pub service_id: Option<ServiceId>,
    /// This became of it.
    pub status: Option<SessionStatus>,
}

impl SessionFilter {
    fn fingerprint(&self, tenant: &TenantId) -> Fingerprint {
        let micros = |bound: Option<DateTime<Utc>>| bound.map(|at| at.timestamp_micros());
        let (from, to) = (micros(self.from), micros(self.to));
        let (service, status) = (self.service_id, self.status);
        let canonical = format!("sessions {tenant} {from:?} {to:?} {service:?} {status:?}");
        Fingerprint::of(&[canonical.as_bytes()])
    }
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    /// Which one.
    pub session_id: SessionId,
    /// All about it.
    pub session: Session,
    /// The number of its events.
    pub version: u64,
    /// Where its last event is in the log.
    pub position: Position,
}

/// Served by `sessions_by_start`, or with a service by `sessions_of_service`.
pub(super) async fn page(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &SessionFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page<ListedSession, Cursor>, SearchError> {
    let asked = filter.fingerprint(tenant);
    let after = cursor.map(|cursor| cursor.place(asked)).transpose()?;
    let mut sql = QueryBuilder::<Postgres>::new(
        "SELECT session_id, start_at, session, version, position
           FROM sessions_1.sessions WHERE tenant_id = ",
    );
    sql.push_bind(tenant.as_str());
    if let Some(Place { start_at, id }) = after {
        sql.push(" AND (start_at, session_id) > (").push_bind(start_at);
        sql.push(", ").push_bind(id).push(")");
    }
    if let Some(from) = filter.from {
        sql.push(" AND start_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        sql.push(" AND start_at < ").push_bind(to);
    }
    if let Some(service_id) = filter.service_id {
        sql.push(" AND service_id = ").push_bind(service_id.uuid());
    }
    if let Some(status) = filter.status {
        sql.push(" AND status = ").push_bind(status.as_str());
    }
    let wanted = limit.items() + 1;
    sql.push(format!(" ORDER BY start_at, session_id LIMIT {wanted}"));
    let rows = sql.build().fetch_all(pool).await?;
    let (mut items, mut last) = (Vec::with_capacity(rows.len()), None);
    for row in rows.iter().take(limit.items()) {
        let id: Uuid = row.try_get("session_id")?;
        last = Some(Place { start_at: row.try_get("start_at")?, id });
        let Json(session) = row.try_get("session")?;
        items.push(ListedSession {
            session_id: id.into(),
            session,
            version: row.try_get::<i64, _>("version")?.cast_unsigned(),
            position: Position::from_i64(row.try_get("position")?),
        });
    }
    let more = rows.len() == wanted;
    let next = last.filter(|_| more).map(|place| Cursor::after(place, asked));
    Ok(Page { items, next })
}

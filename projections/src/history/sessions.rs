//! The sessions that there were at a moment, by their start.

use daybook_domain::TenantId;
use daybook_domain::session::{Session, SessionStatus};
use daybook_domain::time::Interval;
use daybook_store::Position;
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::SessionVersion;
use crate::appointments::Appointments;
use crate::appointments::sessions::SESSIONS;
use crate::page::cursor::List;
use crate::page::keyset::{Keyset, StartKey};
use crate::sessions::SessionFilter;
use crate::{Cursor, Limit, Page, PageError, Schema};

/// The order of the list.
const KEY: &str = "start_at, session_id";

/// How many are read at once, and how often for one page: service and status are seen when a session is read.
const PART: usize = 500;
const MAX_PARTS: usize = 10;

/// Of the first `limit` that start in some time and have one of some resources, those that take place, by their start, as they are now: of
/// all, or of these. Served by `sessions_start`, or by the primary key.
pub(super) async fn taking_place(
    pool: &PgPool,
    tenant: &TenantId,
    during: Interval,
    (these, resources): (Option<&[Uuid]>, Option<&[Uuid]>),
    limit: usize,
) -> Result<Vec<SessionVersion>, sqlx::Error> {
    let (schema, names) = (Schema::of(Appointments::ID), SESSIONS.names());
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT {names} FROM {schema}.sessions WHERE tenant_id = "
    ));
    sql.push_bind(tenant.as_str()).push(" AND start_at >= ").push_bind(during.start());
    sql.push(" AND start_at < ").push_bind(during.end()).push(" AND until_position IS NULL");
    if let Some(these) = these {
        sql.push(" AND session_id = ANY(").push_bind(these.to_vec()).push(")");
    }
    if let Some(resources) = resources {
        sql.push(" AND resource_ids && ").push_bind(resources.to_vec());
    }
    sql.push(format!(" ORDER BY {KEY} LIMIT "));
    sql.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows: Vec<SessionVersion> = sql.build_query_as().fetch_all(pool).await?;
    let is_planned = |version: &SessionVersion| {
        matches!(version.session, Session::Made { status: SessionStatus::Scheduled, .. })
    };
    Ok(rows.into_iter().filter(is_planned).collect())
}

/// Served by `sessions_start`.
pub(super) async fn page(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &SessionFilter,
    (cursor, limit): (Option<&Cursor>, Limit),
    position: Position,
) -> Result<Page<SessionVersion>, PageError> {
    let list = List::of(tenant, "sessions", filter).at(position.get());
    let keyset = Keyset::<StartKey>::new(list, cursor, limit)?;
    let (mut items, mut after) = (Vec::new(), keyset.after().copied());
    for _ in 0..MAX_PARTS {
        let part = part(pool, tenant, filter, after, position).await?;
        let is_last = part.len() < PART;
        for version in part {
            let Some(plan) = version.session.plan() else { continue };
            let key =
                StartKey { start_at: plan.slot.during.start(), id: version.session_id.uuid() };
            if filter.lets_through(&version.session) {
                if items.len() == limit.items() {
                    return Ok(Page { items, next: after.map(|after| keyset.cursor(&after)) });
                }
                items.push(version);
            }
            after = Some(key);
        }
        if is_last {
            return Ok(Page { items, next: None });
        }
    }
    Ok(Page { items, next: after.map(|after| keyset.cursor(&after)) })
}

async fn part(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &SessionFilter,
    after: Option<StartKey>,
    position: Position,
) -> Result<Vec<SessionVersion>, sqlx::Error> {
    let (schema, names) = (Schema::of(Appointments::ID), SESSIONS.names());
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT {names} FROM {schema}.sessions WHERE tenant_id = "
    ));
    sql.push_bind(tenant.as_str());
    sql.push(" AND position <= ").push_bind(position.as_i64());
    sql.push(" AND (until_position IS NULL OR until_position > ").push_bind(position.as_i64());
    sql.push(")");
    if let Some(StartKey { start_at, id }) = after {
        sql.push(format!(" AND ({KEY}) > (")).push_bind(start_at);
        sql.push(", ").push_bind(id).push(")");
    }
    if let Some(from) = filter.from {
        sql.push(" AND start_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        sql.push(" AND start_at < ").push_bind(to);
    }
    sql.push(format!(" ORDER BY {KEY} LIMIT {PART}"));
    sql.build_query_as().fetch_all(pool).await
}

#[cfg(test)]
mod tests {
    use daybook_domain::session::SessionEvent;
    use daybook_store::AnyEvent;

    use super::*;
    use crate::tests::classes::{hour, scheduled, session};
    use crate::tests::world::World;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sessions_of_other_resources_do_not_count_to_the_limit() {
        let world = World::new().await;
        let tenant = world.tenant("north").await;
        let runner = world.start(world.projections());
        let mut elsewhere = scheduled(1, 10);
        if let AnyEvent::Session(_, SessionEvent::SessionScheduled(event)) = &mut elsewhere {
            event.slot.resource_ids = vec![Uuid::from_u128(2).into()].try_into().unwrap();
        }
        let head = world.append(&tenant, &[elsewhere, scheduled(2, 20)]).await;
        world.caught_up(&tenant, Appointments::ID, head).await;
        runner.stop().await;
        let during = Interval::new(hour(0), hour(30)).unwrap();
        let first = async |resources: Option<&[Uuid]>| {
            let which = (None, resources);
            let found = taking_place(&world.pool, &tenant, during, which, 1).await.unwrap();
            found.into_iter().map(|version| version.session_id).collect::<Vec<_>>()
        };
        assert_eq!(first(None).await, [session(1)]);
        assert_eq!(first(Some(&[Uuid::from_u128(1)])).await, [session(2)]);
    }
}

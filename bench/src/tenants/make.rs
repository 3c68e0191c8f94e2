//! A database with many tenants, of whom a few can book.

use std::sync::Arc;

use daybook_domain::TenantId;
use daybook_domain::rights::ScopeSet;
use daybook_store::keys::{self, NewKey};
use daybook_store::{Clock as _, SystemClock, tenants};
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::PgPool;

use crate::calendar::Calendar;
use crate::catalogue::{self, Size};
use crate::cluster::{Database, Server};
use crate::daybook::Daybook;

/// What there is.
pub(super) struct Made {
    pub(super) database: Database,
    /// Of those who book, a key each.
    pub(super) keys: Vec<String>,
    pub(super) calendar: Arc<Calendar>,
    pub(super) size: Size,
}

/// Tenants who have booked once, long ago; every projection has seen it. Their logs are not whole: no chain of
/// hashes is made.
const IDLE: &str = "
    WITH idle AS MATERIALIZED (SELECT 'idle-' || n AS tenant FROM generate_series($1::bigint, $2::bigint) AS n),
         tenant AS (
            INSERT INTO tenants (tenant_id, time_zone, created_at)
            SELECT tenant, 'UTC', now() - interval '1 day' FROM idle),
         head AS (
            INSERT INTO log_heads (tenant_id, position, hash, recorded_at, active)
            SELECT tenant, 1, sha256('idle'), now() - interval '1 day', false FROM idle),
         event AS (
            INSERT INTO events (tenant_id, position, aggregate_type, aggregate_id, sequence,
                                event_type, event_version, payload, metadata, recorded_at, hash)
            SELECT i.tenant, 1, e.aggregate_type, i.tenant || '/' || split_part(e.aggregate_id, '/', 2),
                   1, e.event_type, e.event_version, e.payload, e.metadata,
                   now() - interval '1 day', sha256('idle')
              FROM idle i,
                   (SELECT * FROM events WHERE event_type = 'ClientRegistered' LIMIT 1) AS e)
    INSERT INTO checkpoints (tenant_id, projection, version, position)
    SELECT i.tenant, c.projection, c.version, 1
      FROM idle i, (SELECT DISTINCT projection, version FROM checkpoints) AS c";

/// Idle tenants whom one statement makes.
const CHUNK: u64 = 20_000;

/// Tenants whose catalogue is made at the same time.
const AT_ONCE: usize = 4;

/// So many tenants, of whom so many, if there are as many, have what can be booked.
pub(super) async fn make(
    server: &Server,
    size: Size,
    tenants: u64,
    booking: u64,
) -> anyhow::Result<Made> {
    let (database, daybook) = Daybook::furnished(server, size).await?;
    let projections = daybook.start_projections();
    let booking = booking.min(tenants);
    let mut keys = vec![furnish(&daybook, daybook.tenant.clone(), size, false).await?];
    let others: Vec<TenantId> =
        (1..booking).map(|n| format!("books-{n}").parse()).collect::<Result<_, _>>()?;
    let others = others.into_iter().map(|tenant| furnish(&daybook, tenant, size, true));
    let others = futures::stream::iter(others).buffered(AT_ONCE).try_collect::<Vec<_>>();
    keys.extend(others.await?);
    projections.caught_up(&daybook).await?;
    projections.stop().await?;
    make_idle(daybook.log().pool(), tenants - booking).await?;
    daybook.close().await;
    database.settle().await?;
    Ok(Made { database, keys, calendar: Arc::new(Calendar::new(size)), size })
}

async fn furnish(
    daybook: &Daybook,
    tenant: TenantId,
    size: Size,
    is_new: bool,
) -> anyhow::Result<String> {
    let (pool, now) = (daybook.log().pool(), SystemClock.now());
    if is_new {
        tenants::create(pool, &tenant, "UTC", now).await?;
        catalogue::make(&daybook.engine, &tenant, size).await?;
    }
    Ok(keys::create(pool, &tenant, NewKey::of(ScopeSet::Book.scopes()), now).await?.key)
}

async fn make_idle(pool: &PgPool, count: u64) -> anyhow::Result<()> {
    let mut made = 0;
    while made < count {
        let next = (made + CHUNK).min(count);
        sqlx::query(IDLE)
            .bind(i64::try_from(made + 1)?)
            .bind(i64::try_from(next)?)
            .execute(pool)
            .await?;
        made = next;
    }
    Ok(())
}

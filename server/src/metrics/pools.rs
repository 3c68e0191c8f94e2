//! The pools of connections: how many there are, and how long one is waited for.

use std::time::{Duration, Instant};

use daybook_store::Log;
use daybook_store::metrics::{CONNECTION_WAIT_SECONDS, CONNECTIONS, CONNECTIONS_MAX};
use futures::future::join_all;
use metrics::{gauge, histogram};
use sqlx::PgPool;
use tokio::time::sleep;

const INTERVAL: Duration = Duration::from_secs(1);

/// Looks at the pools for ever, each by itself: one that is waited for holds up no other.
pub(super) async fn sample(log: &Log) {
    let shared = join_all(log.shared_pools().map(|(name, pool)| sample_shared(name, pool)));
    tokio::join!(shared, sample_committers(log.committers_pool()));
}

async fn sample_shared(name: &'static str, pool: &PgPool) {
    loop {
        count(name, pool);
        let is_full = pool.size() >= pool.options().get_max_connections();
        let waited =
            if is_full && pool.num_idle() == 0 { wait(pool).await } else { Duration::ZERO };
        histogram!(CONNECTION_WAIT_SECONDS, "db_client_connection_pool_name" => name)
            .record(waited);
        sleep(INTERVAL).await;
    }
}

async fn sample_committers(pool: &PgPool) {
    loop {
        count("committers", pool);
        sleep(INTERVAL).await;
    }
}

fn count(name: &'static str, pool: &PgPool) {
    let (size, idle) = (pool.size(), u32::try_from(pool.num_idle()).unwrap_or(u32::MAX));
    for (state, count) in [("idle", idle), ("used", size.saturating_sub(idle))] {
        let labels =
            [("db_client_connection_pool_name", name), ("db_client_connection_state", state)];
        gauge!(CONNECTIONS, &labels).set(count);
    }
    let most = pool.options().get_max_connections();
    gauge!(CONNECTIONS_MAX, "db_client_connection_pool_name" => name).set(most);
}

/// Queues up as a request would, and gives back at once what it gets: the pool does not say how long others have
/// waited.
async fn wait(pool: &PgPool) -> Duration {
    let began = Instant::now();
    // Whether it got one or gave up: so long it was waited for.
    drop(pool.acquire().await);
    began.elapsed()
}

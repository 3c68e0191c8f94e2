//! Whoever is idle costs nothing: which logs are active.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use daybook_domain::TenantId;
use daybook_store::Position;
use daybook_store::followers::{self, Follower, FollowerKind};
use sqlx::{PgPool, Row as _};

use super::bookings::booked;
use super::world::World;
use crate::appointments::Appointments;
use crate::checkpoint::{self, Lease, Subscription};
use crate::runner::{look, rest};

async fn is_active(pool: &PgPool, tenant: &TenantId) -> bool {
    sqlx::query_scalar("SELECT active FROM log_heads WHERE tenant_id = $1")
        .bind(tenant.as_str())
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn comes_to_rest(pool: &PgPool, tenant: &TenantId) {
    for _ in 0..500 {
        if !is_active(pool, tenant).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{tenant} does not come to rest");
}

async fn checkpoints(pool: &PgPool, tenant: &TenantId) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM checkpoints WHERE tenant_id = $1")
        .bind(tenant.as_str())
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_for_whom_nothing_happens_is_not_looked_at() {
    let world = World::new().await;
    let (idle, busy) = (world.tenant("idle").await, world.tenant("busy").await);
    let runner = world.start(world.projections());
    for n in 1..=3 {
        let head = world.append(&busy, &[booked(n)]).await;
        world.caught_up(&busy, Appointments::ID, head).await;
        comes_to_rest(&world.pool, &busy).await;
    }
    runner.stop().await;
    assert!(!is_active(&world.pool, &idle).await);
    assert_eq!(checkpoints(&world.pool, &idle).await, 0);
    let projections = i64::try_from(world.projections().len()).unwrap();
    assert_eq!(checkpoints(&world.pool, &busy).await, projections);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_overlooked_is_found_when_a_program_starts() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let head = world.append(&tenant, &[booked(1)]).await;
    sqlx::query("UPDATE log_heads SET active = false").execute(&world.pool).await.unwrap();
    let runner = world.start(world.projections());
    world.caught_up(&tenant, Appointments::ID, head).await;
    runner.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_does_not_rest_before_what_another_program_reads() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    world.append(&tenant, &[booked(1)]).await;
    let let_rest = async || {
        let mut connection = world.pool.acquire().await.unwrap();
        rest::let_rest(&mut connection, &[], (None, None), 0.0).await.unwrap()
    };
    let reads = |name: &str| {
        format!(
            "CREATE SCHEMA {name}_7;
             INSERT INTO projection_readers VALUES (gen_random_uuid(), '{name}', 7, now())"
        )
    };
    sqlx::raw_sql(&reads("other")).execute(&world.pool).await.unwrap();
    assert_eq!(let_rest().await, 0);
    sqlx::raw_sql(
        "INSERT INTO checkpoints (tenant_id, projection, version, position)
                   VALUES ('north', 'other', 7, 1)",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    // One that is being built, or was cancelled, does not count: it is compared when it is whole.
    sqlx::raw_sql(&reads("building")).execute(&world.pool).await.unwrap();
    sqlx::raw_sql("DROP SCHEMA building_7").execute(&world.pool).await.unwrap();
    assert_eq!(let_rest().await, 1);
    assert!(!is_active(&world.pool, &tenant).await);
}

/// Whoever follows a log outside is looked at by the log's being active, or by being due: never by neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_comes_to_rest_hands_over_those_who_follow_it_and_are_behind() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let head = world.append(&tenant, &[booked(1)]).await;
    let follower = |n: u128| Follower {
        tenant: tenant.clone(),
        kind: FollowerKind::Webhook,
        id: uuid::Uuid::from_u128(n),
    };
    for (n, position) in [(1, Position::START), (2, head), (3, Position::START)] {
        followers::add(&world.pool, &follower(n), position).await.unwrap();
    }
    followers::pause(&world.pool, &follower(3)).await.unwrap();
    sqlx::query("UPDATE followers SET due_at = NULL").execute(&world.pool).await.unwrap();
    let mut connection = world.pool.acquire().await.unwrap();
    assert_eq!(rest::let_rest(&mut connection, &[], (None, None), 0.0).await.unwrap(), 1);
    let due = "SELECT follower_id FROM followers WHERE due_at <= clock_timestamp()";
    let due: Vec<uuid::Uuid> = sqlx::query_scalar(due).fetch_all(&world.pool).await.unwrap();
    assert_eq!(due, [follower(1).id]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_commit_is_overlooked_however_it_meets_with_a_log_that_comes_to_rest() {
    const CLEARED: u64 = 20;
    const EVENTS: i64 = 20_000;
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let subscription = Subscription { tenant: tenant.clone(), projection: Appointments::ID };
    let cleared = AtomicU64::new(0);
    let end = OnceLock::new();
    // Until they have met often enough, however the scheduler has it.
    let appends = async {
        let mut head = Position::from_i64(0);
        while cleared.load(Ordering::Relaxed) < CLEARED && head < Position::from_i64(EVENTS) {
            head = world.append(&tenant, &[booked(1)]).await;
        }
        end.set(head).unwrap();
    };
    let is_over = |at: Position| end.get().is_some_and(|end| at >= *end);
    // A projection that follows, so that there is something to clear.
    let follows = async {
        let lease = Lease { leader: world.log.program(), length: Duration::from_mins(1) };
        let mut at =
            checkpoint::acquire_lease(&world.pool, &subscription, lease).await.unwrap().unwrap();
        while !is_over(at) {
            let head = world.log.head(&tenant).await.unwrap().unwrap();
            let mut tx = world.pool.begin().await.unwrap();
            assert!(checkpoint::advance(&mut tx, &subscription, lease, at, head).await.unwrap());
            tx.commit().await.unwrap();
            at = head;
        }
    };
    let clears = async || {
        let followed = async || checkpoint::position(&world.pool, &subscription).await.unwrap();
        while !followed().await.is_some_and(is_over) {
            let ids = [Appointments::ID];
            let mut connection = world.pool.acquire().await.unwrap();
            let logs = rest::let_rest(&mut connection, &ids, (None, None), 0.0).await.unwrap();
            cleared.fetch_add(logs, Ordering::Relaxed);
            drop(connection);
            let overlooked: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT FROM log_heads h LEFT JOIN checkpoints c USING (tenant_id)
                                 WHERE NOT h.active AND h.position > coalesce(c.position, 0))",
            )
            .fetch_one(&world.pool)
            .await
            .unwrap();
            assert!(!overlooked);
        }
    };
    tokio::join!(appends, follows, clears(), clears());
    assert!(cleared.into_inner() >= CLEARED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_logs_come_to_rest_soon_after_a_program_starts_that_is_the_first_to_know_of_it() {
    let world = World::new().await;
    let many = "INSERT INTO log_heads (tenant_id, position, hash, recorded_at)
                SELECT 'idle-' || n, 0, '', now() FROM generate_series(1, 5000) AS n";
    sqlx::query(many).execute(&world.pool).await.unwrap();
    let runner = world.start(world.projections());
    let began = Instant::now();
    let active = "SELECT count(*) FROM log_heads WHERE active";
    while sqlx::query_scalar::<_, i64>(active).fetch_one(&world.pool).await.unwrap() > 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "it takes too long");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    runner.stop().await;
}

#[tokio::test]
async fn a_look_reads_active_logs_only_also_where_statistics_are_old() {
    let world = World::new().await;
    let busy = world.tenant("busy").await;
    world.append(&busy, &[booked(1)]).await;
    let many = "INSERT INTO log_heads (tenant_id, position, hash, recorded_at)
                SELECT 'idle-' || n, 1, '', now() FROM generate_series(1, 20000) AS n";
    for statement in [many, "ANALYZE log_heads", "UPDATE log_heads SET active = tenant_id = 'busy'"]
    {
        sqlx::query(statement).execute(&world.pool).await.unwrap();
    }
    let mut tx = world.pool.begin_with(look::BEGIN).await.unwrap();
    let prepare = format!(
        "SET LOCAL plan_cache_mode = force_generic_plan;
         PREPARE look (text[], int[], text, bigint, uuid, float8) AS {}",
        look::statement()
    );
    sqlx::raw_sql(&prepare).execute(&mut *tx).await.unwrap();
    let explain = "EXPLAIN EXECUTE look ('{appointments,sessions}', '{1,1}', '', 500, NULL, 5)";
    let plan: Vec<String> = sqlx::raw_sql(explain)
        .fetch_all(&mut *tx)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let plan = plan.join("\n");
    assert!(plan.contains("log_heads_active"), "{plan}");
    assert!(plan.contains("checkpoints_pkey"), "{plan}");
    assert!(!plan.contains("Seq Scan on"), "{plan}");
}

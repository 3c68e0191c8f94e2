//! Each event changes the rows once, whatever crashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_store::{Position, RecordedEvent};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use proptest::prelude::*;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::bookings::{booked, happening};
use super::world::World;
use crate::appointments::Appointments;
use crate::{ApplyError, Projection, ProjectionId, Schema, Tables};

/// Counts every event it is given, and now and then dies of it: between rows and checkpoint, or
/// after both but before the commit.
struct Counter {
    calls: AtomicU32,
}

const COUNTER: ProjectionId = ProjectionId { name: "counter", version: 1 };

impl Projection for Counter {
    fn id(&self) -> ProjectionId {
        COUNTER
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE {schema}.counts (
            tenant_id text NOT NULL, position bigint NOT NULL, times bigint NOT NULL,
            PRIMARY KEY (tenant_id, position))"
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let positions: Vec<i64> = events.iter().map(|event| event.position.as_i64()).collect();
            sqlx::query(
                "INSERT INTO counter_1.counts AS c
                 SELECT $1, u.position, 1 FROM unnest($2::bigint[]) AS u (position)
                 ON CONFLICT (tenant_id, position) DO UPDATE SET times = c.times + 1",
            )
            .bind(tenant.as_str())
            .bind(positions)
            .execute(tables.connection())
            .await?;
            match self.calls.fetch_add(1, Ordering::Relaxed) % 4 {
                0 => {
                    sqlx::query("SELECT pg_terminate_backend(pg_backend_pid())")
                        .execute(tables.connection())
                        .await?;
                }
                1 => panic!("the program dies with its rows written"),
                2 => tokio::time::sleep(Duration::from_millis(30)).await,
                _ => {}
            }
            Ok(())
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_and_checkpoint_change_together_however_often_a_batch_dies() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let counter: Arc<dyn Projection> = Arc::new(Counter { calls: AtomicU32::new(0) });
    crate::prepare(&world.pool, &[Arc::clone(&counter)]).await.unwrap();
    for round in 0..5 {
        let events: Vec<_> = (0..20).map(|n| booked(round * 20 + n)).collect();
        world.append(&tenant, &events).await;
        // A program that is killed in the middle of whatever it is doing.
        let killed =
            tokio::spawn(world.runner(vec![Arc::clone(&counter)]).run(CancellationToken::new()));
        tokio::time::sleep(Duration::from_millis(60)).await;
        killed.abort();
        let _ = killed.await;
    }
    let runner = world.start(vec![counter]);
    world.caught_up(&tenant, COUNTER, Position::from_i64(100)).await;
    runner.stop().await;
    let (rows, least, most): (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*), min(times)::bigint, max(times)::bigint FROM counter_1.counts",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!((rows, least, most), (100, 1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_changes_the_rows_as_its_events_do_one_by_one(
        happenings in prop::collection::vec((0_u128..8, 1_u8..7, 0_u128..50), 1..60),
        batch in 2_usize..60,
    ) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let (one, many) = (world.tenant("one").await, world.tenant("many").await);
            // Everyone is booked first, so that everything that happens has a beginning.
            let mut events: Vec<_> = (0..8).map(booked).collect();
            events.extend(happenings.iter().map(|(n, kind, by)| happening(*n, *kind, *by)));
            for (tenant, batch) in [(&one, 1), (&many, batch)] {
                world.append(tenant, &events).await;
                let read = world.log.read(tenant, Position::START, 1_000).await.unwrap();
                let read: Vec<_> = read.into_iter().map(Result::unwrap).collect();
                let mut connection = world.pool.acquire().await.unwrap();
                let live = Schema::of(Appointments::ID);
                let mut tables = Tables::new(&mut connection, &live);
                for batch in read.chunks(batch) {
                    Appointments::default().apply(&mut tables, tenant, batch).await.unwrap();
                }
            }
            assert_eq!(world.appointment_rows(&one).await, world.appointment_rows(&many).await);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_rows_equal_those_that_are_made_from_the_start() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let runner = world.start(world.projections());
    let mut head = Position::START;
    for round in 0..30_u128 {
        let mut events = vec![booked(round)];
        events.extend((1..7).map(|kind| happening(round % 7, kind, round)));
        head = world.append(&tenant, &events).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.caught_up(&tenant, Appointments::ID, head).await;
    runner.stop().await;
    let live = world.appointment_rows(&tenant).await;
    world.rebuild(&tenant).await;
    assert_eq!(live.len(), 30);
    assert_eq!(live, world.appointment_rows(&tenant).await);
}

//! One program leads; the others wait, and take over when it dies.

use std::time::Duration;

use daybook_store::{Log, Position};
use uuid::Uuid;

use super::bookings::booked;
use super::world::World;
use crate::appointments::Appointments;
use crate::checkpoint::{self, Lease, Subscription};
use crate::runner::batch::Commit as _;

const LEASE: Duration = Duration::from_millis(1_500);

/// Another program that leads, and does nothing.
async fn led_by_another(world: &World, subscription: &Subscription) -> Log {
    let other = world.another_program();
    other.listening().wait_for(|listening| *listening).await.unwrap();
    let lease = Lease { leader: other.program(), length: LEASE };
    let begun = checkpoint::acquire_lease(&world.pool, subscription, lease).await.unwrap();
    assert_eq!(begun, Some(Position::START));
    other
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_program_takes_over_when_the_lease_of_a_frozen_one_has_lapsed() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let subscription = Subscription { tenant: tenant.clone(), projection: Appointments::ID };
    let _frozen = led_by_another(&world, &subscription).await;
    let other = Lease { leader: Uuid::now_v7(), length: LEASE };
    assert_eq!(checkpoint::acquire_lease(&world.pool, &subscription, other).await.unwrap(), None);
    let head = world.append(&tenant, &[booked(1)]).await;
    let runner = world.start(world.projections());
    tokio::time::sleep(LEASE / 3).await;
    assert_eq!(
        checkpoint::position(&world.pool, &subscription).await.unwrap(),
        Some(Position::START),
        "the lease still runs"
    );
    world.caught_up(&tenant, Appointments::ID, head).await;
    runner.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_program_takes_over_at_once_from_one_that_has_ended() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let subscription = Subscription { tenant: tenant.clone(), projection: Appointments::ID };
    let dead = led_by_another(&world, &subscription).await;
    let head = world.append(&tenant, &[booked(1)]).await;
    drop(dead);
    let runner = world.start(world.projections());
    let deadline = tokio::time::Instant::now() + LEASE / 2;
    let progress = world.progress();
    progress.wait_until(&tenant, Appointments::ID, head, deadline).await.unwrap();
    runner.stop().await;
}

#[tokio::test]
async fn a_leader_that_was_replaced_without_knowing_it_changes_nothing() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    world.append(&tenant, &[booked(1), booked(2)]).await;
    let subscription = Subscription { tenant: tenant.clone(), projection: Appointments::ID };
    let zombie = world.poll(&subscription);
    let begun =
        checkpoint::acquire_lease(&world.pool, &subscription, zombie.lease()).await.unwrap();
    assert_eq!(begun, Some(Position::START));
    let successor = world.poll(&subscription);
    checkpoint::acquire_lease(&world.pool, &subscription, successor.lease())
        .await
        .unwrap()
        .unwrap();

    let read = world.log.read(&tenant, Position::START, 10).await.unwrap();
    let events: Vec<_> = read.into_iter().map(Result::unwrap).collect();
    let (start, end) = (Position::START, Position::from_i64(2));
    assert!(!zombie.commit(start, end, &events).await.unwrap());
    assert!(world.appointment_rows(&tenant).await.is_empty());
    assert!(!checkpoint::stall(&world.pool, &subscription, zombie.me, end, "no").await.unwrap());

    assert!(successor.commit(start, end, &events).await.unwrap());
    // Nor does the leader itself, from where the checkpoint no longer is.
    assert!(!successor.commit(start, end, &events).await.unwrap());
    assert_eq!(world.appointment_rows(&tenant).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_stops_lets_go_so_that_the_next_need_not_wait() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let first = world.start(world.projections());
    let head = world.append(&tenant, &[booked(1)]).await;
    world.caught_up(&tenant, Appointments::ID, head).await;
    first.stop().await;
    let leaders: i64 = sqlx::query_scalar("SELECT count(leader) FROM checkpoints")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(leaders, 0);
    let second = world.start(world.projections());
    let head = world.append(&tenant, &[booked(2)]).await;
    world.caught_up(&tenant, Appointments::ID, head).await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_start_at_once_make_the_tables_once() {
    let database = daybook_embedded_postgres::testing::TestCluster::shared().empty_database().await;
    let pool = sqlx::PgPool::connect(&database.url).await.unwrap();
    daybook_store::migrate(&pool).await.unwrap();
    let projections = crate::all(&pool, None);
    let starts = (0..8).map(|_| crate::prepare(&pool, &projections));
    for started in futures::future::join_all(starts).await {
        started.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_comes_later_is_picked_up_by_itself() {
    let world = World::new().await;
    let runner = world.start(world.projections());
    tokio::time::sleep(Duration::from_millis(50)).await;
    for name in ["north", "south", "east", "west", "centre", "harbour"] {
        let tenant = world.tenant(name).await;
        let head = world.append(&tenant, &[booked(1)]).await;
        world.caught_up(&tenant, Appointments::ID, head).await;
        assert_eq!(world.appointment_rows(&tenant).await.len(), 1);
    }
    runner.stop().await;
}

//! Reading what one has just written.

use std::time::Duration;

use daybook_store::Position;
use tokio::time::Instant;

use super::bookings::booked;
use super::world::World;
use crate::WaitError;
use crate::appointments::Appointments;

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(100)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_waits_for_its_own_write_and_no_longer_than_it_wants() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let progress = world.progress();
    let head = world.append(&tenant, &[booked(1)]).await;
    let waited = progress.wait_until(&tenant, Appointments::ID, head, soon()).await;
    assert!(matches!(waited, Err(WaitError::Behind { position: Position::START })));

    let runner = world.start(world.projections());
    let deadline = Instant::now() + Duration::from_secs(10);
    progress.wait_until(&tenant, Appointments::ID, head, deadline).await.unwrap();
    assert_eq!(world.appointment_rows(&tenant).await.len(), 1);
    progress.wait_until(&tenant, Appointments::ID, Position::START, soon()).await.unwrap();
    runner.stop().await;
}

#[tokio::test]
async fn a_position_that_does_not_exist_is_an_error_at_once() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let head = world.append(&tenant, &[booked(1)]).await;
    let deadline = Instant::now() + Duration::from_mins(10);
    let waited =
        world.progress().wait_until(&tenant, Appointments::ID, head.plus(1), deadline).await;
    assert!(matches!(waited, Err(WaitError::BeyondHead { head: end }) if end == head));
}

//! Nobody's work holds anybody else up for more than a turn.

use daybook_store::{Clock as _, SystemClock};

use super::bookings::booked;
use super::world::World;
use crate::appointments::Appointments;
use crate::checkpoint::{self, Subscription};

/// As many as take several seconds, one after the other.
const NEW: usize = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_is_not_held_up_by_those_who_begin_nor_by_one_who_is_far_behind() {
    let world = World::new().await;
    world.clock.move_on(SystemClock.now() - world.now());
    let follows = world.tenant("follows").await;
    let head = world.append(&follows, &[booked(1)]).await;
    let runner = world.start(world.projections());
    world.caught_up(&follows, Appointments::ID, head).await;

    let far = world.tenant("far").await;
    for n in 0..10 {
        let events: Vec<_> = (0..1_000).map(|i| booked(n * 1_000 + i)).collect();
        world.append(&far, &events).await;
    }
    let mut last = None;
    for n in 0..NEW {
        let tenant = world.tenant(&format!("new-{n}")).await;
        world.append(&tenant, &[booked(1), booked(2)]).await;
        last = Some(Subscription { tenant, projection: Appointments::ID });
    }
    let last = last.unwrap();
    let mut turns = 0;
    while checkpoint::position(&world.pool, &last).await.unwrap().is_none() {
        let head = world.append(&follows, &[booked(100 + turns)]).await;
        world.caught_up(&follows, Appointments::ID, head).await;
        turns += 1;
    }
    // Behind all of them it would have one, or two.
    assert!(turns >= 8, "it had {turns} turns while the others had theirs");
    runner.stop().await;
}

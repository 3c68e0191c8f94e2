//! What a projection has deferred is done apart from its batches.

use std::sync::Arc;

use daybook_domain::TenantId;
use daybook_store::RecordedEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::bookings::booked;
use super::world::World;
use crate::{ApplyError, Projection, ProjectionId, Tables};

/// A projection that has nothing but something to maintain.
struct Maintained;

impl Projection for Maintained {
    fn id(&self) -> ProjectionId {
        ProjectionId { name: "maintained", version: 1 }
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE maintained_1.runs (n int)"
    }

    fn maintenance(&self) -> Option<&'static str> {
        Some("INSERT INTO maintained_1.runs VALUES (1)")
    }

    fn apply<'a>(
        &'a self,
        _: &'a mut Tables<'_>,
        _: &'a TenantId,
        _: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async { Ok(()) }.boxed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_is_maintained_after_a_poll_and_then_left_alone() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let maintained: Arc<dyn Projection> = Arc::new(Maintained);
    crate::prepare(&world.pool, &[Arc::clone(&maintained)]).await.unwrap();
    let runner = world.start(vec![Arc::clone(&maintained)]);
    let times = async || -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM maintained_1.runs");
        count.fetch_one(&world.pool).await.unwrap()
    };
    // Polls that follow each other closely share one: when it rests, the number does.
    let rests_after = async |before: i64| -> i64 {
        for _ in 0..10 {
            let times_then = times().await;
            tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
            if times_then > before && times_then == times().await {
                return times_then;
            }
        }
        panic!("it was not maintained after {before} times, or goes on for ever");
    };
    let mut before = 0;
    for _ in 0..2 {
        let head = world.append(&tenant, &[booked(1)]).await;
        world.caught_up(&tenant, maintained.id(), head).await;
        before = rests_after(before).await;
    }
    runner.stop().await;
}

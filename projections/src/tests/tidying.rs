//! What a projection has put off is done beside its batches.

use std::sync::Arc;

use daybook_domain::TenantId;
use daybook_store::RecordedEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::bookings::booked;
use super::world::World;
use crate::{ApplyError, Projection, ProjectionId, Tables};

/// A projection that has nothing but something to tidy.
struct Untidy;

impl Projection for Untidy {
    fn id(&self) -> ProjectionId {
        ProjectionId { name: "untidy", version: 1 }
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE untidy_1.tidied (n int)"
    }

    fn tidy(&self) -> Option<&'static str> {
        Some("INSERT INTO untidy_1.tidied VALUES (1)")
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
async fn a_projection_is_tidied_after_a_turn_and_then_left_alone() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let untidy: Arc<dyn Projection> = Arc::new(Untidy);
    crate::prepare(&world.pool, &[Arc::clone(&untidy)]).await.unwrap();
    let runner = world.start(vec![Arc::clone(&untidy)]);
    let times = async || -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM untidy_1.tidied");
        count.fetch_one(&world.pool).await.unwrap()
    };
    // Its first turn makes its checkpoint.
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert_eq!(times().await, 1);
    let head = world.append(&tenant, &[booked(1)]).await;
    world.caught_up(&tenant, untidy.id(), head).await;
    for _ in 0..200 {
        if times().await == 2 {
            runner.stop().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it was not tidied again in ten seconds");
}

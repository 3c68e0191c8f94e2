//! Indexes are made beside each other, and what needs them comes last.

use std::sync::Arc;

use daybook_domain::TenantId;
use daybook_store::RecordedEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::rebuilding::rebuilder;
use super::world::World;
use crate::{ApplyError, Projection, ProjectionId, Rebuilt, Tables};

/// Its index takes a while, and its key is made of it.
struct Slow;

impl Projection for Slow {
    fn id(&self) -> ProjectionId {
        ProjectionId { name: "slow", version: 1 }
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE {schema}.things (tenant_id text NOT NULL, thing_id uuid NOT NULL)"
    }

    fn indexes(&self) -> &'static str {
        "SELECT pg_sleep(0.3); CREATE UNIQUE INDEX things_pkey ON {schema}.things (tenant_id, thing_id);
ALTER TABLE {schema}.things ADD CONSTRAINT things_pkey PRIMARY KEY USING INDEX things_pkey;\n"
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
async fn the_last_statement_comes_when_all_others_are_done() {
    let world = World::new().await;
    let slow: Arc<dyn Projection> = Arc::new(Slow);
    let built = rebuilder(&world).rebuild(&slow, &CancellationToken::new()).await;
    assert_eq!(built.unwrap(), Rebuilt::Done);
}

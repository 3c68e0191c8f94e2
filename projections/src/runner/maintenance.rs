//! What indexes have deferred, done apart from the batches: see [`Projection::maintenance`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use daybook_store::Repeated;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::{Projection, ProjectionId, Schema};

/// What gathers for so long is dealt with together.
const PAUSE: Duration = Duration::from_secs(1);

/// A task for each projection that needs it.
pub(super) struct Maintenance {
    due: BTreeMap<ProjectionId, Arc<Notify>>,
    tasks: JoinSet<()>,
}

impl Maintenance {
    pub(super) fn start(pool: &PgPool, projections: &[Arc<dyn Projection>]) -> Self {
        let (mut due, mut tasks) = (BTreeMap::new(), JoinSet::new());
        for projection in projections {
            if let Some(statement) = projection.maintenance() {
                let (id, notify) = (projection.id(), Arc::new(Notify::new()));
                due.insert(id, Arc::clone(&notify));
                let statement = Schema::of(id).sql(statement);
                tasks.spawn(maintain(pool.clone(), id, statement, notify));
            }
        }
        Self { due, tasks }
    }

    /// The projection has been polled.
    pub(super) fn is_due(&self, projection: ProjectionId) {
        if let Some(due) = self.due.get(&projection) {
            due.notify_one();
        }
    }

    /// Stops at once: whatever is not done stays for the next time.
    pub(super) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn maintain(pool: PgPool, id: ProjectionId, statement: String, due: Arc<Notify>) {
    let maintenance = Repeated::new("maintain indexes");
    loop {
        due.notified().await;
        sleep(PAUSE).await;
        let maintained = sqlx::query(&statement).execute(&pool).await;
        maintenance.note(&maintained.map_err(|error| format!("{id}: {error}")));
    }
}

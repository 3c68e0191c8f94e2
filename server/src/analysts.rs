//! Publishes the views that analysts read, beside whatever else the program does: to replace a view waits for
//! whoever reads it, and nobody's booking waits for an analyst.

use std::time::Duration;

use daybook_projections::analytics::{self, AnalystRole, Published};
use daybook_store::Repeated;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::parts::Parts;

/// What an operator can do where the role is missing.
pub(crate) const NO_ROLE: &str = "the database user may not create the role daybook_analyst, so nobody but its \
     owner can read the schema analytics: let somebody who may run what `daybook database-roles` prints, and run \
     `daybook migrate` again";

const PAUSE_BETWEEN_TRIES: Duration = Duration::from_secs(5);

/// Tries until it has succeeded, or until cancelled.
pub(crate) async fn publish(parts: Parts, cancel: CancellationToken) {
    let _ = cancel.run_until_cancelled(until_published(&parts)).await;
}

async fn until_published(parts: &Parts) {
    let publish = Repeated::new("publish the views for analysts");
    loop {
        match analytics::publish(parts.log().owners_pool()).await {
            Ok(Published::Ours(AnalystRole::Ready)) => return,
            Ok(Published::Ours(AnalystRole::MayNotBeMade)) => return tracing::warn!("{NO_ROLE}"),
            Ok(Published::Newer { revision }) => {
                return tracing::info!(revision, "the views for analysts are a newer program's");
            }
            Ok(Published::NotYet) => {}
            Err(error) => publish.failed(&error),
        }
        sleep(PAUSE_BETWEEN_TRIES).await;
    }
}

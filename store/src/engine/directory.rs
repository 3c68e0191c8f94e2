//! The resources of each tenant in memory, for decisions that choose among them: folded from the log
//! once, and from then on followed by position.
//!
//! It may be behind by [`PATIENCE`], and that is safe: what is chosen from it is in the read set of
//! the decision, at the version at which it is known here, and a refusal is decided again with what
//! the log says now.

use std::sync::Arc;
use std::time::Duration;

use daybook_domain::{Directory, TenantId};
use moka::future::Cache;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::ExecuteError;
use crate::log::{AnyEvent, Log, Position};

/// How many tenants' resources are kept, and for how long when nobody asks for them.
const TENANTS: u64 = 1_000;
const KEPT: Duration = Duration::from_mins(10);

/// How old what is known may be, where nothing says that it is out of date.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many events are read at once.
const PAGE: u32 = 1_000;

pub(super) struct Directories(Cache<TenantId, Arc<Mutex<Followed>>>);

/// What is known of a tenant's resources.
#[derive(Default)]
struct Followed {
    directory: Arc<Directory>,
    /// The position of the last event in it.
    read: Position,
    /// When it was last up to date.
    since: Option<Instant>,
}

impl Default for Directories {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(TENANTS).time_to_idle(KEPT).build())
    }
}

impl Directories {
    /// The resources of a tenant as the log has them now, if they are to be `fresh`, and the position
    /// of the last event in them.
    pub(super) async fn of(
        &self,
        log: &Log,
        tenant: &TenantId,
        fresh: bool,
    ) -> Result<(Arc<Directory>, Position), ExecuteError> {
        let asked = Instant::now();
        let followed = self.0.get_with(tenant.clone(), async { Arc::default() }).await;
        // Whoever waits here has what the one before read, if that was after asking.
        let mut followed = followed.lock().await;
        let good_enough = followed.since.is_some_and(|since| {
            since >= asked || !fresh && asked.duration_since(since) < PATIENCE
        });
        if !good_enough {
            let now = Instant::now();
            followed.catch_up(log, tenant).await?;
            followed.since = Some(now);
        }
        Ok((Arc::clone(&followed.directory), followed.read))
    }

    /// Something about a tenant's resources has changed.
    pub(super) async fn out_of_date(&self, tenant: &TenantId) {
        if let Some(followed) = self.0.get(tenant).await {
            followed.lock().await.since = None;
        }
    }
}

impl Followed {
    async fn catch_up(&mut self, log: &Log, tenant: &TenantId) -> Result<(), ExecuteError> {
        let end = Position::from_i64(i64::MAX);
        read_on(log, tenant, (&mut self.directory, &mut self.read), end).await
    }
}

/// Takes note of what happened to resources after what has been read, up to a position.
pub(super) async fn read_on(
    log: &Log,
    tenant: &TenantId,
    (directory, read): (&mut Arc<Directory>, &mut Position),
    up_to: Position,
) -> Result<(), ExecuteError> {
    loop {
        let page = log.read_resources(tenant, *read, PAGE).await;
        let page = page.map_err(|error| ExecuteError::Unavailable(error.to_string()))?;
        let more = page.len() == PAGE as usize;
        for event in page {
            let event = event.map_err(|error| ExecuteError::Unreadable(error.to_string()))?;
            if event.position > up_to {
                return Ok(());
            }
            if let AnyEvent::Resource(id, happened) = event.event {
                let directory = Arc::make_mut(directory);
                if !directory.take_note(id, happened, event.sequence) {
                    tracing::warn!(%tenant, %id, "too many resources: it is not chosen by role");
                }
            }
            *read = event.position;
        }
        if !more {
            return Ok(());
        }
    }
}

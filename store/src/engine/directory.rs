//! The resources of each tenant in memory, for decisions that choose among them: folded from the log
//! once, and from then on followed by position.
//!
//! It may be behind by [`MAX_STALENESS`], and that is safe: what is chosen from it is in the read set of
//! the decision, at the version at which it is known here, and a refusal is decided again with what
//! the log says now.

use std::sync::Arc;
use std::time::Duration;

use daybook_domain::{Directory, TenantId};
use moka::sync::Cache;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::ExecuteError;
use crate::log::{AnyEvent, Log, Position};

/// How many tenants' resources are cached, and for how long when nobody asks for them.
const TENANTS: u64 = 1_000;
const IDLE_TTL: Duration = Duration::from_mins(10);

/// How old what is known may be, where nothing says that it is out of date.
const MAX_STALENESS: Duration = Duration::from_secs(1);

/// How many events are read at once.
const PAGE: u32 = 1_000;

pub(super) struct Directories(Cache<TenantId, Arc<Mutex<CachedDirectory>>>);

/// What is known of a tenant's resources.
#[derive(Default)]
struct CachedDirectory {
    folded: FoldedDirectory,
    /// When it was last up to date.
    since: Option<Instant>,
}

impl Default for Directories {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(TENANTS).time_to_idle(IDLE_TTL).build())
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
        let cached = self.0.get_with(tenant.clone(), Arc::default);
        // Whoever waits here has what the one before read, if that was after asking.
        let mut cached = cached.lock().await;
        let good_enough = cached.since.is_some_and(|since| {
            since >= asked || !fresh && asked.duration_since(since) < MAX_STALENESS
        });
        if !good_enough {
            let now = Instant::now();
            let end = Position::from_i64(i64::MAX);
            cached.folded.read_on(log, tenant, end).await?;
            cached.since = Some(now);
        }
        Ok((Arc::clone(&cached.folded.directory), cached.folded.position))
    }

    /// Something about a tenant's resources has changed.
    pub(super) async fn out_of_date(&self, tenant: &TenantId) {
        if let Some(cached) = self.0.get(tenant) {
            cached.lock().await.since = None;
        }
    }
}

/// The resources of a tenant, folded from its log.
#[derive(Default)]
pub(super) struct FoldedDirectory {
    pub(super) directory: Arc<Directory>,
    /// The position of the last event in it.
    pub(super) position: Position,
}

impl FoldedDirectory {
    /// Folds what happened to resources since, up to a position.
    pub(super) async fn read_on(
        &mut self,
        log: &Log,
        tenant: &TenantId,
        up_to: Position,
    ) -> Result<(), ExecuteError> {
        loop {
            let page = log.read_resources(tenant, self.position, PAGE).await;
            let page = page.map_err(|error| ExecuteError::Unavailable(error.to_string()))?;
            let more = page.len() == PAGE as usize;
            for event in page {
                let event = event.map_err(|error| ExecuteError::Unreadable(error.to_string()))?;
                if event.position > up_to {
                    return Ok(());
                }
                if let AnyEvent::Resource(id, happened) = event.event {
                    let directory = Arc::make_mut(&mut self.directory);
                    if !directory.take_note(id, happened, event.sequence) {
                        tracing::warn!(%tenant, %id, "too many resources: it is not chosen by role");
                    }
                }
                self.position = event.position;
            }
            if !more {
                return Ok(());
            }
        }
    }
}

//! What decisions look at, in memory: services, resources, clients and sessions as they last saw them.
//!
//! It may be out of date, and that is safe: a decision carries the versions it saw, and the log
//! refuses it if they are not the present ones. A refusal is taken again with fresh facts.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;

use moka::sync::Cache;

use super::ExecuteError;
use super::repository::Loaded;
use crate::log::{PersistedAggregate, StreamId};

/// How many aggregates are kept.
const CAPACITY: u64 = 200_000;

/// A fact and the version it was read at.
pub(super) struct Fact<A> {
    pub(super) state: Arc<A>,
    pub(super) version: u64,
}

/// A fact about an aggregate of any type: its stream says of which. One cache for all types is one to
/// compile, and no list of types to keep.
#[derive(Clone)]
struct AnyFact {
    state: Arc<dyn Any + Send + Sync>,
    version: u64,
}

pub(super) struct FactCache(Cache<StreamId, AnyFact>);

impl Default for FactCache {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl FactCache {
    /// What is known, or what `load` says.
    pub(super) async fn get<A: PersistedAggregate>(
        &self,
        stream: &StreamId,
        load: impl Future<Output = Result<Loaded<A>, ExecuteError>>,
    ) -> Result<Fact<A>, ExecuteError> {
        if let Some(AnyFact { state, version }) = self.known(stream)
            && let Ok(state) = state.downcast()
        {
            return Ok(Fact { state, version });
        }
        self.renew(stream, load).await
    }

    /// What `load` says, whatever is known. What does not exist is not kept: it may be made at any
    /// time.
    pub(super) async fn renew<A: PersistedAggregate>(
        &self,
        stream: &StreamId,
        load: impl Future<Output = Result<Loaded<A>, ExecuteError>>,
    ) -> Result<Fact<A>, ExecuteError> {
        let Loaded { state, version } = load.await?;
        let state = Arc::new(state);
        if version > 0 {
            let fact = AnyFact { state: Arc::<A>::clone(&state), version };
            self.keep(stream.clone(), fact);
        }
        Ok(Fact { state, version })
    }

    /// Forgets the aggregates of streams that have moved on.
    pub(super) fn forget_all(&self, streams: &[StreamId]) {
        for stream in streams {
            self.0.invalidate(stream);
        }
    }

    // Of no type, so that the cache's code is made here and not in every crate that runs commands.

    fn known(&self, stream: &StreamId) -> Option<AnyFact> {
        self.0.get(stream)
    }

    fn keep(&self, stream: StreamId, fact: AnyFact) {
        self.0.insert(stream, fact);
    }
}

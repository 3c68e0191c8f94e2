//! What decisions look at, in memory: services, resources, clients and sessions as they last saw them.
//!
//! It may be out of date, and that is safe: a decision carries the versions it saw, and the log
//! refuses it if they are not the present ones. A refusal is taken again with fresh facts.

use std::future::Future;
use std::sync::Arc;

use cqrs_es::Aggregate;
use daybook_domain::client::Client;
use daybook_domain::resource::Resource;
use daybook_domain::service::Service;
use daybook_domain::session::Session;
use moka::future::Cache;

use super::ExecuteError;
use super::event_store::{Loaded, Stored};
use crate::log::StreamId;

/// How many aggregates of each type are kept.
const CAPACITY: u64 = 50_000;

/// A fact and the version it was read at.
pub(super) struct Fact<A> {
    pub(super) state: Arc<A>,
    pub(super) version: u64,
}

impl<A> Clone for Fact<A> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), version: self.version }
    }
}

/// An aggregate that decisions on others look at.
pub(super) trait Cached: Stored + 'static {
    fn cache(facts: &FactCache) -> &Cache<StreamId, Fact<Self>>;
}

pub(super) struct FactCache {
    services: Cache<StreamId, Fact<Service>>,
    resources: Cache<StreamId, Fact<Resource>>,
    clients: Cache<StreamId, Fact<Client>>,
    sessions: Cache<StreamId, Fact<Session>>,
}

impl Default for FactCache {
    fn default() -> Self {
        Self {
            services: Cache::new(CAPACITY),
            resources: Cache::new(CAPACITY),
            clients: Cache::new(CAPACITY),
            sessions: Cache::new(CAPACITY),
        }
    }
}

impl FactCache {
    /// What is known, or what `load` says.
    pub(super) async fn get<A: Cached>(
        &self,
        stream: &StreamId,
        load: impl Future<Output = Result<Loaded<A>, ExecuteError>>,
    ) -> Result<Fact<A>, ExecuteError> {
        if let Some(fact) = A::cache(self).get(stream).await {
            return Ok(fact);
        }
        self.renew(stream, load).await
    }

    /// What `load` says, whatever is known. What does not exist is not kept: it may be made at any
    /// time.
    pub(super) async fn renew<A: Cached>(
        &self,
        stream: &StreamId,
        load: impl Future<Output = Result<Loaded<A>, ExecuteError>>,
    ) -> Result<Fact<A>, ExecuteError> {
        let Loaded { state, version } = load.await?;
        let fact = Fact { state: Arc::new(state), version };
        if version > 0 {
            A::cache(self).insert(stream.clone(), fact.clone()).await;
        }
        Ok(fact)
    }

    pub(super) async fn forget<A: Cached>(&self, stream: &StreamId) {
        A::cache(self).invalidate(stream).await;
    }

    /// Forgets the aggregates of streams that have moved on.
    pub(super) async fn forget_all(&self, streams: &[StreamId]) {
        for stream in streams {
            self.forget_any(stream).await;
        }
    }

    /// Forgets the aggregate of a stream, of whatever type it is.
    async fn forget_any(&self, stream: &StreamId) {
        match stream.kind() {
            Service::TYPE => self.forget::<Service>(stream).await,
            Resource::TYPE => self.forget::<Resource>(stream).await,
            Client::TYPE => self.forget::<Client>(stream).await,
            Session::TYPE => self.forget::<Session>(stream).await,
            _ => {}
        }
    }
}

impl Cached for Service {
    fn cache(facts: &FactCache) -> &Cache<StreamId, Fact<Self>> {
        &facts.services
    }
}

impl Cached for Resource {
    fn cache(facts: &FactCache) -> &Cache<StreamId, Fact<Self>> {
        &facts.resources
    }
}

impl Cached for Client {
    fn cache(facts: &FactCache) -> &Cache<StreamId, Fact<Self>> {
        &facts.clients
    }
}

impl Cached for Session {
    fn cache(facts: &FactCache) -> &Cache<StreamId, Fact<Self>> {
        &facts.sessions
    }
}

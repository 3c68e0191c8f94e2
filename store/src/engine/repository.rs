//! Aggregates, folded from their streams, which postgres-es reads.
//!
//! It does not append: that is the log's, which knows positions, claims, read sets and keys, of which
//! cqrs-es's `EventStore::commit` can say nothing
//! ([ADR 0002](../../../docs/adr/0002-what-we-use-of-cqrs-es.md)).

use cqrs_es::persist::{EventUpcaster, PersistedEventRepository, PersistenceError};
use postgres_es::PostgresEventRepository;
use sqlx::PgPool;

use super::ExecuteError;
use crate::json::not_understood;
use crate::log::{PersistedAggregate, StreamId, upcast};

/// An aggregate and its version; at 0 there is none.
#[derive(Debug, Clone, Default)]
pub(super) struct Loaded<A> {
    pub(super) state: A,
    pub(super) version: u64,
}

pub(super) struct Repository {
    streams: PostgresEventRepository,
    upcasters: Vec<Box<dyn EventUpcaster>>,
}

impl Repository {
    pub(super) fn new(pool: &PgPool, upcasters: Vec<Box<dyn EventUpcaster>>) -> Self {
        Self { streams: PostgresEventRepository::new(pool.clone()), upcasters }
    }

    pub(super) async fn load<A: PersistedAggregate>(
        &self,
        stream: &StreamId,
    ) -> Result<Loaded<A>, ExecuteError> {
        self.load_at(stream, u64::MAX).await
    }

    /// The aggregate as it was at `version`, or now, if it has not come so far.
    pub(super) async fn load_at<A: PersistedAggregate>(
        &self,
        stream: &StreamId,
        version: u64,
    ) -> Result<Loaded<A>, ExecuteError> {
        let events = self.streams.get_events::<A>(stream.id()).await.map_err(unreadable)?;
        let mut loaded = Loaded::<A>::default();
        for event in events.into_iter().take_while(|event| event.sequence as u64 <= version) {
            loaded.version = event.sequence as u64;
            let event = serde_json::from_value(upcast(event, &self.upcasters).payload);
            let event = event.map_err(|error| ExecuteError::Unreadable(not_understood(&error)))?;
            loaded.state.apply(event);
        }
        Ok(loaded)
    }
}

fn unreadable(error: PersistenceError) -> ExecuteError {
    match error {
        PersistenceError::DeserializationError(error) => {
            let json = error.downcast_ref::<serde_json::Error>().map(not_understood);
            ExecuteError::Unreadable(json.unwrap_or_else(|| error.to_string()))
        }
        other => ExecuteError::Unavailable(other.to_string()),
    }
}

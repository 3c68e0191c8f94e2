//! cqrs-es's event store over the log: streams are read through postgres-es, and appended through
//! the log's own group commit.

use std::collections::HashMap;
use std::sync::Arc;

use cqrs_es::persist::{EventStoreAggregateContext, PersistedEventStore};
use cqrs_es::{AggregateError, DomainEvent, EventEnvelope, EventStore};
use daybook_domain::appointment::Appointment;
use daybook_domain::claim::Claims;
use daybook_domain::client::Client;
use daybook_domain::resource::Resource;
use daybook_domain::series::Series;
use daybook_domain::service::Service;
use daybook_domain::session::Session;
use daybook_domain::waiting::WaitingEntry;
use daybook_domain::{Decide, TenantId, upcasters};
use postgres_es::PostgresEventRepository;
use uuid::Uuid;

use super::ExecuteError;
use crate::Clock;
use crate::log::{Append, Decision, IfTaken, Log, NewEvent, StreamId, Submission, Verdict};

/// An aggregate and its version.
#[derive(Debug, Clone, Default)]
pub(super) struct Loaded<A> {
    pub(super) state: A,
    pub(super) version: u64,
}

/// cqrs-es's event store for aggregates of type `A`, over the log.
///
/// postgres-es reads the streams. It does not append: it knows no positions, no claims and no read
/// sets, and takes only SQLSTATE 23505 for a conflict.
pub struct LogEventStore<A: Decide> {
    log: Log,
    clock: Arc<dyn Clock>,
    streams: PersistedEventStore<PostgresEventRepository, A>,
}

impl<A: Decide> LogEventStore<A> {
    /// The event store over `log`.
    #[must_use]
    pub fn new(log: &Log, clock: &Arc<dyn Clock>) -> Self {
        let repository = PostgresEventRepository::new(log.pool().clone());
        let streams = PersistedEventStore::new_event_store(repository).with_upcasters(upcasters());
        Self { log: log.clone(), clock: Arc::clone(clock), streams }
    }

    pub(super) async fn load(&self, stream: &StreamId) -> Result<Loaded<A>, ExecuteError> {
        let context = self.streams.load_aggregate(stream.id()).await.map_err(unreadable)?;
        Ok(Loaded { state: context.aggregate, version: context.current_sequence as u64 })
    }

    /// The aggregate as it was at `version`.
    pub(super) async fn load_at(&self, stream: &StreamId, version: u64) -> Result<A, ExecuteError> {
        let events = self.streams.load_events(stream.id()).await.map_err(unreadable)?;
        let mut state = A::default();
        for envelope in events.into_iter().take_while(|event| event.sequence as u64 <= version) {
            state.apply(envelope.payload);
        }
        Ok(state)
    }
}

fn unreadable<E: std::error::Error>(error: AggregateError<E>) -> ExecuteError {
    match error {
        AggregateError::DeserializationError(error) => ExecuteError::Unreadable(error.to_string()),
        other => ExecuteError::Unavailable(other.to_string()),
    }
}

impl<A: Decide> EventStore<A> for LogEventStore<A> {
    type AC = EventStoreAggregateContext<A>;

    async fn load_events(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        self.streams.load_events(aggregate_id).await
    }

    async fn load_aggregate(
        &self,
        aggregate_id: &str,
    ) -> Result<Self::AC, AggregateError<A::Error>> {
        self.streams.load_aggregate(aggregate_id).await
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: Self::AC,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let unexpected = |error: String| AggregateError::UnexpectedError(error.into());
        let (tenant, uuid) = parts(&context.aggregate_id)
            .ok_or_else(|| unexpected(format!("{:?} is no stream", context.aggregate_id)))?;
        let stream = StreamId::of::<A>(&tenant, uuid);
        let after = context.current_sequence as u64;
        let stored = |event: &A::Event| -> Result<NewEvent, serde_json::Error> {
            Ok(NewEvent {
                event_type: event.event_type(),
                event_version: event.event_version(),
                payload: serde_json::to_string(event)?,
                metadata: serde_json::to_string(&metadata)?,
            })
        };
        let claims = events.iter().rev().find_map(Claims::claims_after);
        let appended = events.iter().map(stored).collect::<Result<Vec<_>, _>>()?;
        let verdict = self
            .log
            .append(Submission {
                tenant,
                key: None,
                decided_at: self.clock.now(),
                decision: Decision::Accept {
                    read_set: Vec::new(),
                    appends: vec![Append { stream, after, events: appended }],
                    claims: claims.map(|claims| (uuid.into(), claims)).into_iter().collect(),
                    if_taken: IfTaken::Refused,
                },
            })
            .await;
        match verdict {
            Ok(Verdict::Appended(_)) => Ok(envelopes(&context, events, &metadata)),
            Ok(Verdict::Stale(_) | Verdict::SlotTaken(_)) => Err(AggregateError::AggregateConflict),
            Ok(other) => Err(unexpected(format!("{other:?}"))),
            Err(error) => Err(AggregateError::DatabaseConnectionError(error.into())),
        }
    }
}

fn envelopes<A: Decide>(
    context: &EventStoreAggregateContext<A>,
    events: Vec<A::Event>,
    metadata: &HashMap<String, String>,
) -> Vec<EventEnvelope<A>> {
    let numbered = events.into_iter().zip(context.current_sequence + 1..);
    numbered
        .map(|(payload, sequence)| EventEnvelope {
            aggregate_id: context.aggregate_id.clone(),
            sequence,
            payload,
            metadata: metadata.clone(),
        })
        .collect()
}

fn parts(aggregate_id: &str) -> Option<(TenantId, Uuid)> {
    let (tenant, uuid) = aggregate_id.split_once('/')?;
    Some((tenant.parse().ok()?, uuid.parse().ok()?))
}

/// The event stores of all aggregates.
pub struct EventStores {
    service: LogEventStore<Service>,
    resource: LogEventStore<Resource>,
    client: LogEventStore<Client>,
    appointment: LogEventStore<Appointment>,
    session: LogEventStore<Session>,
    series: LogEventStore<Series>,
    waiting: LogEventStore<WaitingEntry>,
}

impl EventStores {
    pub(super) fn new(log: &Log, clock: &Arc<dyn Clock>) -> Self {
        Self {
            service: LogEventStore::new(log, clock),
            resource: LogEventStore::new(log, clock),
            client: LogEventStore::new(log, clock),
            appointment: LogEventStore::new(log, clock),
            session: LogEventStore::new(log, clock),
            series: LogEventStore::new(log, clock),
            waiting: LogEventStore::new(log, clock),
        }
    }

    pub(super) fn of<A: Stored>(&self) -> &LogEventStore<A> {
        A::store(self)
    }
}

/// An aggregate that the log keeps.
pub trait Stored: Decide {
    /// Its event store.
    fn store(stores: &EventStores) -> &LogEventStore<Self>;
}

macro_rules! stored {
    ($($aggregate:ident in $field:ident),+ $(,)?) => {$(
        impl Stored for $aggregate {
            fn store(stores: &EventStores) -> &LogEventStore<Self> {
                &stores.$field
            }
        }
    )+};
}

stored!(
    Service in service,
    Resource in resource,
    Client in client,
    Appointment in appointment,
    Session in session,
    Series in series,
    WaitingEntry in waiting,
);

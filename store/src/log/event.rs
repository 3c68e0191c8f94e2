//! An event as it stands in the log.

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use daybook_domain::appointment::{Appointment, AppointmentEvent};
use daybook_domain::client::{Client, ClientEvent};
use daybook_domain::resource::{Resource, ResourceEvent};
use daybook_domain::series::{Series, SeriesEvent};
use daybook_domain::service::{Service, ServiceEvent};
use daybook_domain::session::{Session, SessionEvent};
use daybook_domain::waiting::{WaitingEntry, WaitingEvent};
use daybook_domain::{
    AppointmentId, ClientId, ResourceId, SeriesId, ServiceId, SessionId, WaitingEntryId,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Position, StreamId};

/// An event as it stands in the log, in its present form.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// Where it is in its tenant's log.
    pub position: Position,
    /// Its number in its stream, from 1: the aggregate's version after it.
    pub sequence: u64,
    /// What happened, to what.
    pub event: AnyEvent,
    /// When it was committed; never earlier than the position before it.
    pub recorded_at: DateTime<Utc>,
}

/// What happened, to what.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is an aggregate's id and its event")]
pub enum AnyEvent {
    Service(ServiceId, ServiceEvent),
    Resource(ResourceId, ResourceEvent),
    Client(ClientId, ClientEvent),
    Appointment(AppointmentId, AppointmentEvent),
    Session(SessionId, SessionEvent),
    Series(SeriesId, SeriesEvent),
    Waiting(WaitingEntryId, WaitingEvent),
}

/// A stored event that this program cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the event at position {position} cannot be read: {reason}")]
pub struct UnreadableEvent {
    /// Where it is.
    pub position: Position,
    /// Why.
    pub reason: String,
}

/// Brings a stored event into its present form.
pub(crate) fn upcast(
    stored: SerializedEvent,
    upcasters: &[Box<dyn EventUpcaster>],
) -> SerializedEvent {
    upcasters.iter().fold(stored, |event, upcaster| {
        let old = upcaster.can_upcast(&event.event_type, &event.event_version);
        if old { upcaster.upcast(event) } else { event }
    })
}

/// Brings a stored event into its present form and types it.
pub(crate) fn decode(
    position: Position,
    recorded_at: DateTime<Utc>,
    stored: SerializedEvent,
    upcasters: &[Box<dyn EventUpcaster>],
) -> Result<RecordedEvent, UnreadableEvent> {
    let unreadable = |reason: String| UnreadableEvent { position, reason };
    let stored = upcast(stored, upcasters);
    let uuid = StreamId::uuid_of(&stored.aggregate_id)
        .ok_or_else(|| unreadable(format!("stream id {:?}", stored.aggregate_id)))?;
    let event = match stored.aggregate_type.as_str() {
        Service::TYPE => typed(stored.payload).map(|event| AnyEvent::Service(uuid.into(), event)),
        Resource::TYPE => typed(stored.payload).map(|event| AnyEvent::Resource(uuid.into(), event)),
        Client::TYPE => typed(stored.payload).map(|event| AnyEvent::Client(uuid.into(), event)),
        Appointment::TYPE => {
            typed(stored.payload).map(|event| AnyEvent::Appointment(uuid.into(), event))
        }
        Session::TYPE => typed(stored.payload).map(|event| AnyEvent::Session(uuid.into(), event)),
        Series::TYPE => typed(stored.payload).map(|event| AnyEvent::Series(uuid.into(), event)),
        WaitingEntry::TYPE => {
            typed(stored.payload).map(|event| AnyEvent::Waiting(uuid.into(), event))
        }
        other => Err(format!("aggregate type {other:?}")),
    };
    let event = event.map_err(unreadable)?;
    Ok(RecordedEvent { position, sequence: stored.sequence as u64, event, recorded_at })
}

fn typed<E: DeserializeOwned>(payload: Value) -> Result<E, String> {
    serde_json::from_value(payload).map_err(|error| error.to_string())
}

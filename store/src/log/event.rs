//! An event as it stands in the log.

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use daybook_domain::appointment::{Appointment, AppointmentEvent, AppointmentHeld};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{AnyEvent, Position, StreamId};
use crate::json::not_understood;
use crate::trace_context::TraceContext;

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
    /// The trace that led to it: of what is read to be followed, while spans are exported.
    pub trace: Option<TraceContext>,
}

/// A stored event that this program cannot read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the event at position {position} cannot be read: {reason}")]
pub struct UnreadableEvent {
    /// Where it is.
    pub position: Position,
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

/// A stored event in the texts that came: no tree of JSON values is made of it on the way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredEvent<'a> {
    pub(crate) aggregate_type: &'a str,
    pub(crate) aggregate_id: &'a str,
    pub(crate) sequence: u64,
    pub(crate) event_type: &'a str,
    pub(crate) event_version: &'a str,
    pub(crate) payload: &'a str,
}

/// Brings a stored event into its present form and types it.
pub(crate) fn decode(
    position: Position,
    recorded_at: DateTime<Utc>,
    stored: &StoredEvent<'_>,
    upcasters: &[Box<dyn EventUpcaster>],
) -> Result<RecordedEvent, UnreadableEvent> {
    let unreadable = |reason: String| UnreadableEvent { position, reason };
    let uuid = StreamId::uuid_of(stored.aggregate_id)
        .ok_or_else(|| unreadable(format!("stream id {:?}", stored.aggregate_id)))?;
    let (event_type, version) = (stored.event_type, stored.event_version);
    let event = if upcasters.iter().any(|it| it.can_upcast(event_type, version)) {
        present(stored, upcasters).and_then(|payload| typed(stored, uuid, &payload))
    } else {
        typed(stored, uuid, stored.payload)
    };
    let event = event.map_err(unreadable)?;
    let sequence = stored.sequence;
    Ok(RecordedEvent { position, sequence, event, recorded_at, trace: None })
}

/// The payload of an event that was stored in an older form, in its present one.
fn present(
    stored: &StoredEvent<'_>,
    upcasters: &[Box<dyn EventUpcaster>],
) -> Result<String, String> {
    let event = SerializedEvent {
        aggregate_id: stored.aggregate_id.to_owned(),
        sequence: usize::try_from(stored.sequence).map_err(|error| error.to_string())?,
        aggregate_type: stored.aggregate_type.to_owned(),
        event_type: stored.event_type.to_owned(),
        event_version: stored.event_version.to_owned(),
        payload: serde_json::from_str(stored.payload).map_err(|error| not_understood(&error))?,
        metadata: Value::Null,
    };
    Ok(upcast(event, upcasters).payload.to_string())
}

fn typed(stored: &StoredEvent<'_>, uuid: Uuid, payload: &str) -> Result<AnyEvent, String> {
    if stored.aggregate_type == Appointment::TYPE
        && let Some(event) = read_appointment(stored, payload)?
    {
        return Ok(AnyEvent::Appointment(uuid.into(), event));
    }
    AnyEvent::read(stored, uuid, payload)
}

/// What happened to an appointment. An enum with a tag inside is read into a tree of values first,
/// and then into its type; where the tag is where it is written, the type can be had at once. `None`:
/// it is not.
fn read_appointment(
    stored: &StoredEvent<'_>,
    payload: &str,
) -> Result<Option<AppointmentEvent>, String> {
    use AppointmentEvent as E;
    let tag = payload.strip_prefix(r#"{"type":""#).and_then(|rest| rest.split_once('"'));
    if tag.is_none_or(|(tag, _)| tag != stored.event_type) {
        return Ok(None);
    }
    Ok(Some(match stored.event_type {
        "AppointmentBooked" => E::AppointmentBooked(parsed(payload)?),
        "AppointmentHeld" => {
            let Expiry { hold_expires_at: expires_at } = parsed(payload)?;
            E::AppointmentHeld(AppointmentHeld { details: parsed(payload)?, expires_at })
        }
        "AppointmentConfirmed" => E::AppointmentConfirmed(parsed(payload)?),
        "AppointmentRescheduled" => E::AppointmentRescheduled(parsed(payload)?),
        "AppointmentCancelled" => E::AppointmentCancelled(parsed(payload)?),
        "AppointmentHoldExpired" => E::AppointmentHoldExpired(parsed(payload)?),
        "AppointmentCheckedIn" => E::AppointmentCheckedIn(parsed(payload)?),
        "AppointmentCompleted" => E::AppointmentCompleted(parsed(payload)?),
        "AppointmentMarkedNoShow" => E::AppointmentMarkedNoShow(parsed(payload)?),
        "AppointmentTagged" => E::AppointmentTagged(parsed(payload)?),
        "AppointmentDescribed" => E::AppointmentDescribed(parsed(payload)?),
        "AppointmentReassigned" => E::AppointmentReassigned(parsed(payload)?),
        _ => return Ok(None),
    }))
}

/// What a hold has beside its details.
#[derive(Deserialize)]
struct Expiry {
    hold_expires_at: DateTime<Utc>,
}

/// A JSON text as what it is of.
pub(super) fn parsed<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| not_understood(&error))
}

#[cfg(test)]
mod tests {
    use cqrs_es::DomainEvent;
    use daybook_domain::service::Service;

    use super::*;
    use crate::testing::{SERVICE_DEFINED_1, upcasters};

    const SLOT: &str = r#"{"during":{"start_at":"2026-05-04T09:00:00Z","end_at":"2026-05-04T09:30:00Z"},
        "buffer_before_minutes":0,"buffer_after_minutes":15,
        "resource_ids":["00000000-0000-0000-0000-000000000003"]}"#;

    #[test]
    fn what_is_read_at_once_is_what_is_read_by_its_tag() {
        let id = "00000000-0000-0000-0000-000000000001";
        let details = format!(
            r#""service_id":"{id}","client_id":"{id}","slot":{SLOT},"title":"A visit",
               "category":"checks","tags":["first"],"imported":true"#
        );
        let events = [
            ("AppointmentBooked", details.clone()),
            ("AppointmentHeld", format!(r#"{details},"hold_expires_at":"2026-05-01T00:00:00Z""#)),
            ("AppointmentConfirmed", format!(r#""slot":{SLOT}"#)),
            ("AppointmentRescheduled", format!(r#""slot":{SLOT},"by":"staff""#)),
            ("AppointmentCancelled", r#""by":"client","reason":"ill""#.to_owned()),
            ("AppointmentHoldExpired", String::new()),
            ("AppointmentCheckedIn", String::new()),
            ("AppointmentCompleted", String::new()),
            ("AppointmentMarkedNoShow", String::new()),
            ("AppointmentTagged", r#""category":"checks","tags":["late"]"#.to_owned()),
            (
                "AppointmentDescribed",
                r#""title":"Fitting","note":"Left knee","private":true"#.to_owned(),
            ),
            (
                "AppointmentReassigned",
                format!(r#""slot":{SLOT},"from_resource_id":"{id}","to_resource_id":"{id}""#),
            ),
        ];
        for (event_type, fields) in events {
            let comma = if fields.is_empty() { "" } else { "," };
            let payload = format!(r#"{{"type":"{event_type}"{comma}{fields}}}"#);
            let stored = StoredEvent {
                aggregate_type: Appointment::TYPE,
                aggregate_id: &format!("north/{id}"),
                sequence: 1,
                event_type,
                event_version: "1.0",
                payload: &payload,
            };
            let by_tag: AppointmentEvent = parsed(&payload).unwrap();
            assert_eq!(by_tag.event_type(), event_type);
            assert_eq!(read_appointment(&stored, &payload).unwrap(), Some(by_tag));
        }
    }

    #[test]
    fn an_event_of_an_older_form_is_read_in_the_present_one() {
        let read = |event_version, payload| {
            let stored = StoredEvent {
                aggregate_type: Service::TYPE,
                aggregate_id: "north/00000000-0000-0000-0000-000000000001",
                sequence: 1,
                event_type: "ServiceDefined",
                event_version,
                payload,
            };
            let read = decode(Position::START, DateTime::UNIX_EPOCH, &stored, &upcasters());
            read.map(|read| read.event)
        };
        let present = r#"{"type":"ServiceDefined","name":"Check-up","category":"care","tags":[],
            "duration_minutes":30,"buffer_before_minutes":0,"buffer_after_minutes":0}"#;
        assert!(read("2.0", SERVICE_DEFINED_1).is_err());
        assert_eq!(read("1.0", SERVICE_DEFINED_1).unwrap(), read("2.0", present).unwrap());
    }
}

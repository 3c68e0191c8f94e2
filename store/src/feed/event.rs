//! An event of the log as a CloudEvent (CloudEvents 1.0, JSON format, structured mode).

use chrono::{DateTime, Utc};
use cqrs_es::persist::SerializedEvent;
use daybook_domain::{TenantId, withhold_personal};
use serde::{Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use crate::Position;
use crate::log::StreamId;
use crate::personal::{About, Keyring, KeyringError};

/// An event of the log, in its present form; it serialises as a CloudEvent.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudEvent {
    /// Whose log it is in.
    pub tenant: TenantId,
    /// Where it is in that log.
    pub position: Position,
    /// To what kind of thing it happened.
    pub aggregate_type: String,
    /// To which.
    pub aggregate_id: Uuid,
    /// The version of that thing after it.
    pub stream_version: u64,
    pub event_type: String,
    /// The version of the form in which `data` is.
    pub event_version: String,
    /// When it was committed.
    pub recorded_at: DateTime<Utc>,
    /// Who did it.
    pub actor: Option<String>,
    /// What it belongs together with.
    pub correlation_id: Option<String>,
    /// The event or command that caused it.
    pub causation_id: Option<String>,
    /// The span that led to it (W3C Trace Context).
    pub traceparent: Option<String>,
    /// All about it.
    pub data: Value,
}

impl CloudEvent {
    /// What stands before the name of an event in `type`.
    pub const TYPE_PREFIX: &str = "daybook.";

    /// What stands before the tenant in `source`.
    pub const SOURCE_PREFIX: &str = "urn:daybook:log:";

    /// What `dataschema` is of the events of a type and version.
    #[must_use]
    pub fn schema_of(event_type: &str, event_version: &str) -> String {
        format!("urn:daybook:schema:{event_type}:{event_version}")
    }

    /// Whose log it is in, as `source` has it.
    #[must_use]
    pub fn source(&self) -> String {
        format!("{}{}", Self::SOURCE_PREFIX, self.tenant)
    }

    /// What it is known by among all events of all tenants, for whoever is sent it on its own: its source and its id, which are
    /// unique together. It is the same each time.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!("{}#{}", self.source(), self.position)
    }

    pub(super) fn of(
        tenant: &TenantId,
        position: Position,
        recorded_at: DateTime<Utc>,
        stored: SerializedEvent,
    ) -> Result<Self, sqlx::Error> {
        let mut data = stored.payload;
        // The type stands beside the data.
        if let Some(fields) = data.as_object_mut() {
            fields.remove("type");
        }
        let told = |name: &str| stored.metadata.get(name)?.as_str().map(str::to_owned);
        let aggregate_id = StreamId::uuid_of(&stored.aggregate_id).ok_or_else(|| {
            let what = format!("the stream id {:?} at position {position}", stored.aggregate_id);
            sqlx::Error::Decode(what.into())
        })?;
        Ok(Self {
            tenant: tenant.clone(),
            position,
            aggregate_id,
            stream_version: stored.sequence as u64,
            event_version: stored.event_version,
            recorded_at,
            actor: told("actor"),
            correlation_id: told("correlation_id"),
            causation_id: told("causation_id"),
            traceparent: told("traceparent"),
            aggregate_type: stored.aggregate_type,
            event_type: stored.event_type,
            data,
        })
    }

    pub(super) fn withhold_personal(&mut self) {
        withhold_personal(&self.aggregate_type, &mut self.data);
    }
}

/// Opens what is sealed in these; what is erased is left out.
pub(super) async fn open(keyring: &Keyring, events: &mut [CloudEvent]) -> Result<(), sqlx::Error> {
    let told = events.iter_mut().map(|event| {
        let CloudEvent { tenant, aggregate_type, aggregate_id, data, .. } = event;
        (About { tenant, kind: aggregate_type, id: *aggregate_id }, data)
    });
    keyring.open_json(told.collect()).await.map_err(KeyringError::read)
}

/// The attributes, in the order of the specification.
#[derive(Serialize)]
struct Attributes<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    r#type: String,
    subject: String,
    time: DateTime<Utc>,
    datacontenttype: &'static str,
    dataschema: String,
    /// The extension of that name: it can be compared as text.
    sequence: String,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlationid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    data: &'a Value,
}

impl Serialize for CloudEvent {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { position, aggregate_type, aggregate_id, event_type, .. } = self;
        let prefix = Self::TYPE_PREFIX;
        let event_version = &self.event_version;
        Attributes {
            specversion: "1.0",
            id: position.to_string(),
            source: self.source(),
            r#type: format!("{prefix}{event_type}"),
            subject: format!("{aggregate_type}/{aggregate_id}"),
            time: self.recorded_at,
            datacontenttype: "application/json",
            dataschema: Self::schema_of(event_type, event_version),
            sequence: format!("{:020}", position.get()),
            version: self.stream_version,
            actor: self.actor.as_deref(),
            correlationid: self.correlation_id.as_deref(),
            causationid: self.causation_id.as_deref(),
            traceparent: self.traceparent.as_deref(),
            data: &self.data,
        }
        .serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_written_as_cloudevents_1_0_says() {
        let stored = SerializedEvent::new(
            "conf/0192f0c1-2d2f-7c51-9f0a-000000000001".to_owned(),
            2,
            "service".to_owned(),
            "ServiceRetired".to_owned(),
            "1.0".to_owned(),
            json!({"type": "ServiceRetired"}),
            json!({"actor": "key:1", "correlation_id": "c", "idempotency_key": "secret"}),
        );
        let at = "2026-11-23T07:00:00.000123Z".parse().unwrap();
        let position = Position::START.plus(1041);
        let event = CloudEvent::of(&"conf".parse().unwrap(), position, at, stored).unwrap();
        let expected = json!({
            "specversion": "1.0", "id": "1041", "source": "urn:daybook:log:conf",
            "type": "daybook.ServiceRetired",
            "subject": "service/0192f0c1-2d2f-7c51-9f0a-000000000001",
            "time": "2026-11-23T07:00:00.000123Z", "datacontenttype": "application/json",
            "dataschema": "urn:daybook:schema:ServiceRetired:1.0",
            "sequence": "00000000000000001041", "version": 2,
            "actor": "key:1", "correlationid": "c", "data": {},
        });
        assert_eq!(serde_json::to_value(&event).unwrap(), expected);
        let names = expected.as_object().unwrap().keys();
        let lower =
            |name: &String| name.len() <= 20 && name.bytes().all(|b| b.is_ascii_lowercase());
        assert!(names.into_iter().all(lower), "section 3.1: names are lower-case letters");
    }
}

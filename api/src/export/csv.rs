//! RFC 4180, with a line of names; lists and `data` are JSON.

use chrono::{DateTime, SecondsFormat, Utc};
use daybook_store::feed::CloudEvent;

use super::columns::Row;
use super::{EncodeError, Encoder};

const NAMES: [&str; 19] = [
    "position",
    "recorded_at",
    "type",
    "schema_version",
    "aggregate",
    "aggregate_id",
    "version",
    "actor",
    "correlation_id",
    "causation_id",
    "service_id",
    "client_id",
    "resource_ids",
    "starts_at",
    "ends_at",
    "title",
    "category",
    "tags",
    "data",
];

/// Each part has a writer of its own: what is ready can be taken when it ends.
pub(super) struct Records(csv::Writer<Vec<u8>>);

impl Records {
    pub(super) fn new() -> Result<Self, EncodeError> {
        let mut records = csv::Writer::from_writer(Vec::new());
        records.write_record(NAMES)?;
        Ok(Self(records))
    }
}

impl Encoder for Records {
    fn write(&mut self, event: &CloudEvent) -> Result<(), EncodeError> {
        let row = Row::of(event);
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let list = |values: &Option<Vec<&str>>| {
            values.as_ref().map(serde_json::to_string).transpose().map(Option::unwrap_or_default)
        };
        let record: [String; NAMES.len()] = [
            event.position.to_string(),
            instant(event.recorded_at),
            event.event_type.clone(),
            event.event_version.clone(),
            event.aggregate_type.clone(),
            event.aggregate_id.to_string(),
            event.stream_version.to_string(),
            text(event.actor.as_deref()),
            text(event.correlation_id.as_deref()),
            text(event.causation_id.as_deref()),
            text(row.service_id),
            text(row.client_id),
            list(&row.resource_ids)?,
            row.starts_at.map(instant).unwrap_or_default(),
            row.ends_at.map(instant).unwrap_or_default(),
            text(row.title),
            text(row.category),
            list(&row.tags)?,
            serde_json::to_string(&event.data)?,
        ];
        Ok(self.0.write_record(record)?)
    }

    fn take(&mut self) -> Vec<u8> {
        let ready = std::mem::replace(&mut self.0, csv::Writer::from_writer(Vec::new()));
        // Into memory, nothing fails.
        ready.into_inner().unwrap_or_default()
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, EncodeError> {
        Ok(self.0.into_inner().map_err(|error| error.to_string())?)
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

//! RFC 4180, with a line of names; lists and `data` are JSON.

use chrono::{DateTime, SecondsFormat, Utc};
use daybook_store::feed::CloudEvent;

use super::columns::{COLUMNS, Cell};
use super::{EncodeError, Encoder};

/// Each part has a writer of its own: what is ready can be taken when it ends.
pub(super) struct Records(csv::Writer<Vec<u8>>);

impl Records {
    pub(super) fn new() -> Result<Self, EncodeError> {
        let mut records = csv::Writer::from_writer(Vec::new());
        records.write_record(COLUMNS.iter().map(|column| column.name))?;
        Ok(Self(records))
    }
}

impl Encoder for Records {
    fn write(&mut self, event: &CloudEvent) -> Result<(), EncodeError> {
        for column in &COLUMNS {
            self.0.write_field(match (column.of)(event) {
                None => String::new(),
                Some(Cell::Integer(number)) => number.to_string(),
                Some(Cell::Instant(at)) => instant(at),
                Some(Cell::Text(text)) => harmless(&text),
                Some(Cell::Texts(texts)) => serde_json::to_string(&texts)?,
                Some(Cell::Json(json)) => json,
            })?;
        }
        Ok(self.0.write_record(None::<&[u8]>)?)
    }

    fn take(&mut self, _: usize) -> Result<Vec<u8>, EncodeError> {
        let ready = std::mem::replace(&mut self.0, csv::Writer::from_writer(Vec::new()));
        Ok(ready.into_inner().map_err(|error| error.to_string())?)
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, EncodeError> {
        Ok(self.0.into_inner().map_err(|error| error.to_string())?)
    }
}

/// A text that somebody has written, so that no spreadsheet takes it for a formula (OWASP, CSV injection): an
/// apostrophe goes before what begins like one. `data` has it as it was written.
fn harmless(text: &str) -> String {
    let mark = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("{mark}{text}")
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use daybook_store::Position;
    use serde_json::json;

    use super::*;

    /// The record of an event with this title.
    fn written(title: &str) -> ::csv::StringRecord {
        let event = CloudEvent {
            tenant: "conf".parse().unwrap(),
            position: Position::START.plus(7),
            aggregate_type: "session".to_owned(),
            aggregate_id: uuid::Uuid::from_u128(1),
            stream_version: 1,
            event_type: "SessionScheduled".to_owned(),
            event_version: "1.0".to_owned(),
            recorded_at: "2026-11-23T07:00:00Z".parse().unwrap(),
            actor: Some("-1".to_owned()),
            correlation_id: Some("@SUM(1)".to_owned()),
            causation_id: None,
            traceparent: None,
            data: json!({"title": title, "category": "care", "tags": ["=1"]}),
        };
        let mut records = Records::new().unwrap();
        records.write(&event).unwrap();
        let file = Box::new(records).finish().unwrap();
        let mut reader = ::csv::Reader::from_reader(&*file);
        reader.records().next().unwrap().unwrap()
    }

    #[test]
    fn a_text_that_begins_like_a_formula_is_none_and_data_has_it_as_it_was() {
        let column = |name: &str| COLUMNS.iter().position(|known| known.name == name).unwrap();
        for formula in ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"] {
            let record = written(formula);
            assert_eq!(record[column("title")], format!("'{formula}"));
            let data: serde_json::Value = serde_json::from_str(&record[column("data")]).unwrap();
            assert_eq!(data["title"], formula);
        }
        let record = written("1 = \"one\",\n'two'");
        assert_eq!(&record[column("title")], "1 = \"one\",\n'two'");
        assert_eq!(&record[column("category")], "care");
        assert_eq!(&record[column("actor")], "'-1");
        assert_eq!(&record[column("correlation_id")], "'@SUM(1)");
        assert_eq!(&record[column("tags")], "[\"=1\"]");
    }
}

//! An event as a row: what most questions are about in columns of its own, and all of it in `data`.
//!
//! Each column is declared once, here. A file of either form has them all, in this order, and `docs/exports.md` describes them.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use daybook_store::feed::CloudEvent;
use serde_json::Value;

/// Of what type a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Instant,
    Text,
    /// Texts that somebody has written: CSV keeps spreadsheets from taking one for a formula.
    Texts,
    /// JSON as a text.
    Json,
}

/// What an event has in a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Integer(i64),
    Instant(DateTime<Utc>),
    Text(Cow<'a, str>),
    Texts(Vec<&'a str>),
    Json(String),
}

/// A column of a table of events. Only Parquet has types.
#[cfg_attr(
    not(any(feature = "parquet", test)),
    expect(dead_code, reason = "a program without Parquet does not ask for types")
)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether every event has something in it.
    pub(super) always: bool,
    /// What an event has in it.
    pub(super) of: for<'a> fn(&'a CloudEvent) -> Option<Cell<'a>>,
}

const fn always(
    name: &'static str,
    kind: Kind,
    of: for<'a> fn(&'a CloudEvent) -> Option<Cell<'a>>,
) -> Column {
    Column { name, kind, always: true, of }
}

const fn maybe(
    name: &'static str,
    kind: Kind,
    of: for<'a> fn(&'a CloudEvent) -> Option<Cell<'a>>,
) -> Column {
    Column { name, kind, always: false, of }
}

/// All of them, in their order. New ones go before `data`.
pub(super) static COLUMNS: [Column; 21] = [
    always("position", Kind::Integer, |event| Some(Cell::Integer(event.position.as_i64()))),
    always("recorded_at", Kind::Instant, |event| Some(Cell::Instant(event.recorded_at))),
    always("event_type", Kind::Text, |event| text(&event.event_type)),
    always("event_version", Kind::Text, |event| text(&event.event_version)),
    always("aggregate_type", Kind::Text, |event| text(&event.aggregate_type)),
    always("aggregate_id", Kind::Text, |event| {
        Some(Cell::Text(Cow::Owned(event.aggregate_id.to_string())))
    }),
    always("version", Kind::Integer, |event| {
        i64::try_from(event.stream_version).ok().map(Cell::Integer)
    }),
    maybe("actor", Kind::Text, |event| text(event.actor.as_deref()?)),
    maybe("correlation_id", Kind::Text, |event| text(event.correlation_id.as_deref()?)),
    maybe("causation_id", Kind::Text, |event| text(event.causation_id.as_deref()?)),
    maybe("service_id", Kind::Text, |event| text(event.data["service_id"].as_str()?)),
    maybe("client_id", Kind::Text, |event| text(event.data["client_id"].as_str()?)),
    maybe("resource_ids", Kind::Texts, |event| texts(&event.data["slot"]["resource_ids"])),
    maybe("start_at", Kind::Instant, |event| instant(&event.data["slot"]["during"]["start_at"])),
    maybe("end_at", Kind::Instant, |event| instant(&event.data["slot"]["during"]["end_at"])),
    maybe("title", Kind::Text, |event| text(event.data["title"].as_str()?)),
    maybe("category", Kind::Text, |event| text(event.data["category"].as_str()?)),
    maybe("tags", Kind::Texts, |event| texts(&event.data["tags"])),
    maybe("location", Kind::Text, |event| text(event.data["location"].as_str()?)),
    maybe("reference", Kind::Text, |event| text(event.data["reference"].as_str()?)),
    always("data", Kind::Json, |event| Some(Cell::Json(event.data.to_string()))),
];

#[expect(clippy::unnecessary_wraps, reason = "a cell may be empty")]
fn text(text: &str) -> Option<Cell<'_>> {
    Some(Cell::Text(Cow::Borrowed(text)))
}

fn texts(list: &Value) -> Option<Cell<'_>> {
    Some(Cell::Texts(list.as_array()?.iter().filter_map(Value::as_str).collect()))
}

fn instant(text: &Value) -> Option<Cell<'_>> {
    text.as_str()?.parse().ok().map(Cell::Instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a type is called in the page.
    const fn said(kind: Kind) -> &'static str {
        match kind {
            Kind::Integer => "integer",
            Kind::Instant => "instant",
            Kind::Text => "text",
            Kind::Texts => "texts",
            Kind::Json => "JSON",
        }
    }

    #[test]
    fn the_page_describes_every_column_as_it_is() {
        let page = include_str!("../../../docs/exports.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        let described: Vec<(&str, &str, bool)> = rows
            .map(|(name, rest)| {
                let (kind, what) = rest.split_once(" | ").unwrap();
                assert!(what.len() > 5, "{name} is described");
                (name, kind.trim_end_matches("; always"), kind.ends_with("; always"))
            })
            .collect();
        let there: Vec<_> =
            COLUMNS.iter().map(|column| (column.name, said(column.kind), column.always)).collect();
        assert_eq!(described, there);
    }
}

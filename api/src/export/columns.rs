//! An event as a row: what most questions are about in columns of its own, and all of it in `data`.

use chrono::{DateTime, Utc};
use daybook_store::feed::CloudEvent;
use serde_json::Value;

/// What an event says of an appointment, a session, a service: columns that are empty where it says
/// nothing of it.
pub(super) struct Row<'a> {
    pub(super) event: &'a CloudEvent,
    pub(super) service_id: Option<&'a str>,
    pub(super) client_id: Option<&'a str>,
    pub(super) resource_ids: Option<Vec<&'a str>>,
    pub(super) start_at: Option<DateTime<Utc>>,
    pub(super) end_at: Option<DateTime<Utc>>,
    pub(super) title: Option<&'a str>,
    pub(super) category: Option<&'a str>,
    pub(super) tags: Option<Vec<&'a str>>,
}

impl<'a> Row<'a> {
    pub(super) fn of(event: &'a CloudEvent) -> Self {
        let data = &event.data;
        let text = |name: &str| data[name].as_str();
        let during = &data["slot"]["during"];
        Self {
            event,
            service_id: text("service_id"),
            client_id: text("client_id"),
            resource_ids: texts(&data["slot"]["resource_ids"]),
            start_at: instant(&during["start_at"]),
            end_at: instant(&during["end_at"]),
            title: text("title"),
            category: text("category"),
            tags: texts(&data["tags"]),
        }
    }
}

fn texts(list: &Value) -> Option<Vec<&str>> {
    Some(list.as_array()?.iter().filter_map(Value::as_str).collect())
}

fn instant(text: &Value) -> Option<DateTime<Utc>> {
    text.as_str()?.parse().ok()
}

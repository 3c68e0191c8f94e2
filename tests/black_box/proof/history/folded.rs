//! A log, and the plainest fold of it: event by event, from the first, for each question anew.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::Row as _;
use sqlx::types::Json;

use crate::harness::Sql;

pub(super) struct Log {
    events: Vec<Event>,
}

struct Event {
    kind: String,
    id: String,
    data: Value,
    recorded_at: DateTime<Utc>,
}

/// A moment, as a question names it and as the log has it.
#[derive(Debug, Clone)]
pub(super) struct Then {
    pub(super) named: String,
    pub(super) position: usize,
    pub(super) at: DateTime<Utc>,
}

/// An appointment as the log said it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) status: String,
    pub(super) version: u64,
    /// All that was said of it when it was made, as it is since.
    pub(super) details: Value,
    hold_expires_at: Option<DateTime<Utc>>,
}

impl Known {
    pub(super) fn slot(&self) -> &Value {
        &self.details["slot"]
    }

    pub(super) fn instant(&self, end: &str) -> DateTime<Utc> {
        self.slot()["during"][end].as_str().unwrap().parse().unwrap()
    }

    pub(super) fn uses(&self, resource: &str) -> bool {
        self.slot()["resource_ids"].as_array().unwrap().iter().any(|id| id == resource)
    }
}

impl Log {
    pub(super) fn read(sql: &mut Sql, tenant: &str) -> Self {
        let rows = sql.rows(
            "SELECT aggregate_type, aggregate_id, payload, recorded_at FROM events
              WHERE tenant_id = $1 ORDER BY position",
            tenant,
        );
        let event = |row: &sqlx::postgres::PgRow| {
            let Json(data) = row.get::<Json<Value>, _>("payload");
            let (_, id) = row.get::<&str, _>("aggregate_id").split_once('/').unwrap();
            let (kind, id) = (row.get("aggregate_type"), id.to_owned());
            Event { kind, id, data, recorded_at: row.get("recorded_at") }
        };
        Self { events: rows.iter().map(event).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Just after the event at a position.
    pub(super) fn at_position(&self, position: usize) -> Then {
        let at = self.events[position - 1].recorded_at;
        Then { named: format!("position:{position}"), position, at }
    }

    /// At an instant: all that was recorded by then.
    pub(super) fn at_instant(&self, at: DateTime<Utc>) -> Then {
        let position = self.events.iter().filter(|event| event.recorded_at <= at).count();
        Then { named: crate::harness::utc(at), position, at }
    }

    /// Every appointment as it was then, by id.
    pub(super) fn appointments(&self, then: &Then) -> BTreeMap<String, Known> {
        let mut all: BTreeMap<String, Known> = BTreeMap::new();
        for event in self.events[..then.position].iter().filter(|it| it.kind == "appointment") {
            let (kind, data) = (event.data["type"].as_str().unwrap(), &event.data);
            if matches!(kind, "AppointmentBooked" | "AppointmentHeld") {
                let status = if kind == "AppointmentHeld" { "held" } else { "booked" };
                let expires = data["hold_expires_at"].as_str().map(|at| at.parse().unwrap());
                let made = Known {
                    status: status.to_owned(),
                    version: 0,
                    details: data.clone(),
                    hold_expires_at: expires,
                };
                all.insert(event.id.clone(), made);
            }
            let known = all.get_mut(&event.id).unwrap();
            known.version += 1;
            if let Some(slot) = data.get("slot") {
                known.details["slot"] = slot.clone();
            }
            for field in ["category", "tags"] {
                if let Some(value) = data.get(field) {
                    known.details[field] = value.clone();
                }
            }
            let status = match kind {
                "AppointmentConfirmed" => "booked",
                "AppointmentCancelled" | "AppointmentHoldExpired" => "cancelled",
                "AppointmentCheckedIn" => "checked-in",
                "AppointmentCompleted" => "fulfilled",
                "AppointmentMarkedNoShow" => "no-show",
                _ => continue,
            };
            status.clone_into(&mut known.status);
            known.hold_expires_at = None;
        }
        for known in all.values_mut() {
            if known.hold_expires_at.is_some_and(|lapses| lapses <= then.at) {
                "cancelled".clone_into(&mut known.status);
            }
        }
        all
    }
}

//! Events that were written in an older form, read in today's.

use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use serde_json::{Map, Value, json};

/// Every upcaster, oldest first. Readers of stored events apply them before anything else.
#[must_use]
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    vec![Box::new(OneName)]
}

/// 1.0 of these events had other names for what all of daybook has one name for since: `start` and `end` of an
/// interval, `tz`, `expires_at` of a hold, `from` and `to` of resources, and modes with underscores.
struct OneName;

impl OneName {
    const OLD: &str = "1.0";
    const NEW: &str = "2.0";
    const EVENTS: [&str; 13] = [
        "AppointmentHeld",
        "AppointmentBooked",
        "AppointmentConfirmed",
        "AppointmentRescheduled",
        "AppointmentReassigned",
        "SessionScheduled",
        "SessionRescheduled",
        "SessionCancelled",
        "SeriesBooked",
        "SeriesRescheduled",
        "SeriesCancelled",
        "WaitingListJoined",
        "WaitingPlaceOffered",
    ];
}

impl EventUpcaster for OneName {
    fn can_upcast(&self, event_type: &str, event_version: &str) -> bool {
        event_version == Self::OLD && Self::EVENTS.contains(&event_type)
    }

    fn upcast(&self, mut event: SerializedEvent) -> SerializedEvent {
        rename_intervals(&mut event.payload);
        if let Value::Object(fields) = &mut event.payload {
            let renamed: &[(&str, &str)] = match event.event_type.as_str() {
                "AppointmentHeld" => &[("expires_at", "hold_expires_at")],
                "AppointmentReassigned" => {
                    &[("from", "from_resource_id"), ("to", "to_resource_id")]
                }
                "SeriesBooked" => &[("start", "dtstart"), ("tz", "time_zone")],
                "WaitingPlaceOffered" => &[("start", "start_at")],
                _ => &[],
            };
            rename(fields, renamed);
            rename_in_series(fields);
        }
        Self::NEW.clone_into(&mut event.event_version);
        event
    }
}

fn rename(fields: &mut Map<String, Value>, names: &[(&str, &str)]) {
    for (old, new) in names {
        if let Some(value) = fields.remove(*old) {
            fields.insert((*new).to_owned(), value);
        }
    }
}

/// Whatever has a start and an end is an interval, wherever it is.
fn rename_intervals(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("start") && fields.contains_key("end") {
                rename(fields, &[("start", "start_at"), ("end", "end_at")]);
            }
            fields.values_mut().for_each(rename_intervals);
        }
        Value::Array(items) => items.iter_mut().for_each(rename_intervals),
        _ => {}
    }
}

/// What series say of their occurrences.
fn rename_in_series(fields: &mut Map<String, Value>) {
    if let Some(mode) = fields.get_mut("mode") {
        match mode.as_str() {
            Some("all_or_nothing") => *mode = json!("all-or-nothing"),
            Some("best_effort") => *mode = json!("best-effort"),
            _ => {}
        }
    }
    for (list, at) in [("moved", ""), ("refused", "/refusal")] {
        let items = fields.get_mut(list).and_then(Value::as_array_mut);
        for item in items.into_iter().flatten() {
            if let Some(Value::Object(fields)) = item.pointer_mut(at) {
                rename(fields, &[("start", "start_at")]);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::slice;

    use cqrs_es::DomainEvent;
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::EVENT_TYPES;
    use crate::appointment::AppointmentEvent;
    use crate::series::SeriesEvent;
    use crate::session::SessionEvent;
    use crate::waiting::WaitingEvent;

    const ID: &str = "00000000-0000-0000-0000-000000000001";
    const OTHER: &str = "00000000-0000-0000-0000-000000000002";

    fn slot(during: &Value) -> Value {
        json!({"resource_ids": [ID], "during": during, "buffer_before_minutes": 0,
            "buffer_after_minutes": 10,
            "counted": [{"rule": "client-day", "of": ID, "number": 0, "at_most": 1, "during": during}]})
    }

    fn details(during: &Value) -> Value {
        json!({"service_id": ID, "client_id": ID, "slot": slot(during), "title": "Check-up", "category": "care",
            "tags": []})
    }

    /// An event of that type, with these fields.
    fn event(name: &str, fields: &[Value]) -> Value {
        let fields = fields.iter().filter_map(Value::as_object).flatten();
        let mut all: Map<String, Value> =
            fields.map(|(name, value)| (name.clone(), value.clone())).collect();
        all.insert("type".to_owned(), json!(name));
        Value::Object(all)
    }

    /// An example as 1.0 stored it, and as it is today.
    pub(crate) type Example = (Value, Value);

    fn example(name: &str, older: &[Value], newer: &[Value]) -> Example {
        (event(name, older), event(name, newer))
    }

    const AT: &str = "2026-11-23T07:10:00Z";
    const LOCAL: &str = "2027-03-15T09:00";

    fn old() -> Value {
        json!({"start": "2026-11-24T09:00:00Z", "end": "2026-11-24T09:30:00Z"})
    }

    fn new() -> Value {
        json!({"start_at": "2026-11-24T09:00:00Z", "end_at": "2026-11-24T09:30:00Z"})
    }

    /// A slot as a member, in both forms.
    fn slots() -> (Value, Value) {
        (json!({"slot": slot(&old())}), json!({"slot": slot(&new())}))
    }

    fn of_appointments() -> [Example; 5] {
        let (older, newer) = slots();
        let held = json!({"hold_expires_at": AT});
        [
            example("AppointmentBooked", &[details(&old())], &[details(&new())]),
            example(
                "AppointmentHeld",
                &[details(&old()), json!({"expires_at": AT})],
                &[details(&new()), held.clone()],
            ),
            example("AppointmentConfirmed", slice::from_ref(&older), slice::from_ref(&newer)),
            example(
                "AppointmentRescheduled",
                &[older.clone(), held.clone()],
                &[newer.clone(), held],
            ),
            example(
                "AppointmentReassigned",
                &[older, json!({"from": ID, "to": OTHER})],
                &[newer, json!({"from_resource_id": ID, "to_resource_id": OTHER})],
            ),
        ]
    }

    fn of_sessions() -> [Example; 3] {
        let (older, newer) = slots();
        let zone = json!({"time_zone": "Europe/Oslo"});
        let plan = json!({"service_id": ID, "duration_minutes": 30, "time_zone": "Europe/Oslo",
            "places": 8, "title": "Yoga", "category": "class", "tags": []});
        let places = |during: &Value| json!({"places_during": during});
        let closed = |during: &Value| json!({"closed": {"session_id": ID, "during": during, "numbers": [0, 7]}});
        [
            example(
                "SessionScheduled",
                &[plan.clone(), older.clone(), places(&old())],
                &[plan, newer.clone(), places(&new())],
            ),
            example(
                "SessionRescheduled",
                &[older, zone.clone(), closed(&old()), places(&old())],
                &[newer, zone, closed(&new()), places(&new())],
            ),
            example("SessionCancelled", &[closed(&old())], &[closed(&new())]),
        ]
    }

    fn of_series() -> [Example; 3] {
        let booked = json!({"rrule": "FREQ=WEEKLY;COUNT=2", "service_id": ID, "client_id": ID,
            "occurrences": [{"recurrence_id": LOCAL, "appointment_id": ID}]});
        let refused = |code: &str, name: &str, value: &Value| {
            json!({"refused": [{"recurrence_id": LOCAL,
                "refusal": {"aggregate": "appointment", "code": code, name: value}}]})
        };
        let taken = |during: &Value| {
            let mut taken = refused("slot-taken", "during", during);
            taken["refused"][0]["refusal"]["resource_id"] = json!(ID);
            taken
        };
        let past = |name: &str| refused("in-the-past", name, &json!(AT));
        let which = json!({"scope": "following", "recurrence_id": LOCAL, "by": "staff"});
        let moved = |mode: &str, name: &str| json!({"shift_days": 1, "mode": mode, "moved": [{"recurrence_id": LOCAL, name: AT}]});
        [
            example(
                "SeriesBooked",
                &[
                    booked.clone(),
                    json!({"start": LOCAL, "tz": "Europe/Oslo", "mode": "best_effort"}),
                    taken(&old()),
                ],
                &[
                    booked,
                    json!({"dtstart": LOCAL, "time_zone": "Europe/Oslo", "mode": "best-effort"}),
                    taken(&new()),
                ],
            ),
            example(
                "SeriesRescheduled",
                &[which.clone(), moved("best_effort", "start"), past("start")],
                &[which.clone(), moved("best-effort", "start_at"), past("start_at")],
            ),
            example(
                "SeriesCancelled",
                &[which.clone(), json!({"mode": "all_or_nothing", "cancelled": [LOCAL]})],
                &[which, json!({"mode": "all-or-nothing", "cancelled": [LOCAL]})],
            ),
        ]
    }

    fn of_the_waiting_list() -> [Example; 2] {
        let joined = json!({"client_id": ID, "joined_at": AT, "wishes": {"service_id": ID,
            "days": {"from": "2027-03-15", "to": "2027-03-16", "time_zone": "Europe/Oslo"}}});
        let counted = |during: &Value| {
            json!({"counted": [{"rule": "waiting-entries", "of": ID, "number": 3, "at_most": 9,
                "during": during}]})
        };
        let offered = json!({"appointment_id": ID, "expires_at": AT});
        let start = "2026-12-01T09:00:00Z";
        [
            example(
                "WaitingListJoined",
                &[joined.clone(), counted(&old())],
                &[joined, counted(&new())],
            ),
            example(
                "WaitingPlaceOffered",
                &[offered.clone(), json!({"start": start})],
                &[offered, json!({"start_at": start})],
            ),
        ]
    }

    /// Of each event that has changed its form, one.
    pub(crate) fn examples() -> Vec<Example> {
        let appointments = of_appointments().into_iter().chain(of_sessions());
        appointments.chain(of_series()).chain(of_the_waiting_list()).collect()
    }

    /// A stored event as the log hands it out.
    fn lifted(payload: &Value) -> SerializedEvent {
        let name = payload["type"].as_str().unwrap();
        let stored = SerializedEvent {
            aggregate_id: format!("north/{ID}"),
            sequence: 1,
            aggregate_type: String::new(),
            event_type: name.to_owned(),
            event_version: OneName::OLD.to_owned(),
            payload: payload.clone(),
            metadata: Value::Null,
        };
        upcasters().iter().fold(stored, |event, upcaster| {
            let old = upcaster.can_upcast(&event.event_type, &event.event_version);
            if old { upcaster.upcast(event) } else { event }
        })
    }

    /// Reads it as today's event, and says in which version and how that is written.
    fn rewritten<E: DomainEvent + DeserializeOwned + Serialize>(
        payload: &Value,
    ) -> (String, Value) {
        let event: E = serde_json::from_value(payload.clone()).unwrap();
        (event.event_version(), serde_json::to_value(&event).unwrap())
    }

    #[test]
    fn what_was_stored_in_an_older_form_is_read_as_it_would_be_written_today() {
        for (stored, today) in examples() {
            let name = today["type"].as_str().unwrap();
            let lifted = lifted(&stored);
            assert_eq!(lifted.payload, today);
            let (of, _) = EVENT_TYPES.iter().find(|(_, names)| names.contains(&name)).unwrap();
            let (version, written) = match *of {
                "appointment" => rewritten::<AppointmentEvent>(&lifted.payload),
                "session" => rewritten::<SessionEvent>(&lifted.payload),
                "series" => rewritten::<SeriesEvent>(&lifted.payload),
                _ => rewritten::<WaitingEvent>(&lifted.payload),
            };
            assert_eq!((version, written), (lifted.event_version, today));
        }
    }

    #[test]
    fn every_event_that_is_lifted_has_an_example() {
        let mut named: Vec<_> = examples()
            .iter()
            .map(|(stored, _)| stored["type"].as_str().unwrap().to_owned())
            .collect();
        let mut lifted = OneName::EVENTS.map(str::to_owned).to_vec();
        named.sort();
        lifted.sort();
        assert_eq!(named, lifted);
    }

    #[test]
    fn what_is_in_todays_form_is_left_alone() {
        assert!(!OneName.can_upcast("AppointmentBooked", OneName::NEW));
        assert!(!OneName.can_upcast("ClientRegistered", OneName::OLD));
    }
}

//! An example of each event as it is stored: those that are in a log somewhere are read and written as they are here.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::upcast;

fn id(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

/// All of them, in today's form.
pub(crate) fn all() -> Vec<Value> {
    let lifted = upcast::tests::examples().into_iter().map(|(_, today)| today);
    let others = [
        of_appointments(),
        of_services(),
        of_resources(),
        of_clients(),
        of_series(),
        of_the_waiting_list(),
        of_reminders(),
        of_notices(),
    ];
    lifted.chain(others.into_iter().flatten()).collect()
}

/// Those of this name, as they are told: their type is said beside them.
pub(crate) fn told(name: &str) -> Vec<Value> {
    let mut those = all();
    those.retain(|event| event["type"] == name);
    for event in &mut those {
        event.as_object_mut().unwrap().remove("type");
    }
    those
}

fn slot() -> Value {
    json!({"resource_ids": [id(3)], "buffer_before_minutes": 0, "buffer_after_minutes": 10,
        "during": {"start_at": "2026-11-23T09:00:00Z", "end_at": "2026-11-23T09:30:00Z"}})
}

fn of_appointments() -> Vec<Value> {
    let details = json!({"type": "AppointmentBooked", "service_id": id(100), "client_id": id(200), "slot": slot(),
        "title": "Check-up", "category": "care", "tags": ["adult"], "note": "Comes by bus", "private": true,
        "location": "12 Harbour Street", "reference": "A-1041", "metadata": {"campaign": "spring"}, "imported": true, "notices": true,
        "agreed": {"price": {"amount_minor": 45_000, "currency": "NOK"}, "rescheduling_window_minutes": 120,
            "cancellation_window_minutes": 1440},
        "overridden": {"reason": "An emergency", "rules": ["opening-hours"], "closed": [id(3)]},
        "series": {"series_id": id(7), "recurrence_id": "2026-11-23T10:00"}});
    let mut placed = slot();
    placed["seats"] = json!([2]);
    placed["session_id"] = json!(id(8));
    placed["transparent"] = json!(true);
    vec![
        details,
        json!({"type": "AppointmentConfirmed", "slot": placed}),
        json!({"type": "AppointmentRescheduled", "slot": slot(), "by": "staff", "with_calendar": true}),
        json!({"type": "AppointmentReassigned", "slot": slot(), "from_resource_id": id(1), "to_resource_id": id(3),
            "reason": "ill"}),
        json!({"type": "AppointmentReassigned", "slot": slot(), "from_resource_id": id(1), "to_resource_id": id(3),
            "hold_expires_at": "2026-11-23T07:10:00Z"}),
        json!({"type": "AppointmentCancelled", "by": "client"}),
        json!({"type": "AppointmentCancelled", "by": "staff", "reason": "ill",
            "overridden": {"reason": "An emergency", "rules": []}}),
        json!({"type": "AppointmentHoldExpired"}),
        json!({"type": "AppointmentCheckedIn"}),
        json!({"type": "AppointmentCompleted"}),
        json!({"type": "AppointmentMarkedNoShow"}),
        json!({"type": "AppointmentTagged", "category": "care", "tags": ["adult", "first"]}),
        json!({"type": "AppointmentDescribed", "title": "Check-up", "note": "Comes by bus", "private": true}),
        json!({"type": "AppointmentDescribed", "title": "Check-up", "location": "12 Harbour Street",
            "reference": "A-1041", "metadata": {"campaign": "spring"}}),
        json!({"type": "AppointmentConflictAccepted", "reason": "once",
            "conflicts": [{"resource_id": id(1), "reason": "outside-opening-hours"},
                          {"resource_id": id(1), "reason": "resource-retired"}]}),
    ]
}

fn of_services() -> Vec<Value> {
    let simple = json!({"type": "ServiceDefined", "name": "Check-up", "category": "care", "tags": [],
        "duration_minutes": 30, "buffer_before_minutes": 0, "buffer_after_minutes": 10});
    let revised = json!({"type": "ServiceRevised", "name": "Check-up", "category": "care", "tags": ["adult"],
        "duration_minutes": 30, "buffer_before_minutes": 0, "buffer_after_minutes": 10,
        "price": {"amount_minor": 45_000, "currency": "NOK"},
        "rules": {"durations": [{"minutes": 60, "price": {"amount_minor": 80_000, "currency": "NOK"}}],
            "slot_step_minutes": 15, "slot_offset_minutes": 5, "minimum_notice_minutes": 120,
            "booking_horizon_days": 60, "rescheduling_window_minutes": 120, "cancellation_window_minutes": 1440},
        "needs": [{"role": "practitioner", "kind": "staff", "tags": ["adult"], "among": [id(1), id(2)], "count": 2}],
        "choose": "least-booked", "limit_per_client_per_day": 1, "session_places": 8, "location": "12 Harbour Street",
        "reminders": [{"before_minutes": 120, "channel": "email"},
            {"before_days": 1, "time": "18:00", "channel": "email"}, {"before_days": 7, "channel": "email"}],
        "reference": "S-7", "metadata": {"floor": "2"}});
    vec![simple, revised, json!({"type": "ServiceRetired"})]
}

fn of_resources() -> Vec<Value> {
    let hours = json!([{"days": ["mon", "tue"], "from": "09:00", "to": "17:00"},
        {"days": ["fri"], "from": "22:00", "to": "24:00", "valid_from": "2027-09-01", "valid_until": "2028-06-30"}]);
    let days = json!({"id": id(9), "kind": "time-off", "days": {"first": "2027-07-05", "last": "2027-07-09"}});
    let some = json!({"id": id(10), "kind": "extra-hours", "reason": "A fair",
        "hours": {"from": "2027-07-10T12:00", "to": "2027-07-10T14:00"}});
    let holiday = json!({"id": id(11), "date": "2027-05-17", "name": "Constitution Day"});
    vec![
        json!({"type": "ResourceRegistered", "name": "Room 1", "kind": "room", "tags": [], "time_zone": "Europe/Oslo",
            "weekly_hours": hours, "exceptions": [days, some], "holidays": [holiday], "capacity": 4}),
        json!({"type": "ResourceRegistered", "name": "Room 2", "kind": "staff", "tags": ["adult"], "time_zone": "UTC",
            "weekly_hours": [], "reference": "R-2", "metadata": {"floor": "1"}}),
        json!({"type": "ResourceDescribed", "name": "Room 3", "tags": ["adult"]}),
        json!({"type": "ResourceDescribed", "name": "Room 3", "tags": [], "reference": "R-3",
            "metadata": {"floor": "2"}}),
        json!({"type": "ResourceHoursChanged", "weekly_hours": hours}),
        json!({"type": "ResourceExceptionAdded", "exception": days}),
        json!({"type": "ResourceExceptionAdded", "exception": some}),
        json!({"type": "ResourceExceptionRemoved", "exception_id": id(9)}),
        json!({"type": "ResourceHolidaysChanged", "holidays": [holiday]}),
        json!({"type": "ResourceCapacityChanged", "capacity": 4}),
        json!({"type": "ResourceRetired"}),
    ]
}

fn of_clients() -> Vec<Value> {
    let contact = json!({"name": "A. Client", "email": "client@example.org", "phone": "+47 22 00 00 00",
        "language": "nb", "reminders": "none",
        "notes": "Second floor", "reference": "C-12", "metadata": {"member": "yes"}});
    let of = |name: &str| {
        let mut event = contact.clone();
        event["type"] = json!(name);
        event
    };
    vec![
        of("ClientRegistered"),
        of("ClientContactChanged"),
        json!({"type": "ClientRegistered", "name": "A. Client"}),
        json!({"type": "ClientErasureRequested", "reason": "consent-withdrawn"}),
        json!({"type": "ClientErasureRequested", "reason": "retention"}),
        json!({"type": "ClientErased", "appointments_cancelled": 2}),
        json!({"type": "ClientRestricted", "reason": "accuracy-contested"}),
        json!({"type": "ClientRestrictionLifted"}),
        json!({"type": "ClientLegalHoldPlaced", "reason": "legal-claim"}),
        json!({"type": "ClientLegalHoldReleased"}),
    ]
}

fn of_series() -> Vec<Value> {
    let refused = |at: &str| json!({"recurrence_id": at, "refusal": {"aggregate": "appointment", "code": "no-resources"}});
    vec![
        json!({"type": "SeriesBooked", "rrule": "FREQ=WEEKLY;COUNT=4", "dtstart": "2027-03-15T09:00",
            "time_zone": "Europe/Oslo", "exdates": ["2027-04-12", "2027-04-05T09:00"], "mode": "best-effort",
            "service_id": id(100), "client_id": id(200),
            "occurrences": [{"recurrence_id": "2027-03-15T09:00", "appointment_id": id(0)}],
            "refused": [refused("2027-03-22T09:00"), refused("2027-03-29T09:00")]}),
        json!({"type": "SeriesRescheduled", "scope": "following", "recurrence_id": "2027-03-15T09:00",
            "shift_days": 1, "time": "15:30", "resource_ids": [id(3)], "mode": "all-or-nothing", "by": "staff",
            "moved": [{"recurrence_id": "2027-03-22T09:00", "start_at": "2027-03-23T14:30:00Z",
                       "skipped": "2027-03-23T02:30"}],
            "left": [{"recurrence_id": "2027-03-15T09:00", "because": "begun"}]}),
        json!({"type": "SeriesRescheduled", "scope": "all", "choose_resources": true, "mode": "best-effort", "by": "client",
            "moved": [{"recurrence_id": "2027-03-22T09:00", "start_at": "2027-03-22T08:00:00Z"}],
            "refused": [refused("2027-03-29T09:00")]}),
        json!({"type": "SeriesCancelled", "scope": "all", "mode": "all-or-nothing", "by": "client",
            "cancelled": ["2027-03-15T09:00"]}),
    ]
}

fn of_the_waiting_list() -> Vec<Value> {
    let (client, service) = (id(200), id(100));
    let joined = json!({"type": "WaitingListJoined", "client_id": client,
        "wishes": {"service_id": service, "duration_minutes": 60,
            "days": {"from": "2026-12-01", "to": "2026-12-20", "time_zone": "Europe/Oslo"},
            "times": [{"days": ["mon"], "from": "09:00", "to": "12:00"}], "resource_ids": [service]},
        "joined_at": "2026-11-23T07:00:00Z"});
    let simple = json!({"type": "WaitingListJoined", "client_id": client,
        "wishes": {"service_id": service, "days": {"from": "2026-12-01", "to": "2026-12-20", "time_zone": "UTC"}},
        "joined_at": "2026-11-23T07:00:00Z"});
    let mut counted = simple.clone();
    counted["counted"] = json!([{"rule": "client-entries", "of": client, "number": 3, "at_most": 20,
        "during": {"start_at": "2026-11-23T07:00:00Z", "end_at": "2026-12-21T00:00:00Z"}},
        {"rule": "waiting-entries", "of": service, "number": 0, "at_most": 1000,
        "during": {"start_at": "2026-11-23T07:00:00Z", "end_at": "2026-12-21T00:00:00Z"}}]);
    let offered = json!({"type": "WaitingPlaceOffered", "appointment_id": client,
        "start_at": "2026-12-01T09:00:00Z", "expires_at": "2026-11-23T07:15:00Z"});
    let others =
        ["WaitingPlaceTaken", "WaitingOfferLapsed", "WaitingWishesPassed", "WaitingListLeft"];
    let others = others.map(|name| json!({"type": name}));
    [joined, simple, counted, offered].into_iter().chain(others).collect()
}

mod tests {
    use std::collections::BTreeSet;

    use cqrs_es::Aggregate;
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::aggregates;

    /// Reads it and writes it again.
    fn rewritten<E: Serialize + DeserializeOwned>(event: &Value) -> Value {
        let read: E =
            serde_json::from_value(event.clone()).unwrap_or_else(|e| panic!("{e}: {event}"));
        serde_json::to_value(read).unwrap()
    }

    macro_rules! each_event {
        ($($name:ident: $aggregate:ty, $id:ty, $refusal:ty;)+) => {
            fn read_and_written(event: &Value) -> Value {
                let name = event["type"].as_str().unwrap();
                $(if <<$aggregate as Aggregate>::Event as crate::AggregateEvent>::NAMES.contains(&name) {
                    return rewritten::<<$aggregate as Aggregate>::Event>(event);
                })+
                panic!("there is no event {name}")
            }
        };
    }
    aggregates!(each_event);

    #[test]
    fn what_is_stored_is_read_and_written_as_it_was() {
        for event in all() {
            assert_eq!(read_and_written(&event), event);
        }
    }

    #[test]
    fn each_event_has_an_example() {
        let names = crate::EVENT_TYPES.iter().flat_map(|(_, names)| names.iter().copied());
        let all = all();
        let stored = all.iter().map(|event| event["type"].as_str().unwrap());
        assert_eq!(stored.collect::<BTreeSet<_>>(), names.collect());
    }
}

fn of_reminders() -> Vec<Value> {
    let mut begun = json!({"type": "ReminderBegun", "appointment_id": id(0), "service_id": id(100), "client_id": id(200),
        "rule": {"before_minutes": 1440, "channel": "email"}, "start_at": "2026-11-24T09:00:00Z", "due_at": "2026-11-23T09:00:00Z"});
    let of = begun.clone();
    let tried = json!({"attempt": 1, "appointment_version": 1, "client_version": 2,
        "message_id": "9f1c@example.org", "lapses_at": "2026-11-23T09:02:30Z"});
    let mut again = tried.clone();
    again["type"] = json!("ReminderBegunAgain");
    again["attempt"] = json!(2);
    begun.as_object_mut().unwrap().extend(tried.as_object().unwrap().clone());
    let mut asked = of.clone();
    asked["type"] = json!("ReminderAsked");
    asked["asked_at"] = json!("2026-11-23T08:00:00Z");
    let mut due = of.clone();
    due["type"] = json!("ReminderDue");
    due["rule"] = json!({"before_minutes": 1440, "channel": "webhook"});
    due["appointment_version"] = json!(1);
    due["client_version"] = json!(2);
    let mut due_again = due.clone();
    due_again["type"] = json!("ReminderDueAgain");
    let mut skipped = of;
    skipped["type"] = json!("ReminderSkipped");
    skipped["why"] = json!("no-address");
    vec![
        begun,
        skipped,
        asked,
        again,
        json!({"type": "ReminderSent", "code": 250}),
        json!({"type": "ReminderFailed", "failure": "transient", "code": 451, "retry_at": "2026-11-23T09:00:10Z"}),
        json!({"type": "ReminderFailed", "failure": "unknown"}),
        json!({"type": "ReminderGivenUp", "why": "moved"}),
        json!({"type": "ReminderResendAsked", "asked_at": "2026-11-23T10:00:00Z"}),
        due,
        due_again,
    ]
}

fn of_notices() -> Vec<Value> {
    let mut begun = json!({"type": "NoticeBegun", "appointment_id": id(0), "service_id": id(100), "client_id": id(200),
        "what": "change", "sequence": 1, "standing": "booked", "start_at": "2026-11-24T09:00:00Z",
        "end_at": "2026-11-24T09:30:00Z", "location": "12 Harbour Street"});
    let mut skipped = begun.clone();
    let tried = json!({"attempt": 1, "appointment_version": 2, "client_version": 2,
        "message_id": "9f1c@example.org", "lapses_at": "2026-11-23T09:02:30Z"});
    begun.as_object_mut().unwrap().extend(tried.as_object().unwrap().clone());
    let mut again = begun.clone();
    again["type"] = json!("NoticeBegunAgain");
    again["attempt"] = json!(2);
    skipped["type"] = json!("NoticeSkipped");
    skipped["why"] = json!("no-address");
    let mut given_up = skipped.clone();
    given_up["type"] = json!("NoticeGivenUp");
    given_up["why"] = json!("superseded");
    let offer = json!({"type": "NoticeSkipped", "appointment_id": id(1), "service_id": id(100), "client_id": id(200),
        "what": "offer", "standing": "held", "start_at": "2026-11-24T09:00:00Z", "end_at": "2026-11-24T09:30:00Z",
        "hold_expires_at": "2026-11-23T09:15:00Z", "why": "off"});
    vec![
        begun,
        skipped,
        offer,
        again,
        json!({"type": "NoticeSent", "code": 250}),
        json!({"type": "NoticeFailed", "failure": "transient", "code": 451, "retry_at": "2026-11-23T09:00:10Z"}),
        given_up,
    ]
}

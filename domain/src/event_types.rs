//! The names of all events, for those who ask for some of them.

/// The names of the events of each type of aggregate.
pub const EVENT_TYPES: &[(&str, &[&str])] = &[
    ("service", &["ServiceDefined", "ServiceRevised", "ServiceRetired"]),
    (
        "resource",
        &[
            "ResourceRegistered",
            "ResourceHoursChanged",
            "ResourceExceptionAdded",
            "ResourceExceptionRemoved",
            "ResourceHolidaysChanged",
            "ResourceCapacityChanged",
            "ResourceRetired",
        ],
    ),
    ("client", &["ClientRegistered", "ClientContactChanged"]),
    (
        "appointment",
        &[
            "AppointmentHeld",
            "AppointmentConfirmed",
            "AppointmentBooked",
            "AppointmentRescheduled",
            "AppointmentCancelled",
            "AppointmentHoldExpired",
            "AppointmentCheckedIn",
            "AppointmentCompleted",
            "AppointmentMarkedNoShow",
            "AppointmentTagged",
            "AppointmentConflictAccepted",
            "AppointmentReassigned",
        ],
    ),
    ("session", &["SessionScheduled", "SessionRescheduled", "SessionCancelled"]),
    ("series", &["SeriesBooked", "SeriesRescheduled", "SeriesCancelled"]),
    (
        "waiting",
        &[
            "WaitingListJoined",
            "WaitingPlaceOffered",
            "WaitingPlaceTaken",
            "WaitingOfferLapsed",
            "WaitingWishesPassed",
            "WaitingListLeft",
        ],
    ),
];

/// Whether there is such an event.
#[must_use]
pub fn is_event_type(name: &str) -> bool {
    EVENT_TYPES.iter().any(|(_, names)| names.contains(&name))
}

/// The type of aggregate of that name, as it is written in the log.
#[must_use]
pub fn aggregate_type(name: &str) -> Option<&'static str> {
    EVENT_TYPES.iter().map(|(aggregate, _)| *aggregate).find(|aggregate| *aggregate == name)
}

#[cfg(test)]
mod tests {
    use cqrs_es::Aggregate;
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;
    use crate::appointment::Appointment;
    use crate::client::Client;
    use crate::resource::Resource;
    use crate::series::Series;
    use crate::service::Service;
    use crate::session::Session;
    use crate::waiting::WaitingEntry;

    /// What serde says that the events of an aggregate are called.
    fn names<A: Aggregate<Event: DeserializeOwned>>() -> (&'static str, Vec<String>) {
        let said = serde_json::from_value::<A::Event>(json!({"type": "?"})).err().unwrap();
        let said = said.to_string();
        let (_, names) = said.split_once("expected ").unwrap();
        (A::TYPE, names.split('`').skip(1).step_by(2).map(str::to_owned).collect())
    }

    #[test]
    fn every_event_of_every_aggregate_is_named() {
        let all = [
            names::<Service>(),
            names::<Resource>(),
            names::<Client>(),
            names::<Appointment>(),
            names::<Session>(),
            names::<Series>(),
            names::<WaitingEntry>(),
        ];
        let listed: Vec<(&str, Vec<String>)> = EVENT_TYPES
            .iter()
            .map(|(aggregate, names)| (*aggregate, names.iter().map(|&n| n.to_owned()).collect()))
            .collect();
        assert_eq!(listed, all);
    }
}

//! Nouns: times, people and things, and what happens to them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::appointment::{Agreed, AppointmentEvent, Booking, Details, Seats, Slot, When};
use crate::client::{Client, Contact};
use crate::resource::{Capacity, Resource, ResourceKind, ResourceProfile};
use crate::service::rules::BookingRules;
use crate::service::{Choose, ReminderRules, Roles, Service, ServiceTerms};
use crate::time::{Buffer, Duration, Interval};
use crate::{Category, Facts, Name, Needs, ResourceId, Tag, Tags, Title};

pub(crate) fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}

/// Monday, a little before the office opens.
pub(crate) fn now() -> DateTime<Utc> {
    at("2026-11-23T07:00:00Z")
}

pub(crate) fn terms() -> ServiceTerms {
    ServiceTerms {
        name: Name::new("Check-up").unwrap(),
        category: Category::new("care").unwrap(),
        tags: tags(&["adult"]),
        duration: Duration::from_minutes(30).unwrap(),
        buffer_before: Buffer::NONE,
        buffer_after: Buffer::from_minutes(10).unwrap(),
        needs: Roles::default(),
        choose: Choose::default(),
        limit_per_client_per_day: None,
        session_places: None,
        reminders: ReminderRules::default(),
        price: None,
        rules: BookingRules::default(),
        location: None,
        reference: None,
        metadata: crate::Metadata::default(),
    }
}

pub(crate) fn tags(names: &[&str]) -> Tags {
    let set: std::collections::BTreeSet<Tag> =
        names.iter().map(|name| Tag::new(name).unwrap()).collect();
    Tags::try_from(set).unwrap()
}

/// Open on weekdays from 9 to 17, Oslo time.
pub(crate) fn profile() -> ResourceProfile {
    ResourceProfile {
        name: Name::new("Room 1").unwrap(),
        kind: ResourceKind::Room,
        tags: Tags::default(),
        time_zone: Tz::Europe__Oslo,
        opening_hours: serde_json::from_str(
            r#"{"weekly_hours":
                [{"days":["mon","tue","wed","thu","fri"],"from":"09:00","to":"17:00"}]}"#,
        )
        .unwrap(),
        capacity: Capacity::ONE,
        reference: None,
        metadata: crate::Metadata::default(),
    }
}

pub(crate) fn contact() -> Contact {
    Contact::named(Name::new("A. Client").unwrap())
}

pub(crate) fn resource(n: u128) -> ResourceId {
    Uuid::from_u128(n).into()
}

/// A booking of the service on resource 1 for the client.
pub(crate) fn a_booking(start: &str) -> Booking {
    let (service, client) = (Uuid::from_u128(100).into(), Uuid::from_u128(200).into());
    Booking {
        resource_ids: Some(vec![resource(1)].try_into().unwrap()),
        ..Booking::new(service, client, When::From(at(start)))
    }
}

/// What [`a_booking`] comes to by these terms: half an hour on resource 1.
pub(crate) fn details(start: &str) -> Details {
    Details {
        service_id: Uuid::from_u128(100).into(),
        client_id: Uuid::from_u128(200).into(),
        slot: Slot {
            resource_ids: vec![resource(1)].try_into().unwrap(),
            during: Interval::lasting(at(start), Duration::from_minutes(30).unwrap()),
            buffer_before: Buffer::NONE,
            buffer_after: Buffer::from_minutes(10).unwrap(),
            seats: Seats::default(),
            quota_slots: Vec::new(),
            session_id: None,
            transparent: false,
        },
        title: Title::new("Check-up").unwrap().into(),
        category: Category::new("care").unwrap(),
        tags: tags(&["adult"]),
        note: None,
        location: None,
        reference: None,
        metadata: crate::Metadata::default(),
        private: false,
        imported: false,
        notices: false,
        agreed: Agreed::default(),
        overridden: None,
        series: None,
    }
}

pub(crate) fn booked(start: &str) -> AppointmentEvent {
    AppointmentEvent::AppointmentBooked(details(start))
}

/// What `needs` asks for, in a world where everything is known and open.
pub(crate) fn facts_for(needs: &Needs, now: DateTime<Utc>) -> Facts {
    let open = Arc::new(Resource::Active(profile()));
    Facts {
        service: Arc::new(Service::Offered(terms())),
        resources: needs.resources.iter().map(|id| (*id, Arc::clone(&open))).collect(),
        client: Arc::new(Client::Registered(contact().into())),
        ..Facts::at(now)
    }
}

/// The facts that a booking of [`a_booking`] is decided with.
pub(crate) fn facts() -> Facts {
    facts_for(&Needs { resources: vec![resource(1)], ..Needs::default() }, now())
}

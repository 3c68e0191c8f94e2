//! Events of sessions.

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::appointment::{Seats, Slot};
use daybook_domain::session::{
    ClosedPlaces, SessionCancelled, SessionEvent, SessionRescheduled, SessionScheduled,
};
use daybook_domain::time::{Buffer, Duration, Interval};
use daybook_domain::{Category, Personal, Reason, SessionId, Tags, Title};
use daybook_store::AnyEvent;
use uuid::Uuid;

pub(crate) fn hour(n: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_435_200, 0).unwrap() + TimeDelta::hours(n)
}

pub(crate) fn session(n: u128) -> SessionId {
    Uuid::from_u128(n).into()
}

pub(crate) fn slot(start: i64) -> Slot {
    Slot {
        resource_ids: vec![Uuid::from_u128(1).into()].try_into().unwrap(),
        during: Interval::new(hour(start), hour(start + 1)).unwrap(),
        buffer_before: Buffer::NONE,
        buffer_after: Buffer::NONE,
        seats: Seats::default(),
        quota_slots: Vec::new(),
        session_id: None,
        transparent: false,
    }
}

/// Of service 100 if its number is odd, else of 200.
pub(crate) fn scheduled(n: u128, start: i64) -> AnyEvent {
    let service = if n % 2 == 1 { 100 } else { 200 };
    let event = SessionEvent::SessionScheduled(SessionScheduled {
        service_id: Uuid::from_u128(service).into(),
        slot: slot(start),
        duration: Duration::from_minutes(60).unwrap(),
        places_during: slot(start).during,
        time_zone: chrono_tz::Tz::UTC,
        places: 5.try_into().unwrap(),
        title: Title::new("Class").unwrap().into(),
        category: Category::new("yoga").unwrap(),
        tags: Tags::default(),
        overridden: None,
    });
    AnyEvent::Session(session(n), event)
}

pub(crate) fn moved(n: u128, from: i64, to: i64) -> AnyEvent {
    let event = SessionEvent::SessionRescheduled(SessionRescheduled {
        slot: slot(to),
        places_during: slot(to).during,
        time_zone: chrono_tz::Tz::UTC,
        closed: closed(n, from),
        overridden: None,
    });
    AnyEvent::Session(session(n), event)
}

pub(crate) fn flooded(n: u128, start: i64) -> AnyEvent {
    let reason = Some(Personal::new(Reason::new("Flooded").unwrap()));
    let event = SessionCancelled { reason, closed: closed(n, start) };
    AnyEvent::Session(session(n), SessionEvent::SessionCancelled(event))
}

fn closed(n: u128, start: i64) -> ClosedPlaces {
    ClosedPlaces { session_id: session(n), during: slot(start).during, numbers: vec![0, 1] }
}

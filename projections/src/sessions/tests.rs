//! The list of sessions.

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::appointment::{Seats, Slot};
use daybook_domain::session::{
    ClosedPlaces, Session, SessionCancelled, SessionEvent, SessionRescheduled, SessionScheduled,
    SessionStatus,
};
use daybook_domain::time::{Buffer, Duration, Interval};
use daybook_domain::{Category, Reason, SessionId, Tags, Title};
use daybook_store::AnyEvent;
use uuid::Uuid;

use super::{ListedSession, SessionFilter, Sessions};
use crate::Limit;
use crate::search::Cursor;
use crate::tests::world::World;

fn hour(n: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_435_200, 0).unwrap() + TimeDelta::hours(n)
}

fn id(n: u128) -> SessionId {
    Uuid::from_u128(n).into()
}

fn slot(start: i64) -> Slot {
    Slot {
        resource_ids: vec![Uuid::from_u128(1).into()].try_into().unwrap(),
        during: Interval::new(hour(start), hour(start + 1)).unwrap(),
        buffer_before: Buffer::NONE,
        buffer_after: Buffer::NONE,
        seats: Seats::default(),
        counted: Vec::new(),
        session_id: None,
    }
}

/// Of service 100 if its number is odd, else of 200.
fn scheduled(n: u128, start: i64) -> AnyEvent {
    let service = if n % 2 == 1 { 100 } else { 200 };
    let event = SessionEvent::SessionScheduled(SessionScheduled {
        service_id: Uuid::from_u128(service).into(),
        slot: slot(start),
        duration: Duration::from_minutes(60).unwrap(),
        places_during: slot(start).during,
        time_zone: chrono_tz::Tz::UTC,
        places: 5.try_into().unwrap(),
        title: Title::new("Class").unwrap(),
        category: Category::new("yoga").unwrap(),
        tags: Tags::default(),
        overridden: None,
    });
    AnyEvent::Session(id(n), event)
}

fn closed(n: u128, start: i64) -> ClosedPlaces {
    ClosedPlaces { session_id: id(n), during: slot(start).during, numbers: vec![0, 1] }
}

async fn ids(sessions: &Sessions, tenant: &str, filter: SessionFilter) -> Vec<u128> {
    let (mut found, mut cursor): (Vec<ListedSession>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let (tenant, limit) = (tenant.parse().unwrap(), Limit::new(2).unwrap());
        let page = sessions.page(&tenant, &filter, cursor.as_ref(), limit).await.unwrap();
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return found.into_iter().map(|one| one.session_id.uuid().as_u128()).collect();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_listed_by_start_as_they_are_now() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let runner = world.start(world.projections());
    let moved = SessionEvent::SessionRescheduled(SessionRescheduled {
        slot: slot(50),
        places_during: slot(50).during,
        time_zone: chrono_tz::Tz::UTC,
        closed: closed(1, 10),
        overridden: None,
    });
    let reason = Some(Reason::new("Flooded").unwrap());
    let cancelled =
        SessionEvent::SessionCancelled(SessionCancelled { reason, closed: closed(3, 30) });
    let first = [scheduled(1, 10), scheduled(2, 20), scheduled(3, 30)];
    // In two batches: what the second touches is loaded.
    for events in [&first[..], &[scheduled(4, 40), AnyEvent::Session(id(1), moved)]] {
        let head = world.append(&tenant, events).await;
        world.caught_up(&tenant, Sessions::ID, head).await;
    }
    let head = world.append(&tenant, &[AnyEvent::Session(id(3), cancelled)]).await;
    world.caught_up(&tenant, Sessions::ID, head).await;
    runner.stop().await;
    let sessions = Sessions::new(world.pool.clone());
    let all = SessionFilter::default();
    assert_eq!(ids(&sessions, "north", all).await, [2, 3, 4, 1]);
    let from = Some(hour(30));
    assert_eq!(ids(&sessions, "north", SessionFilter { from, ..all }).await, [3, 4, 1]);
    let to = Some(hour(50));
    assert_eq!(ids(&sessions, "north", SessionFilter { from, to, ..all }).await, [3, 4]);
    let service_id = Some(Uuid::from_u128(100).into());
    assert_eq!(ids(&sessions, "north", SessionFilter { service_id, ..all }).await, [3, 1]);
    let status = Some(SessionStatus::Cancelled);
    assert_eq!(ids(&sessions, "north", SessionFilter { status, ..all }).await, [3]);
    assert!(ids(&sessions, "south", all).await.is_empty());
    let page = sessions.page(&tenant, &all, None, Limit::default()).await.unwrap();
    let last = page.items.last().unwrap();
    assert_eq!((last.version, last.session.plan().unwrap().slot.clone()), (2, slot(50)));
    let Session::Made { reason, .. } = &page.items[1].session else { panic!("not made") };
    assert_eq!(reason.as_ref().map(Reason::as_str), Some("Flooded"));
}

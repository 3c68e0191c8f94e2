//! The list of sessions.

use daybook_domain::Reason;
use daybook_domain::session::{Session, SessionStatus};
use uuid::Uuid;

use super::{ListedSession, SessionFilter, Sessions};
use crate::Cursor;
use crate::Limit;
use crate::tests::classes::{flooded, hour, moved, scheduled, slot};
use crate::tests::world::World;

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
    let first = [scheduled(1, 10), scheduled(2, 20), scheduled(3, 30)];
    // In two batches: what the second touches is loaded.
    for events in [&first[..], &[scheduled(4, 40), moved(1, 10, 50)]] {
        let head = world.append(&tenant, events).await;
        world.caught_up(&tenant, Sessions::ID, head).await;
    }
    let head = world.append(&tenant, &[flooded(3, 30)]).await;
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

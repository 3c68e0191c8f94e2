//! The list of sessions.

use daybook_domain::session::{Session, SessionStatus};
use daybook_domain::{Personal, Reason};
use uuid::Uuid;

use super::list::statement;
use super::{ListedSession, SessionFilter, Sessions};
use crate::page::cursor::List;
use crate::page::keyset::Keyset;
use crate::tests::classes::{flooded, hour, moved, scheduled, slot};
use crate::tests::explained::{EXPLAIN, explained, filled, rows_read};
use crate::tests::world::World;
use crate::{Cursor, Limit, Schema};

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
    assert_eq!(ids(&sessions, "north", all.clone()).await, [2, 3, 4, 1]);
    let from = Some(hour(30));
    assert_eq!(ids(&sessions, "north", SessionFilter { from, ..all.clone() }).await, [3, 4, 1]);
    let to = Some(hour(50));
    assert_eq!(ids(&sessions, "north", SessionFilter { from, to, ..all.clone() }).await, [3, 4]);
    let service_ids = [Uuid::from_u128(100).into()].into();
    assert_eq!(ids(&sessions, "north", SessionFilter { service_ids, ..all.clone() }).await, [3, 1]);
    let status = Some(SessionStatus::Cancelled);
    assert_eq!(ids(&sessions, "north", SessionFilter { status, ..all.clone() }).await, [3]);
    assert!(ids(&sessions, "south", all.clone()).await.is_empty());
    let page = sessions.page(&tenant, &all, None, Limit::default()).await.unwrap();
    let last = page.items.last().unwrap();
    assert_eq!((last.version, last.session.plan().unwrap().slot.clone()), (2, slot(50)));
    let Session::Made { reason, .. } = &page.items[1].session else { panic!("not made") };
    assert_eq!(reason.as_ref().and_then(Personal::reveal).map(Reason::as_str), Some("Flooded"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_services_the_lists_are_read_only_as_far_as_a_page_may_need() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let table = format!("{}.sessions", Schema::of(Sessions::ID));
    let insert = format!(
        "INSERT INTO {table}
         SELECT 'north', lpad(n::text, 32, '0')::uuid, now() + n * interval '1 minute',
                lpad((n % 40)::text, 32, '0')::uuid, 'scheduled', '{{}}', 1, n
           FROM generate_series(1, 20000) AS n"
    );
    filled(&world.pool, &insert, &[table]).await;
    let mut connection = world.pool.acquire().await.unwrap();
    for count in [0, 1, 10] {
        let service_ids = (0..count).map(|n: u128| Uuid::from_u128(n).into()).collect();
        let filter = SessionFilter { service_ids, ..SessionFilter::default() };
        let list = List::of(&tenant, "sessions", &filter);
        let keyset = Keyset::new(list, None, Limit::default()).unwrap();
        let sql = statement(&tenant, &filter, &keyset, EXPLAIN);
        let read = rows_read(&explained(sql, &mut connection).await);
        assert!(read <= 51 * u64::try_from(count.max(1)).unwrap(), "{count}: {read}");
    }
}

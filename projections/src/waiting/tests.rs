//! The waiting list as it is read.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_domain::appointment::{
    AppointmentCancelled, AppointmentConfirmed, AppointmentEvent, CancelledBy, Details,
};
use daybook_domain::waiting::{
    Offer, Status, WaitingEvent, WaitingListJoined, WaitingListLeft, WaitingOfferLapsed,
    WaitingPlaceOffered, WaitingPlaceTaken, Wishes,
};
use daybook_store::{AnyEvent, Position};
use serde_json::json;
use uuid::Uuid;

use super::list::statement;
use super::{Entry, WaitingFilter, WaitingList};
use crate::page::cursor::List;
use crate::page::keyset::Keyset;
use crate::tests::bookings::details;
use crate::tests::explained::{EXPLAIN, explained, filled, rows_read};
use crate::tests::world::{World, at};
use crate::{DueQuery, Limit, PageError, Schema};

fn event(n: u128, event: WaitingEvent) -> AnyEvent {
    AnyEvent::Waiting(Uuid::from_u128(n).into(), event)
}

/// Entry `n`, of client `n`, waits for this service until the end of a Tuesday.
fn joined(n: u128, service: u128) -> AnyEvent {
    let wishes: Wishes = serde_json::from_value(json!({
        "service_id": Uuid::from_u128(service),
        "days": {"from": "2026-11-23", "to": "2026-11-24", "time_zone": "UTC"},
    }))
    .unwrap();
    let joined_at = at("2026-11-23T07:00:00Z");
    let client_id = Uuid::from_u128(n).into();
    event(
        n,
        WaitingEvent::WaitingListJoined(WaitingListJoined {
            client_id,
            wishes,
            joined_at,
            quota_slots: Vec::new(),
        }),
    )
}

/// Appointment `n` is offered to entry `n`.
fn offered(n: u128) -> AnyEvent {
    let offer = Offer {
        appointment_id: Uuid::from_u128(n).into(),
        start: at("2026-11-23T09:00:00Z"),
        expires_at: at("2026-11-23T07:15:00Z"),
    };
    event(n, WaitingEvent::WaitingPlaceOffered(WaitingPlaceOffered { offer }))
}

fn hold(n: u128, event: AppointmentEvent) -> AnyEvent {
    AnyEvent::Appointment(Uuid::from_u128(n).into(), event)
}

fn confirmed(n: u128) -> AnyEvent {
    let Details { slot, .. } = details(n);
    hold(n, AppointmentEvent::AppointmentConfirmed(AppointmentConfirmed { slot }))
}

fn released(n: u128) -> AnyEvent {
    let by = CancelledBy::Client;
    let event = AppointmentCancelled { reason: None, by, overridden: None };
    hold(n, AppointmentEvent::AppointmentCancelled(event))
}

struct Read {
    _world: World,
    list: WaitingList,
    tenant: TenantId,
}

impl Read {
    /// What the events make of the list, whether they come one by one or all at once.
    async fn of(events: Vec<AnyEvent>, at_once: usize) -> Self {
        let world = World::new().await;
        let tenant = world.tenant("north").await;
        let runner = world.start(world.projections());
        for events in events.chunks(at_once) {
            let head = world.append(&tenant, events).await;
            world.caught_up(&tenant, WaitingList::ID, head).await;
        }
        runner.stop().await;
        let list = WaitingList::new(world.pool.clone());
        Self { _world: world, list, tenant }
    }

    async fn page(&self, filter: &WaitingFilter, now: &str) -> Vec<Entry> {
        let limit = Limit::default();
        self.list.page(&self.tenant, filter, None, limit, at(now)).await.unwrap().items
    }

    async fn statuses(&self, now: &str) -> Vec<Status> {
        let all = self.page(&WaitingFilter::default(), now).await;
        all.iter().map(|entry| entry.joined.state.status()).collect()
    }

    async fn due(&self, now: &str) -> Vec<u128> {
        // As if it were that moment.
        let ahead = at(now) - DateTime::<Utc>::from(SystemTime::now());
        let due = self.list.due(DueQuery { ahead, but: &[] }).await.unwrap();
        let mut due: Vec<_> = due.into_iter().map(|due| due.id.uuid().as_u128()).collect();
        due.sort_unstable();
        due
    }
}

const NOW: &str = "2026-11-23T07:10:00Z";

fn a_story() -> Vec<AnyEvent> {
    vec![
        joined(1, 7),
        joined(2, 7),
        joined(3, 7),
        joined(4, 7),
        joined(5, 8),
        joined(6, 7),
        joined(7, 7),
        offered(1),
        offered(2),
        confirmed(2),
        offered(3),
        released(3),
        offered(4),
        confirmed(4),
        event(4, WaitingEvent::WaitingPlaceTaken(WaitingPlaceTaken {})),
        event(6, WaitingEvent::WaitingListLeft(WaitingListLeft {})),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_shows_what_has_become_of_its_hold() {
    use Status::{Expired, Lapsed, Left, Offered, Taken, Waiting};
    for at_once in [1, 100] {
        let read = Read::of(a_story(), at_once).await;
        let now = [Offered, Taken, Lapsed, Taken, Waiting, Left, Waiting];
        assert_eq!(read.statuses(NOW).await, now, "{at_once}");
        let later = [Lapsed, Taken, Lapsed, Taken, Waiting, Left, Waiting];
        assert_eq!(read.statuses("2026-11-23T07:15:00Z").await, later, "{at_once}");
        let over = [Lapsed, Taken, Lapsed, Taken, Expired, Left, Expired];
        assert_eq!(read.statuses("2026-11-25T00:00:00Z").await, over, "{at_once}");
        assert_eq!(read.due(NOW).await, [2, 3], "{at_once}");
        assert_eq!(read.due("2026-11-23T07:15:00Z").await, [1, 2, 3], "{at_once}");
        assert_eq!(read.due("2026-11-25T00:00:00Z").await, [1, 2, 3, 5, 7], "{at_once}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_wait_have_a_turn() {
    let mut events = a_story();
    events.push(event(3, WaitingEvent::WaitingOfferLapsed(WaitingOfferLapsed {})));
    events.push(joined(8, 7));
    let read = Read::of(events, 4).await;
    let turn = |after: i64| {
        let after = Position::from_i64(after);
        let waiting = read.list.in_turn(&read.tenant, after, at(NOW), 10);
        async {
            let waiting = waiting.await.unwrap();
            waiting.iter().map(|entry| entry.entry_id.uuid().as_u128()).collect::<Vec<_>>()
        }
    };
    assert_eq!(turn(0).await, [5, 7, 8]);
    assert_eq!(turn(5).await, [7, 8]);
    let before = |n: u128, service: u128| {
        let (service, entry) = (Uuid::from_u128(service).into(), Uuid::from_u128(n).into());
        let list = &read.list;
        let tenant = &read.tenant;
        async move { list.before(tenant, service, entry, at(NOW)).await.unwrap() }
    };
    assert_eq!(before(5, 8).await, Some(0));
    assert_eq!(before(7, 7).await, Some(0));
    assert_eq!(before(8, 7).await, Some(1));
    assert_eq!(before(1, 7).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_filtered_and_paged_in_turn() {
    let read = Read::of(a_story(), 4).await;
    let filtered = |filter: WaitingFilter| {
        let read = &read;
        async move {
            let page = read.page(&filter, NOW).await;
            page.iter().map(|entry| entry.entry_id.uuid().as_u128()).collect::<Vec<_>>()
        }
    };
    let all = WaitingFilter::default();
    let service_ids = [Uuid::from_u128(8).into()].into();
    assert_eq!(filtered(WaitingFilter { service_ids, ..all.clone() }).await, [5]);
    let client_ids = [Uuid::from_u128(2).into()].into();
    assert_eq!(filtered(WaitingFilter { client_ids, ..all.clone() }).await, [2]);
    let status = |status| WaitingFilter { statuses: vec![status], ..all.clone() };
    assert_eq!(filtered(status(Status::Taken)).await, [2, 4]);
    assert_eq!(filtered(status(Status::Waiting)).await, [5, 7]);
    let statuses = vec![Status::Taken, Status::Waiting];
    assert_eq!(filtered(WaitingFilter { statuses, ..all.clone() }).await, [2, 4, 5, 7]);
    let client_ids = [2, 5, 7].map(|n| Uuid::from_u128(n).into()).into();
    let service_ids = [8, 9].map(|n| Uuid::from_u128(n).into()).into();
    let both = WaitingFilter { service_ids, client_ids, ..all.clone() };
    assert_eq!(filtered(both).await, [5]);
    let service_ids = [7, 8].map(|n| Uuid::from_u128(n).into()).into();
    assert_eq!(filtered(WaitingFilter { service_ids, ..all.clone() }).await, [1, 2, 3, 4, 5, 6, 7]);

    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let limit = Limit::new(3).unwrap();
        let page = read.list.page(&read.tenant, &all, cursor.as_ref(), limit, at(NOW));
        let page = page.await.unwrap();
        seen.extend(page.items.iter().map(|entry| entry.entry_id.uuid().as_u128()));
        let Some(next) = page.next else { break };
        let other = status(Status::Taken);
        let elsewhere = read.list.page(&read.tenant, &other, Some(&next), limit, at(NOW)).await;
        assert!(matches!(elsewhere, Err(PageError::Cursor(_))));
        cursor = Some(next);
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_services_or_clients_the_lists_are_read_only_as_far_as_a_page_may_need() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let table = format!("{}.entries", Schema::of(WaitingList::ID));
    let insert = format!(
        "INSERT INTO {table}
         SELECT 'north', lpad(n::text, 32, '0')::uuid, n, lpad((n % 40)::text, 32, '0')::uuid,
                lpad((n % 900)::text, 32, '0')::uuid, '{{}}', now(), now() + interval '1 year', 'waiting',
                NULL, NULL, NULL, false, 1, n
           FROM generate_series(1, 20000) AS n"
    );
    filled(&world.pool, &insert, &[table]).await;
    let mut connection = world.pool.acquire().await.unwrap();
    for (services, clients) in [(0, 0), (1, 0), (10, 0), (0, 1), (0, 10), (10, 10)] {
        let service_ids = (0..services).map(|n: u128| Uuid::from_u128(n).into()).collect();
        let client_ids = (0..clients).map(|n: u128| Uuid::from_u128(n).into()).collect();
        let filter = WaitingFilter { service_ids, client_ids, ..WaitingFilter::default() };
        let list = List::of(&tenant, "waiting", &filter);
        let keyset = Keyset::new(list, None, Limit::default()).unwrap();
        let sql = statement(&tenant, &filter, &keyset, at("2026-06-01T00:00:00Z"), EXPLAIN);
        let read = rows_read(&explained(sql, &mut connection).await);
        let lists = u64::try_from(services.max(clients).max(1)).unwrap();
        assert!(read <= 51 * lists, "{services} {clients}: {read}");
    }
}

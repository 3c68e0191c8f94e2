//! Who is idle.

use daybook_domain::appointment::{AppointmentCancelled, AppointmentEvent, CancelledBy};
use daybook_domain::client::{
    ClientErasureRequested, ClientEvent, ClientLegalHoldPlaced, ClientLegalHoldReleased,
    ClientRegistered, ClientRestricted, ClientRestrictionLifted, Contact, ErasureReason,
    LegalHoldReason, RestrictionReason,
};
use daybook_domain::waiting::{WaitingEvent, WaitingListJoined, WaitingListLeft};
use daybook_domain::{ClientId, Name, TenantId};
use daybook_store::AnyEvent;
use serde_json::json;
use uuid::Uuid;

use super::{IdleCount, Retention};
use crate::Limit;
use crate::tests::bookings::{appointment, booked};
use crate::tests::world::{World, at};

/// Appointment `n` is of client `n % 7`.
fn client(n: u128) -> ClientId {
    Uuid::from_u128(200 + n).into()
}

fn of_client(n: u128, event: ClientEvent) -> AnyEvent {
    AnyEvent::Client(client(n), event)
}

fn registered(n: u128) -> AnyEvent {
    let contact = Contact::named(Name::new("A. Client").unwrap());
    of_client(n, ClientEvent::ClientRegistered(ClientRegistered { contact }))
}

fn cancelled(n: u128) -> AnyEvent {
    let by = CancelledBy::Client;
    let event = AppointmentCancelled { reason: None, by, overridden: None };
    AnyEvent::Appointment(appointment(n), AppointmentEvent::AppointmentCancelled(event))
}

/// Client `n` waits until the end of that day.
fn waits(n: u128, until: &str) -> AnyEvent {
    let wishes = json!({
        "service_id": Uuid::from_u128(100),
        "days": {"from": until, "to": until, "time_zone": "UTC"},
    });
    let joined = WaitingListJoined {
        client_id: client(n),
        wishes: serde_json::from_value(wishes).unwrap(),
        joined_at: at("2026-11-23T07:00:00Z"),
        quota_slots: Vec::new(),
    };
    AnyEvent::Waiting(Uuid::from_u128(900 + n).into(), WaitingEvent::WaitingListJoined(joined))
}

fn leaves(n: u128) -> AnyEvent {
    let left = WaitingEvent::WaitingListLeft(WaitingListLeft {});
    AnyEvent::Waiting(Uuid::from_u128(900 + n).into(), left)
}

struct Read {
    world: World,
    retention: Retention,
    tenant: TenantId,
}

impl Read {
    async fn new() -> Self {
        let world = World::new().await;
        let tenant = world.tenant("north").await;
        Self { retention: Retention::new(world.pool.clone()), world, tenant }
    }

    /// Those who are idle since before this moment, once these events have happened, too.
    async fn idle_after(&self, events: &[AnyEvent], before: &str) -> Vec<u128> {
        let runner = self.world.start(self.world.projections());
        let head = self.world.append(&self.tenant, events).await;
        self.world.caught_up(&self.tenant, Retention::ID, head).await;
        runner.stop().await;
        self.idle(before, &[]).await
    }

    async fn idle(&self, before: &str, but: &[ClientId]) -> Vec<u128> {
        let idle = self.retention.idle(&self.tenant, at(before), but, Limit::default()).await;
        idle.unwrap().into_iter().map(|idle| idle.client_id.uuid().as_u128() - 200).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_that_counts_says_since_when_somebody_is_idle() {
    let read = Read::new().await;
    let all = [registered(0), registered(1), registered(2), booked(7), booked(14), booked(1)];
    // Of whom has nothing, it is when they were registered.
    assert_eq!(read.idle_after(&all, "2027-01-06T00:00:00Z").await, [2, 1, 0]);
    assert_eq!(read.idle("2027-01-04T10:30:00Z", &[]).await, [2]);
    assert_eq!(read.idle("2027-01-06T00:00:00Z", &[client(2)]).await, [1, 0]);
    // The 14th is over at 23:30, the 7th at 16:30.
    assert_eq!(read.idle("2027-01-04T20:00:00Z", &[]).await, [2, 1]);
    assert_eq!(read.idle_after(&[cancelled(14)], "2027-01-04T20:00:00Z").await, [2, 1, 0]);
    assert_eq!(read.idle_after(&[cancelled(1)], "2026-12-01T00:00:00Z").await, [1, 2]);
    assert_eq!(read.idle_after(&[waits(2, "2027-01-05")], "2027-01-05T12:00:00Z").await, [1, 0]);
    assert_eq!(read.idle_after(&[leaves(2)], "2027-01-05T12:00:00Z").await, [1, 2, 0]);
    let longest = read.retention.longest(&read.tenant).await.unwrap();
    assert_eq!(longest, Some(read.world.now()));
    let other = read.world.tenant("south").await;
    assert_eq!(read.retention.longest(&other).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_restricted_held_or_erased_is_not_among_them_and_is_counted_apart() {
    let read = Read::new().await;
    let restricted = ClientRestricted { reason: RestrictionReason::ObjectionPending };
    let held = ClientLegalHoldPlaced { reason: LegalHoldReason::LegalClaim };
    let requested = ClientErasureRequested { reason: ErasureReason::Requested };
    let events = [
        registered(0),
        registered(1),
        registered(2),
        registered(3),
        of_client(1, ClientEvent::ClientRestricted(restricted)),
        of_client(2, ClientEvent::ClientLegalHoldPlaced(held)),
        of_client(3, ClientEvent::ClientErasureRequested(requested)),
    ];
    let end = "2027-01-06T00:00:00Z";
    assert_eq!(read.idle_after(&events, end).await, [0]);
    let count = read.retention.count(&read.tenant, at(end)).await.unwrap();
    assert_eq!(count, IdleCount { due: 1, restricted: 1, on_legal_hold: 1 });
    let events = [
        of_client(1, ClientEvent::ClientRestrictionLifted(ClientRestrictionLifted {})),
        of_client(2, ClientEvent::ClientLegalHoldReleased(ClientLegalHoldReleased {})),
    ];
    assert_eq!(read.idle_after(&events, end).await, [0, 1, 2]);
    let count = read.retention.count(&read.tenant, at("2026-11-01T00:00:00Z")).await.unwrap();
    assert_eq!(count, IdleCount { due: 0, restricted: 0, on_legal_hold: 0 });
}

//! Notices as they are read.

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::appointment::{
    AppointmentCancelled, AppointmentEvent, AppointmentHeld, AppointmentRescheduled, CancelledBy,
    Details, MovedBy,
};
use daybook_domain::notice::{
    NoticeBegun, NoticeBegunAgain, NoticeEvent, Standing, Subject, Told, What,
};
use daybook_domain::sending::{Sent, Status, Try};
use daybook_domain::waiting::{Offer, WaitingEvent, WaitingPlaceOffered};
use daybook_domain::{NoticeId, TenantId};
use daybook_store::AnyEvent;
use uuid::Uuid;

use super::{NoticeRow, Notices};
use crate::tests::bookings::{appointment, details, slot};
use crate::tests::world::{World, at};
use crate::{DueQuery, Schema};

fn of(n: u128, event: AppointmentEvent) -> AnyEvent {
    AnyEvent::Appointment(appointment(n), event)
}

fn told_of(n: u128) -> Details {
    Details { notices: true, ..details(n) }
}

fn booked(n: u128) -> AnyEvent {
    of(n, AppointmentEvent::AppointmentBooked(told_of(n)))
}

/// To the slot of another.
fn moved(n: u128, to: u128) -> AnyEvent {
    let moved = AppointmentRescheduled {
        slot: slot(to),
        hold_expires_at: None,
        by: MovedBy::Staff,
        with_calendar: false,
        overridden: None,
    };
    of(n, AppointmentEvent::AppointmentRescheduled(moved))
}

fn cancelled(n: u128) -> AnyEvent {
    let by = CancelledBy::Client;
    let event = AppointmentCancelled { reason: None, by, overridden: None };
    of(n, AppointmentEvent::AppointmentCancelled(event))
}

const LAPSES: &str = "2026-11-23T07:10:00Z";

fn held(n: u128) -> AnyEvent {
    let held = AppointmentHeld { details: told_of(n), expires_at: at(LAPSES) };
    of(n, AppointmentEvent::AppointmentHeld(held))
}

fn offered(n: u128) -> AnyEvent {
    let offer = Offer { appointment_id: appointment(n), start: at(LAPSES), expires_at: at(LAPSES) };
    let event = WaitingEvent::WaitingPlaceOffered(WaitingPlaceOffered { offer });
    AnyEvent::Waiting(Uuid::from_u128(7).into(), event)
}

fn notice(n: u128, event: NoticeEvent) -> AnyEvent {
    AnyEvent::Notice(NoticeId::of(appointment(n)), event)
}

fn subject(n: u128, slot_of: u128) -> Subject {
    let (details, during) = (details(n), slot(slot_of).during);
    Subject {
        appointment_id: appointment(n),
        service_id: details.service_id,
        client_id: details.client_id,
        what: What::Confirmation,
        sequence: Some(0),
        told: Told {
            standing: Standing::Booked,
            start: during.start(),
            end: during.end(),
            location: None,
            hold_expires_at: None,
        },
    }
}

fn tried(attempt: u16) -> Try {
    Try {
        attempt,
        appointment_version: 1,
        client_version: 1,
        message_id: format!("m{attempt}@example.org"),
        lapses_at: at("2026-12-01T07:03:00Z"),
    }
}

fn begun(n: u128) -> AnyEvent {
    let begun = NoticeBegun { of: subject(n, n), tried: tried(1) };
    notice(n, NoticeEvent::NoticeBegun(begun))
}

fn sent(n: u128) -> AnyEvent {
    notice(n, NoticeEvent::NoticeSent(Sent { code: 250 }))
}

struct Read {
    world: World,
    notices: Notices,
    tenant: TenantId,
}

impl Read {
    async fn of(events: Vec<AnyEvent>, at_once: usize) -> Self {
        let world = World::new().await;
        let tenant = world.tenant("north").await;
        let read = Self { notices: Notices::new(world.pool.clone()), world, tenant };
        read.append(events, at_once).await;
        read
    }

    async fn append(&self, events: Vec<AnyEvent>, at_once: usize) {
        let runner = self.world.start(self.world.projections());
        for events in events.chunks(at_once) {
            let head = self.world.append(&self.tenant, events).await;
            self.world.caught_up(&self.tenant, Notices::ID, head).await;
        }
        runner.stop().await;
    }

    async fn one(&self, n: u128) -> Option<NoticeRow> {
        self.notices.one(&self.tenant, NoticeId::of(appointment(n))).await.unwrap()
    }

    /// What has become of it, whether there is something to be done, and the number of the revision.
    async fn stands(&self, n: u128) -> (Status, bool, Option<u32>) {
        let row = self.one(n).await.unwrap();
        (row.status, row.next_at.is_some(), row.sequence)
    }

    async fn rows(&self) -> Vec<String> {
        let schema = Schema::of(Notices::ID);
        let sql = format!("SELECT to_jsonb(t)::text FROM {schema}.notices t ORDER BY 1");
        sqlx::query_scalar(&sql).fetch_all(&self.world.pool).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_to_be_told_follows_from_the_appointment_and_what_was_told() {
    let silent = of(3, AppointmentEvent::AppointmentBooked(details(3)));
    let read = Read::of(vec![booked(1), silent], 2).await;
    assert_eq!(read.stands(1).await, (Status::Planned, true, Some(0)));
    assert_eq!(read.one(3).await, None, "its client is not told");
    read.append(vec![begun(1), sent(1)], 1).await;
    assert_eq!(read.stands(1).await, (Status::Sent, false, Some(0)));
    read.append(vec![moved(1, 9)], 1).await;
    assert_eq!(read.stands(1).await, (Status::Planned, true, Some(1)));
    read.append(vec![moved(1, 1)], 1).await;
    assert_eq!(read.stands(1).await, (Status::Sent, false, Some(2)), "and back");
    read.append(vec![cancelled(1)], 1).await;
    assert_eq!(read.stands(1).await, (Status::Planned, true, Some(3)));
    read.append(vec![booked(2), cancelled(2)], 1).await;
    assert!(!read.stands(2).await.1, "nobody was told of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_is_told_of_where_it_is_offered() {
    let read = Read::of(vec![held(1), held(2), offered(2)], 1).await;
    assert_eq!(read.stands(1).await, (Status::Planned, false, None));
    assert_eq!(read.stands(2).await, (Status::Planned, true, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_does_not_matter_how_events_fall_into_batches() {
    let again = NoticeBegunAgain { of: subject(1, 9), tried: tried(2) };
    let story = || {
        vec![
            booked(1),
            held(2),
            offered(2),
            begun(1),
            moved(1, 9),
            sent(1),
            notice(1, NoticeEvent::NoticeBegunAgain(again.clone())),
            booked(4),
            moved(1, 1),
            begun(4),
            cancelled(4),
            sent(1),
        ]
    };
    let one_by_one = Read::of(story(), 1).await.rows().await;
    assert_eq!(one_by_one.len(), 3, "{one_by_one:?}");
    for at_once in [2, 3, 5, 100] {
        assert_eq!(Read::of(story(), at_once).await.rows().await, one_by_one, "{at_once}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_what_can_still_be_told() {
    let now: DateTime<Utc> = SystemTime::now().into();
    let read = Read::of(vec![booked(1)], 2).await;
    let insert = format!(
        "INSERT INTO {}.notices SELECT 'north', lpad(n::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid,
                gen_random_uuid(), gen_random_uuid(), 'null', '2026-01-01', 1, 0, false, '\"Unbegun\"', status, at::timestamptz
           FROM unnest($1::int[], $2::text[], $3::text[]) AS u (n, status, at)",
        Schema::of(Notices::ID)
    );
    let ago = |minutes: Option<i64>| minutes.map(|it| (now - TimeDelta::minutes(it)).to_rfc3339());
    let all = [
        (1, "planned", Some(1)),
        (2, "planned", Some(23 * 60)),
        (3, "planned", Some(25 * 60)),
        (4, "planned", Some(-60)),
        (5, "begun", Some(25 * 60)),
        (6, "failed", Some(1)),
        (7, "sent", None),
    ];
    sqlx::query(&format!("DELETE FROM {}.notices", Schema::of(Notices::ID)))
        .execute(&read.world.pool)
        .await
        .unwrap();
    sqlx::query(&insert)
        .bind(all.map(|(n, ..)| n))
        .bind(all.map(|(_, status, _)| status))
        .bind(all.map(|(.., minutes)| ago(minutes)))
        .execute(&read.world.pool)
        .await
        .unwrap();
    let due = read.notices.due(DueQuery { ahead: TimeDelta::seconds(4), but: &[] });
    let due = due.await.unwrap();
    let mut ids: Vec<String> = due.iter().map(|it| it.id.uuid().simple().to_string()).collect();
    ids.sort();
    let ids: Vec<&str> = ids.iter().map(|id| id.trim_start_matches('0')).collect();
    assert_eq!(ids, ["1", "2", "5", "6"]);
}

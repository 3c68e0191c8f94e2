//! A client's history.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use daybook_domain::appointment::{
    AppointmentCancelled, AppointmentCheckedIn, AppointmentConfirmed, AppointmentEvent,
    AppointmentHeld, AppointmentMarkedNoShow, AppointmentRescheduled, CancelledBy, Details,
    MovedBy, Overridden, Status,
};
use daybook_domain::rights::Limits;
use daybook_domain::service::rules::Rule;
use daybook_domain::{Personal, Reason};
use daybook_store::AnyEvent;
use uuid::Uuid;

use super::{ClientHistory, Summary};
use crate::Limit;
use crate::appointments::Appointments;
use crate::tests::bookings::{appointment, details, slot};
use crate::tests::world::{World, at};

/// All of one client.
fn of_one(n: u128) -> Details {
    Details { client_id: Uuid::from_u128(7).into(), ..details(n) }
}

fn event(n: u128, event: AppointmentEvent) -> AnyEvent {
    AnyEvent::Appointment(appointment(n), event)
}

fn cancelled(n: u128, by: CancelledBy) -> AnyEvent {
    let cancelled = AppointmentCancelled { reason: None, by, overridden: None };
    event(n, AppointmentEvent::AppointmentCancelled(cancelled))
}

/// Cancelled for the client with an override, and the rules that this was against.
fn overriding(n: u128, rules: impl Into<BTreeSet<Rule>>) -> AnyEvent {
    let overridden = Overridden {
        reason: Personal::new(Reason::new("ill").unwrap()),
        rules: rules.into(),
        closed: None,
    };
    let (by, overridden) = (CancelledBy::Client, Some(overridden));
    let cancelled = AppointmentCancelled { reason: None, by, overridden };
    event(n, AppointmentEvent::AppointmentCancelled(cancelled))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_has_what_became_of_each_in_the_order_of_their_starts() {
    use AppointmentEvent as E;
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let runner = world.start(world.projections());
    let expires_at = world.now() + TimeDelta::minutes(10);
    let hold = |n| event(n, E::AppointmentHeld(AppointmentHeld { details: of_one(n), expires_at }));
    let mut events: Vec<AnyEvent> =
        (1..=6).map(|n| event(n, E::AppointmentBooked(of_one(n)))).collect();
    events.extend([hold(7), hold(8), hold(9)]);
    events.push(event(7, E::AppointmentConfirmed(AppointmentConfirmed { slot: slot(7) })));
    events.push(cancelled(8, CancelledBy::Client));
    events.push(cancelled(1, CancelledBy::Client));
    events.push(event(
        2,
        E::AppointmentRescheduled(AppointmentRescheduled {
            slot: slot(100),
            hold_expires_at: None,
            by: MovedBy::Client,
            with_calendar: false,
            overridden: None,
        }),
    ));
    events.push(event(3, E::AppointmentCheckedIn(AppointmentCheckedIn {})));
    events.push(event(4, E::AppointmentMarkedNoShow(AppointmentMarkedNoShow {})));
    world.append(&tenant, &events).await;
    let now = at("2027-01-04T02:00:00Z");
    world.clock.move_on(now - world.now());
    let late = [overriding(5, [Rule::CancellationWindow]), overriding(6, [])];
    let head = world.append(&tenant, &late).await;
    world.caught_up(&tenant, Appointments::ID, head).await;
    runner.stop().await;

    let history = ClientHistory::new(world.pool.clone());
    let of = (Uuid::from_u128(7).into(), &Limits::default());
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let limit = Limit::new(2).unwrap();
        let asked = history.page(&tenant, of, (None, None), (cursor.as_ref(), limit), now, None);
        let page = asked.await.unwrap();
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let became: Vec<_> = found
        .iter()
        .map(|it| {
            (
                it.appointment.appointment_id.uuid().as_u128(),
                it.appointment.status,
                it.outcome.cancelled.is_some_and(|it| it.late),
            )
        })
        .collect();
    let (off, booked) = (Status::Cancelled, Status::Booked);
    assert_eq!(
        became,
        [
            (1, off, false),
            (3, Status::CheckedIn, false),
            (4, Status::NoShow, false),
            (5, off, true),
            (6, off, false),
            (7, booked, false),
            (8, off, false),
            // Its hold has lapsed, and nobody has recorded that yet.
            (9, off, false),
            (2, booked, false),
        ]
    );
    assert_eq!(found.last().unwrap().outcome.times_moved, 1);
    assert_eq!(found[6].outcome.booked_at, None);
    let summary = history.summary(&tenant, of, None).await.unwrap();
    let start = |n: u128| Some(slot(n).during.start());
    assert_eq!(
        summary,
        Summary {
            booked: 7,
            kept: 1,
            cancelled: 3,
            late_cancellations: 1,
            no_shows: 1,
            first_start_at: start(3),
            last_start_at: start(100),
        }
    );
    let from = start(7);
    let limit = Limit::default();
    let page = history.page(&tenant, of, (from, start(9)), (None, limit), now, None);
    assert_eq!(page.await.unwrap().items.len(), 2);
    let nobody = history.summary(&"south".parse().unwrap(), of, None).await.unwrap();
    assert_eq!((nobody.booked, nobody.first_start_at), (0, None));
}

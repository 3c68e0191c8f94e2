//! Conflicts, however they come about.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::appointment::{
    AppointmentConflictAccepted, AppointmentEvent, AppointmentHeld, AppointmentReassigned,
    AppointmentRescheduled, Conflict, ConflictReason, Details, MovedBy, Slot,
};
use daybook_domain::resource::{
    Capacity, Resource, ResourceEvent, ResourceHoursChanged, ResourceKind, ResourceProfile,
    ResourceRegistered, ResourceRetired,
};
use daybook_domain::rights::Limits;
use daybook_domain::time::WeeklyHours;
use daybook_domain::{Name, Personal, Reason, ResourceId, Tags, TenantId};
use daybook_store::{AnyEvent, Position, RecordedEvent};
use proptest::prelude::*;
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::list::statement;
use super::{ConflictFilter, Conflicts};
use crate::Cursor;
use crate::page::cursor::List;
use crate::page::keyset::Keyset;
use crate::tests::bookings::{appointment, details, happening, once_made, slot};
use crate::tests::explained::{EXPLAIN, explained, filled, rows_read};
use crate::tests::world::{World, at};
use crate::{Limit, Projection as _, Schema, Tables};

fn resource(n: u128) -> ResourceId {
    Uuid::from_u128(n).into()
}

fn weekly(open: bool) -> WeeklyHours {
    let always =
        r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"00:00","to":"24:00"}]"#;
    serde_json::from_str(if open { always } else { "[]" }).unwrap()
}

fn registered(n: u128) -> AnyEvent {
    let profile = ResourceProfile {
        name: Name::new("Room").unwrap(),
        kind: ResourceKind::Room,
        tags: Tags::default(),
        time_zone: chrono_tz::Tz::UTC,
        opening_hours: weekly(true).into(),
        capacity: Capacity::ONE,
        reference: None,
        metadata: daybook_domain::Metadata::default(),
    };
    let event = ResourceEvent::ResourceRegistered(ResourceRegistered { profile });
    AnyEvent::Resource(resource(n), event)
}

fn hours(n: u128, open: bool) -> AnyEvent {
    let weekly_hours = weekly(open);
    let event = ResourceEvent::ResourceHoursChanged(ResourceHoursChanged { weekly_hours });
    AnyEvent::Resource(resource(n), event)
}

fn retired(n: u128) -> AnyEvent {
    AnyEvent::Resource(resource(n), ResourceEvent::ResourceRetired(ResourceRetired {}))
}

/// Of resource 1, so many hours after the first Monday of 2027 at nine.
fn on_room_1(hour: u128) -> Details {
    let slot = Slot { resource_ids: vec![resource(1)].try_into().unwrap(), ..slot(hour) };
    Details { slot, ..details(hour) }
}

fn booked(n: u128, hour: u128) -> AnyEvent {
    AnyEvent::Appointment(appointment(n), AppointmentEvent::AppointmentBooked(on_room_1(hour)))
}

fn reassigned(n: u128, hour: u128, to: u128) -> AnyEvent {
    let slot = Slot { resource_ids: vec![resource(to)].try_into().unwrap(), ..slot(hour) };
    let (from, to, reason, hold_expires_at) = (resource(1), resource(to), None, None);
    let event = AppointmentReassigned { slot, from, to, reason, hold_expires_at };
    AnyEvent::Appointment(appointment(n), AppointmentEvent::AppointmentReassigned(event))
}

fn accepted(n: u128, of: &[u128]) -> AnyEvent {
    let reason = ConflictReason::OutsideOpeningHours;
    let conflict = |of: &u128| Conflict { resource_id: resource(*of), reason };
    let conflicts = of.iter().map(conflict).collect();
    let reason = Personal::new(Reason::new("they know").unwrap());
    let event = AppointmentConflictAccepted { reason, conflicts };
    AnyEvent::Appointment(appointment(n), AppointmentEvent::AppointmentConflictAccepted(event))
}

/// Applies events to the rows in batches of this size.
async fn applied(world: &World, tenant: &TenantId, events: &[RecordedEvent], batch: usize) {
    let conflicts = Conflicts::new(world.pool.clone());
    let live = Schema::of(Conflicts::ID);
    for events in events.chunks(batch) {
        let mut tx = world.pool.begin().await.unwrap();
        conflicts.apply(&mut Tables::new(&mut tx, &live), tenant, events).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Appends events to the log, each a minute after the one before.
async fn recorded(
    world: &World,
    tenant: &TenantId,
    at: DateTime<Utc>,
    events: &[AnyEvent],
) -> Vec<RecordedEvent> {
    let head = world.append(tenant, events).await;
    let before = head.minus(events.len() as u64);
    sqlx::query(
        "UPDATE events SET recorded_at = $3 + (position - $2 - 1) * interval '1 minute'
          WHERE tenant_id = $1 AND position > $2",
    )
    .bind(tenant.as_str())
    .bind(before.as_i64())
    .bind(at)
    .execute(&world.pool)
    .await
    .unwrap();
    let read = world.log.read(tenant, before, 2_000).await.unwrap();
    read.into_iter().map(Result::unwrap).collect()
}

async fn listed(
    world: &World,
    tenant: &TenantId,
    now: DateTime<Utc>,
) -> Vec<(u128, Vec<Conflict>)> {
    let conflicts = Conflicts::new(world.pool.clone());
    let filter = ConflictFilter::default();
    let asked = (&filter, &Limits::default());
    let page = conflicts.page(tenant, asked, None, Limit::default(), now).await.unwrap();
    page.items.into_iter().map(|it| (it.appointment_id.uuid().as_u128(), it.conflicts)).collect()
}

fn outside(n: u128) -> Vec<Conflict> {
    vec![Conflict { resource_id: resource(n), reason: ConflictReason::OutsideOpeningHours }]
}

fn gone(n: u128) -> Vec<Conflict> {
    vec![Conflict { resource_id: resource(n), reason: ConflictReason::ResourceRetired }]
}

const NOW: &str = "2026-11-23T07:00:00Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_is_listed_until_it_is_resolved_in_whichever_way() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let happens = async |events: Vec<AnyEvent>| {
        let events = recorded(&world, &tenant, at(NOW), &events).await;
        applied(&world, &tenant, &events, 100).await;
        listed(&world, &tenant, at(NOW)).await
    };
    let mut all = vec![registered(1), registered(2), registered(3)];
    all.extend((1..=5).map(|n| booked(n, n)));
    assert_eq!(happens(all).await, []);
    let closed = happens(vec![hours(1, false)]).await;
    assert_eq!(closed, (1..=5).map(|n| (n, outside(1))).collect::<Vec<_>>());
    // Cancelled, accepted, reassigned; moved to where it is in conflict too.
    let moved = AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
        slot: on_room_1(20).slot,
        hold_expires_at: None,
        by: MovedBy::Staff,
        with_calendar: false,
        overridden: None,
    });
    let moved = AnyEvent::Appointment(appointment(4), moved);
    let left =
        happens(vec![happening(1, 3, 0), accepted(2, &[1]), reassigned(3, 3, 2), moved]).await;
    assert_eq!(left, [(5, outside(1)), (4, outside(1))]);
    // What was accepted is not what happens then.
    assert_eq!(happens(vec![retired(1)]).await, [(2, gone(1)), (5, gone(1)), (4, gone(1))]);
    assert_eq!(happens(vec![hours(2, false)]).await.len(), 4);
    assert_eq!(happens(vec![hours(2, true)]).await.len(), 3);
    assert_eq!(listed(&world, &tenant, at("2027-01-04T14:00:00Z")).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_has_lapsed_is_in_no_conflict_and_would_be_in_none() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let expires_at = at("2026-11-23T08:00:00Z");
    let held = AppointmentHeld { details: on_room_1(1), expires_at };
    let held = AnyEvent::Appointment(appointment(1), AppointmentEvent::AppointmentHeld(held));
    let events = [registered(1), held, booked(2, 2), hours(1, false)];
    let events = recorded(&world, &tenant, at(NOW), &events).await;
    let conflicts = Conflicts::new(world.pool.clone());
    applied(&world, &tenant, &events[..3], 100).await;
    let closed = events.iter().fold(Resource::default(), |mut resource, recorded| {
        if let AnyEvent::Resource(_, event) = &recorded.event {
            resource.evolve(event.clone());
        }
        resource
    });
    for (now, count) in [(at(NOW), 2), (expires_at, 1)] {
        let broken = conflicts.would_break(&tenant, resource(1), &closed, now).await.unwrap();
        assert_eq!((broken.items.len(), broken.more), (count, false));
    }
    applied(&world, &tenant, &events[3..], 100).await;
    assert_eq!(listed(&world, &tenant, at(NOW)).await.len(), 2);
    assert_eq!(listed(&world, &tenant, expires_at).await, [(2, outside(1))]);
    let broken = conflicts.would_break(&tenant, resource(1), &closed, at(NOW)).await.unwrap();
    assert_eq!(broken.items, [], "what is in conflict already is not broken by it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_change_would_break_is_bounded_and_its_pages_are_in_order() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let mut events = vec![registered(1)];
    events.extend((1..=1_003).map(|n| booked(n, 2_000 - n)));
    let events = recorded(&world, &tenant, at(NOW) - TimeDelta::days(1), &events).await;
    applied(&world, &tenant, &events, 1_000).await;
    let conflicts = Conflicts::new(world.pool.clone());
    let mut closed = Resource::default();
    for event in [registered(1), hours(1, false)] {
        let AnyEvent::Resource(_, event) = event else { panic!("another event") };
        closed.evolve(event);
    }
    let broken = conflicts.would_break(&tenant, resource(1), &closed, at(NOW)).await.unwrap();
    assert_eq!((broken.items.len(), broken.more), (Conflicts::MAX_BROKEN, true));

    let closed = recorded(&world, &tenant, at(NOW), &[hours(1, false)]).await;
    applied(&world, &tenant, &closed, 1).await;
    let mut found: Vec<u128> = Vec::new();
    let (limit, mut cursor) = (Limit::new(200).unwrap(), None::<Cursor>);
    loop {
        let filter = ConflictFilter {
            resource_ids: [resource(1), resource(2)].into(),
            ..Default::default()
        };
        let asked = (&filter, &Limits::default());
        let page = conflicts.page(&tenant, asked, cursor.as_ref(), limit, at(NOW)).await.unwrap();
        found.extend(page.items.iter().map(|it| it.appointment_id.uuid().as_u128()));
        let Some(next) = page.next else { break };
        cursor = Some(next);
    }
    assert_eq!(found, (1..=1_003).rev().collect::<Vec<u128>>());
}

/// Every column of every row of the tenant but its name.
async fn rows(world: &World, tenant: &TenantId) -> Vec<String> {
    sqlx::query_scalar(&Schema::of(Conflicts::ID).sql(
        "SELECT r FROM (
            SELECT (to_jsonb(t) - 'tenant_id')::text AS r FROM {schema}.appointments t
             WHERE tenant_id = $1
             UNION ALL
            SELECT (to_jsonb(t) - 'tenant_id')::text FROM {schema}.uses t WHERE tenant_id = $1
             UNION ALL
            SELECT (to_jsonb(t) - 'tenant_id')::text FROM {schema}.resources t
             WHERE tenant_id = $1) all_rows
          ORDER BY r",
    ))
    .bind(tenant.as_str())
    .fetch_all(&world.pool)
    .await
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Live rows are made a few events at a time, rebuilt ones a thousand at a time.
    #[test]
    fn rows_do_not_depend_on_how_the_log_is_cut_into_batches(
        happenings in prop::collection::vec((0_u128..6, 0_u8..14, 0_u128..6), 1..60),
        batch in 2_usize..60,
    ) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let (one, many) = (world.tenant("one").await, world.tenant("many").await);
            let mut events = vec![registered(1), registered(2)];
            events.extend((0..6).map(|n| booked(n, n % 3)));
            let mut accepted_of = BTreeMap::<u128, Vec<u128>>::new();
            events.extend(happenings.iter().map(|(n, kind, by)| match kind {
                0..=8 => happening(*n, *kind, by % 3),
                9 => {
                    // What was accepted before still is, as the domain decides it.
                    let of = accepted_of.entry(*n).or_default();
                    of.push(1 + by % 2);
                    accepted(*n, of)
                }
                10 => reassigned(*n, by % 3, 2),
                11 => retired(1 + by % 2),
                _ => hours(1 + by % 2, by % 3 > 0),
            }));
            once_made(&mut events);
            // Some of the changes come after the first appointments have begun.
            for (tenant, batch) in [(&one, 1), (&many, batch)] {
                let events = recorded(&world, tenant, at("2027-01-04T08:30:00Z"), &events).await;
                applied(&world, tenant, &events, batch).await;
            }
            assert_eq!(rows(&world, &one).await, rows(&world, &many).await);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_rows_equal_those_that_are_made_from_the_start() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let runner = world.start(world.projections());
    world.append(&tenant, &[registered(1), registered(2)]).await;
    let mut head = Position::START;
    for round in 0..20_u128 {
        let events = [booked(round, round), hours(1 + round % 2, round % 3 > 0)];
        head = world.append(&tenant, &events).await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    world.caught_up(&tenant, Conflicts::ID, head).await;
    runner.stop().await;
    let live = rows(&world, &tenant).await;
    for table in ["appointments", "uses", "resources"] {
        let sql = format!("DELETE FROM {}.{table} WHERE tenant_id = $1", Conflicts::ID);
        sqlx::query(&sql).bind(tenant.as_str()).execute(&world.pool).await.unwrap();
    }
    sqlx::query("DELETE FROM checkpoints WHERE tenant_id = $1 AND projection = 'conflicts'")
        .bind(tenant.as_str())
        .execute(&world.pool)
        .await
        .unwrap();
    let runner = world.start(world.projections());
    world.caught_up(&tenant, Conflicts::ID, head).await;
    runner.stop().await;
    assert_eq!(live.len(), 42);
    assert_eq!(live, rows(&world, &tenant).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_resources_the_lists_are_read_only_as_far_as_a_page_may_need() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let schema = Schema::of(Conflicts::ID);
    let [appointments, uses] = ["appointments", "uses"].map(|name| format!("{schema}.{name}"));
    let insert = format!(
        "INSERT INTO {appointments}
         SELECT 'north', lpad(n::text, 32, '0')::uuid, now() + n * interval '1 minute',
                now() + (n + 1) * interval '1 minute', NULL, lpad('1', 32, '0')::uuid, lpad('1', 32, '0')::uuid,
                '\"A visit\"', ARRAY[lpad((n % 40)::text, 32, '0')::uuid], 1, n
           FROM generate_series(1, 20000) AS n;
         INSERT INTO {uses}
         SELECT tenant_id, appointment_id, resource_ids[1], start_at, end_at, 'resource-retired', '{{}}'
           FROM {appointments}"
    );
    filled(&world.pool, &insert, &[appointments, uses]).await;
    let mut connection = world.pool.acquire().await.unwrap();
    for count in [0, 1, 10] {
        let resource_ids = (0..count).map(resource).collect();
        let filter = ConflictFilter { resource_ids, ..ConflictFilter::default() };
        let list = List::of(&tenant, "conflicts", &filter);
        let keyset = Keyset::new(list, None, Limit::default()).unwrap();
        let asked = (&filter, &Limits::default());
        let sql = statement(&tenant, asked, &keyset, at("2026-01-01T00:00:00Z"), EXPLAIN);
        let read = rows_read(&explained(sql, &mut connection).await);
        // Each with its appointment; and those of the page once more, with all that they use.
        let most = 51 * (2 * u64::try_from(count.max(1)).unwrap() + 2);
        assert!(read <= most, "{count}: {read}");
    }
}

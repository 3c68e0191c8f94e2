//! What was offered, and that rows do not depend on batches.

mod booked;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use daybook_domain::resource::{
    Capacity, ResourceCapacityChanged, ResourceEvent, ResourceHoursChanged, ResourceKind,
    ResourceProfile, ResourceRegistered, ResourceRetired,
};
use daybook_domain::time::{Day, Interval, OpeningWindow, WeeklyHours};
use daybook_domain::{Name, ResourceId, Tags};
use daybook_store::{AnyEvent, Position};
use proptest::prelude::*;
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::offered::{self, Terms};
use super::{Dimensions, Figures, Utilisation, UtilisationFilter};
use crate::tests::bookings::{booked, happening, once_made};
use crate::tests::world::{World, at};
use crate::{Limit, Projection as _, Schema, Tables};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Every day from one hour to another.
fn hours(from: u8, to: u8) -> WeeklyHours {
    let hour = |hour: u8| format!("{hour:02}:00").parse().unwrap();
    let window = OpeningWindow::new(Day::ALL.to_vec(), hour(from), hour(to)).unwrap();
    vec![window].try_into().unwrap()
}

fn registered(zone: Tz) -> ResourceEvent {
    ResourceEvent::ResourceRegistered(ResourceRegistered {
        profile: ResourceProfile {
            name: Name::new("A room").unwrap(),
            kind: ResourceKind::Room,
            tags: Tags::default(),
            time_zone: zone,
            opening_hours: hours(8, 16).into(),
            capacity: Capacity::ONE,
            reference: None,
            metadata: daybook_domain::Metadata::default(),
        },
    })
}

fn changed(from: u8, to: u8) -> ResourceEvent {
    ResourceEvent::ResourceHoursChanged(ResourceHoursChanged { weekly_hours: hours(from, to) })
}

fn places(places: u16) -> ResourceEvent {
    let capacity = places.try_into().unwrap();
    ResourceEvent::ResourceCapacityChanged(ResourceCapacityChanged { capacity })
}

/// The days as rows, after these events in batches of so many.
fn rows(events: &[(DateTime<Utc>, ResourceEvent)], batch: usize) -> BTreeMap<NaiveDate, i64> {
    let (mut terms, mut known, mut rows) = (None::<Terms>, None, BTreeMap::new());
    for batch in events.chunks(batch) {
        let to = offered::horizon(batch.last().unwrap().0);
        let events: Vec<_> = batch.iter().map(|(at, event)| (*at, event)).collect();
        if let Some((after, anew)) = offered::fold(terms.clone(), &events, known, to) {
            rows.retain(|day, _| *day < anew.from);
            rows.extend(anew.minutes);
            terms = Some(after);
        }
        known = Some(to);
    }
    rows
}

/// The same, minute by minute: was it open, as it was known in that minute?
fn naive(events: &[(DateTime<Utc>, ResourceEvent)], zone: Tz, day: NaiveDate) -> i64 {
    let Some(bounds) = daybook_domain::time::day_bounds(zone, day, day) else { return 0 };
    let mut minutes = 0;
    let mut minute = bounds.start();
    while minute < bounds.end() {
        let next = minute + TimeDelta::minutes(1);
        let mut resource = daybook_domain::resource::Resource::default();
        // A change counts from the minute in which it was recorded.
        for (_, event) in events.iter().filter(|(at, _)| *at < next) {
            resource.evolve(event.clone());
        }
        let during = Interval::new(minute, next).unwrap();
        if let daybook_domain::resource::Resource::Active(profile) = &resource
            && profile.is_open(&during)
        {
            minutes += i64::from(profile.capacity.places());
        }
        minute = next;
    }
    minutes
}

#[test]
fn what_was_offered_stays_when_hours_change_and_what_comes_does_not() {
    let zone = Tz::Europe__Oslo;
    let events = [
        (at("2027-01-04T09:00:30Z"), registered(zone)),
        (at("2027-01-06T11:30:59Z"), changed(8, 22)),
        (at("2027-01-06T12:00:00Z"), places(2)),
        (at("2027-01-08T09:00:00Z"), ResourceEvent::ResourceRetired(ResourceRetired {})),
    ];
    let rows = rows(&events, 1);
    let on = |text: &str| rows.get(&day(text)).copied();
    assert_eq!(on("2027-01-03"), None);
    // Registered at ten in the morning there: six hours are left.
    assert_eq!(on("2027-01-04"), Some(6 * 60));
    assert_eq!(on("2027-01-05"), Some(8 * 60));
    // From eight to one with one place, then until ten in the evening with two.
    assert_eq!(on("2027-01-06"), Some(5 * 60 + 9 * 60 * 2));
    assert_eq!(on("2027-01-07"), Some(14 * 60 * 2));
    assert_eq!(on("2027-01-08"), Some(2 * 60 * 2));
    assert_eq!(on("2027-01-09"), None);
}

#[test]
fn days_that_came_while_nothing_happened_are_worked_out_by_what_was_known() {
    let registered = (at("2027-01-04T00:00:00Z"), registered(Tz::UTC));
    let late = [registered.clone(), (at("2027-12-01T12:00:00Z"), changed(8, 9))];
    let rows = rows(&late, 1);
    assert_eq!(rows[&day("2027-11-30")], 8 * 60);
    assert_eq!(rows[&day("2027-12-01")], 4 * 60);
    assert_eq!(rows[&day("2027-12-02")], 60);
    assert_eq!(rows.keys().next_back(), Some(&day("2028-03-02")));
    // Without an event, 92 days are known.
    assert_eq!(self::rows(&[registered], 1).len(), 93);
}

fn an_event() -> impl Strategy<Value = ResourceEvent> {
    prop_oneof![
        (0_u8..12, 12_u8..24).prop_map(|(from, to)| changed(from, to)),
        (20_u8..24, 1_u8..8).prop_map(|(from, to)| changed(from, to)),
        (1_u16..4).prop_map(places),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn days_are_what_was_known_minute_by_minute_in_whatever_batches(
        zone in prop::sample::select(vec![Tz::UTC, Tz::Europe__Oslo, Tz::America__Santiago]),
        changes in prop::collection::vec((0_i64..4_000, an_event()), 0..6),
        batch in 1_usize..7,
    ) {
        // Clocks change in this week, in one of the zones.
        let mut now = at("2027-03-26T22:13:14Z");
        let mut events = vec![(now, registered(zone))];
        for (minutes, event) in changes {
            now += TimeDelta::minutes(minutes);
            events.push((now, event));
        }
        let rows = rows(&events, batch);
        for day in day("2027-03-25").iter_days().take(12) {
            let found = rows.get(&day).copied().unwrap_or(0);
            prop_assert_eq!(found, naive(&events, zone, day), "{}", day);
        }
    }

    #[test]
    fn rows_are_the_same_event_by_event_and_in_batches(
        happenings in prop::collection::vec((0_u128..6, 0_u8..9, 0_u128..50), 1..40),
        batch in 2_usize..40,
    ) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let (one, many) = (world.tenant("one").await, world.tenant("many").await);
            let mut events: Vec<AnyEvent> = (1..=5)
                .map(|n| AnyEvent::Resource(Uuid::from_u128(n).into(), registered(Tz::Asia__Tokyo)))
                .collect();
            events.extend((0..6).map(booked));
            events.extend(happenings.iter().map(|(n, kind, by)| happening(*n, *kind, *by)));
            once_made(&mut events);
            let utilisation = Utilisation::new(world.pool.clone());
            for (tenant, batch) in [(&one, 1), (&many, batch)] {
                world.append(tenant, &events).await;
                let read = world.log.read(tenant, Position::START, 1_000).await.unwrap();
                let read: Vec<_> = read.into_iter().map(Result::unwrap).collect();
                let mut connection = world.pool.acquire().await.unwrap();
                let live = Schema::of(Utilisation::ID);
                let mut tables = Tables::new(&mut connection, &live);
                for batch in read.chunks(batch) {
                    utilisation.apply(&mut tables, tenant, batch).await.unwrap();
                }
            }
            let same: Vec<String> = stored(&world, "one").await;
            assert!(same.len() > 5);
            assert_eq!(same, stored(&world, "many").await);
        });
    }
}

/// All rows of a tenant but its name.
async fn stored(world: &World, tenant: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for table in ["horizons", "resources", "offered", "taken"] {
        let query = format!(
            "SELECT (to_jsonb(t) - 'tenant_id')::text FROM {}.{table} t
              WHERE tenant_id = $1 ORDER BY 1",
            Utilisation::ID
        );
        let found: Vec<String> =
            sqlx::query_scalar(&query).bind(tenant).fetch_all(&world.pool).await.unwrap();
        rows.extend(found);
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_appointment_that_was_never_made_stops_the_projection() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    world.append(&tenant, &[happening(1, 2, 0)]).await;
    let read = world.log.read(&tenant, Position::START, 10).await.unwrap();
    let read: Vec<_> = read.into_iter().map(Result::unwrap).collect();
    let mut connection = world.pool.acquire().await.unwrap();
    let utilisation = Utilisation::new(world.pool.clone());
    let live = Schema::of(Utilisation::ID);
    let mut tables = Tables::new(&mut connection, &live);
    let refused = utilisation.apply(&mut tables, &tenant, &read).await;
    assert!(
        matches!(refused, Err(crate::ApplyError::Event { position, .. }) if position.get() == 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_resource_has_its_days_when_others_go_on() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let runner = world.start(world.projections());
    let quiet: ResourceId = Uuid::from_u128(77).into();
    let head = world.append(&tenant, &[AnyEvent::Resource(quiet, registered(Tz::UTC))]).await;
    world.caught_up(&tenant, Utilisation::ID, head).await;
    world.clock.move_on(TimeDelta::days(100));
    let other: ResourceId = Uuid::from_u128(78).into();
    let head = world.append(&tenant, &[AnyEvent::Resource(other, registered(Tz::UTC))]).await;
    world.caught_up(&tenant, Utilisation::ID, head).await;
    runner.stop().await;
    let today = world.now().date_naive();
    let filter = UtilisationFilter {
        from: today,
        to: today,
        resource_id: Some(quiet),
        service_id: None,
        category: None,
    };
    let utilisation = Utilisation::new(world.pool.clone());
    let by = Dimensions::resource();
    let page =
        utilisation.page(&tenant, &filter, by, (None, Limit::default()), None).await.unwrap().page;
    let [Figures { offered_minutes, booked_minutes, .. }] = &page.items[..] else {
        panic!("{page:?}");
    };
    assert_eq!((*offered_minutes, *booked_minutes), (480, 0));
    let nobody = "south".parse().unwrap();
    let page =
        utilisation.page(&nobody, &filter, by, (None, Limit::default()), None).await.unwrap().page;
    assert_eq!(page.items, []);
}

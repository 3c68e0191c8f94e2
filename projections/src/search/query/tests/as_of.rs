//! Searches in what was known at a moment, against a plain look through all that was ever so.

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::TenantId;
use daybook_domain::appointment::Status;
use daybook_domain::time::{Duration, Interval};
use daybook_store::Position;
use daybook_store::log::Moment;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::super::SearchQuery;
use super::super::key_range::KeyRange;
use super::super::statement::{Answer, Statement};
use super::filters::{PARTS, Values, filter, narrowed, shapes};
use super::many::{appointments, load, now};
use super::naive::lets_through;
use super::plans::{MAX_ROWS, Read, explained, is_planned_alike_without_values, report};
use crate::appointments::testing::{AppointmentVersion, Outcome, Placed, Until};
use crate::history::History;
use crate::search::row::FoundAppointment;
use crate::search::{SearchFilter, Sort};
use crate::tests::world::World;
use crate::{Cursor, Limit};

/// How an appointment came to be as it is: booked, and moved, tagged or cancelled until it is so.
fn before(random: &mut StdRng, row: &FoundAppointment) -> Vec<FoundAppointment> {
    let mut versions = vec![row.clone()];
    for _ in 0..random.random_range(0..4) {
        let mut earlier = versions[0].clone();
        match random.random_range(0..4) {
            0 => {
                let start = earlier.during.start() + TimeDelta::days(random.random_range(-30..30));
                earlier.during = Interval::lasting(start, Duration::from_minutes(30).unwrap());
            }
            1 => {
                earlier.status = Status::Held;
                earlier.hold_expires_at =
                    Some(now() + TimeDelta::minutes(random.random_range(-9..9)));
            }
            2 => earlier.tags = daybook_domain::Tags::default(),
            _ => {
                earlier.status = Status::Booked;
                earlier.hold_expires_at = None;
            }
        }
        versions.insert(0, earlier);
    }
    versions
}

/// All that was ever so of so many appointments, in the order of the log.
fn histories(count: u32) -> Vec<AppointmentVersion> {
    let mut random = StdRng::seed_from_u64(3);
    let mut events = Vec::new();
    for row in appointments(count) {
        // The order of creation is not that of time.
        let created = u32::try_from(row.appointment_id.uuid().as_u128() & 0xFFFF_FFFF).unwrap();
        let created = f64::from(created) / f64::from(count);
        let mut at = created * 100.0;
        for (n, mut version) in before(&mut random, &row).into_iter().enumerate() {
            version.version = n as u64 + 1;
            events.push((at, version));
            at += random.random_range(0.001..30.0);
        }
    }
    events.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let recorded_at = |position: Position| -> DateTime<Utc> {
        now() - TimeDelta::days(400) + TimeDelta::seconds(position.as_i64())
    };
    let mut versions: Vec<AppointmentVersion> = Vec::new();
    let mut latest = std::collections::HashMap::new();
    for (n, (_, mut appointment)) in events.into_iter().enumerate() {
        let position = Position::START.plus(n as u64 + 1);
        appointment.position = position;
        if let Some(before) = latest.insert(appointment.appointment_id, n) {
            let before: &mut AppointmentVersion = &mut versions[before];
            before.until = Some(Until { position, at: recorded_at(position) });
        }
        let placed = Placed { busy: appointment.during, seats: vec![0], session_id: None };
        let recorded_at = recorded_at(position);
        let outcome = Outcome::default();
        versions.push(AppointmentVersion {
            appointment,
            placed,
            outcome,
            recorded_at,
            until: None,
        });
    }
    versions
}

async fn world(versions: &[AppointmentVersion]) -> (World, TenantId) {
    let world = World::new().await;
    let tenant = load(&world.pool, versions).await;
    (world, tenant)
}

fn valid_at(versions: &[AppointmentVersion], position: Position) -> Vec<&FoundAppointment> {
    let valid = versions.iter().filter(|version| {
        version.appointment.position <= position
            && version.until.is_none_or(|until| until.position > position)
    });
    let mut rows: Vec<_> = valid.map(|version| &version.appointment).collect();
    rows.sort_by_key(|row| (row.during.start(), row.appointment_id));
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_any_search_at_any_moment_hold_together_what_a_plain_filter_finds() {
    let versions = histories(2_500);
    let head = Position::START.plus(versions.len() as u64);
    let (world, tenant) = world(&versions).await;
    let history = History::new(world.pool.clone());
    let mut random = StdRng::seed_from_u64(17);
    let mut found_any = 0;
    for n in 0..300 {
        let position = Position::START.plus(random.random_range(0..versions.len() as u64 + 1));
        let values = [Values::OfOne, Values::Common, Values::Adverse][n % 3];
        let shape = (0..random.random_range(0..=4))
            .fold(0, |shape, _| shape | 1 << random.random_range(0..PARTS));
        let known = valid_at(&versions, position);
        let row = match known.len() {
            0 => &versions[0].appointment,
            count => known[random.random_range(0..count)],
        };
        let filter = filter(shape, values, row, &mut random);
        let filter = narrowed(filter, row, &mut random);
        let sort = [Sort::StartAscending, Sort::StartDescending][n / 3 % 2];
        let limit = Limit::new([7, 50, 200][n / 6 % 3]).unwrap();
        let at = now() + TimeDelta::minutes(random.random_range(-10..10));
        let moment = Moment { position, at, head };
        let mut found = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let asked = (&filter, sort);
            let page = history.page(&tenant, asked, cursor.as_ref(), limit, moment).await.unwrap();
            found.extend(page.items.iter().map(|row| (row.appointment_id, row.version)));
            let Some(next) = page.next else { break };
            cursor = Some(next);
        }
        let mut expected: Vec<_> = known
            .into_iter()
            .filter(|row| lets_through(&filter, row, at))
            .map(|row| (row.appointment_id, row.version))
            .collect();
        if sort == Sort::StartDescending {
            expected.reverse();
        }
        assert_eq!(found, expected, "{filter:?} {sort:?} {moment:?}");
        found_any += usize::from(!found.is_empty());
    }
    assert!(found_any > 100, "{found_any}");
}

/// Wherever it stops: between two of the rows that an appointment has had at one place, too.
#[tokio::test]
async fn scans_that_go_on_where_the_one_before_stopped_come_by_each_appointment_once() {
    let versions = histories(100);
    let head = Position::START.plus(versions.len() as u64);
    let (world, tenant) = world(&versions).await;
    let mut connection = world.pool.acquire().await.unwrap();
    let (filter, sort) = (SearchFilter::default(), Sort::StartAscending);
    for position in [Position::START.plus(head.get() / 2), head] {
        let moment = Moment { position, at: now(), head };
        let asked =
            SearchQuery::new(&tenant, &filter, sort, Limit::default(), now()).known_at(moment);
        let known = valid_at(&versions, position).into_iter();
        let known: Vec<_> = known.map(|row| (row.appointment_id, row.version)).collect();
        for places in 1..20 {
            let mut range = KeyRange::asked(&filter, sort, None);
            let mut found = Vec::new();
            loop {
                let scan = Statement::IndexScan { range, places, wanted: versions.len() };
                let Answer::IndexScan(scanned) = scan.run(&asked, &mut connection).await.unwrap()
                else {
                    panic!("a scan answered as another statement does");
                };
                let matches = scanned.matches.iter();
                found.extend(matches.map(|row| (row.appointment_id, row.version)));
                let Some(stopped) = scanned.stopped else { break };
                range.go_on_after(sort, stopped.at);
            }
            assert_eq!(found, known, "{places} at a time, at {position}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_combined_in_a_filter_at_any_moment_is_served_by_an_index_and_reads_few_rows() {
    let versions = histories(40_000);
    let head = Position::START.plus(versions.len() as u64);
    let (world, tenant) = world(&versions).await;
    let mut connection = world.pool.acquire().await.unwrap();
    let mut random = StdRng::seed_from_u64(19);
    let mut seen: Vec<(Read, String)> = Vec::new();
    for (n, shape) in shapes().into_iter().enumerate() {
        // Long ago, some time ago, and now: at each with other values.
        for (turn, share) in [2, 50, 100].into_iter().enumerate() {
            let values = Values::ALL[(n + turn) % 3];
            let position = Position::START.plus(versions.len() as u64 * share / 100);
            let known = usize::try_from(position.get()).unwrap();
            let row = &versions[(shape as usize * 7_919 + 31) % known].appointment;
            let filter = filter(shape, values, row, &mut random);
            for sort in [Sort::StartAscending, Sort::StartDescending] {
                let asked = SearchQuery::new(&tenant, &filter, sort, Limit::default(), now());
                let asked = asked.known_at(Moment { position, at: now(), head });
                let (items, read) = explained(&asked, None, &mut connection).await;
                let what = format!("{shape:08b} {values:?} {sort:?} {share} % {filter:?}");
                if n.is_multiple_of(4) {
                    is_planned_alike_without_values(&asked, &mut connection).await;
                }
                if sort == Sort::StartAscending && n.is_multiple_of(4) {
                    let known = valid_at(&versions, position).into_iter();
                    let expected = known.filter(|row| lets_through(&filter, row, now())).take(50);
                    let ids = |row: &FoundAppointment| row.appointment_id;
                    let found: Vec<_> = items.iter().map(ids).collect();
                    assert_eq!(found, expected.map(ids).collect::<Vec<_>>(), "{what}");
                }
                seen.push((read, what));
            }
        }
    }
    report(&mut seen);
    let most = seen.iter().max_by_key(|(read, _)| read.rows).unwrap();
    // An appointment has been more than one thing: 2.5 on the average here.
    assert!(most.0.rows <= 3 * MAX_ROWS, "{most:?}");
}

//! What pages hold, and that they follow on each other.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use daybook_domain::appointment::Status;
use daybook_domain::{Tag, TenantId, Titles};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::filters::{PARTS, Values, filter, narrowed};
use super::many::{TENANT, appointments, load_current, now};
use super::naive::{lets_through, status};
use crate::appointments::testing::tokens;
use crate::search::query::{self, SearchQuery};
use crate::search::row::FoundAppointment;
use crate::search::{Search, SearchFilter, Sort, TitleWords};
use crate::tests::world::World;
use crate::{Cursor, CursorError, DueQuery, Limit, PageError, Recorded, RecordedOrder};

async fn world(rows: &[FoundAppointment]) -> (World, Search, TenantId) {
    let world = World::new().await;
    load_current(&world.pool, rows).await;
    let search = Search::new(world.pool.clone());
    (world, search, TENANT.parse().unwrap())
}

/// All items, page by page.
async fn all_pages(
    search: &Search,
    tenant: &TenantId,
    filter: &SearchFilter,
    sort: Sort,
    limit: u32,
) -> Vec<FoundAppointment> {
    let limit = Limit::new(limit).unwrap();
    let (mut all, mut cursor): (Vec<_>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let page = search.page(tenant, filter, sort, cursor.as_ref(), limit, now()).await.unwrap();
        assert!(page.items.len() <= limit.items());
        all.extend(page.items);
        let Some(next) = page.next else { return all };
        cursor = Some(next);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_any_search_hold_together_what_a_plain_filter_finds() {
    let rows = appointments(6_000);
    let (_world, search, tenant) = world(&rows).await;
    let mut random = StdRng::seed_from_u64(5);
    for n in 0..400 {
        let values = [Values::OfOne, Values::Common, Values::Adverse][n % 3];
        // One to four things are asked for.
        let shape = (0..random.random_range(1..=4))
            .fold(0, |shape, _| shape | 1 << random.random_range(0..PARTS));
        let row = &rows[random.random_range(0..rows.len())];
        let filter = filter(shape, values, row, &mut random);
        let filter = narrowed(filter, row, &mut random);
        let sort = [Sort::StartAscending, Sort::StartDescending][n / 3 % 2];
        let found = all_pages(&search, &tenant, &filter, sort, [7, 50, 200][n / 6 % 3]).await;
        let mut expected: Vec<_> =
            rows.iter().filter(|row| lets_through(&filter, row, now())).collect();
        if sort == Sort::StartDescending {
            expected.reverse();
        }
        let ids = |row: &FoundAppointment| row.appointment_id;
        assert_eq!(
            found.iter().map(ids).collect::<Vec<_>>(),
            expected.iter().map(|row| ids(row)).collect::<Vec<_>>(),
            "{filter:?} {sort:?}"
        );
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.status, status(expected, now()));
            assert_eq!((&found.title, &found.tags), (&expected.title, &expected.tags));
        }
    }
}

/// By beginnings among the public ones, by whole words among the others, and only for whom these are told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn personal_titles_are_found_among_public_ones_as_a_plain_filter_finds_them() {
    let mut rows = appointments(6_000);
    for row in rows.iter_mut().step_by(3) {
        row.title = row.title.clone().given_where(Titles::Personal);
    }
    let (world, _, tenant) = world(&rows).await;
    let mut random = StdRng::seed_from_u64(7);
    let mut kinds = [0; 3];
    for n in 0..200 {
        let values = [Values::OfOne, Values::Common, Values::Adverse][n % 3];
        let shape = 1 << 7 | [0, 1 << random.random_range(0..PARTS)][n % 2];
        let row = &rows[random.random_range(0..rows.len())];
        let mut filter = filter(shape, values, row, &mut random);
        filter.personal_titles = n % 4 != 3;
        let sort = [Sort::StartAscending, Sort::StartDescending][n / 3 % 2];
        let mut asked = SearchQuery::new(&tenant, &filter, sort, Limit::LONGEST, now());
        if filter.asks_for_personal_titles() {
            asked = asked.finding_by(&tokens());
        }
        let (mut found, mut cursor): (Vec<_>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let page = query::page(&world.pool, &asked, cursor.as_ref()).await.unwrap();
            found.extend(page.items.into_iter().map(|row| row.appointment_id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let expected = rows.iter().filter(|row| lets_through(&filter, row, now()));
        let mut expected: Vec<_> = expected.collect();
        if sort == Sort::StartDescending {
            expected.reverse();
        }
        let personal = expected.iter().filter(|row| row.title.is_personal()).count();
        let both = [personal, expected.len() - personal, usize::from(!filter.personal_titles)];
        kinds.iter_mut().zip(both).for_each(|(seen, count)| *seen += count);
        let expected: Vec<_> = expected.iter().map(|row| row.appointment_id).collect();
        assert_eq!(found, expected, "{filter:?} {sort:?}");
    }
    assert!(kinds.iter().all(|seen| *seen > 20), "there was something of each kind: {kinds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_in_the_order_of_the_log_hold_together_what_a_plain_filter_finds() {
    let rows = appointments(6_000);
    let (_world, search, tenant) = world(&rows).await;
    let mut random = StdRng::seed_from_u64(6);
    for n in 0..120 {
        let values = [Values::OfOne, Values::Common, Values::Adverse][n % 3];
        // What is common is read in order, what is rare is looked up.
        let shape = (0..random.random_range(0..=2))
            .fold(0, |shape, _| shape | 1 << random.random_range(0..PARTS));
        let row = &rows[random.random_range(0..rows.len())];
        let filter = filter(shape, values, row, &mut random);
        let filter = narrowed(filter, row, &mut random);
        let by = [Recorded::Created, Recorded::Updated][n / 3 % 2];
        let time = |row: &FoundAppointment| match by {
            Recorded::Created => row.created_at,
            Recorded::Updated => row.updated_at,
        };
        let since = (n % 4 == 0).then(|| time(row));
        let order = RecordedOrder { by, descending: n / 6 % 2 == 0, since };
        let limit = Limit::new([7, 50, 200][n / 12 % 3]).unwrap();
        let (mut found, mut cursor): (Vec<_>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let asked = (&filter, order, cursor.as_ref());
            let page = search.recorded(&tenant, asked.0, asked.1, asked.2, limit, now()).await;
            let page = page.unwrap();
            assert!(page.items.len() <= limit.items());
            found.extend(page.items.into_iter().map(|row| row.appointment_id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mut expected: Vec<_> = rows
            .iter()
            .filter(|row| lets_through(&filter, row, now()))
            .filter(|row| since.is_none_or(|since| time(row) >= since))
            .collect();
        expected.sort_by_key(|row| (time(row), row.appointment_id));
        if order.descending {
            expected.reverse();
        }
        let expected: Vec<_> = expected.iter().map(|row| row.appointment_id).collect();
        assert_eq!(found, expected, "{filter:?} {order:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_that_are_named_are_found_in_order_as_far_as_the_other_filters_let_them_through() {
    let rows = appointments(2_000);
    let (_world, search, tenant) = world(&rows).await;
    let ids: Vec<_> = rows.iter().step_by(40).map(|row| row.appointment_id).collect();
    let named = SearchFilter { ids: ids.clone(), ..SearchFilter::default() };
    let found = all_pages(&search, &tenant, &named, Sort::StartAscending, 7).await;
    assert_eq!(found.iter().map(|row| row.appointment_id).collect::<Vec<_>>(), ids);
    let booked = SearchFilter { statuses: vec![Status::Booked], ..named };
    let found = all_pages(&search, &tenant, &booked, Sort::StartDescending, 200).await;
    let expected = rows.iter().rev().filter(|row| lets_through(&booked, row, now()));
    let expected: Vec<_> = expected.map(|row| row.appointment_id).collect();
    assert!((1..ids.len()).contains(&expected.len()));
    assert_eq!(found.iter().map(|row| row.appointment_id).collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_has_lapsed_is_found_as_cancelled_and_to_be_expired() {
    let rows = appointments(6_000);
    let (_world, search, tenant) = world(&rows).await;
    let lapsed = |row: &&FoundAppointment| row.hold_expires_at.is_some_and(|at| at <= now());
    let mut expected: Vec<_> = rows.iter().filter(lapsed).collect();
    expected.sort_by_key(|row| row.hold_expires_at);
    assert!(!expected.is_empty());
    // As if it were that moment.
    let ahead = now() - DateTime::<Utc>::from(SystemTime::now());
    let found = search.due_holds(DueQuery { ahead, but: &[] }).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|due| due.id).collect();
    let lapse_of = |id| rows.iter().find(|row| row.appointment_id == id).unwrap().hold_expires_at;
    let found_lapses: Vec<_> = found.iter().map(|id| lapse_of(*id)).collect();
    let due: Vec<_> = expected.iter().map(|row| row.hold_expires_at).collect();
    let most = due.len().min(64);
    assert_eq!(found_lapses, due[..most], "of one tenant, longest lapsed first");
    let expected: Vec<_> = expected.iter().map(|row| row.appointment_id).collect();
    let but: Vec<_> = found.iter().map(|id| id.uuid()).collect();
    let rest = search.due_holds(DueQuery { ahead, but: &but }).await.unwrap();
    assert!(rest.iter().all(|due| !found.contains(&due.id) && expected.contains(&due.id)));

    let of = |status| SearchFilter { statuses: vec![status], ..SearchFilter::default() };
    let sort = Sort::StartAscending;
    let held = all_pages(&search, &tenant, &of(Status::Held), sort, 200).await;
    let cancelled = all_pages(&search, &tenant, &of(Status::Cancelled), sort, 200).await;
    for id in found {
        assert!(held.iter().all(|row| row.appointment_id != id));
        let row = cancelled.iter().find(|row| row.appointment_id == id).unwrap();
        assert_eq!((row.status, row.hold_expires_at), (Status::Cancelled, None));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_stays_where_it_is_while_rows_are_added_and_another_tenant_sees_none() {
    let rows = appointments(2_000);
    let (later, first): (Vec<_>, Vec<_>) =
        rows.iter().cloned().partition(|row| row.appointment_id.uuid().as_u128().is_multiple_of(2));
    let (world, search, tenant) = world(&first).await;
    let (filter, sort, limit) =
        (SearchFilter::default(), Sort::StartAscending, Limit::new(100).unwrap());
    let page = search.page(&tenant, &filter, sort, None, limit, now()).await.unwrap();
    load_current(&world.pool, &later).await;
    let next = page.next.unwrap();
    let page = search.page(&tenant, &filter, sort, Some(&next), limit, now()).await.unwrap();
    let last_seen = &first[99];
    let expected = rows.iter().filter(|row| {
        (row.during.start(), row.appointment_id)
            > (last_seen.during.start(), last_seen.appointment_id)
    });
    let ids: Vec<_> = page.items.iter().map(|row| row.appointment_id).collect();
    assert_eq!(ids, expected.take(100).map(|row| row.appointment_id).collect::<Vec<_>>());

    let other = world.tenant("south").await;
    let page = search.page(&other, &filter, sort, None, limit, now()).await.unwrap();
    assert!(page.items.is_empty() && page.next.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_is_good_for_its_own_search_only() {
    let (_world, search, tenant) = world(&appointments(500)).await;
    let filter = SearchFilter::default();
    let (sort, limit) = (Sort::StartAscending, Limit::default());
    let page = search.page(&tenant, &filter, sort, None, limit, now()).await.unwrap();
    let cursor = page.next.unwrap();
    let other =
        SearchFilter { title: TitleWords::parse("visit").unwrap(), ..SearchFilter::default() };
    for (filter, sort) in [(&other, sort), (&filter, Sort::StartDescending)] {
        let page = search.page(&tenant, filter, sort, Some(&cursor), limit, now()).await;
        assert!(matches!(page, Err(PageError::Cursor(CursorError::OtherSearch))));
    }
    let damaged = Cursor::new(format!("{cursor}A"));
    let page = search.page(&tenant, &filter, sort, Some(&damaged), limit, now()).await;
    assert!(matches!(page, Err(PageError::Cursor(CursorError::Damaged))));
}

proptest! {
    #[test]
    fn every_range_of_time_is_covered_by_few_spans(
        from in -2_000_000_000_i64..4_000_000_000, length in 0_i64..315_000_000,
    ) {
        use super::super::super::terms::SpanLevel;
        let instant = |seconds| chrono::DateTime::from_timestamp(seconds, 0).unwrap();
        let cover = SpanLevel::cover(instant(from), instant(from + length));
        prop_assert!(cover.len() <= 84, "{}", cover.len());
        let [shortest, ..] = SpanLevel::ALL;
        let mut at = instant(from).timestamp_micros().div_euclid(shortest.micros());
        for (level, number) in cover {
            prop_assert_eq!(number * level.micros(), at * shortest.micros());
            at += level.micros() / shortest.micros();
        }
        let last = instant(from + length).timestamp_micros().div_euclid(shortest.micros());
        prop_assert_eq!(at, last + 1);
    }
}

#[test]
fn the_same_search_said_differently_is_the_same() {
    let tenant: TenantId = TENANT.parse().unwrap();
    let tags = |names: [&str; 2]| {
        let set: std::collections::BTreeSet<Tag> =
            names.iter().map(|name| Tag::new(name).unwrap()).collect();
        SearchFilter { tags: set.try_into().unwrap(), ..SearchFilter::default() }
    };
    let print = |filter: &SearchFilter| filter.list(&tenant, Sort::default());
    assert_eq!(print(&tags(["a", "b"])), print(&tags(["b", "a"])));
    let all = SearchFilter { statuses: Status::ALL.to_vec(), ..SearchFilter::default() };
    assert_eq!(print(&all), print(&SearchFilter::default()));
    assert_ne!(print(&tags(["a", "b"])), print(&SearchFilter::default()));
}

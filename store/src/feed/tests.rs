//! The feed over a real log.

use daybook_domain::Category;
use daybook_domain::appointment::{
    AppointmentCancelled, AppointmentEvent, AppointmentRescheduled, AppointmentTagged, CancelledBy,
    MovedBy, Slot,
};

use super::*;
use crate::testing::{House, a_booking, minute, resource, submission, uuid};

/// Four appointments: each is booked on resource 1, every other one in another category, moved to
/// resource 2, and cancelled.
async fn a_history(house: &House, log: &Log) {
    for n in 1..=4 {
        let start = i64::try_from(n).unwrap() * 60;
        let booked = a_booking(&[1], start, start + 30);
        let AppointmentEvent::AppointmentBooked(details) = &booked else { unreachable!() };
        let category = if n % 2 == 0 { "massage" } else { details.category.as_str() };
        let tagged = AppointmentTagged {
            category: Category::new(category).unwrap(),
            tags: details.tags.clone(),
        };
        let resource_ids = vec![resource(2)].try_into().unwrap();
        let moved = AppointmentRescheduled {
            slot: Slot { resource_ids, ..details.slot.clone() },
            hold_expires_at: None,
            by: MovedBy::Client,
            with_calendar: false,
            overridden: None,
        };
        let by = CancelledBy::Client;
        let cancelled = AppointmentCancelled { reason: None, by, overridden: None };
        let events = [
            booked,
            AppointmentEvent::AppointmentTagged(tagged),
            AppointmentEvent::AppointmentRescheduled(moved),
            AppointmentEvent::AppointmentCancelled(cancelled),
        ];
        for (after, event) in (0..).zip(&events) {
            house.clock.set(minute(i64::try_from(n * 10 + u128::from(after)).unwrap()));
            let submission = submission(&house.tenant, uuid(n), after, event);
            log.append(submission).await.unwrap();
        }
    }
}

async fn positions(feed: &Feed, limit: usize) -> Vec<u64> {
    let until = feed.until(None).await.unwrap().position;
    let (mut after, mut found) = (Position::START, Vec::new());
    while after < until {
        let stretch = feed.read(after, until, limit).await.unwrap();
        assert!(stretch.events.len() <= limit && stretch.read_to > after);
        assert!(stretch.events.iter().all(|event| event.position <= stretch.read_to));
        found.extend(stretch.events.iter().map(|event| event.position.get()));
        after = stretch.read_to;
    }
    found
}

#[tokio::test]
async fn stretches_of_any_length_leave_nothing_out_and_repeat_nothing() {
    let house = House::new().await;
    let log = house.log();
    a_history(&house, &log).await;
    for limit in [1, 3, 1_000] {
        let all = Feed::new(&log, house.tenant.clone(), FeedFilter::default());
        assert_eq!(positions(&all, limit).await, (1..=16).collect::<Vec<_>>());
        let mut filter = FeedFilter::default();
        filter.add_type("AppointmentCancelled").unwrap();
        let some = Feed::new(&log, house.tenant.clone(), filter);
        assert_eq!(positions(&some, limit).await, [4, 8, 12, 16]);
        let filter = FeedFilter { aggregate_id: Some(uuid(3)), ..FeedFilter::default() };
        let one = Feed::new(&log, house.tenant.clone(), filter);
        assert_eq!(positions(&one, limit).await, [9, 10, 11, 12]);
        let nobody = Feed::new(&log, "other".parse().unwrap(), FeedFilter::default());
        assert_eq!(positions(&nobody, limit).await, [0; 0]);
    }
}

#[tokio::test]
async fn an_event_belongs_to_what_its_aggregate_was_about_before_or_after_it() {
    let house = House::new().await;
    let log = house.log();
    a_history(&house, &log).await;
    let feed = |category: Option<&str>, resource_id| {
        let categories = category.map(|name| Category::new(name).unwrap()).into_iter().collect();
        let filter = FeedFilter { categories, resource_id, ..FeedFilter::default() };
        Feed::new(&log, house.tenant.clone(), filter)
    };
    for limit in [1, 1_000] {
        let massages = positions(&feed(Some("Mássage"), None), limit).await;
        assert_eq!(massages, [6, 7, 8, 14, 15, 16], "what is tagged so, and what comes after it");
        let first = positions(&feed(None, Some(resource(1))), limit).await;
        assert_eq!(first, [1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15], "up to the move away");
        let second = positions(&feed(None, Some(resource(2))), limit).await;
        assert_eq!(second, [3, 4, 7, 8, 11, 12, 15, 16], "from the move on");
        let both = positions(&feed(Some("massage"), Some(resource(2))), limit).await;
        assert_eq!(both, [7, 8, 15, 16]);
    }
}

#[tokio::test]
async fn a_moment_is_found_by_halves() {
    let house = House::new().await;
    let log = house.log();
    a_history(&house, &log).await;
    let feed = Feed::new(&log, house.tenant.clone(), FeedFilter::default());
    let events = feed.read(Position::START, Position::START.plus(16), 100).await.unwrap().events;
    let instants = events.iter().map(|event| event.recorded_at);
    for at in instants.chain([minute(0), minute(25), minute(1_000)]) {
        let earlier = events.iter().filter(|event| event.recorded_at < at).count() as u64;
        assert_eq!(feed.before(at).await.unwrap().get(), earlier, "{at}");
        let until = feed.until(Some(at)).await.unwrap();
        assert_eq!((until.position.get(), until.head.get()), (earlier, 16), "{at}");
        assert_eq!(until.is_final, at <= minute(43), "{at}");
    }
}

#[tokio::test]
async fn what_is_read_at_once_is_bounded_however_few_pass_the_filter() {
    let house = House::new().await;
    sqlx::query(
        "INSERT INTO events (tenant_id, position, aggregate_type, aggregate_id, sequence,
                event_type, event_version, payload, metadata, recorded_at, hash)
         SELECT $1, n, 'appointment', $1 || '/' || gen_random_uuid(), 1, 'AppointmentBooked', '1.0',
                '{}', '{}', $2, ''
           FROM generate_series(1, 12000) AS n",
    )
    .bind(house.tenant.as_str())
    .bind(minute(0))
    .execute(&house.pool)
    .await
    .unwrap();
    let mut filter = FeedFilter::default();
    filter.add_type("ClientRegistered").unwrap();
    let feed = Feed::new(&house.log(), house.tenant.clone(), filter);
    let until = Position::START.plus(12_000);
    let stretch = feed.read(Position::START, until, 10).await.unwrap();
    assert_eq!((stretch.events.len(), stretch.read_to.get()), (0, Feed::STRETCH));
    let last = feed.read(Position::START.plus(11_990), until, 10).await.unwrap();
    assert_eq!(last.read_to, until);
}

#[tokio::test]
async fn nothing_that_is_read_is_waited_for_without_end() {
    let house = House::new().await;
    let feed = Feed::new(&house.log(), house.tenant.clone(), FeedFilter::default());
    feed.until(None).await.unwrap();
    let mut locked = house.pool.begin().await.unwrap();
    let lock = "LOCK TABLE log_heads, events IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *locked).await.unwrap();
    let all = async {
        let until = Position::START.plus(1);
        tokio::join!(
            feed.until(None),
            feed.until(Some(minute(0))),
            feed.before(minute(0)),
            feed.read(Position::START, until, 1)
        )
    };
    let all = timeout(Duration::from_mins(2), all).await.expect("they end");
    assert!(all.0.is_err() && all.1.is_err() && all.2.is_err() && all.3.is_err(), "{all:?}");
}

use sqlx::Executor;

use super::*;
use crate::testing::{House, a_booking, eventually};

async fn a_log_of_three(house: &House) -> Log {
    let log = house.log();
    for n in 0..3 {
        append(&log, &house.tenant, &a_booking(&[1], n * 10, n * 10 + 10)).await;
    }
    log
}

#[tokio::test]
async fn a_missing_event_is_an_error_in_its_place() {
    let house = House::new().await;
    let log = a_log_of_three(&house).await;
    house.pool.execute("DELETE FROM events WHERE position = 2").await.unwrap();
    let events = log.read(&house.tenant, Position::START, 10).await.unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].as_ref().unwrap_err().position, Position::START.plus(2));
}

#[tokio::test]
async fn an_event_of_a_later_program_is_an_error_in_its_place() {
    let house = House::new().await;
    let log = a_log_of_three(&house).await;
    house
        .pool
        .execute(r#"UPDATE events SET payload = '{"type":"Invented"}' WHERE position = 2"#)
        .await
        .unwrap();
    let events = log.read(&house.tenant, Position::START, 10).await.unwrap();
    assert!(events[0].is_ok() && events[1].is_err() && events[2].is_ok(), "{events:?}");
}

#[tokio::test]
async fn whoever_asks_from_beyond_the_end_gets_nothing() {
    let house = House::new().await;
    let log = a_log_of_three(&house).await;
    for after in [3, 4, u64::MAX] {
        let after = Position::START.plus(after);
        assert!(log.read(&house.tenant, after, 10).await.unwrap().is_empty(), "{after}");
    }
}

#[tokio::test]
async fn nobody_has_an_unknown_tenants_log() {
    let house = House::new().await;
    let log = house.log();
    let nobody: TenantId = "nobody".parse().unwrap();
    assert_eq!(log.head(&nobody).await.unwrap(), None);
    let booking = submission(&nobody, Uuid::now_v7(), 0, &a_booking(&[1], 0, 30));
    assert_eq!(log.append(booking).await, Err(AppendError::UnknownTenant));
}

#[tokio::test]
async fn the_ends_of_all_logs_are_seen_together() {
    let house = House::new().await;
    let log = a_log_of_three(&house).await;
    let salon = house.another_tenant("salon").await;
    let mut heads = log.heads().await.unwrap();
    heads.sort();
    assert_eq!(heads, [(house.tenant, Position::START.plus(3)), (salon, Position::START)]);
}

#[tokio::test]
async fn who_follows_a_log_sees_what_is_in_it_without_asking_for_it() {
    let house = House::new().await;
    let (log, other) = (house.log(), house.log());
    for n in 0..6 {
        append(&log, &house.tenant, &a_booking(&[1], n * 10, n * 10 + 10)).await;
    }
    let texts =
        |events: Vec<_>| events.iter().map(|event| format!("{event:?}")).collect::<Vec<_>>();
    let after = Position::START.plus(2);
    let read = texts(log.read(&house.tenant, after, 3).await.unwrap());
    assert_eq!(read.len(), 3);
    assert_eq!(texts(other.follow(&house.tenant, after, 3).await.unwrap()), read);
    house.pool.execute("DELETE FROM events").await.unwrap();
    assert_eq!(texts(log.follow(&house.tenant, after, 3).await.unwrap()), read);
    assert!(other.follow(&house.tenant, after, 3).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_follows_a_log_is_not_kept_from_what_others_append() {
    let house = House::new().await;
    let (log, other) = (house.log(), house.log());
    for (n, by) in (0..).zip([&log, &log, &log, &other]) {
        append(by, &house.tenant, &a_booking(&[1], n * 10, n * 10 + 10)).await;
    }
    let after = Position::START.plus(1);
    eventually("the other program has been heard of", async || {
        log.follow(&house.tenant, after, 10).await.unwrap().len() == 3
    })
    .await;
}

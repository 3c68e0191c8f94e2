use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{Executor, Row};

use super::*;
use crate::testing::{House, a_booking, a_move, eventually, minute, noon, uuid};

const WRITERS: i64 = 16;
const EACH: i64 = 20;

/// Writers of two programs append to three tenants, two events to each stream.
async fn load(logs: &[Log; 2], tenants: &[TenantId; 3]) {
    let writer = async |n: i64| {
        let log = &logs[usize::try_from(n % 2).unwrap()];
        for i in 0..EACH {
            let tenant = &tenants[usize::try_from((n + i) % 3).unwrap()];
            let from = (n * EACH + i) * 10;
            let (id, verdict) = append(log, tenant, &a_booking(&[1], from, from + 10)).await;
            assert!(matches!(verdict, Verdict::Appended(_)), "{verdict:?}");
            let moved = submission(tenant, id, 1, &a_move(&[2], from, from + 10));
            let verdict = log.append(moved).await.unwrap();
            assert!(matches!(verdict, Verdict::Appended(_)), "{verdict:?}");
        }
    };
    join_all((0..WRITERS).map(writer)).await;
}

/// Follows a tenant's log until it has seen `count` events.
async fn follow(log: Log, tenant: TenantId, count: u64) {
    let mut wakeups = log.wakeups();
    let mut at = Position::START;
    while at.get() < count {
        for event in log.follow(&tenant, at, 7).await.unwrap() {
            let event = event.unwrap();
            assert_eq!(event.position, at.plus(1));
            at = event.position;
        }
        let _ = tokio::time::timeout(Duration::from_millis(5), wakeups.changed()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_and_sequences_have_no_gap_whoever_appends_and_whoever_follows() {
    let house = House::new().await;
    let tenants = [
        house.tenant.clone(),
        house.another_tenant("salon").await,
        house.another_tenant("conference").await,
    ];
    let logs = [house.log(), house.log()];
    let count = |tenant: usize| -> u64 {
        let all = (0..WRITERS).flat_map(|n| (0..EACH).map(move |i| (n + i) % 3));
        2 * all.filter(|t| usize::try_from(*t).unwrap() == tenant).count() as u64
    };
    let followers: Vec<_> = (0..3)
        .map(|n| tokio::spawn(follow(logs[n % 2].clone(), tenants[n].clone(), count(n))))
        .collect();
    load(&logs, &tenants).await;
    for follower in followers {
        follower.await.unwrap();
    }
    for (n, tenant) in tenants.iter().enumerate() {
        let end = Position::START.plus(count(n));
        assert_eq!(end_of_whole(&logs[0], tenant).await, Ok(end));
        let mut streams: HashMap<Uuid, u64> = HashMap::new();
        for event in logs[0].read(tenant, Position::START, 10_000).await.unwrap() {
            let event = event.unwrap();
            let AnyEvent::Appointment(id, _) = event.event else { panic!("no appointment") };
            let sequence = streams.entry(id.uuid()).or_default();
            *sequence += 1;
            assert_eq!(event.sequence, *sequence);
        }
    }
}

#[tokio::test]
async fn a_position_is_answered_when_a_reader_can_have_it() {
    let house = House::new().await;
    let (log, other) = (house.log(), house.log());
    for n in 1..=20 {
        let (_, verdict) = append(&log, &house.tenant, &a_booking(&[1], n * 10, n * 10 + 10)).await;
        let Verdict::Appended(position) = verdict else { panic!("{verdict:?}") };
        assert_eq!(other.head(&house.tenant).await.unwrap(), Some(position));
        let before = Position::START.plus(position.get() - 1);
        assert_eq!(other.read(&house.tenant, before, 10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_commit_wakes_readers_of_this_program_and_of_others() {
    let house = House::new().await;
    let (log, other) = (house.log(), house.log());
    let (here, mut there) = (log.wakeups(), other.wakeups());
    // The other program may not be listening yet.
    eventually("the other program is woken", async || {
        append(&log, &house.tenant, &a_booking(&[1], 0, 10)).await;
        house.pool.execute("DELETE FROM claims").await.unwrap();
        tokio::time::timeout(Duration::from_millis(100), there.changed()).await.is_ok()
    })
    .await;
    assert!(here.has_changed().unwrap());
}

#[tokio::test]
async fn other_programs_hear_whose_log_has_grown() {
    let house = House::new().await;
    let (log, other) = (house.log(), house.log());
    let (mut here, mut there) = (log.appends(), other.appends());
    // When it begins to listen, it does not know what it has missed.
    assert_eq!(there.next().await, AppendedTo::Any);
    assert_eq!(here.next().await, AppendedTo::Any);
    let salon = house.another_tenant("salon").await;
    for n in 1..=3 {
        append(&log, &house.tenant, &a_booking(&[1], n * 10, n * 10 + 10)).await;
    }
    append(&log, &salon, &a_booking(&[1], 0, 10)).await;
    let mut heard = HashMap::new();
    let all = [(house.tenant.clone(), Position::from_i64(3)), (salon, Position::from_i64(1))];
    let all = HashMap::from(all);
    let hearing = async {
        while heard != all {
            match there.next().await {
                AppendedTo::Tenants(tenants) => heard.extend(tenants),
                AppendedTo::Any => panic!("no names"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), hearing).await.unwrap();
    assert_eq!(here.next().await, AppendedTo::Tenants(all));
}

#[tokio::test]
async fn others_see_that_a_program_lives_and_that_it_has_ended() {
    let house = House::new().await;
    let log = house.log();
    log.listening().wait_for(|listening| *listening).await.unwrap();
    let (program, ended) = (log.program(), format!("SELECT {}", has_ended("$1::uuid")));
    let has_ended = async || -> bool {
        sqlx::query_scalar(&ended).bind(program).fetch_one(&house.pool).await.unwrap()
    };
    assert!(!has_ended().await);
    let lost = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    house.pool.execute(lost).await.unwrap();
    let mut listening = log.listening();
    listening.wait_for(|listening| !listening).await.unwrap();
    assert!(has_ended().await);
    // It shows itself again.
    listening.wait_for(|listening| *listening).await.unwrap();
    assert!(!has_ended().await);
    drop((log, listening));
    eventually("its end is seen", has_ended).await;
}

#[tokio::test]
async fn a_log_in_which_something_was_altered_is_broken_there() {
    let house = House::new().await;
    let log = house.log();
    for n in 0..3 {
        append(&log, &house.tenant, &a_booking(&[1], n * 10, n * 10 + 10)).await;
    }
    let end = Position::START.plus(3);
    assert_eq!(end_of_whole(&log, &house.tenant).await, Ok(end));
    house
        .pool
        .execute(r#"UPDATE events SET metadata = '{"actor": "x"}' WHERE position = 2"#)
        .await
        .unwrap();
    let broken = end_of_whole(&log, &house.tenant).await.unwrap_err();
    assert_eq!(broken.position, Some(Position::START.plus(2)));
}

#[tokio::test]
async fn a_log_whose_end_is_missing_is_broken_there() {
    let house = House::new().await;
    let log = house.log();
    for n in 0..3 {
        append(&log, &house.tenant, &a_booking(&[1], n * 10, n * 10 + 10)).await;
    }
    house.pool.execute("DELETE FROM events WHERE position = 3").await.unwrap();
    let broken = end_of_whole(&log, &house.tenant).await.unwrap_err();
    assert_eq!(broken.position, Some(Position::START.plus(3)));
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_set_the_log_back() {
    let house = House::new().await;
    let log = house.log();
    append(&log, &house.tenant, &a_booking(&[1], 0, 10)).await;
    house.clock.set(minute(-60));
    append(&log, &house.tenant, &a_booking(&[1], 10, 20)).await;
    let rows = sqlx::query("SELECT DISTINCT recorded_at FROM events")
        .fetch_all(&house.pool)
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<DateTime<Utc>, _>(0), noon());
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let house = House::new().await;
    let salon = house.another_tenant("salon").await;
    let log = house.log();
    for tenant in [&house.tenant, &salon] {
        let booked = submission(tenant, uuid(1), 0, &a_booking(&[1], 0, 30));
        let verdict = log.append(booked).await.unwrap();
        assert_eq!(verdict, Verdict::Appended(Position::START.plus(1)));
        assert_eq!(log.read(tenant, Position::START, 10).await.unwrap().len(), 1);
    }
}

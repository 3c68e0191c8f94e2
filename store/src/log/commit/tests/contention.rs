//! Several programs that write one tenant.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use daybook_domain::appointment::{AppointmentCancelled, AppointmentEvent, CancelledBy};
use uuid::Uuid;

use super::*;
use crate::testing::{
    House, a_booking, claims_in_the_log, claims_in_the_table, key, of_stream, uuid,
};

/// In how many transactions the tenant's events were appended.
async fn batches(house: &House) -> usize {
    let count: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT xmin::text) FROM events WHERE tenant_id = $1")
            .bind(house.tenant.as_str())
            .fetch_one(&house.pool)
            .await
            .unwrap();
    usize::try_from(count).unwrap()
}

fn position(verdict: &Result<Verdict, AppendError>) -> Option<u64> {
    match verdict {
        Ok(Verdict::Appended(position)) => Some(position.get()),
        _ => None,
    }
}

/// With claims that are in each other's way, keys that both are sent, and decisions that are stale by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_write_one_tenant_and_each_submission_is_answered_rightly() {
    const WRITERS: u128 = 16;
    const ROUNDS: u128 = 30;
    let house = House::new().await;
    let logs = [house.log(), house.log()];
    let read = uuid(7_000_000);
    append_as(&logs[0], &house.tenant, read).await;
    let writer = async |n: u128| {
        let log = &logs[usize::try_from(n % 2).unwrap()];
        let mut answers = Vec::new();
        for i in 0..ROUNDS {
            // Two writers, one of each program, want the same slot in the same round.
            let slot = i64::try_from(i * WRITERS + n / 2).unwrap() * 30;
            let mut booking = submission(
                &house.tenant,
                uuid(1 + n * 1_000 + i),
                0,
                &a_booking(&[1], slot, slot + 30),
            );
            booking.key = Some(key(&format!("{i}-{}", n / 2), 1));
            if i % 5 == 4
                && let Decision::Accept { read_set, .. } = &mut booking.decision
            {
                // Somebody has appended to it long ago.
                read_set.push((of_stream(&house.tenant, read), 0));
                booking.key = None;
            }
            answers.push((i, log.append(booking).await));
        }
        answers
    };
    let answers = join_all((0..WRITERS).map(writer)).await;

    let mut positions = HashSet::new();
    for pair in answers.chunks(2) {
        for ((i, one), (_, other)) in pair[0].iter().zip(&pair[1]) {
            let stale = |verdict| matches!(verdict, &Ok(Verdict::Stale(_)));
            if i % 5 == 4 {
                assert!(stale(one) && stale(other), "{one:?}, {other:?}");
                continue;
            }
            // The key is the same: who comes second has the answer of who came first.
            let (first, second) = match (position(one), position(other)) {
                (Some(first), None) => (first, other),
                (None, Some(first)) => (first, one),
                _ => panic!("one of both: {one:?}, {other:?}"),
            };
            assert!(positions.insert(first), "{first} twice");
            let Ok(Verdict::Answered(FirstAnswer::Accepted { position, .. })) = second else {
                panic!("{second:?}")
            };
            assert_eq!(position.get(), first);
        }
    }
    let end = end_of_whole(&logs[0], &house.tenant).await.unwrap();
    assert_eq!(end.get(), positions.len() as u64 + 1);
    assert_eq!(
        claims_in_the_table(&house.pool, &house.tenant).await,
        claims_in_the_log(&logs[0], &house.tenant).await
    );
}

/// An appointment with this id, on a resource of its own.
async fn append_as(log: &Log, tenant: &TenantId, id: Uuid) {
    let booking = submission(tenant, id, 0, &a_booking(&[id.as_u128()], 0, 30));
    assert!(matches!(log.append(booking).await, Ok(Verdict::Appended(_))));
}

/// Without keys: who comes second is told that the slot is taken, and what is cancelled can be booked by the other
/// program.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_programs_that_want_the_same_slots_each_time_one_has_it() {
    let house = House::new().await;
    let logs = [house.log(), house.log()];
    let cancelled = || {
        let by = CancelledBy::Staff;
        let cancelled = AppointmentCancelled { reason: None, by, overridden: None };
        AppointmentEvent::AppointmentCancelled(cancelled)
    };
    let won = AtomicUsize::new(0);
    let writer = async |n: u128| {
        for i in 0..40 {
            let log = &logs[usize::try_from((n + i) % 2).unwrap()];
            let slot = i64::try_from(i % 4).unwrap() * 30;
            let id = uuid(1 + n * 1_000 + i);
            let booking = submission(&house.tenant, id, 0, &a_booking(&[1], slot, slot + 30));
            match log.append(booking).await {
                Ok(Verdict::Appended(_)) => {
                    won.fetch_add(1, Ordering::Relaxed);
                    let cancellation = submission(&house.tenant, id, 1, &cancelled());
                    let verdict = log.append(cancellation).await;
                    assert!(position(&verdict).is_some(), "{verdict:?}");
                }
                Ok(Verdict::SlotTaken(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    join_all((0..16).map(writer)).await;
    let won = won.into_inner();
    assert!((40..640).contains(&won), "{won} have won");
    let end = end_of_whole(&logs[0], &house.tenant).await.unwrap();
    assert_eq!(end.get(), 2 * won as u64);
    assert_eq!(claims_in_the_table(&house.pool, &house.tenant).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_takes_along_what_comes_while_it_waits_for_the_end_of_the_log() {
    let house = House::new().await;
    let (log, mut elsewhere) = (house.log(), house.pool.begin().await.unwrap());
    let held = "UPDATE log_heads SET position = position";
    sqlx::query(held).execute(&mut *elsewhere).await.unwrap();
    let append = |range: std::ops::Range<u128>| {
        let (log, tenant) = (log.clone(), house.tenant.clone());
        tokio::spawn(async move {
            let booking = |n| submission(&tenant, uuid(n), 0, &a_booking(&[n], 0, 30));
            append_at_once(&log, range.map(booking)).await
        })
    };
    let first = append(1..2);
    house.committers_wait_for("transactionid").await;
    let more = append(2..40);
    // They are in the queue at once.
    tokio::time::sleep(Duration::from_millis(100)).await;
    elsewhere.rollback().await.unwrap();
    let verdicts = [first.await.unwrap(), more.await.unwrap()].concat();
    let positions: Vec<_> = verdicts.iter().filter_map(position).collect();
    assert_eq!(positions, (1..40).collect::<Vec<_>>());
    assert_eq!(batches(&house).await, 1);
}

/// As much as it can, both of them: neither keeps the end of the log for itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_that_write_one_tenant_take_turns() {
    let house = House::new().await;
    let logs = [house.log(), house.log()];
    let done = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let is_over = || done.iter().any(|done| done.load(Ordering::Relaxed) >= 600);
    let append = async |n: u128, i: u128| {
        let node = usize::try_from(n % 2).unwrap();
        append_as(&logs[node], &house.tenant, uuid(1 + n * 1_000_000 + i)).await;
        node
    };
    // Both have their connections, and know of each other, before it counts.
    for i in 0..3 {
        join_all((0..32).map(|n| append(n, i))).await;
    }
    let before = batches(&house).await;
    let writer = async |n: u128| {
        let mut i = 3;
        while !is_over() {
            done[append(n, i).await].fetch_add(1, Ordering::Relaxed);
            i += 1;
        }
    };
    join_all((0..32).map(writer)).await;
    let [one, other] = done.map(AtomicUsize::into_inner);
    assert!(one.min(other) >= 200, "{one} and {other}");
    let batches = batches(&house).await - before;
    println!("{one} and {other} in {batches} batches of {}", (one + other) / batches);
    // Sixteen of each write: who waits for the other program waits together.
    assert!(batches * 4 <= one + other, "{batches} batches of {one} and {other}");
    let end = end_of_whole(&logs[0], &house.tenant).await.unwrap();
    assert_eq!(end.get(), (3 * 32 + one + other) as u64);
}

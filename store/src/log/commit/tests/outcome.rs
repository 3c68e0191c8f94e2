use sqlx::Connection;

use super::super::head_cache::HeadCache;
use super::super::outcome::was_committed;
use super::super::plan::Plan;
use super::super::resolve::BatchState;
use super::super::transaction::HeldHead;
use super::*;
use crate::testing::{Cut, House, Wire, a_booking, key, noon, uuid};

#[tokio::test]
async fn a_commit_is_in_the_log_or_it_is_not() {
    let house = House::new().await;
    let mut connection = house.pool.acquire().await.unwrap();
    let batch = [submission(&house.tenant, uuid(1), 0, &a_booking(&[1], 0, 30))];
    let mut cache = HeadCache::default();
    let taken = HeldHead::take(&mut connection, &house.tenant).await.unwrap();
    let committed = taken.commit(&house.tenant, &batch, noon(), &mut cache).await.unwrap();
    assert_eq!(committed, [Verdict::Appended(Position::START.plus(1))]);
    let mut tx = connection.begin().await.unwrap();
    let head = head::lock(&mut tx, &house.tenant).await.unwrap().unwrap();
    tx.rollback().await.unwrap();
    assert!(was_committed(&mut connection, &house.tenant, head).await.unwrap());
    let mut other = head;
    other.hash[0] ^= 1;
    assert!(!was_committed(&mut connection, &house.tenant, other).await.unwrap());
    let mut later = head;
    later.position = later.position.plus(1);
    assert!(!was_committed(&mut connection, &house.tenant, later).await.unwrap());
}

#[tokio::test]
async fn a_batch_that_was_not_committed_never_will_be() {
    let house = House::new().await;
    append(&house.log(), &house.tenant, &a_booking(&[1], 0, 30)).await;
    let mut late = house.pool.acquire().await.unwrap();
    let mut tx = late.begin().await.unwrap();
    let head = head::lock(&mut tx, &house.tenant).await.unwrap().unwrap();
    tx.rollback().await.unwrap();
    let submissions = [submission(&house.tenant, uuid(1), 0, &a_booking(&[2], 0, 30))];
    let plan = || {
        let state = BatchState { head: head.position, ..BatchState::default() };
        Plan::new(&house.tenant, &submissions, head, state, noon(), None).unwrap()
    };
    let mut asking = house.pool.acquire().await.unwrap();
    let committed = was_committed(&mut asking, &house.tenant, plan().new_head).await;
    assert!(!committed.unwrap());
    let written = plan().rows.unwrap().write(&mut late).await.unwrap_err();
    assert_eq!(written.as_database_error().unwrap().code().as_deref(), Some("DB001"));
    let log = house.log();
    let again = log.append(submissions[0].clone()).await;
    assert_eq!(again, Ok(Verdict::Appended(Position::START.plus(2))));
    assert_eq!(end_of_whole(&log, &house.tenant).await, Ok(Position::START.plus(2)));
}

/// A log whose next commit is cut there: one that remembers nothing commits a transaction, one
/// that does a statement.
async fn a_log_cut(house: &House, cut: Cut) -> (Log, Wire) {
    let wire = Wire::to(house).await;
    let log = Log::open(&wire.options(), &house.clock(), House::settings());
    let remembers = matches!(cut, Cut::BeforeTheBatch | Cut::AfterTheBatch);
    let before = if remembers { log.clone() } else { house.log() };
    append(&before, &house.tenant, &a_booking(&[9], 0, 30)).await;
    wire.cut(cut);
    (log, wire)
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found_and_not_repeated() {
    let cuts = [Cut::BeforeTheCommit, Cut::AfterTheCommit, Cut::BeforeTheBatch, Cut::AfterTheBatch];
    for cut in cuts {
        let house = House::new().await;
        let (log, wire) = a_log_cut(&house, cut).await;
        let batch = (1..=3).map(|n| {
            let mut booking = submission(&house.tenant, uuid(n), 0, &a_booking(&[n], 0, 30));
            // Whoever loses beside the winners loses once, too.
            booking.key = Some(key(&format!("k{}", n / 2), 1));
            booking
        });
        let verdicts = append_at_once(&log, batch).await;
        let first = |n: u64| FirstAnswer::Accepted {
            id: uuid(u128::from(n)),
            version: 1,
            position: Position::START.plus(n + 1),
        };
        assert_eq!(verdicts[0], Ok(Verdict::Appended(Position::START.plus(2))), "{cut:?}");
        assert_eq!(verdicts[1], Ok(Verdict::Appended(Position::START.plus(3))), "{cut:?}");
        assert_eq!(verdicts[2], Ok(Verdict::Answered(first(2))), "{cut:?}");
        assert!(wire.has_cut(), "{cut:?}");
        let whole = Ok(Position::START.plus(3));
        assert_eq!(end_of_whole(&log, &house.tenant).await, whole, "{cut:?}");
    }
}

#[tokio::test]
async fn a_refusal_whose_commit_is_cut_is_kept_all_the_same() {
    for cut in [Cut::BeforeTheCommit, Cut::AfterTheCommit] {
        let house = House::new().await;
        let (log, wire) = a_log_cut(&house, cut).await;
        let mut booking = submission(&house.tenant, uuid(1), 0, &a_booking(&[9], 0, 30));
        booking.key = Some(key("k", 1));
        let verdict = log.append(booking.clone()).await.unwrap();
        assert!(wire.has_cut(), "{cut:?}");
        let refused = |verdict: &Verdict| {
            matches!(verdict, Verdict::SlotTaken(_) | Verdict::Answered(FirstAnswer::Refused(_)))
        };
        assert!(refused(&verdict), "{cut:?} {verdict:?}");
        sqlx::query("DELETE FROM claims").execute(&house.pool).await.unwrap();
        let again = log.append(booking).await.unwrap();
        assert!(matches!(again, Verdict::Answered(FirstAnswer::Refused(_))), "{cut:?} {again:?}");
    }
}

use daybook_domain::TenantId;
use futures::future::join;
use uuid::Uuid;

use super::house::{LAST, a_log, append};
use crate::log::verify::{Found, Progress, Verification, tenants_after, verify};
use crate::log::{Decision, OnConflict, Position, Submission, Verdict};
use crate::testing::{House, a_booking, key, noon, submission, uuid};

#[tokio::test]
async fn a_log_that_nobody_touched_is_whole_and_everything_was_counted() {
    let house = a_log().await;
    let whole = Verification {
        events: LAST,
        streams: 6,
        claims: 4,
        lapsed_claims: 1,
        answers: LAST,
        checkpoints: 0,
        finding: None,
    };
    assert_eq!(house.verification().await, whole);
}

#[tokio::test]
async fn an_empty_log_is_whole() {
    assert_eq!(House::new().await.verification().await, Verification::default());
}

#[tokio::test]
async fn a_decision_on_several_streams_answers_with_the_first_and_its_last_position() {
    let house = House::new().await;
    let decisions = [uuid(1), uuid(2), uuid(3)].map(|id| {
        let n = i64::try_from(id.as_u128()).unwrap() * 60;
        submission(&house.tenant, id, 0, &a_booking(&[1], n, n + 30)).decision
    });
    let (mut all, mut all_claims) = (Vec::new(), Vec::new());
    for decision in decisions {
        let Decision::Accept { appends, claims, .. } = decision else { unreachable!() };
        all.extend(appends);
        all_claims.extend(claims);
    }
    let series = Submission {
        tenant: house.tenant.clone(),
        key: Some(key("series", 1)),
        decided_at: noon(),
        decision: Decision::Accept {
            read_set: Vec::new(),
            appends: all,
            claims: all_claims,
            on_conflict: OnConflict::Refuse,
        },
    };
    let verdict = house.log().append(series).await.unwrap();
    assert_eq!(verdict, Verdict::Appended(Position::START.plus(3)));
    let Verification { answers, finding, .. } = house.verification().await;
    assert_eq!((answers, finding), (1, None));
}

#[tokio::test]
async fn every_tenant_is_named_and_each_log_is_its_own() {
    let house = a_log().await;
    let salon = house.another_tenant("salon").await;
    let found = tenants_after(&house.pool, None).await.unwrap();
    let named =
        |tenant: &TenantId, untouched| Found { tenant: tenant.clone(), untouched, leaving: false };
    assert_eq!(found, [named(&house.tenant, false), named(&salon, true)]);
    assert_eq!(tenants_after(&house.pool, Some(&house.tenant)).await.unwrap(), found[1..]);
    assert_eq!(tenants_after(&house.pool, Some(&salon)).await.unwrap(), []);
    let empty = verify(&house.pool, &salon, |_| ()).await.unwrap();
    assert_eq!(empty, Verification::default());
}

#[tokio::test]
async fn a_log_with_anything_that_should_not_be_there_is_not_untouched() {
    let house = House::new().await;
    for (n, damage) in [
        "UPDATE log_heads SET hash = sha256('x') WHERE tenant_id = $1",
        "DELETE FROM log_heads WHERE tenant_id = $1",
        "INSERT INTO claims (tenant_id, appointment_id, resource_id, seat, during)
         VALUES ($1, gen_random_uuid(), gen_random_uuid(), 0, '[2026-01-01, 2026-01-02)')",
        "INSERT INTO commands (tenant_id, idempotency_key, fingerprint, version, recorded_at)
         VALUES ($1, 'k', 'f', 1, now())",
        "INSERT INTO checkpoints (tenant_id, projection, version, position) VALUES ($1, 'p', 1, 1)",
        "INSERT INTO events (tenant_id, position, aggregate_type, aggregate_id, sequence, event_type,
                             event_version, payload, metadata, recorded_at, hash)
         VALUES ($1, 1, 'client', $1 || '/1', 1, 'E', '1', '{}', '{}', now(), 'h')",
    ]
    .into_iter()
    .enumerate()
    {
        let salon = house.another_tenant(&format!("salon-{n}")).await;
        let untouched = async || {
            let found = tenants_after(&house.pool, None).await.unwrap();
            found.into_iter().find(|found| found.tenant == salon).unwrap().untouched
        };
        assert!(untouched().await);
        sqlx::query(damage).bind(salon.as_str()).execute(&house.pool).await.unwrap();
        assert!(!untouched().await, "{damage}");
        let found = verify(&house.pool, &salon, |_| ()).await.unwrap().finding;
        assert!(found.is_some(), "{damage}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_whole_while_it_grows() {
    let house = a_log().await;
    let log = house.log();
    let write = async {
        for n in 1..=300 {
            let id = Uuid::now_v7();
            let booking = a_booking(&[7], n * 60, n * 60 + 30);
            let key = Some(key(&format!("grows-{n}"), 1));
            let booking = Submission { key, ..submission(&house.tenant, id, 0, &booking) };
            log.append(booking).await.unwrap();
        }
    };
    let read = async {
        let mut seen = Vec::new();
        for _ in 0..20 {
            let verification = house.verification().await;
            assert_eq!(verification.finding, None);
            seen.push(verification.events);
        }
        seen
    };
    let ((), seen) = join(write, read).await;
    assert!(seen.is_sorted() && seen.first() < seen.last(), "it did not grow: {seen:?}");
    assert_eq!(house.verification().await.events, LAST + 300);
}

#[tokio::test]
async fn progress_ends_at_the_end() {
    let house = a_log().await;
    append(&house, 7, 0, &a_booking(&[9], 0, 30)).await;
    let last = std::cell::Cell::new(None);
    verify(&house.pool, &house.tenant, |progress| last.set(Some(progress))).await.unwrap();
    let end = Position::START.plus(LAST + 1);
    assert_eq!(last.get(), Some(Progress { at: end, head: end }));
}

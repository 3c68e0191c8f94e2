use daybook_domain::claim::Claim;
use daybook_domain::time::Interval;

use super::house::{LAST, MOVED, a_log};
use crate::log::Position;
use crate::log::verify::{Problem, Verification};
use crate::testing::{House, minute, resource, uuid};

/// The claim of appointment 1, which moved.
fn claim(from: i64, to: i64) -> Claim {
    let during = Interval::new(minute(from), minute(to)).unwrap();
    Claim { resource: resource(1), seat: 0, during, expires_at: None }
}

const ONE: &str = "appointment_id = '00000000-0000-0000-0000-000000000001'";

#[tokio::test]
async fn a_claim_that_is_gone_is_found() {
    let problem = Problem::ClaimMissing { holder: uuid(1).into(), claim: claim(30, 60) };
    let spoilt = format!("DELETE FROM claims WHERE {ONE}");
    assert_eq!(a_log().await.spoilt(&spoilt).await, (Some(MOVED), problem.clone()));
    // Of all that are gone it is the first.
    assert_eq!(a_log().await.spoilt("DELETE FROM claims").await, (Some(MOVED), problem));
}

#[tokio::test]
async fn a_claim_that_was_moved_is_found() {
    for edit in [
        "during = tstzrange(lower(during), upper(during) + interval '1 microsecond')",
        "seat = 1",
        "resource_id = '00000000-0000-0000-0000-000000000009'",
        "expires_at = now() + interval '10 years'",
        // Set aside like a hold that has lapsed, but the log knows that it is none.
        "expires_at = '2020-01-01'",
    ] {
        let spoilt = format!("UPDATE claims SET {edit} WHERE {ONE}");
        let problem = Problem::ClaimMissing { holder: uuid(1).into(), claim: claim(30, 60) };
        assert_eq!(a_log().await.spoilt(&spoilt).await, (Some(MOVED), problem), "{edit}");
    }
}

#[tokio::test]
async fn a_claim_that_no_event_gave_is_found() {
    let copied = |id: &str, from: i64| {
        format!(
            "INSERT INTO claims SELECT tenant_id, '{id}', resource_id, 1,
                    tstzrange(lower(during) + {from} * interval '1 minute', upper(during))
               FROM claims WHERE {ONE}"
        )
    };
    let found = |holder: u128, from: i64| {
        let claim = Claim { seat: 1, ..claim(30 + from, 60) };
        Problem::ClaimUnfounded { holder: uuid(holder).into(), claim }
    };
    // Of an appointment that has another, of one that was cancelled, and of nobody.
    let one = copied("00000000-0000-0000-0000-000000000001", 0);
    assert_eq!(a_log().await.spoilt(&one).await, (Some(MOVED), found(1, 0)));
    let five = copied("00000000-0000-0000-0000-000000000005", 5);
    assert_eq!(a_log().await.spoilt(&five).await, (Some(8), found(5, 5)));
    let nobody = copied("00000000-0000-0000-0000-000000000063", 10);
    assert_eq!(a_log().await.spoilt(&nobody).await, (None, found(99, 10)));
}

#[tokio::test]
async fn a_claim_that_is_not_half_open_is_found() {
    for during in ["'[2026-01-01, 2026-01-02]'", "'[2026-01-01,)'", "'(2026-01-01, 2026-01-02)'"] {
        let spoilt = format!("UPDATE claims SET seat = 1, during = {during} WHERE {ONE}");
        let problem = Problem::ClaimMisshapen { holder: uuid(1).into() };
        assert_eq!(a_log().await.spoilt(&spoilt).await, (Some(MOVED), problem), "{during}");
    }
}

#[tokio::test]
async fn a_lapsed_hold_may_keep_its_claims_or_lose_them() {
    let house = a_log().await;
    assert_eq!(house.verification().await.lapsed_claims, 1);
    house.spoil("DELETE FROM claims WHERE expires_at IS NOT NULL").await;
    let Verification { lapsed_claims, finding, .. } = house.verification().await;
    assert_eq!((lapsed_claims, finding), (0, None));
}

#[tokio::test]
async fn an_idempotency_key_that_points_nowhere_is_found() {
    for (edit, position) in [
        ("position = 99", 99),
        ("position = 0", 0),
        ("position = -1", u64::MAX),
        ("position = 1", 1),
        ("position = 3", 3),
        ("version = 3", MOVED),
        ("version = 1", MOVED),
        ("version = 0", MOVED),
        ("aggregate_id = '00000000-0000-0000-0000-000000000002'", MOVED),
        ("aggregate_id = '00000000-0000-0000-0000-000000000099'", MOVED),
    ] {
        let house = a_log().await;
        let edit = format!("UPDATE commands SET {edit} WHERE idempotency_key = '1-1'");
        let (found, problem) = house.spoilt(&edit).await;
        assert_eq!(found, Some(position), "{edit}");
        assert!(matches!(problem, Problem::AnswerUnfounded { .. }), "{edit}: {problem:?}");
    }
}

#[tokio::test]
async fn an_idempotency_key_without_a_position_is_found() {
    for column in ["position", "aggregate_id"] {
        let edit = format!("UPDATE commands SET {column} = NULL WHERE idempotency_key = '1-1'");
        assert_eq!(a_log().await.spoilt(&edit).await, (None, Problem::AnswerMisshapen));
    }
}

#[tokio::test]
async fn a_checkpoint_beyond_the_end_is_found() {
    let house: House = a_log().await;
    house.spoil("INSERT INTO checkpoints VALUES ('clinic', 'search', 1, 9)").await;
    let Verification { checkpoints, finding, .. } = house.verification().await;
    assert_eq!((checkpoints, finding), (1, None));
    let problem = Problem::ReadAfterTheEnd {
        projection: "search".to_owned(),
        version: 1,
        read: Position::START.plus(LAST + 1),
    };
    let spoilt = "UPDATE checkpoints SET position = position + 1";
    assert_eq!(house.spoilt(spoilt).await, (Some(LAST + 1), problem));
}

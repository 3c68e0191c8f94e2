use daybook_domain::Refusal;

use super::*;
use crate::testing::{House, a_booking, key, noon, submission, uuid};

fn keyed(tenant: &TenantId, id: u128, name: &str, request: u8, resource: u128) -> Submission {
    let key = Some(key(name, request));
    Submission { key, ..submission(tenant, uuid(id), 0, &a_booking(&[resource], 0, 30)) }
}

fn first(id: u128, position: u64) -> Verdict {
    let position = Position::START.plus(position);
    Verdict::Answered(FirstAnswer::Accepted { id: uuid(id), version: 1, position })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_sent_20_times_at_once_has_one_effect_and_one_answer() {
    let house = House::new().await;
    let logs = [house.log(), house.log()];
    let send = async |n: u128| {
        let log = &logs[usize::try_from(n % 2).unwrap()];
        log.append(keyed(&house.tenant, n, "k", 1, n)).await.unwrap()
    };
    let verdicts = join_all((1..=20).map(send)).await;
    let winner = 1 + verdicts.iter().position(|v| matches!(v, Verdict::Appended(_))).unwrap();
    let answered = verdicts.iter().filter(|verdict| **verdict == first(winner as u128, 1)).count();
    assert_eq!(answered, 19, "{verdicts:?}");
    assert_eq!(logs[0].head(&house.tenant).await.unwrap(), Some(Position::START.plus(1)));
}

#[tokio::test]
async fn a_key_for_another_request_is_reused() {
    let house = House::new().await;
    let log = house.log();
    log.append(keyed(&house.tenant, 1, "k", 1, 1)).await.unwrap();
    assert_eq!(log.append(keyed(&house.tenant, 2, "k", 2, 2)).await, Ok(Verdict::KeyReused));
    assert_eq!(log.append(keyed(&house.tenant, 2, "k", 1, 2)).await, Ok(first(1, 1)));
}

#[tokio::test]
async fn a_key_is_a_tenants_own() {
    let house = House::new().await;
    let salon = house.another_tenant("salon").await;
    let log = house.log();
    for tenant in [&house.tenant, &salon] {
        let verdict = log.append(keyed(tenant, 1, "k", 1, 1)).await.unwrap();
        assert_eq!(verdict, Verdict::Appended(Position::START.plus(1)));
    }
}

#[tokio::test]
async fn a_taken_slot_stays_the_answer_when_the_slot_is_free() {
    let house = House::new().await;
    let log = house.log();
    log.append(keyed(&house.tenant, 1, "first", 1, 1)).await.unwrap();
    let lost = log.append(keyed(&house.tenant, 2, "k", 1, 1)).await.unwrap();
    let Verdict::SlotTaken(conflict) = lost else { panic!("{lost:?}") };
    sqlx::query("DELETE FROM claims").execute(&house.pool).await.unwrap();
    let refusal = daybook_domain::appointment::AppointmentRefusal::from(conflict);
    let kept = Verdict::Answered(FirstAnswer::Refused(refusal.into()));
    assert_eq!(house.log().append(keyed(&house.tenant, 2, "k", 1, 1)).await, Ok(kept));
}

#[tokio::test]
async fn what_is_so_already_is_kept_with_its_key_and_nothing_is_appended() {
    let house = House::new().await;
    let log = house.log();
    let booked = log.append(keyed(&house.tenant, 1, "k", 1, 1)).await;
    assert_eq!(booked, Ok(Verdict::Appended(Position::START.plus(1))));
    let position = Position::START.plus(1);
    let as_it_is = FirstAnswer::Accepted { id: uuid(1), version: 1, position };
    let nothing = |tag| Submission {
        tenant: house.tenant.clone(),
        key: Some(key("as it is", tag)),
        decided_at: noon(),
        decision: Decision::Answer(as_it_is.clone()),
    };
    assert_eq!(log.append(nothing(2)).await, Ok(Verdict::AnswerKept));
    assert_eq!(log.append(nothing(2)).await, Ok(Verdict::Answered(as_it_is.clone())));
    assert_eq!(log.append(nothing(3)).await, Ok(Verdict::KeyReused));
    assert_eq!(log.head(&house.tenant).await.unwrap(), Some(position));
}

#[tokio::test]
async fn a_refusal_is_kept_with_its_key() {
    let house = House::new().await;
    let log = house.log();
    let refusal = Refusal::StaleVersion { expected: 1, actual: 2 };
    let refuse = Submission {
        tenant: house.tenant.clone(),
        key: Some(key("k", 1)),
        decided_at: noon(),
        decision: Decision::Answer(FirstAnswer::Refused(refusal.clone())),
    };
    assert_eq!(log.append(refuse).await, Ok(Verdict::AnswerKept));
    let kept = Verdict::Answered(FirstAnswer::Refused(refusal));
    assert_eq!(log.append(keyed(&house.tenant, 1, "k", 1, 1)).await, Ok(kept));
    assert_eq!(log.head(&house.tenant).await.unwrap(), Some(Position::START));
}

use futures::future::join_all;

use super::*;
use crate::personal::{Keyring, MasterKey, MasterKeys};
use crate::testing::minute;

/// An engine that seals, which nobody has used before.
async fn sealing(house: &House, keys: &MasterKeys) -> Engine {
    let keyring = Keyring::new(&house.log(), keys.clone());
    keyring.register().await.unwrap();
    house.engine().with_keyring(keyring)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_sent_20_times_at_once_books_once_and_is_answered_alike() {
    let (house, engine) = an_open_house().await;
    let engines = [engine, house.engine()];
    let context = house.with_key("k", 1);
    let send = async |n: usize| book(&engines[n % 2], &context, minute(60)).await.unwrap();
    let answers = join_all((0..20).map(send)).await;
    for answer in &answers {
        let first = &answers[0];
        assert_eq!((answer.id, answer.version), (first.id, first.version));
        assert_eq!((answer.position, &answer.state), (first.position, &first.state));
    }
    let appointments: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE aggregate_type = 'appointment'")
            .fetch_one(&house.pool)
            .await
            .unwrap();
    assert_eq!(appointments, 1);
}

#[tokio::test]
async fn a_retry_is_answered_with_the_version_it_led_to_then() {
    let (house, engine) = an_open_house().await;
    let booked = book(&engine, &house.with_key("k", 1), minute(60)).await.unwrap();
    let existing = Target::Existing(booked.id);
    engine.execute::<Appointment>(&house.context(), existing, cancel()).await.unwrap();
    // The slot is in the past by now: the decision would be another.
    house.clock.set(minute(90));
    let again = book(&engine, &house.with_key("k", 1), minute(60)).await.unwrap();
    assert_eq!((again.id, again.version), (booked.id, 1));
    assert_eq!((again.position, again.state), (booked.position, booked.state));
}

#[tokio::test]
async fn a_retry_with_the_version_it_was_first_sent_with_is_no_conflict() {
    let (house, engine) = an_open_house().await;
    let booked = book(&engine, &house.context(), minute(60)).await.unwrap();
    let context =
        CommandContext { expected_version: Some(booked.version), ..house.with_key("k", 1) };
    let existing = Target::Existing(booked.id);
    for _ in 0..2 {
        let cancelled = engine.execute::<Appointment>(&context, existing, cancel()).await.unwrap();
        assert_eq!(cancelled.version, 2);
    }
}

#[tokio::test]
async fn another_request_with_the_same_key_is_told_so_whatever_comes_of_it() {
    let (house, engine) = an_open_house().await;
    book(&engine, &house.with_key("k", 1), minute(60)).await.unwrap();
    for start in [minute(120), minute(60), minute(-60)] {
        let outcome = book(&engine, &house.with_key("k", 2), start).await;
        assert!(matches!(outcome, Err(ExecuteError::KeyReused)), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_repeated_when_its_reason_is_gone() {
    let (house, engine) = an_open_house().await;
    let context = house.with_key("k", 1);
    let third = || AppointmentCommand::BookAppointment(booking(&[3], minute(60)));
    let first = engine.execute::<Appointment>(&context, Target::fresh(), third()).await;
    let register = ResourceCommand::RegisterResource(profile());
    let room = Target::Existing(uuid(3));
    engine.execute::<Resource>(&house.context(), room, register).await.unwrap();
    let again = house.engine().execute::<Appointment>(&context, Target::fresh(), third()).await;
    assert_eq!(refusal(first), refusal(again));
}

#[tokio::test]
async fn a_taken_slot_is_repeated_when_it_is_free() {
    let (house, engine) = an_open_house().await;
    let booked = book(&engine, &house.context(), minute(60)).await.unwrap();
    let first = refusal(book(&engine, &house.with_key("k", 1), minute(75)).await);
    assert!(matches!(first, AppointmentRefusal::SlotTaken { .. }), "{first:?}");
    let existing = Target::Existing(booked.id);
    engine.execute::<Appointment>(&house.context(), existing, cancel()).await.unwrap();
    assert_eq!(refusal(book(&engine, &house.with_key("k", 1), minute(75)).await), first);
    book(&engine, &house.with_key("k2", 1), minute(75)).await.unwrap();
}

#[tokio::test]
async fn a_key_is_a_tenants_own() {
    let (house, engine) = an_open_house().await;
    book(&engine, &house.with_key("k", 1), minute(60)).await.unwrap();
    let salon = house.another_tenant("salon").await;
    let context = CommandContext { tenant: salon, ..house.with_key("k", 2) };
    let refused = refusal(book(&engine, &context, minute(60)).await);
    assert!(matches!(refused, AppointmentRefusal::UnknownService { .. }), "{refused:?}");
}

#[tokio::test]
async fn an_answer_of_before_is_given_again_for_as_long_as_such_are_kept() {
    let (house, before) = an_open_house().await;
    let keys = MasterKeys::new(&[MasterKey::generate().unwrap()]).unwrap();
    let booked = book(&before, &house.with_key("k", 1), minute(60)).await.unwrap();
    // As the migration notes it where there were programs of before.
    sqlx::query("INSERT INTO answers_in_clear (until) VALUES ($1)")
        .bind(minute(600))
        .execute(&house.pool)
        .await
        .unwrap();
    let engine = sealing(&house, &keys).await;
    let again = book(&engine, &house.with_key("k", 1), minute(60)).await.unwrap();
    assert_eq!((again.id, again.position), (booked.id, booked.position));
    let other = book(&engine, &house.with_key("k", 2), minute(120)).await;
    assert!(matches!(other, Err(ExecuteError::KeyReused)), "{other:?}");
    house.clock.set(minute(601));
    let late = book(&engine, &house.with_key("k", 1), minute(720)).await.unwrap();
    assert_ne!(late.id, booked.id);
}

#[tokio::test]
async fn what_is_kept_of_a_key_is_not_the_key_and_is_its_callers() {
    let (house, _) = an_open_house().await;
    let keys = MasterKeys::new(&[MasterKey::generate().unwrap()]).unwrap();
    let engine = sealing(&house, &keys).await;
    let booked = book(&engine, &house.with_key("k", 1), minute(60)).await.unwrap();
    let of = |line: &str| CommandContext { line: Some(line.to_owned()), ..house.with_key("k", 1) };
    let another = book(&engine, &of("another"), minute(60)).await;
    assert!(matches!(another, Err(ExecuteError::KeyOfAnother)), "{another:?}");
    // Another program makes the same of it.
    let other = sealing(&house, &keys).await;
    let again = book(&other, &of("a test"), minute(60)).await.unwrap();
    assert_eq!(again.id, booked.id);
    let kept: Vec<String> = sqlx::query_scalar(
        "SELECT idempotency_key FROM commands
         UNION ALL SELECT metadata ->> 'idempotency_key' FROM events WHERE metadata ->> 'idempotency_key' IS NOT NULL",
    )
    .fetch_all(&house.pool)
    .await
    .unwrap();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|key| key.starts_with("hmac ") && *key == kept[0]), "{kept:?}");
}

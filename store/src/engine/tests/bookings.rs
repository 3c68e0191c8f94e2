use futures::future::join_all;

use super::*;
use crate::log::AppendError;
use crate::testing::{claims_in_the_log, claims_in_the_table, minute};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_clients_who_want_one_slot_one_gets_it() {
    let (house, engine) = an_open_house().await;
    let engines = [engine, house.engine()];
    let context = house.context();
    let outcomes = join_all((0..64).map(|n| book(&engines[n % 2], &context, minute(60)))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 63));
    for outcome in lost {
        let AppointmentRefusal::SlotTaken { resource_id, during } = refusal(outcome) else {
            panic!("another refusal")
        };
        assert_eq!(resource_id, resource(1));
        assert_eq!((during.start(), during.end()), (minute(60), minute(90)));
    }
    let table = claims_in_the_table(&house.pool, &house.tenant).await;
    assert_eq!(table, claims_in_the_log(engines[0].log(), &house.tenant).await);
}

#[tokio::test]
async fn an_appointment_moves_into_its_own_time() {
    let (house, engine) = an_open_house().await;
    let booked = book(&engine, &house.context(), minute(60)).await.unwrap();
    let start = minute(75);
    let later = AppointmentCommand::RescheduleAppointment {
        start,
        resource_ids: None,
        by: MovedBy::Client,
        overriding: None,
    };
    let existing = Target::Existing(booked.id);
    let moved = engine.execute::<Appointment>(&house.context(), existing, later).await.unwrap();
    assert_eq!(moved.version, 2);
    let refused = refusal(book(&engine, &house.context(), minute(90)).await);
    assert!(matches!(refused, AppointmentRefusal::SlotTaken { .. }), "{refused:?}");
    book(&engine, &house.context(), minute(45)).await.unwrap();
}

#[tokio::test]
async fn a_hold_is_confirmed_before_it_lapses_and_not_then() {
    let (house, engine) = an_open_house().await;
    let context = house.context();
    let hold = |start, until| AppointmentCommand::HoldAppointment {
        booking: booking(&[1], start),
        expires_at: until,
        holds_per_client: HoldLimit::default(),
    };
    let confirm = || AppointmentCommand::ConfirmAppointment;
    let target = Target::fresh();
    engine.execute::<Appointment>(&context, target, hold(minute(60), minute(10))).await.unwrap();
    let other = Target::fresh();
    engine.execute::<Appointment>(&context, other, hold(minute(90), minute(10))).await.unwrap();
    house.clock.set(minute(9));
    let existing = Target::Existing(target.id());
    engine.execute::<Appointment>(&context, existing, confirm()).await.unwrap();
    house.clock.set(minute(10));
    let existing = Target::Existing(other.id());
    let refused = refusal(engine.execute::<Appointment>(&context, existing, confirm()).await);
    assert!(matches!(refused, AppointmentRefusal::HoldExpired { .. }), "{refused:?}");
    book(&engine, &context, minute(90)).await.unwrap();
    assert!(matches!(
        refusal(book(&engine, &context, minute(60)).await),
        AppointmentRefusal::SlotTaken { .. }
    ));
}

#[tokio::test]
async fn who_has_seen_an_older_version_is_told_so() {
    let (house, engine) = an_open_house().await;
    let booked = book(&engine, &house.context(), minute(60)).await.unwrap();
    let seen = |version| CommandContext { expected_version: Some(version), ..house.context() };
    let existing = Target::Existing(booked.id);
    let outcome = engine.execute::<Appointment>(&seen(2), existing, cancel()).await;
    let Err(ExecuteError::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refusal, Refusal::StaleVersion { expected: 2, actual: 1 });
    engine.execute::<Appointment>(&seen(1), existing, cancel()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_have_seen_the_same_version_one_is_told_so() {
    let (house, engine) = an_open_house().await;
    let booked = book(&engine, &house.context(), minute(60)).await.unwrap();
    let seen = CommandContext { expected_version: Some(1), ..house.context() };
    let tag = |n: usize| {
        let category = Some(Category::new(&format!("c{n}")).unwrap());
        AppointmentCommand::TagAppointment { category, tags: None }
    };
    let existing = Target::Existing(booked.id);
    let engines = [engine, house.engine()];
    let tags = (0..8).map(|n| engines[n % 2].execute::<Appointment>(&seen, existing, tag(n)));
    let outcomes = join_all(tags).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for outcome in outcomes.into_iter().filter_map(Result::err) {
        let stale = Refusal::StaleVersion { expected: 1, actual: 2 };
        assert!(matches!(&outcome, ExecuteError::Refused(r) if *r == stale), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_id_that_is_taken_is_not_taken_again() {
    let (house, engine) = an_open_house().await;
    let booked = book(&engine, &house.context(), minute(60)).await.unwrap();
    let again = AppointmentCommand::BookAppointment(booking(&[1], minute(120)));
    let target = Target::New(booked.id);
    let refused = refusal(engine.execute::<Appointment>(&house.context(), target, again).await);
    assert_eq!(refused, AppointmentRefusal::AppointmentExists);
}

#[tokio::test]
async fn an_unknown_tenant_has_nothing_to_book() {
    let (_house, engine) = an_open_house().await;
    let context = CommandContext::new("nobody".parse().unwrap(), "a test");
    let define = ServiceCommand::DefineService(terms());
    let outcome = engine.execute::<Service>(&context, Target::fresh(), define).await;
    let Err(ExecuteError::Append(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error, AppendError::UnknownTenant);
}

#[tokio::test]
async fn what_does_not_exist_is_loaded_as_nothing() {
    let (house, engine) = an_open_house().await;
    assert!(engine.load::<Appointment>(&house.tenant, uuid(1)).await.unwrap().is_none());
    let booked = book(&engine, &house.context(), minute(60)).await.unwrap();
    let loaded = engine.load::<Appointment>(&house.tenant, booked.id).await.unwrap();
    assert_eq!(loaded, Some((booked.state, 1)));
}

#[tokio::test]
async fn an_instant_finer_than_the_database_keeps_is_the_same_in_the_log_and_in_the_claims() {
    let (house, engine) = an_open_house().await;
    let finer = |n| minute(n) + chrono::TimeDelta::nanoseconds(999);
    let hold = AppointmentCommand::HoldAppointment {
        booking: booking(&[1], finer(60)),
        expires_at: finer(10),
        holds_per_client: HoldLimit::default(),
    };
    engine.execute::<Appointment>(&house.context(), Target::fresh(), hold).await.unwrap();
    book(&engine, &house.context(), minute(90)).await.unwrap();
    let table = claims_in_the_table(&house.pool, &house.tenant).await;
    assert_eq!(table, claims_in_the_log(engine.log(), &house.tenant).await);
}

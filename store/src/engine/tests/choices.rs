//! Places, roles and limits, where many want the same at once and engines know different things.

use std::collections::BTreeSet;

use daybook_domain::service::DailyLimit;
use futures::future::join_all;

use super::*;
use crate::testing::{claims_in_the_log, claims_in_the_table, minute};

const DOCTORS: [u128; 5] = [11, 12, 13, 14, 15];

async fn revise(house: &House, engine: &Engine, patch: TermsPatch) {
    let command = ServiceCommand::ReviseService(patch);
    let service = Target::Existing(uuid(SERVICE));
    engine.execute::<Service>(&house.context(), service, command).await.unwrap();
}

async fn register(house: &House, engine: &Engine, n: u128, profile: ResourceProfile) {
    let command = ResourceCommand::RegisterResource(profile);
    let target = Target::Existing(uuid(n));
    engine.execute::<Resource>(&house.context(), target, command).await.unwrap();
}

async fn retire(house: &House, engine: &Engine, n: u128) {
    let target = Target::Existing(uuid(n));
    let command = ResourceCommand::RetireResource;
    engine.execute::<Resource>(&house.context(), target, command).await.unwrap();
}

fn doctor() -> ResourceProfile {
    ResourceProfile { kind: ResourceKind::Staff, ..profile() }
}

fn needing_a_doctor() -> TermsPatch {
    serde_json::from_str(r#"{"needs":[{"role":"doctor","kind":"staff"}]}"#).unwrap()
}

/// A house whose service needs one of these doctors.
async fn a_clinic(doctors: &[u128]) -> (House, Engine) {
    let (house, engine) = an_open_house().await;
    revise(&house, &engine, needing_a_doctor()).await;
    for n in doctors {
        register(&house, &engine, *n, doctor()).await;
    }
    (house, engine)
}

async fn book_anybody(
    engine: &Engine,
    house: &House,
) -> Result<Executed<Appointment>, ExecuteError> {
    let command = AppointmentCommand::BookAppointment(booking(&[], minute(60)));
    engine.execute(&house.context(), Target::fresh(), command).await
}

fn first_resource(executed: &Executed<Appointment>) -> u128 {
    let slot = &executed.state.details().unwrap().slot;
    slot.resource_ids.as_slice()[0].uuid().as_u128()
}

async fn the_table_is_as_the_log_says(house: &House, engine: &Engine) {
    let table = claims_in_the_table(&house.pool, &house.tenant).await;
    assert_eq!(table, claims_in_the_log(engine.log(), &house.tenant).await);
}

/// So many who want one of so many places, from two engines at once: each place has one of them.
async fn all_places_are_had(wishes: usize, places: u16) {
    let (house, engine) = an_open_house().await;
    let capacity = places.try_into().unwrap();
    register(&house, &engine, 3, ResourceProfile { capacity, ..profile() }).await;
    let engines = [engine, house.engine()];
    let book = async |n: usize| {
        let command = AppointmentCommand::BookAppointment(booking(&[3], minute(60)));
        engines[n % 2].execute::<Appointment>(&house.context(), Target::fresh(), command).await
    };
    let outcomes = join_all((0..wishes).map(book)).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    let seats: BTreeSet<u16> =
        won.into_iter().map(|won| won.unwrap().state.details().unwrap().slot.seats.of(0)).collect();
    assert_eq!(seats, (0..places).collect());
    assert_eq!(lost.len(), wishes - usize::from(places));
    for outcome in lost {
        let refused = refusal(outcome);
        assert!(matches!(refused, AppointmentRefusal::SlotTaken { .. }), "{refused:?}");
    }
    the_table_is_as_the_log_says(&house, &engines[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_who_want_one_of_5_places_5_have_one_each() {
    all_places_are_had(64, 5).await;
}

/// If those who lose did not spread, each round of attempts would fill a place or two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_150_who_want_one_of_100_places_100_have_one_each() {
    all_places_are_had(150, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_who_want_any_of_5_doctors_5_have_another_each() {
    let (house, engine) = a_clinic(&DOCTORS).await;
    let engines = [engine, house.engine()];
    let outcomes = join_all((0..64).map(|n| book_anybody(&engines[n % 2], &house))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    let doctors: BTreeSet<u128> =
        won.into_iter().map(|won| first_resource(&won.unwrap())).collect();
    assert_eq!(doctors, BTreeSet::from(DOCTORS));
    assert_eq!(lost.len(), 59);
    for outcome in lost {
        let refused = refusal(outcome);
        assert!(matches!(refused, AppointmentRefusal::RoleTaken { .. }), "{refused:?}");
    }
    the_table_is_as_the_log_says(&house, &engines[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_20_bookings_of_one_client_at_once_as_many_are_made_as_the_day_allows() {
    let (house, engine) = an_open_house().await;
    let limit_per_client_per_day = Some(DailyLimit::try_from(2).unwrap()).into();
    let patch = TermsPatch { limit_per_client_per_day, ..TermsPatch::default() };
    revise(&house, &engine, patch).await;
    let engines = [engine, house.engine()];
    let context = house.context();
    let book = |n: usize| {
        let start = minute(30 * i64::try_from(n).unwrap());
        book(&engines[n % 2], &context, start)
    };
    let outcomes = join_all((0..20).map(book)).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (2, 18));
    for outcome in lost {
        let refused = refusal(outcome);
        let AppointmentRefusal::ClientDayLimit { required: 2, found: 2, .. } = refused else {
            panic!("another refusal: {refused:?}")
        };
    }
    the_table_is_as_the_log_says(&house, &engines[0]).await;
}

#[tokio::test]
async fn a_resource_that_another_engine_has_just_registered_is_chosen_when_nobody_else_is_free() {
    let (house, engine) = a_clinic(&[11]).await;
    assert_eq!(first_resource(&book_anybody(&engine, &house).await.unwrap()), 11);
    register(&house, &house.engine(), 12, doctor()).await;
    assert_eq!(first_resource(&book_anybody(&engine, &house).await.unwrap()), 12);
}

#[tokio::test]
async fn a_resource_that_another_engine_has_just_retired_is_not_chosen() {
    let (house, engine) = a_clinic(&[11, 12]).await;
    assert_eq!(first_resource(&book_anybody(&engine, &house).await.unwrap()), 11);
    let elsewhere = house.engine();
    retire(&house, &elsewhere, 12).await;
    let refused = refusal(book_anybody(&engine, &house).await);
    assert!(matches!(refused, AppointmentRefusal::RoleTaken { .. }), "{refused:?}");
}

#[tokio::test]
async fn an_engine_knows_at_once_what_it_has_registered_itself() {
    let (house, engine) = a_clinic(&[12]).await;
    // Both are called the same, so the one with the lower id comes first.
    assert_eq!(first_resource(&book_anybody(&engine, &house).await.unwrap()), 12);
    register(&house, &engine, 11, doctor()).await;
    let command = AppointmentCommand::BookAppointment(booking(&[], minute(120)));
    let booked = engine.execute(&house.context(), Target::fresh(), command).await.unwrap();
    assert_eq!(first_resource(&booked), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_a_race_and_chose_again_has_one_answer_for_its_key() {
    let (house, engine) = a_clinic(&DOCTORS).await;
    let keys: Vec<String> = (0..16).map(|n| format!("key {n}")).collect();
    let book = async |key: &String| {
        let command = AppointmentCommand::BookAppointment(booking(&[], minute(60)));
        let context = house.with_key(key, 1);
        engine.execute::<Appointment>(&context, Target::fresh(), command).await
    };
    let first = join_all(keys.iter().map(book)).await;
    let again = join_all(keys.iter().map(book)).await;
    assert_eq!(first.iter().filter(|outcome| outcome.is_ok()).count(), 5);
    for (first, again) in first.into_iter().zip(again) {
        match (first, again) {
            (Ok(first), Ok(again)) => assert_eq!(first.id, again.id),
            (Err(ExecuteError::Refused(first)), Err(ExecuteError::Refused(again))) => {
                assert_eq!(first, again);
            }
            other => panic!("two answers: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_hold_is_confirmed_whatever_has_become_of_service_hours_and_resource() {
    let (house, engine) = a_clinic(&[11]).await;
    let command = AppointmentCommand::HoldAppointment {
        booking: booking(&[], minute(60)),
        expires_at: minute(10),
        holds_per_client: HoldLimit::default(),
    };
    let held = engine.execute::<Appointment>(&house.context(), Target::fresh(), command).await;
    let held = held.unwrap();
    let doctor = Target::Existing(uuid(11));
    let closed = ResourceCommand::ChangeResourceHours(WeeklyHours::default());
    engine.execute::<Resource>(&house.context(), doctor, closed).await.unwrap();
    retire(&house, &engine, 11).await;
    let service = Target::Existing(uuid(SERVICE));
    let retired = ServiceCommand::RetireService;
    engine.execute::<Service>(&house.context(), service, retired).await.unwrap();
    let existing = Target::Existing(held.id);
    let confirm = AppointmentCommand::ConfirmAppointment;
    engine.execute::<Appointment>(&house.context(), existing, confirm).await.unwrap();
    the_table_is_as_the_log_says(&house, &engine).await;
}

#[tokio::test]
async fn who_confirms_too_late_by_an_instant_is_told_that_the_hold_has_lapsed() {
    let (house, engine) = an_open_house().await;
    let command = AppointmentCommand::HoldAppointment {
        booking: booking(&[1], minute(60)),
        expires_at: minute(10),
        holds_per_client: HoldLimit::default(),
    };
    let context = house.context();
    let held = engine.execute::<Appointment>(&context, Target::fresh(), command).await.unwrap();
    // Another program, whose clock is ahead, gives the time away.
    house.clock.set(minute(10));
    book(&house.engine(), &context, minute(60)).await.unwrap();
    house.clock.set(minute(9));
    let confirm = async {
        let confirm = AppointmentCommand::ConfirmAppointment;
        engine.execute::<Appointment>(&context, Target::Existing(held.id), confirm).await
    };
    let comes_round = async {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        house.clock.set(minute(10));
    };
    let (confirmed, ()) = tokio::join!(confirm, comes_round);
    let refused = refusal(confirmed);
    assert!(matches!(refused, AppointmentRefusal::HoldExpired { .. }), "{refused:?}");
}

//! What one engine remembers and another changes.

use super::*;
use crate::Position;
use crate::testing::{end_of_whole, minute};

async fn change_hours(house: &House, engine: &Engine, hours: WeeklyHours) {
    let change = ResourceCommand::ChangeResourceHours(hours);
    let room = Target::Existing(uuid(1));
    engine.execute::<Resource>(&house.context(), room, change).await.unwrap();
}

#[tokio::test]
async fn hours_that_another_engine_changed_hold_both_ways() {
    let (house, engine) = an_open_house().await;
    let elsewhere = house.engine();
    book(&engine, &house.context(), minute(60)).await.unwrap();
    change_hours(&house, &elsewhere, WeeklyHours::default()).await;
    let refused = refusal(book(&engine, &house.context(), minute(120)).await);
    assert!(matches!(refused, AppointmentRefusal::OutsideOpeningHours { .. }), "{refused:?}");
    change_hours(&house, &elsewhere, WeeklyHours::always()).await;
    book(&engine, &house.context(), minute(120)).await.unwrap();
}

#[tokio::test]
async fn a_service_that_another_engine_revised_is_booked_as_revised() {
    let (house, engine) = an_open_house().await;
    let elsewhere = house.engine();
    book(&engine, &house.context(), minute(60)).await.unwrap();
    let duration = Duration::from_minutes(45).unwrap().into();
    let revise = ServiceCommand::ReviseService(TermsPatch { duration, ..TermsPatch::default() });
    let service = Target::Existing(uuid(SERVICE));
    elsewhere.execute::<Service>(&house.context(), service, revise).await.unwrap();
    let booked = book(&engine, &house.context(), minute(120)).await.unwrap();
    let slot = &booked.state.details().unwrap().slot;
    assert_eq!(slot.during.length().num_minutes(), 45);
}

#[tokio::test]
async fn what_another_engine_retired_is_not_booked() {
    let (house, engine) = an_open_house().await;
    let elsewhere = house.engine();
    book(&engine, &house.context(), minute(60)).await.unwrap();
    let (context, room) = (house.context(), Target::Existing(uuid(1)));
    elsewhere.execute::<Resource>(&context, room, ResourceCommand::RetireResource).await.unwrap();
    let refused = refusal(book(&engine, &house.context(), minute(120)).await);
    assert!(matches!(refused, AppointmentRefusal::RetiredResource { .. }), "{refused:?}");
    let service = Target::Existing(uuid(SERVICE));
    let context = house.context();
    elsewhere.execute::<Service>(&context, service, ServiceCommand::RetireService).await.unwrap();
    let refused = refusal(book(&engine, &house.context(), minute(120)).await);
    assert!(matches!(refused, AppointmentRefusal::RetiredService { .. }), "{refused:?}");
}

#[tokio::test]
async fn what_was_unknown_a_moment_ago_can_be_booked_now() {
    let (house, engine) = an_open_house().await;
    let third = || AppointmentCommand::BookAppointment(booking(&[3], minute(60)));
    let outcome = engine.execute::<Appointment>(&house.context(), Target::fresh(), third()).await;
    assert!(matches!(refusal(outcome), AppointmentRefusal::UnknownResource { .. }));
    let register = ResourceCommand::RegisterResource(profile());
    let room = Target::Existing(uuid(3));
    house.engine().execute::<Resource>(&house.context(), room, register).await.unwrap();
    engine.execute::<Appointment>(&house.context(), Target::fresh(), third()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bookings_succeed_while_another_engine_keeps_revising_the_service() {
    let (house, engine) = an_open_house().await;
    let elsewhere = house.engine();
    let revise = async {
        for n in 0..20 {
            let (context, service) = (house.context(), Target::Existing(uuid(SERVICE)));
            let name = Name::new(&format!("Check-up {n}")).unwrap().into();
            let revise =
                ServiceCommand::ReviseService(TermsPatch { name, ..TermsPatch::default() });
            elsewhere.execute::<Service>(&context, service, revise).await.unwrap();
            // Oftener, and a slow machine could find each of a booking's attempts stale.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let bookings = async {
        for n in 1..=40 {
            book(&engine, &house.context(), minute(n * 30)).await.unwrap();
        }
    };
    tokio::join!(revise, bookings);
    let whole = Ok(Position::START.plus(4 + 20 + 40));
    assert_eq!(end_of_whole(engine.log(), &house.tenant).await, whole);
}

//! Several commands as one submission.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::testing::{claims_in_the_log, claims_in_the_table, minute};

/// Moves appointments, all or none; before the first attempt is appended, something else may happen.
struct Move<'a> {
    to: &'a [(Uuid, DateTime<Utc>)],
    /// Leaves out whoever is refused.
    best_effort: bool,
    meanwhile: Option<(&'a Engine, &'a House, DateTime<Utc>)>,
    happened: AtomicBool,
}

impl<'a> Move<'a> {
    fn all(to: &'a [(Uuid, DateTime<Utc>)]) -> Self {
        Self { to, best_effort: false, meanwhile: None, happened: AtomicBool::new(false) }
    }
}

impl UnitOfWork for Move<'_> {
    type Root = Appointment;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        for (id, start) in self.to {
            let moved = unit.decide::<Appointment>(Target::Existing(*id), move_to(*start)).await?;
            if !self.best_effort {
                moved?;
            }
        }
        if let Some((engine, house, start)) = self.meanwhile
            && !self.happened.swap(true, Ordering::Relaxed)
        {
            book(engine, &house.context(), start).await?;
        }
        Ok(())
    }
}

fn move_to(start: DateTime<Utc>) -> AppointmentCommand {
    let by = MovedBy::Client;
    AppointmentCommand::RescheduleAppointment { start, resource_ids: None, by, overriding: None }
}

async fn two(house: &House, engine: &Engine) -> [Uuid; 2] {
    let first = book(engine, &house.context(), minute(60)).await.unwrap();
    let second = book(engine, &house.context(), minute(90)).await.unwrap();
    [first.id, second.id]
}

async fn start_of(house: &House, engine: &Engine, id: Uuid) -> DateTime<Utc> {
    let (state, _) = engine.load::<Appointment>(&house.tenant, id).await.unwrap().unwrap();
    state.details().unwrap().slot.during.start()
}

#[tokio::test]
async fn one_moves_where_the_one_before_it_was() {
    let (house, engine) = an_open_house().await;
    let [one, other] = two(&house, &engine).await;
    let to = [(other, minute(120)), (one, minute(90))];
    let moved = engine.execute_unit(&house.context(), other, &Move::all(&to)).await.unwrap();
    assert_eq!((moved.id, moved.version), (other, 2));
    assert_eq!(moved.state.details().unwrap().slot.during.start(), minute(120));
    assert_eq!(start_of(&house, &engine, one).await, minute(90));
    let table = claims_in_the_table(&house.pool, &house.tenant).await;
    assert_eq!(table, claims_in_the_log(engine.log(), &house.tenant).await);
}

#[tokio::test]
async fn two_cannot_change_places_for_at_no_position_may_both_have_one() {
    let (house, engine) = an_open_house().await;
    let [one, other] = two(&house, &engine).await;
    let to = [(one, minute(90)), (other, minute(60))];
    let outcome = engine.execute_unit(&house.context(), one, &Move::all(&to)).await;
    assert!(matches!(refusal(outcome), AppointmentRefusal::SlotTaken { .. }));
}

#[tokio::test]
async fn where_one_is_refused_none_is_moved() {
    let (house, engine) = an_open_house().await;
    let [one, other] = two(&house, &engine).await;
    book(&engine, &house.context(), minute(200)).await.unwrap();
    let to = [(one, minute(300)), (other, minute(210))];
    let outcome = engine.execute_unit(&house.context(), one, &Move::all(&to)).await;
    assert!(matches!(refusal(outcome), AppointmentRefusal::SlotTaken { .. }));
    assert_eq!(start_of(&house, &engine, one).await, minute(60));
}

#[tokio::test]
async fn one_that_is_refused_can_be_left_out_and_keeps_its_time() {
    let (house, engine) = an_open_house().await;
    let [one, other] = two(&house, &engine).await;
    book(&engine, &house.context(), minute(200)).await.unwrap();
    // The third wants what the second has after all.
    let third = book(&engine, &house.context(), minute(400)).await.unwrap().id;
    let to = [(one, minute(300)), (other, minute(210)), (third, minute(90))];
    let work = Move { best_effort: true, ..Move::all(&to) };
    engine.execute_unit(&house.context(), one, &work).await.unwrap();
    assert_eq!(start_of(&house, &engine, one).await, minute(300));
    assert_eq!(start_of(&house, &engine, other).await, minute(90));
    assert_eq!(start_of(&house, &engine, third).await, minute(400));
}

#[tokio::test]
async fn what_others_took_meanwhile_is_seen_when_all_is_decided_again() {
    let (house, engine) = an_open_house().await;
    let [one, other] = two(&house, &engine).await;
    let to = [(one, minute(300)), (other, minute(340))];
    let meanwhile = Some((&engine, &house, minute(330)));
    let work = Move { best_effort: true, meanwhile, ..Move::all(&to) };
    engine.execute_unit(&house.context(), one, &work).await.unwrap();
    assert_eq!(start_of(&house, &engine, one).await, minute(300));
    assert_eq!(start_of(&house, &engine, other).await, minute(90));
}

#[tokio::test]
async fn a_retry_is_answered_with_what_became_of_the_principal_then() {
    let (house, engine) = an_open_house().await;
    let [one, other] = two(&house, &engine).await;
    let context = house.with_key("k", 1);
    let to = [(other, minute(300)), (one, minute(340))];
    let moved = engine.execute_unit(&context, one, &Move::all(&to)).await.unwrap();
    engine.execute::<Appointment>(&house.context(), Target::Existing(one), cancel()).await.unwrap();
    let again = engine.execute_unit(&context, one, &Move::all(&to)).await.unwrap();
    assert_eq!((again.version, again.position), (moved.version, moved.position));
    assert_eq!(again.state, moved.state);
}

//! The waiting list: an offer and its hold are one.

use daybook_domain::time::OfferLength;
use daybook_domain::waiting::{
    EntryLimits, EntryState, Freed, Look, Opening, Status as Waiting, WaitingEntry, WaitingRefusal,
    Wishes,
};
use serde_json::json;

use super::*;
use crate::Position;
use crate::engine::OfferTerms;
use crate::testing::{claims_in_the_log, claims_in_the_table, minute, noon};

const TERMS: fn() -> OfferTerms =
    || OfferTerms { length: OfferLength::default(), holds_per_client: HoldLimit::default() };

/// Resource 1, on that afternoon and the day after.
fn wishes() -> Wishes {
    serde_json::from_value(json!({
        "service_id": uuid(SERVICE),
        "days": {"from": "2026-11-23", "to": "2026-11-24", "time_zone": "UTC"},
        "resource_ids": [uuid(1)],
    }))
    .unwrap()
}

async fn join(house: &House, engine: &Engine) -> Uuid {
    join_within(house, engine, EntryLimits::default()).await.unwrap().id
}

async fn join_within(
    house: &House,
    engine: &Engine,
    limits: EntryLimits,
) -> Result<Executed<WaitingEntry>, ExecuteError> {
    let client_id = uuid(CLIENT).into();
    engine.join_waiting_list(&house.context(), client_id, wishes(), limits).await
}

async fn places(house: &House, engine: &Engine) -> Vec<Opening> {
    engine.places_for(&house.tenant, &wishes(), &Look::Everywhere, house.clock.now()).await.unwrap()
}

async fn offer(
    house: &House,
    engine: &Engine,
    entry: Uuid,
    places: &[Opening],
) -> Result<Executed<WaitingEntry>, ExecuteError> {
    engine.offer_place(&house.context(), entry.into(), places, TERMS()).await
}

async fn state(house: &House, engine: &Engine, entry: Uuid) -> EntryState {
    let (entry, _) = engine.load::<WaitingEntry>(&house.tenant, entry).await.unwrap().unwrap();
    entry.joined().unwrap().state
}

async fn hold(house: &House, engine: &Engine, id: Uuid) -> Appointment {
    engine.load::<Appointment>(&house.tenant, id).await.unwrap().unwrap().0
}

fn waiting_refusal(outcome: Result<Executed<WaitingEntry>, ExecuteError>) -> WaitingRefusal {
    match outcome {
        Err(ExecuteError::Refused(Refusal::Waiting(refusal))) => refusal,
        other => panic!("not refused by the waiting list: {other:?}"),
    }
}

async fn is_consistent(house: &House, engine: &Engine) {
    let table = claims_in_the_table(&house.pool, &house.tenant).await;
    assert_eq!(table, claims_in_the_log(engine.log(), &house.tenant).await);
}

#[tokio::test]
async fn a_place_that_was_taken_since_it_was_seen_is_passed_over_for_the_next() {
    let (house, engine) = an_open_house().await;
    let entry = join(&house, &engine).await;
    let places = places(&house, &engine).await;
    assert_eq!(places[0].start, noon());
    book(&house.engine(), &house.context(), noon()).await.unwrap();
    let offered = offer(&house, &engine, entry, &places).await.unwrap();
    assert_eq!(offered.version, 2);
    let EntryState::Offered(offer) = state(&house, &engine, entry).await else {
        panic!("not offered")
    };
    assert_eq!((offer.start, offer.expires_at), (minute(30), minute(15)));
    let hold = hold(&house, &engine, offer.appointment_id.uuid()).await;
    let slot = &hold.details().unwrap().slot;
    assert_eq!(
        (slot.during.start(), slot.resource_ids.as_slice()),
        (minute(30), &[resource(1)][..])
    );
    is_consistent(&house, &engine).await;
}

#[tokio::test]
async fn where_no_place_is_left_nothing_is_offered_and_nothing_held() {
    let (house, engine) = an_open_house().await;
    let entry = join(&house, &engine).await;
    let seen = places(&house, &engine).await;
    book(&engine, &house.context(), noon()).await.unwrap();
    let before = claims_in_the_table(&house.pool, &house.tenant).await;
    let outcome = offer(&house, &engine, entry, &seen[..1]).await;
    assert!(matches!(
        outcome,
        Err(ExecuteError::Refused(Refusal::Appointment(AppointmentRefusal::SlotTaken { .. })))
    ));
    assert_eq!(waiting_refusal(offer(&house, &engine, entry, &[]).await), WaitingRefusal::NoOffer);
    assert_eq!(state(&house, &engine, entry).await, EntryState::Waiting);
    assert_eq!(claims_in_the_table(&house.pool, &house.tenant).await, before);
}

#[tokio::test]
async fn of_many_programs_that_offer_a_place_to_an_entry_one_does() {
    let (house, engine) = an_open_house().await;
    let entry = join(&house, &engine).await;
    let places = places(&house, &engine).await;
    let engines: Vec<Engine> = (0..4).map(|_| house.engine()).collect();
    let offers = engines.iter().map(|engine| offer(&house, engine, entry, &places));
    let outcomes = futures::future::join_all(offers).await;
    let (made, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for outcome in refused {
        assert_eq!(waiting_refusal(outcome), WaitingRefusal::OfferOpen);
    }
    // One place of the room, and one of the client's holds; and the entry's places in the list.
    assert_eq!(claims_in_the_table(&house.pool, &house.tenant).await.len(), 2 + 2);
    is_consistent(&house, &engine).await;
}

#[tokio::test]
async fn an_offer_is_settled_when_its_hold_has_ended_and_not_before() {
    let (house, engine) = an_open_house().await;
    let settle = |entry: Uuid| {
        let (house, engine) = (&house, &engine);
        async move { engine.settle_entry(&house.context(), entry.into()).await }
    };
    let lapses = join(&house, &engine).await;
    assert_eq!(waiting_refusal(settle(lapses).await), WaitingRefusal::WishesStand);
    offer(&house, &engine, lapses, &places(&house, &engine).await).await.unwrap();
    let taken = join(&house, &engine).await;
    let offered = offer(&house, &engine, taken, &places(&house, &engine).await).await.unwrap();
    assert_eq!(waiting_refusal(settle(taken).await), WaitingRefusal::OfferOpen);
    let id = offered.state.joined().unwrap().state.offer().unwrap().appointment_id.uuid();
    let confirm = AppointmentCommand::ConfirmAppointment;
    engine.execute::<Appointment>(&house.context(), Target::Existing(id), confirm).await.unwrap();
    let status = |executed: Executed<WaitingEntry>| executed.state.joined().unwrap().state.status();
    assert_eq!(status(settle(taken).await.unwrap()), Waiting::Taken);

    house.clock.set(minute(15));
    assert_eq!(status(settle(lapses).await.unwrap()), Waiting::Lapsed);
    let offer = state(&house, &engine, lapses).await.offer().unwrap();
    // Its end is recorded with it: whoever confirms at the last moment is before or after both.
    let hold = hold(&house, &engine, offer.appointment_id.uuid()).await;
    assert!(matches!(
        hold,
        Appointment::Made {
            state: daybook_domain::appointment::AppointmentState::Cancelled(_),
            ..
        }
    ));
    assert!(matches!(waiting_refusal(settle(lapses).await), WaitingRefusal::EntryClosed { .. }));
    is_consistent(&house, &engine).await;
}

#[tokio::test]
async fn whoever_leaves_gives_the_place_back_and_whoever_has_taken_it_does_not() {
    let (house, engine) = an_open_house().await;
    let leave = |entry: Uuid| {
        let (house, engine) = (&house, &engine);
        async move { engine.leave_waiting_list(&house.context(), entry.into()).await }
    };
    let entry = join(&house, &engine).await;
    offer(&house, &engine, entry, &places(&house, &engine).await).await.unwrap();
    let left = leave(entry).await.unwrap();
    assert_eq!((left.version, left.state.joined().unwrap().state), (3, EntryState::Left));
    assert_eq!(claims_in_the_table(&house.pool, &house.tenant).await, []);
    let entry = join(&house, &engine).await;
    let offered = offer(&house, &engine, entry, &places(&house, &engine).await).await.unwrap();
    let id = offered.state.joined().unwrap().state.offer().unwrap().appointment_id.uuid();
    let confirm = AppointmentCommand::ConfirmAppointment;
    engine.execute::<Appointment>(&house.context(), Target::Existing(id), confirm).await.unwrap();
    let closed = WaitingRefusal::EntryClosed { waiting_status: Waiting::Taken };
    assert_eq!(waiting_refusal(leave(entry).await), closed);
    // The room's, and those of the entry until it is recorded that the place was taken.
    assert_eq!(claims_in_the_table(&house.pool, &house.tenant).await.len(), 1 + 2);
    engine.settle_entry(&house.context(), entry.into()).await.unwrap();
    assert_eq!(claims_in_the_table(&house.pool, &house.tenant).await.len(), 1);
    is_consistent(&house, &engine).await;
}

#[tokio::test]
async fn of_a_day_on_which_the_client_has_enough_one_place_is_tried() {
    let (house, engine) = an_open_house().await;
    let limit_per_client_per_day = Some(1.try_into().unwrap()).into();
    let patch = TermsPatch { limit_per_client_per_day, ..TermsPatch::default() };
    let revise = ServiceCommand::ReviseService(patch);
    let service = Target::Existing(uuid(SERVICE));
    engine.execute::<Service>(&house.context(), service, revise).await.unwrap();
    book(&engine, &house.context(), minute(600)).await.unwrap();
    let entry = join(&house, &engine).await;
    let places = places(&house, &engine).await;
    let today = places.iter().filter(|place| place.date == noon().date_naive()).count();
    assert!(today > 32, "more than are tried");
    offer(&house, &engine, entry, &places).await.unwrap();
    let offer = state(&house, &engine, entry).await.offer().unwrap();
    assert_eq!(offer.start, minute(12 * 60), "the next midnight");
}

#[tokio::test]
async fn a_hold_that_lapses_after_a_look_began_is_in_its_way() {
    let (house, engine) = an_open_house().await;
    let command = AppointmentCommand::HoldAppointment {
        booking: booking(&[1], minute(60)),
        expires_at: minute(10),
        holds_per_client: HoldLimit::default(),
    };
    engine.execute::<Appointment>(&house.context(), Target::fresh(), command).await.unwrap();
    house.clock.set(minute(11));
    let starts = |now: DateTime<Utc>| {
        let (house, engine) = (&house, &engine);
        async move {
            let places =
                engine.places_for(&house.tenant, &wishes(), &Look::Everywhere, now).await.unwrap();
            places.iter().any(|place| place.start == minute(60))
        }
    };
    assert!(!starts(minute(9)).await);
    assert!(starts(minute(11)).await);
}

#[tokio::test]
async fn a_long_list_is_full_when_all_of_its_parts_are() {
    let (house, engine) = an_open_house().await;
    let limits =
        EntryLimits { per_client: 1_000.try_into().unwrap(), in_all: 1_001.try_into().unwrap() };
    // Whichever part they come to, the second has one place.
    for _ in 0..20 {
        join_within(&house, &engine, limits).await.unwrap();
    }
    let most_of_the_first = "
        INSERT INTO claims (tenant_id, appointment_id, resource_id, seat, during)
        SELECT c.tenant_id, gen_random_uuid(), c.resource_id, n, c.during
          FROM (SELECT * FROM claims WHERE resource_id = $1 LIMIT 1) AS c,
               generate_series(0, 998) AS n
        ON CONFLICT DO NOTHING";
    let first: Uuid = sqlx::query_scalar(
        "SELECT (c ->> 'of')::uuid FROM events, json_array_elements(payload -> 'counted') AS c
          WHERE c ->> 'at_most' = '1000' AND c ->> 'rule' = 'waiting-entries' LIMIT 1",
    )
    .fetch_one(&house.pool)
    .await
    .unwrap();
    sqlx::query(most_of_the_first).bind(first).execute(&house.pool).await.unwrap();
    join_within(&house, &engine, limits).await.unwrap();
    let full = WaitingRefusal::WaitingListFull { required: limits.in_all, found: 1_001 };
    assert_eq!(waiting_refusal(join_within(&house, &engine, limits).await), full);
}

#[tokio::test]
async fn what_has_become_available_by_very_many_events_is_not_read_but_may_be_anything() {
    let (house, engine) = an_open_house().await;
    let at = Position::from_i64;
    let freed = async |until| engine.freed(&house.tenant, at(100), at(until)).await.unwrap();
    assert_eq!(freed(20_100).await, Freed::default(), "there are no such events");
    assert_eq!(freed(20_101).await, Freed::anything());
}

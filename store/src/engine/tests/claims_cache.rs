//! The cached claims are those of the table, whatever happens meanwhile, and wherever.

use chrono::TimeDelta;
use daybook_domain::claim::Claim;
use daybook_domain::time::Interval;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::*;
use crate::testing::minute;

const ROOMS: [u128; 2] = [1, 2];

/// What an engine sees of both rooms in ten hours, in order.
async fn seen(house: &House, engine: &Engine) -> Vec<(u128, u16, Interval)> {
    let query = |_: &Catalogue, _| {
        let during = Interval::new(minute(0), minute(600)).unwrap();
        let resources = ROOMS.map(resource).to_vec();
        Ok::<_, ExecuteError>(AvailabilityQuery {
            resources,
            during,
            max_claims: 1_000,
            purpose: (),
        })
    };
    let snapshot = engine.availability_snapshot(&house.tenant, None, query).await.unwrap();
    let short = |claim: &Claim| (claim.resource.uuid().as_u128(), claim.seat, claim.during);
    let mut claims: Vec<_> = snapshot.claims.iter().flatten().map(short).collect();
    claims.sort_unstable_by_key(|(resource, seat, during)| (*resource, *seat, during.start()));
    claims
}

/// Something that may be refused.
async fn something(house: &House, engine: &Engine, made: &mut Vec<Uuid>, rng: &mut StdRng) {
    let context = house.context();
    let start = minute(rng.random_range(10..580));
    let rooms = [1, 2, 2][..rng.random_range(1..=2)].to_vec();
    let booking = booking(&rooms, start);
    let existing = made.get(rng.random_range(0..=made.len())).map(|id| Target::Existing(*id));
    let (target, command) = match (existing, rng.random_range(0..4)) {
        (Some(target), 0) => (target, cancel()),
        (Some(target), 1) => {
            let by = MovedBy::Staff;
            let (resource_ids, overriding) = (None, None);
            let command =
                AppointmentCommand::RescheduleAppointment { start, resource_ids, by, overriding };
            (target, command)
        }
        (_, 2) => {
            let expires_at = engine.clock().now() + TimeDelta::minutes(3);
            let holds_per_client = HoldLimit::try_from(1_000).unwrap();
            let command =
                AppointmentCommand::HoldAppointment { booking, expires_at, holds_per_client };
            (Target::fresh(), command)
        }
        _ => (Target::fresh(), AppointmentCommand::BookAppointment(booking)),
    };
    if engine.execute::<Appointment>(&context, target, command).await.is_ok() {
        made.push(target.id());
    }
}

#[tokio::test]
async fn the_cached_claims_are_those_of_the_table() {
    let (house, engine) = an_open_house().await;
    let other = house.engine();
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut made = Vec::new();
    for n in 0..150 {
        something(&house, &engine, &mut made, &mut rng).await;
        if n % 10 == 0 {
            // Some holds lapse.
            house.clock.set(minute(-300 + n));
        }
        // One that has seen nothing before reads the table.
        let expected = seen(&house, &house.engine()).await;
        assert_eq!(seen(&house, &other).await, expected, "after {n} of seed {seed}");
        if n % 3 == 0 {
            assert_eq!(seen(&house, &engine).await, expected, "after {n} of seed {seed}");
        }
    }
    assert!(!seen(&house, &other).await.is_empty());
}

#[tokio::test]
async fn a_cache_that_is_far_behind_gives_way_to_the_table() {
    let (house, engine) = an_open_house().await;
    let behind = house.engine();
    assert!(seen(&house, &behind).await.is_empty());
    let booked = book(&engine, &house.context(), minute(60)).await.unwrap();
    for n in 0..250 {
        let tags = Tags::default();
        let category = Some(Category::new(&format!("c{n}")).unwrap());
        let command = AppointmentCommand::TagAppointment { category, tags: Some(tags) };
        let target = Target::Existing(booked.id);
        engine.execute::<Appointment>(&house.context(), target, command).await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(seen(&house, &behind).await.len(), 1);
    }
}

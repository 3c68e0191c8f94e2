//! Places of a resource.

use super::*;

fn with_places(places: u16, claims: &[(u128, &Claim)]) -> Facts {
    let mut facts = world(terms(), &[1], claims);
    let capacity = Capacity::try_from(places).unwrap();
    let profile = ResourceProfile { capacity, ..doctor("Cy") };
    facts.resources[0].1 = Arc::new(Resource::Active(profile));
    facts
}

#[test]
fn an_appointment_has_the_first_place_that_is_free() {
    let slot = |facts: &Facts| slot(book(facts, &[1]));
    assert_eq!(slot(&with_places(3, &[])).seats.of(0), 0);
    let one = (7, &claim(1, 0, TEN, END));
    assert_eq!(slot(&with_places(3, &[one])).seats.of(0), 1);
    let claims = slot(&with_places(3, &[one])).claims(None);
    assert_eq!((claims[0].resource, claims[0].seat), (resource(1), 1));
}

#[test]
fn when_all_places_are_taken_it_is_told_which_is_free_first() {
    let long = claim(1, 0, TEN, "2026-11-23T11:00:00Z");
    let short = claim(1, 1, "2026-11-23T08:30:00Z", "2026-11-23T09:05:00Z");
    book(&with_places(2, &[(7, &long), (8, &short)]), &[1])
        .then_refused(R::SlotTaken { resource_id: resource(1), during: short.during });
}

#[test]
fn a_decision_that_lost_a_race_skips_free_places() {
    let mut facts = with_places(3, &[(7, &claim(1, 1, TEN, END))]);
    for (skip, seat) in [(0, 0), (1, 2), (2, 0)] {
        facts.skip = skip;
        assert_eq!(slot(book(&facts, &[1])).seats.of(0), seat);
    }
}

#[test]
fn where_there_is_nothing_to_choose_no_claims_are_queried() {
    let command = C::BookAppointment(booking(&[1]));
    assert!(nothing(&with_places(1, &[])).claim_queries(&command).is_empty());
    assert!(Appointment::default().conflict_is_final(&command, &[]));
    let queries = nothing(&with_places(2, &[])).claim_queries(&command);
    assert_eq!(queries.len(), 1);
    assert_eq!((queries[0].resource, queries[0].during), (resource(1), taken(1).during));
}

#[test]
fn a_moved_appointment_has_a_place_that_is_free_then() {
    let start = at("2026-11-23T10:00:00Z");
    let there = claim(1, 0, "2026-11-23T10:00:00Z", "2026-11-23T10:30:00Z");
    let appointment = book(&with_places(2, &[]), &[1]).and();
    let moved = appointment.knowing(&with_places(2, &[(7, &there)])).when(to(start, None));
    assert_eq!(slot(moved).seats.of(0), 1);
}

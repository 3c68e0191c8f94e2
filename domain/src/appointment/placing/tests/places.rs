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
    let slot = |facts: &Facts| booked(facts, &[1]).unwrap().slot;
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
    let refusal = booked(&with_places(2, &[(7, &long), (8, &short)]), &[1]).unwrap_err();
    assert_eq!(refusal, R::SlotTaken { resource_id: resource(1), during: short.during });
}

#[test]
fn who_has_lost_a_race_passes_free_places_over() {
    let mut facts = with_places(3, &[(7, &claim(1, 1, TEN, END))]);
    for (skip, seat) in [(0, 0), (1, 2), (2, 0)] {
        facts.skip = skip;
        assert_eq!(booked(&facts, &[1]).unwrap().slot.seats.of(0), seat);
    }
}

#[test]
fn where_there_is_nothing_to_choose_nothing_is_looked_at() {
    let command = C::BookAppointment(booking(&[1]));
    let unmade = Appointment::default();
    assert!(unmade.claim_queries(&command, &with_places(1, &[])).is_empty());
    assert!(unmade.conflict_is_final(&command, &[]));
    let queries = unmade.claim_queries(&command, &with_places(2, &[]));
    assert_eq!(queries.len(), 1);
    assert_eq!((queries[0].resource, queries[0].during), (resource(1), taken(1).during));
}

#[test]
fn a_moved_appointment_has_a_place_that_is_free_then() {
    let appointment = after(vec![C::BookAppointment(booking(&[1]))]);
    let start = at("2026-11-23T10:00:00Z");
    let there = claim(1, 0, "2026-11-23T10:00:00Z", "2026-11-23T10:30:00Z");
    let command = to(start, None);
    let moved = appointment.decide(command, &with_places(2, &[(7, &there)])).unwrap();
    assert_eq!(moved.claims_after().unwrap()[0].seat, 1);
}

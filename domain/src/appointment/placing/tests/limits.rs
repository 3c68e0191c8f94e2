//! Limits by numbered places.

use super::*;

fn a_day(most: u16) -> ServiceTerms {
    ServiceTerms { limit_per_client_per_day: Some(most.try_into().unwrap()), ..terms() }
}

fn counted(slot: &Slot, rule: CountedRule) -> Vec<Claim> {
    let of: Vec<_> = slot.counted.iter().filter(|one| one.rule == rule).map(|one| one.of).collect();
    slot.claims(None).into_iter().filter(|claim| of.contains(&claim.resource)).collect()
}

#[test]
fn an_appointment_takes_one_of_the_numbered_places_of_the_day() {
    let first = booked(&world(a_day(2), &[1], &[]), &[1]).unwrap().slot;
    let place = counted(&first, CountedRule::ClientDay);
    assert_eq!((place.len(), place[0].seat), (1, 0));
    let second = booked(&world(a_day(2), &[1], &[(7, &place[0])]), &[1]).unwrap().slot;
    let other = counted(&second, CountedRule::ClientDay);
    assert_eq!((other[0].resource, other[0].seat), (place[0].resource, 1));
    let both = [(7, &place[0]), (8, &other[0])];
    let R::ClientDayLimit { date, required, found, .. } =
        booked(&world(a_day(2), &[1], &both), &[1]).unwrap_err()
    else {
        panic!("another refusal")
    };
    assert_eq!((date.to_string().as_str(), required, found), ("2026-11-23", 2, 2));
}

#[test]
fn a_day_is_the_local_day_of_the_first_resource() {
    let place = |start: &str, zone: chrono_tz::Tz| {
        let mut facts = world(a_day(1), &[1], &[]);
        let always = serde_json::from_str(
            r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"00:00","to":"24:00"}]"#,
        );
        let opening_hours = WeeklyHours::into(always.unwrap());
        let profile = ResourceProfile { time_zone: zone, opening_hours, ..doctor("Cy") };
        facts.resources[0].1 = Arc::new(Resource::Active(profile));
        let booking = Booking { resource_ids: Some(ids(&[1])), ..a_booking(start) };
        let event = Appointment::default().decide(C::BookAppointment(booking), &facts);
        event.unwrap().claims_after().unwrap()[1]
    };
    let oslo = chrono_tz::Tz::Europe__Oslo;
    // 23:30 in UTC is half past midnight of the next day in Oslo.
    let late = "2026-11-23T23:30:00Z";
    assert_ne!(place(TEN, oslo).resource, place(late, oslo).resource);
    assert_eq!(place(TEN, oslo), place(late, chrono_tz::Tz::UTC));
    assert_eq!(place(late, oslo), place("2026-11-24T09:00:00Z", chrono_tz::Tz::Pacific__Apia));
}

fn hold(expires_at: &str) -> C {
    let holds_per_client = HoldLimit::try_from(2).unwrap();
    C::HoldAppointment { booking: booking(&[1]), expires_at: at(expires_at), holds_per_client }
}

fn held(facts: &Facts) -> Result<Vec<Claim>, R> {
    let event = Appointment::default().decide(hold("2026-11-23T07:10:00Z"), facts)?;
    Ok(event.claims_after().unwrap())
}

#[test]
fn a_client_holds_no_more_at_once_than_so_many() {
    let nothing = world(terms(), &[1], &[]);
    let first = held(&nothing).unwrap()[1];
    assert_eq!(
        (first.during.start(), first.during.end()),
        (nothing.now, at("2026-11-23T07:10:00Z"))
    );
    assert_eq!(first.expires_at, Some(at("2026-11-23T07:10:00Z")));
    let second = held(&world(terms(), &[1], &[(7, &first)])).unwrap()[1];
    assert_eq!((first.seat, second.seat), (0, 1));
    let mut full = world(terms(), &[1], &[(7, &first), (8, &second)]);
    assert!(matches!(held(&full), Err(R::ClientHoldLimit { required: 2, found: 2, .. })));
    // When they have lapsed, recorded or not, the client can hold again.
    full.now = at("2026-11-23T07:10:00Z");
    full.claims = ClaimSnapshot::at(
        full.now,
        [first, second]
            .map(|claim| Claimed { claim, holder: AppointmentId::from(uuid::Uuid::nil()) }),
    );
    assert!(Appointment::default().decide(hold("2026-11-23T07:20:00Z"), &full).is_ok());
}

#[test]
fn what_is_confirmed_no_longer_counts_as_a_hold_and_goes_on_counting_for_its_day() {
    let facts = world(a_day(1), &[1], &[]);
    let mut appointment = Appointment::default();
    let event = appointment.decide(hold("2026-11-23T07:10:00Z"), &facts).unwrap();
    assert_eq!(event.claims_after().unwrap().len(), 3);
    appointment.evolve(event);
    let confirmed = appointment.decide(C::ConfirmAppointment, &facts).unwrap();
    let claims = confirmed.claims_after().unwrap();
    assert_eq!(claims.len(), 2);
    assert!(claims.iter().all(|claim| claim.expires_at.is_none()));
    appointment.evolve(confirmed);
    let start = at("2026-11-23T10:00:00Z");
    let command = to(start, None);
    let moved = appointment.decide(command, &facts).unwrap();
    assert_eq!(moved.claims_after().unwrap().len(), 2, "nor when it moves");
    assert!(!appointment.conflict_is_final(&C::ConfirmAppointment, &[]));
}

#[test]
fn a_moved_hold_counts_as_the_hold_that_it_was_and_for_its_new_day() {
    let facts = world(a_day(1), &[1], &[]);
    let mut appointment = Appointment::default();
    let event = appointment.decide(hold("2026-11-23T07:10:00Z"), &facts).unwrap();
    let before = event.claims_after().unwrap();
    appointment.evolve(event);
    let start = at("2026-11-24T09:00:00Z");
    let command = to(start, None);
    let after = appointment.decide(command, &facts).unwrap().claims_after().unwrap();
    assert!(after.contains(&before[2]), "the hold");
    assert!(!after.contains(&before[1]) && after.len() == 3, "the day");
}

#[test]
fn a_hold_that_would_have_lapsed_is_not_made() {
    let facts = world(terms(), &[1], &[]);
    let expired_at = facts.now;
    let refusal = Appointment::default().decide(hold(&expired_at.to_rfc3339()), &facts);
    assert_eq!(refusal, Err(R::HoldExpired { expired_at }));
}

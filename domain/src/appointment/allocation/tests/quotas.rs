//! Quotas by numbered slots.

use super::*;

fn a_day(most: u16) -> ServiceTerms {
    ServiceTerms { limit_per_client_per_day: Some(most.try_into().unwrap()), ..terms() }
}

fn quota_slots(slot: &Slot, rule: QuotaRule) -> Vec<Claim> {
    let of: Vec<_> =
        slot.quota_slots.iter().filter(|one| one.rule == rule).map(|one| one.of).collect();
    slot.claims(None).into_iter().filter(|claim| of.contains(&claim.resource)).collect()
}

#[test]
fn an_appointment_takes_one_of_the_numbered_places_of_the_day() {
    let first = slot(book(&world(a_day(2), &[1], &[]), &[1]));
    let place = quota_slots(&first, QuotaRule::ClientDay);
    assert_eq!((place.len(), place[0].seat), (1, 0));
    let second = slot(book(&world(a_day(2), &[1], &[(7, &place[0])]), &[1]));
    let other = quota_slots(&second, QuotaRule::ClientDay);
    assert_eq!((other[0].resource, other[0].seat), (place[0].resource, 1));
    let both = [(7, &place[0]), (8, &other[0])];
    let R::ClientDayLimit { date, required, found, .. } =
        book(&world(a_day(2), &[1], &both), &[1]).refusal()
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
        let event = nothing(&facts).when(C::BookAppointment(booking)).event();
        event.claims_after().unwrap()[1]
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

fn held(facts: &Facts) -> Decided<Appointment> {
    nothing(facts).when(hold("2026-11-23T07:10:00Z"))
}

fn claims(decided: &Decided<Appointment>) -> Vec<Claim> {
    decided.event().claims_after().unwrap()
}

#[test]
fn a_client_holds_no_more_at_once_than_so_many() {
    let nothing = world(terms(), &[1], &[]);
    let first = claims(&held(&nothing))[1];
    assert_eq!(
        (first.during.start(), first.during.end()),
        (nothing.now, at("2026-11-23T07:10:00Z"))
    );
    assert_eq!(first.expires_at, Some(at("2026-11-23T07:10:00Z")));
    let second = claims(&held(&world(terms(), &[1], &[(7, &first)])))[1];
    assert_eq!((first.seat, second.seat), (0, 1));
    let mut full = world(terms(), &[1], &[(7, &first), (8, &second)]);
    let refusal = held(&full).refusal();
    assert!(matches!(refusal, R::ClientHoldLimit { required: 2, found: 2, .. }), "{refusal:?}");
    // When they have lapsed, recorded or not, the client can hold again.
    full.now = at("2026-11-23T07:10:00Z");
    full.claims = ClaimSnapshot::at(
        full.now,
        [first, second]
            .map(|claim| Claimed { claim, holder: AppointmentId::from(uuid::Uuid::nil()) }),
    );
    super::nothing(&full).when(hold("2026-11-23T07:20:00Z")).and();
}

#[test]
fn what_is_confirmed_no_longer_counts_as_a_hold_and_goes_on_counting_for_its_day() {
    let facts = world(a_day(1), &[1], &[]);
    let held = held(&facts);
    assert_eq!(claims(&held).len(), 3);
    let confirmed = held.and().when(C::ConfirmAppointment);
    let booked = claims(&confirmed);
    assert_eq!(booked.len(), 2);
    assert!(booked.iter().all(|claim| claim.expires_at.is_none()));
    let moved = confirmed.and().when(to(at("2026-11-23T10:00:00Z"), None));
    assert_eq!(claims(&moved).len(), 2, "nor when it moves");
    assert!(!moved.and().state().conflict_is_final(&C::ConfirmAppointment, &[]));
}

#[test]
fn a_moved_hold_counts_as_the_hold_that_it_was_and_for_its_new_day() {
    let facts = world(a_day(1), &[1], &[]);
    let held = held(&facts);
    let before = claims(&held);
    let after = claims(&held.and().when(to(at("2026-11-24T09:00:00Z"), None)));
    assert!(after.contains(&before[2]), "the hold");
    assert!(!after.contains(&before[1]) && after.len() == 3, "the day");
}

#[test]
fn a_hold_that_would_have_lapsed_is_not_made() {
    let facts = world(terms(), &[1], &[]);
    let expired_at = facts.now;
    nothing(&facts)
        .when(hold(&expired_at.to_rfc3339()))
        .then_refused(R::HoldExpired { expired_at });
}

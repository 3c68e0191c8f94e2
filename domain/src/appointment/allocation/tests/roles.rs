//! Roles, and who is chosen for them.

use super::*;

#[test]
fn the_first_that_is_free_is_chosen_by_name() {
    let terms = || terms_with(DOCTOR_AND_ROOM, Choose::FirstFree);
    assert_eq!(on(&world(terms(), &[], &[]), &[]), ids(&[2, 9]));
    assert_eq!(on(&world(terms(), &[], &[(7, &taken(2))]), &[]), ids(&[3, 9]));
}

#[test]
fn a_role_that_lists_resources_prefers_them_in_that_order() {
    let among = |n: u128| format!(r#""{}""#, resource(n));
    let needs = format!(r#"[{{"role":"practitioner","among":[{},{}]}}]"#, among(3), among(2));
    let terms = || terms_with(&needs, Choose::FirstFree);
    assert_eq!(on(&world(terms(), &[], &[]), &[]), ids(&[3]));
    assert_eq!(on(&world(terms(), &[], &[(7, &taken(3))]), &[]), ids(&[2]));
}

#[test]
fn the_least_booked_of_the_days_up_to_that_one_is_chosen() {
    let terms = || terms_with(DOCTOR, Choose::LeastBooked);
    let hour = claim(2, 0, "2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z");
    let half = claim(3, 0, "2026-11-23T12:00:00Z", "2026-11-23T12:30:00Z");
    let whole = claim(1, 0, "2026-11-23T12:00:00Z", "2026-11-23T15:00:00Z");
    let claims = [(4, &hour), (5, &half), (6, &whole)];
    assert_eq!(on(&world(terms(), &[], &claims), &[]), ids(&[3]));
    // What is on a later day does not count, nor what is longer ago.
    let tomorrow = claim(3, 0, "2026-11-24T08:00:00Z", "2026-11-24T15:00:00Z");
    let a_week_ago = claim(3, 0, "2026-11-16T08:00:00Z", "2026-11-16T15:00:00Z");
    let claims = [(4, &hour), (5, &half), (6, &whole), (7, &tomorrow), (8, &a_week_ago)];
    assert_eq!(on(&world(terms(), &[], &claims), &[]), ids(&[3]));
    let six_days_ago = claim(3, 0, "2026-11-17T08:00:00Z", "2026-11-17T15:00:00Z");
    let claims = [(4, &hour), (5, &half), (6, &whole), (7, &six_days_ago)];
    assert_eq!(on(&world(terms(), &[], &claims), &[]), ids(&[2]));
    let by_the_day =
        Facts { least_booked_days: 1.try_into().unwrap(), ..world(terms(), &[], &claims) };
    assert_eq!(on(&by_the_day, &[]), ids(&[3]));
}

#[test]
fn of_those_who_are_booked_as_little_the_one_who_had_a_turn_longest_ago_is_chosen() {
    let lunch = |n, day| {
        let at = |hour| format!("2026-11-{day}T{hour}:00:00Z");
        claim(n, 0, &at(12), &at(13))
    };
    let (one, two, three) = (lunch(1, 21), lunch(2, 20), lunch(3, 22));
    // Made in the order 3, 1, 2.
    let claims = [(10, &three), (11, &one), (12, &two)];
    let facts = world(terms_with(DOCTOR, Choose::LeastBooked), &[], &claims);
    assert_eq!(on(&facts, &[]), ids(&[3]));
}

#[test]
fn who_has_many_to_choose_from_looks_at_fewer_days() {
    let doctors: Vec<_> = (1..=2_000).map(|n| (n, doctor("Al"))).collect();
    let named = |count: usize| Facts {
        directory: directory(&doctors[..count]),
        ..world(terms_with(DOCTOR, Choose::LeastBooked), &[], &[])
    };
    let days = |count: usize| {
        let queries = nothing(&named(count)).claim_queries(&C::BookAppointment(booking(&[])));
        let total: i64 = queries.iter().map(|query| query.during.length().num_hours()).sum();
        total / 24
    };
    assert_eq!(days(3), 3 * 7);
    assert_eq!(days(250), 250 * 7);
    assert_eq!(days(500), 500 * 4);
    assert_eq!(days(2_000), 1_000 * 2);
}

#[test]
fn each_has_a_turn_and_the_first_of_the_day_is_another_each_day() {
    let terms = || terms_with(DOCTOR, Choose::RoundRobin);
    let lunch = |n| claim(n, 0, "2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z");
    let (one, two, three) = (lunch(1), lunch(2), lunch(3));
    // Made in the order 2, 3, 1.
    let claims = [(10, &two), (11, &three), (12, &one)];
    assert_eq!(on(&world(terms(), &[], &claims), &[]), ids(&[2]));
    let firsts: std::collections::BTreeSet<ResourceId> = (23..26)
        .map(|day| {
            let booking =
                Booking { resource_ids: None, ..a_booking(&format!("2026-11-{day}T09:00:00Z")) };
            let decided = nothing(&world(terms(), &[], &[])).when(C::BookAppointment(booking));
            slot(decided).resource_ids.as_slice()[0]
        })
        .collect();
    assert_eq!(firsts.len(), 3);
}

#[test]
fn what_is_named_stays_and_the_rest_is_chosen() {
    let terms = || terms_with(DOCTOR_AND_ROOM, Choose::FirstFree);
    assert_eq!(on(&world(terms(), &[1], &[]), &[1]), ids(&[1, 9]));
    assert_eq!(on(&world(terms(), &[9], &[]), &[9]), ids(&[9, 2]));
    assert_eq!(on(&world(terms(), &[9, 3], &[]), &[9, 3]), ids(&[9, 3]));
}

#[test]
fn what_is_named_and_fills_no_role_is_refused_with_the_roles_that_are_left() {
    let facts = world(terms_with(DOCTOR_AND_ROOM, Choose::FirstFree), &[1, 3], &[]);
    let R::UnfitResource { resource_id, roles } = book(&facts, &[1, 3]).refusal() else {
        panic!("another refusal")
    };
    assert_eq!(resource_id, resource(3));
    assert_eq!(roles.iter().map(crate::RoleName::as_str).collect::<Vec<_>>(), ["room"]);
}

#[test]
fn a_role_for_which_there_are_too_few_is_named() {
    let needs = r#"[{"role":"practitioner","kind":"staff"},
                    {"role":"scanner","kind":"equipment","count":2}]"#;
    let role = crate::RoleName::new("scanner").unwrap();
    book(&world(terms_with(needs, Choose::FirstFree), &[], &[]), &[])
        .then_refused(R::RoleUnfilled { role, required: 2, found: 0 });
}

#[test]
fn who_is_closed_cannot_fill_a_role() {
    let mut facts = world(terms_with(DOCTOR, Choose::FirstFree), &[], &[]);
    let closed = ResourceProfile { opening_hours: OpeningHours::default(), ..doctor("Al") };
    facts.directory = directory(&[(1, closed), (2, doctor("Bo"))]);
    assert_eq!(on(&facts, &[]), ids(&[2]));
}

#[test]
fn a_role_of_which_nobody_is_free_is_named_with_the_time() {
    let terms = terms_with(DOCTOR_AND_ROOM, Choose::FirstFree);
    let role = crate::RoleName::new("room").unwrap();
    let during = taken(9).during;
    book(&world(terms, &[], &[(7, &taken(9))]), &[]).then_refused(R::RoleTaken {
        role,
        required: 1,
        found: 0,
        during,
    });
}

#[test]
fn a_service_without_roles_needs_a_resource_to_be_named() {
    book(&world(terms(), &[], &[]), &[]).then_refused(R::NoResources);
}

/// Both doctors are open around the clock, in Oslo and half an hour ahead of UTC's hours.
fn on_the_hour(override_: bool) -> Details {
    let rules = serde_json::from_str(r#"{"slot_step_minutes":60}"#).unwrap();
    let terms = ServiceTerms { rules, ..terms_with(DOCTOR, Choose::FirstFree) };
    let mut facts = world(terms, &[], &[]);
    let always: WeeklyHours = serde_json::from_str(
        r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"00:00","to":"24:00"}]"#,
    )
    .unwrap();
    let in_zone = |name: &str, time_zone| ResourceProfile {
        time_zone,
        opening_hours: always.clone().into(),
        ..doctor(name)
    };
    let half = in_zone("Al", chrono_tz::Tz::Asia__Kolkata);
    let mut known = vec![(1, half)];
    if !override_ {
        known.push((2, in_zone("Bo", chrono_tz::Tz::Europe__Oslo)));
    }
    facts.directory = directory(&known);
    let overriding =
        override_.then(|| crate::Personal::new(crate::Reason::new("By phone").unwrap()));
    let booking = Booking { overriding, ..booking(&[]) };
    nothing(&facts).when(C::BookAppointment(booking)).and().state().details().unwrap().clone()
}

#[test]
fn who_is_where_the_rules_do_not_allow_it_is_not_chosen() {
    assert_eq!(on_the_hour(false).slot.resource_ids, ids(&[2]));
}

#[test]
fn where_rules_are_overridden_whoever_is_open_is_chosen_and_the_rule_is_named() {
    let details = on_the_hour(true);
    assert_eq!(details.slot.resource_ids, ids(&[1]));
    let rules = details.overridden.unwrap().rules;
    assert_eq!(rules, [crate::service::rules::Rule::StartGrid].into());
}

#[test]
fn where_nobody_can_be_chosen_because_of_a_rule_the_rule_is_the_refusal() {
    let rules = serde_json::from_str(r#"{"slot_step_minutes":60,"slot_offset_minutes":30}"#);
    let terms = ServiceTerms { rules: rules.unwrap(), ..terms_with(DOCTOR, Choose::FirstFree) };
    let refusal = book(&world(terms, &[], &[]), &[]).refusal();
    let R::RuleBroken(broken) = refusal else { panic!("another refusal: {refusal:?}") };
    assert_eq!(broken.rule(), crate::service::rules::Rule::StartGrid);
}

#[test]
fn only_where_a_role_is_left_is_the_directory_needed() {
    let facts = world(terms_with(DOCTOR_AND_ROOM, Choose::FirstFree), &[], &[]);
    for (named, chooses) in [(&[][..], true), (&[1], true), (&[1, 9], false)] {
        let command = C::BookAppointment(booking(named));
        assert_eq!(Appointment::default().chooses(&command, &facts), chooses, "{named:?}");
    }
}

#[test]
fn a_move_can_have_its_resources_chosen_as_a_booking_has() {
    let terms = || terms_with(DOCTOR_AND_ROOM, Choose::FirstFree);
    let appointment = book(&world(terms(), &[1], &[]), &[1]).and();
    let moved = C::RescheduleAppointment {
        start: at("2026-11-23T10:00:00Z"),
        resource_ids: Some(NewResources::Chosen),
        by: MovedBy::Client,
        overriding: None,
    };
    assert_eq!(appointment.state().needs(&moved).resources, []);
    let at_that_time = claim(2, 0, "2026-11-23T10:00:00Z", "2026-11-23T10:30:00Z");
    let facts = world(terms(), &[], &[(7, &at_that_time)]);
    assert_eq!(slot(appointment.knowing(&facts).when(moved)).resource_ids, ids(&[3, 9]));
}

#[test]
fn new_resources_of_a_move_fill_the_roles_too() {
    let terms = || terms_with(DOCTOR_AND_ROOM, Choose::FirstFree);
    let appointment = book(&world(terms(), &[], &[]), &[]).and();
    let start = at("2026-11-23T10:00:00Z");
    let moved = |named: &[u128]| {
        let facts = world(terms(), named, &[]);
        appointment.clone().knowing(&facts).when(to(start, Some(ids(named))))
    };
    assert_eq!(slot(moved(&[1])).resource_ids, ids(&[1, 9]));
    assert!(matches!(moved(&[1, 2]).refusal(), R::UnfitResource { .. }));
}

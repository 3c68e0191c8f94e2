//! What is no series, and no change of one.

use serde_json::json;

use super::{a_series, act, book, booked, ids, instant, local, with};
use crate::harness::{Server, a_practice};

#[test]
fn a_rule_that_is_none_is_refused_by_what_is_wrong_with_it() {
    let practice = a_practice();
    for (rule, why) in [
        ("every monday", "not-a-rule"),
        ("FREQ=WEEKLY", "endless"),
        ("FREQ=SECONDLY;COUNT=5", "too-frequent"),
        ("FREQ=WEEKLY;COUNT=2;UNTIL=20990101", "ends-twice"),
        ("FREQ=WEEKLY;COUNT=0", "bad-value"),
        ("FREQ=WEEKLY;COUNT=2;BYDAY=XX", "bad-value"),
        ("FREQ=WEEKLY;COUNT=2;BYDAY=1MO", "out-of-place"),
        ("FREQ=WEEKLY;COUNT=2;RDATE=20270101", "unknown-part"),
        ("COUNT=2", "no-frequency"),
        ("FREQ=WEEKLY;COUNT=2;COUNT=3", "repeated-part"),
    ] {
        let problem = book(&practice, &a_series(&practice, &local(0, "09:00"), rule));
        let problem = problem.is_refused(422, "invalid-rrule");
        assert_eq!(problem["why"], why, "{rule}: {problem}");
    }
}

#[test]
fn a_rule_that_does_not_begin_where_the_series_does_is_refused() {
    let practice = a_practice();
    for rule in [
        "FREQ=WEEKLY;BYDAY=TU;COUNT=3",
        // It has no occurrences at all, and is not looked for long.
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=3",
    ] {
        let refused = book(&practice, &a_series(&practice, &local(0, "09:00"), rule));
        assert_eq!(refused.is_refused(422, "start-not-in-rule")["dtstart"], local(0, "09:00"));
    }
}

#[test]
fn what_is_left_out_must_be_an_occurrence_and_not_be_all() {
    let practice = a_practice();
    let body = || a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=2");
    let unknown = book(&practice, &with(body(), "exdates", json!([local(1, "09:30")])));
    assert_eq!(unknown.is_refused(422, "unknown-exdate")["exdate"], local(1, "09:30"));
    let all = json!([local(0, "09:00"), local(1, "09:00")]);
    book(&practice, &with(body(), "exdates", all)).is_refused(422, "no-occurrences");
    let long = a_series(&practice, "2198-01-01T09:00", "FREQ=YEARLY;COUNT=3");
    book(&practice, &long).is_refused(422, "out-of-calendar");
}

#[test]
fn a_body_with_something_else_in_it_is_no_series() {
    let practice = a_practice();
    let body = || a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=2");
    for (member, value) in [
        ("dtstart", json!("2027-01-04T09:00:00Z")),
        ("dtstart", json!("2027-01-04")),
        ("time_zone", json!("Mars/Olympus")),
        ("mode", json!("some")),
        ("exdates", json!(["soon"])),
        ("exdates", json!(vec!["2027-01-01"; 367])),
        ("rrule", json!("FREQ=DAILY;COUNT=2;".repeat(30))),
        ("rrule", json!("")),
        ("ttl_minutes", json!(5)),
    ] {
        book(&practice, &with(body(), member, value.clone())).is_refused(422, "invalid-body");
    }
}

#[test]
fn a_series_of_which_none_can_be_booked_is_refused_with_all_reasons() {
    let practice = a_practice();
    practice.booked(instant(0, "09:00"));
    practice.booked(instant(1, "09:15"));
    let body = a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=2");
    let refused = book(&practice, &with(body, "mode", "best-effort"));
    let problem = refused.is_refused(409, "none-booked");
    assert_eq!(ids(&problem["refused"]), [local(0, "09:00"), local(1, "09:00")]);
    for one in problem["refused"].as_array().unwrap() {
        assert_eq!(one["problem"]["type"], "urn:daybook:problem:slot-taken", "{one}");
    }
    practice.is_whole();
}

#[test]
fn every_rule_of_the_service_holds_for_every_occurrence() {
    let practice = a_practice();
    let service = practice.a_service(&json!({"rules": {
        "booking_horizon_days": 40, "slot_step_minutes": 60,
    }}));
    let asked = |start: &str| {
        let body = a_series(&practice, &local(0, start), "FREQ=WEEKLY;COUNT=4");
        with(body, "service_id", service.clone())
    };
    let far = book(&practice, &asked("09:00")).is_refused(422, "booking-horizon");
    let weeks: Vec<_> = (0..4).map(|week| local(7 * week, "09:00")).collect();
    assert!(weeks[1..].iter().any(|id| far["recurrence_id"] == **id), "{far}");
    book(&practice, &asked("09:30")).is_refused(422, "start-grid");
    let staff = with(asked("09:30"), "override", json!({"reason": "a course"}));
    booked(&practice, &staff);
    let key = Server::shared().database.key(&practice.tenant, "book");
    let client = practice.api.with_key(Some(&key));
    client.post("/v1/series", &staff).send().is_refused(403, "insufficient-scope");
    practice.is_whole();
}

#[test]
fn a_change_names_what_it_is_for() {
    let practice = a_practice();
    let body = a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=2");
    let series = booked(&practice, &body);
    let unknown = json!({"scope": "this", "recurrence_id": local(5, "09:00")});
    let refused = act(&practice, &series, "cancel", &unknown);
    assert_eq!(refused.is_refused(422, "unknown-occurrence")["recurrence_id"], local(5, "09:00"));
    for body in [
        json!({}),
        json!({"scope": "some"}),
        json!({"scope": "this"}),
        json!({"scope": "following"}),
        json!({"scope": "all", "recurrence_id": local(0, "09:00")}),
    ] {
        act(&practice, &series, "cancel", &body).is_refused(422, "invalid-body");
        let moved = with(body, "shift_days", 1);
        act(&practice, &series, "reschedule", &moved).is_refused(422, "invalid-body");
    }
    for body in [
        json!({"scope": "all"}),
        json!({"scope": "all", "shift_days": 0}),
        json!({"scope": "all", "shift_days": 367}),
        json!({"scope": "all", "time": "25:00"}),
    ] {
        act(&practice, &series, "reschedule", &body).is_refused(422, "invalid-body");
    }
    let nobody = json!({"id": practice.client});
    act(&practice, &nobody, "cancel", &json!({"scope": "all"})).is_refused(404, "not-found");
    let moved = json!({"scope": "all", "shift_days": 1});
    act(&practice, &nobody, "reschedule", &moved).is_refused(404, "not-found");
    practice.api.get(&format!("/v1/series/{}", practice.room)).send().is_refused(404, "not-found");
}

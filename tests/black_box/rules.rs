//! The rules of a service, at their boundaries, and staff who override them.

use std::thread;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Answer, Api, Booking, Practice, Server, a_practice, monday, utc};

/// All rules at once, none of which is against half an hour on the Monday at ten.
fn lenient() -> Value {
    json!({
        "durations": [{"minutes": 60, "price": {"amount_minor": 80000, "currency": "NOK"}}],
        "slot_step_minutes": 15, "slot_offset_minutes": 0, "minimum_notice_minutes": 60,
        "booking_horizon_days": 60, "rescheduling_window_minutes": 60,
        "cancellation_window_minutes": 120,
    })
}

/// A booking of a new service with these rules.
fn under<'a>(practice: &'a Practice, rules: &Value, start: DateTime<Utc>) -> Booking<'a> {
    let price = json!({"amount_minor": 45000, "currency": "NOK"});
    let service = practice.a_service(&json!({"rules": rules, "price": price}));
    practice.booking(start).with("service_id", service)
}

fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

/// Nobody's clock is exact: a boundary is tried this far on either side of it.
fn a_moment() -> TimeDelta {
    TimeDelta::seconds(20)
}

/// Someone with a key of this scope.
fn with_scope(practice: &Practice, scope: &str) -> Api {
    practice.api.with_key(Some(&Server::shared().database.key(&practice.tenant, scope)))
}

/// The problem of a broken rule: it is of the rule's type, and names it.
#[track_caller]
fn is_broken(answer: &Answer, rule: &str, required: &Value, found: &Value) {
    let problem = answer.is_refused(422, rule);
    assert_eq!(problem["rule"], rule, "{answer:#?}");
    assert_eq!((&problem["required"], &problem["found"]), (required, found), "{answer:#?}");
    assert!(problem.get("code").is_none() && problem.get("aggregate").is_none(), "{answer:#?}");
}

#[track_caller]
fn last_event(practice: &Practice, appointment: &Value) -> Value {
    let path = format!("/v1/appointments/{}/events", appointment["id"].as_str().unwrap());
    let events = practice.api.get(&path).send().is(200);
    events["items"].as_array().unwrap().last().unwrap().clone()
}

/// The service of an answer as the list has it once it knows of the answer, without when it was made and changed: that is
/// told in lists alone.
fn listed_service(practice: &Practice, answer: &Answer) -> Value {
    let list = format!("/v1/services?min_position={}", answer.position());
    let services = practice.api.get(&list).send().is(200);
    let id = &answer.json()["id"];
    let items = services["items"].as_array().unwrap();
    let mut listed = items.iter().find(|item| item["id"] == *id).unwrap().clone();
    for instant in ["created_at", "updated_at"] {
        assert!(listed.as_object_mut().unwrap().remove(instant).is_some(), "{instant}");
    }
    listed
}

#[test]
fn a_service_lists_its_rules_until_they_are_revised() {
    let practice = a_practice();
    let price = json!({"amount_minor": 45000, "currency": "NOK"});
    let body = json!({
        "name": "Massage", "category": "care", "duration_minutes": 30, "price": price,
        "rules": lenient(),
    });
    let mut listed = lenient();
    // An offset of none is not written.
    listed.as_object_mut().unwrap().remove("slot_offset_minutes");
    let defined = practice.api.post("/v1/services", &body).send();
    let path = format!("/v1/services/{}", defined.is(201)["id"].as_str().unwrap());
    let service = practice.api.get(&path).send().is(200);
    assert_eq!((&service["rules"], &service["price"]), (&listed, &price));
    assert_eq!(listed_service(&practice, &defined), service);

    let revised = practice.api.patch(&path, &json!({"rules": null, "price": null})).send();
    assert_eq!(revised.is(200)["rules"], json!({}));
    assert_eq!(listed_service(&practice, &revised), revised.json());
    assert!(revised.json().get("price").is_none());
}

#[test]
fn a_service_without_rules_is_booked_as_ever() {
    let practice = a_practice();
    let path = format!("/v1/services/{}", practice.service);
    assert_eq!(practice.api.get(&path).send().is(200)["rules"], json!({}));
    let start = now() + TimeDelta::milliseconds(5_001);
    let appointment = practice.booked(start);
    assert!(appointment.get("agreed").is_none() && appointment.get("overridden").is_none());
    practice.act(&appointment, "cancel", &json!({})).is(200);
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let practice = a_practice();
    for rules in [
        json!("none"),
        json!({"slot_offset_minutes": 5}),
        json!({"slot_step_minutes": 15, "slot_offset_minutes": 15}),
        json!({"slot_step_minutes": 0}),
        json!({"minimum_notice_minutes": -1}),
        json!({"booking_horizon_days": 1.5}),
        json!({"cancellation_window_minutes": "1440"}),
        json!({"durations": [{"minutes": 45}, {"minutes": 45}]}),
        json!({"durations": [{"minutes": 45, "price": 100}]}),
        json!({"maximum_notice_minutes": 5}),
    ] {
        let body = json!({"name": "S", "category": "c", "duration_minutes": 30, "rules": rules});
        practice.api.post("/v1/services", &body).send().is_refused(422, "invalid-body");
    }
    for price in [
        json!(450),
        json!({"amount_minor": 450.5, "currency": "NOK"}),
        json!({"amount_minor": 450, "currency": "kr"}),
    ] {
        let body = json!({"name": "S", "category": "c", "duration_minutes": 30, "price": price});
        practice.api.post("/v1/services", &body).send().is_refused(422, "invalid-body");
    }
}

#[test]
fn a_booking_chooses_a_duration_that_is_offered_at_its_price() {
    let practice = a_practice();
    let booking = under(&practice, &lenient(), monday(10, 0));
    let refused = booking.clone().with("duration_minutes", 45).send();
    let (required, found) = (json!({"minutes": [30, 60]}), json!({"minutes": 45}));
    is_broken(&refused, "offered-duration", &required, &found);

    let hour = booking.clone().with("duration_minutes", 60).send().is(201);
    assert_eq!(hour["end_at"], utc(monday(11, 0)));
    let price = json!({"amount_minor": 80000, "currency": "NOK"});
    assert_eq!(hour["agreed"]["price"], price);
    assert_eq!(last_event(&practice, &hour)["data"]["agreed"]["price"], price);

    let usual = booking.with("start_at", utc(monday(11, 0))).send().is(201);
    assert_eq!(usual["end_at"], utc(monday(11, 30)));
    assert_eq!(usual["agreed"]["price"]["amount_minor"], 45000);
}

#[test]
fn an_appointment_starts_on_the_grid_of_its_resources_clock() {
    let practice = a_practice();
    // Kathmandu is 5 hours and 45 minutes ahead: its full hours are at a quarter past.
    let room = practice.a_resource(&json!({"time_zone": "Asia/Kathmandu"}));
    let rules = json!({"slot_step_minutes": 60, "slot_offset_minutes": 20});
    let booking = under(&practice, &rules, monday(10, 0)).with("resource_ids", json!([room]));
    let required = json!({"step_minutes": 60, "offset_minutes": 20, "time_zone": "Asia/Kathmandu"});
    let found = json!({"local_time": "15:45:00"});
    is_broken(&booking.send(), "start-grid", &required, &found);
    let appointment = booking.with("start_at", utc(monday(9, 35))).send().is(201);

    let moved = |start| practice.act(&appointment, "reschedule", &json!({"start_at": start}));
    let found = json!({"local_time": "15:20:01"});
    let late = utc(monday(9, 35) + TimeDelta::seconds(1));
    is_broken(&moved(late), "start-grid", &required, &found);
    moved(utc(monday(10, 35))).is(200);
}

#[test]
fn a_booking_is_made_with_the_notice_that_its_service_needs() {
    let practice = a_practice();
    let rules = json!({"minimum_notice_minutes": 90});
    let booking = under(&practice, &rules, now() + minutes(90) - a_moment());
    let (required, found) = (json!({"minutes": 90}), json!({"minutes": 89}));
    is_broken(&booking.send(), "minimum-notice", &required, &found);
    is_broken(&booking.clone().held(5).send(), "minimum-notice", &required, &found);
    let appointment =
        booking.with("start_at", utc(now() + minutes(90) + a_moment())).send().is(201);

    let moved = |start| {
        practice.act(&appointment, "reschedule", &json!({"start_at": utc(start), "by": "staff"}))
    };
    is_broken(&moved(now() + minutes(90) - a_moment()), "minimum-notice", &required, &found);
    moved(now() + minutes(95)).is(200);
}

#[test]
fn a_booking_is_made_up_to_the_end_of_the_last_day_of_the_horizon() {
    let practice = a_practice();
    // Not while a day ends.
    while now().time() > NaiveTime::from_hms_opt(23, 59, 20).unwrap() {
        thread::sleep(Duration::from_secs(1));
    }
    let today = now().date_naive();
    let midnight_after = |days| (today + Days::new(days)).and_time(NaiveTime::MIN).and_utc();
    let rules = json!({"booking_horizon_days": 10});
    let booking = under(&practice, &rules, midnight_after(11));
    let required = json!({
        "days": 10, "date": (today + Days::new(10)).to_string(), "time_zone": "UTC",
    });
    let found = json!({"date": (today + Days::new(11)).to_string()});
    is_broken(&booking.send(), "booking-horizon", &required, &found);
    let last = utc(midnight_after(11) - TimeDelta::microseconds(1));
    let appointment = booking.with("start_at", last).send().is(201);

    let body = json!({"start_at": utc(midnight_after(11))});
    let moved = practice.act(&appointment, "reschedule", &body);
    is_broken(&moved, "booking-horizon", &required, &found);
}

#[test]
fn a_client_cancels_until_the_window_closes_and_staff_also_later() {
    let practice = a_practice();
    let rules = json!({"cancellation_window_minutes": 120});
    let early = under(&practice, &rules, now() + minutes(120) + a_moment()).send().is(201);
    practice.act(&early, "cancel", &json!({})).is(200);

    let late = under(&practice, &rules, now() + minutes(120) - a_moment()).send().is(201);
    let (required, found) = (json!({"minutes": 120}), json!({"minutes": 119}));
    let refused = practice.act(&late, "cancel", &json!({}));
    is_broken(&refused, "cancellation-window", &required, &found);
    assert_eq!(practice.appointment(late["id"].as_str().unwrap())["status"], "booked");
    practice.act(&late, "cancel", &json!({"by": "staff"})).is(200);
}

#[test]
fn a_client_moves_until_the_window_closes_and_staff_also_later() {
    let practice = a_practice();
    let rules = json!({"rescheduling_window_minutes": 120});
    let to = |hour, by| json!({"start_at": utc(monday(hour, 0)), "by": by});
    let early = under(&practice, &rules, now() + minutes(120) + a_moment()).send().is(201);
    practice.act(&early, "reschedule", &to(10, "client")).is(200);

    let late = under(&practice, &rules, now() + minutes(120) - a_moment()).send().is(201);
    let (required, found) = (json!({"minutes": 120}), json!({"minutes": 119}));
    for body in [to(11, "client"), json!({"start_at": utc(monday(11, 0))})] {
        let refused = practice.act(&late, "reschedule", &body);
        is_broken(&refused, "rescheduling-window", &required, &found);
    }
    practice.act(&late, "reschedule", &to(11, "staff")).is(200);
    assert_eq!(last_event(&practice, &late)["data"]["by"], "staff");
    let nobody = practice.act(&late, "reschedule", &to(12, "system"));
    nobody.is_refused(422, "invalid-body");
}

#[test]
fn a_client_lets_go_of_a_hold_when_it_likes() {
    let practice = a_practice();
    let rules =
        json!({"cancellation_window_minutes": 525_600, "rescheduling_window_minutes": 525_600});
    let held = under(&practice, &rules, monday(10, 0)).held(30).send().is(201);
    practice.act(&held, "reschedule", &json!({"start_at": utc(monday(11, 0))})).is(200);
    practice.act(&held, "cancel", &json!({})).is(200);
}

#[test]
fn what_was_agreed_stands_when_the_service_is_revised() {
    let practice = a_practice();
    let booking = under(&practice, &lenient(), monday(10, 0));
    let appointment = booking.send().is(201);
    let agreed = json!({
        "price": {"amount_minor": 45000, "currency": "NOK"},
        "rescheduling_window_minutes": 60, "cancellation_window_minutes": 120,
    });
    assert_eq!(appointment["agreed"], agreed);
    let path = format!("/v1/services/{}", booking.body["service_id"].as_str().unwrap());
    let dearer = json!({
        "price": {"amount_minor": 99000}, "rules": {"cancellation_window_minutes": 525_600},
    });
    practice.api.patch(&path, &dearer).send().is(200);
    assert_eq!(practice.appointment(appointment["id"].as_str().unwrap())["agreed"], agreed);
    practice.act(&appointment, "cancel", &json!({})).is(200);
    let later = booking.send().is(201);
    assert_eq!(later["agreed"]["price"]["amount_minor"], 99000);
    let refused = practice.act(&later, "cancel", &json!({}));
    refused.is_refused(422, "cancellation-window");
}

#[test]
fn staff_who_manage_override_rules_and_opening_hours_and_the_event_says_why() {
    let practice = a_practice();
    let desk = with_scope(&practice, "manage");
    let closed = practice.a_resource(&json!({"weekly_hours": []}));
    let rules = json!({
        "slot_step_minutes": 60, "minimum_notice_minutes": 525_600, "booking_horizon_days": 1,
        "cancellation_window_minutes": 525_600, "rescheduling_window_minutes": 525_600,
    });
    let booking = under(&practice, &rules, monday(10, 1))
        .with("resource_ids", json!([closed]))
        .with("duration_minutes", 40)
        .with("override", json!({"reason": "an emergency"}));
    let booked = booking.request_of(&desk).send().is(201);
    let broken =
        ["offered-duration", "start-grid", "minimum-notice", "booking-horizon", "opening-hours"];
    let overridden = json!({"reason": "an emergency", "rules": broken, "closed": [closed]});
    assert_eq!(booked["overridden"], overridden);
    assert_eq!(last_event(&practice, &booked)["data"]["overridden"], overridden);
    assert_eq!(practice.appointment(booked["id"].as_str().unwrap())["overridden"], overridden);

    let path = format!("/v1/appointments/{}", booked["id"].as_str().unwrap());
    let act = |action: &str, body: &Value| desk.post(&format!("{path}/{action}"), body).send();
    let move_to = json!({"start_at": utc(monday(12, 0)), "override": {"reason": "she asked to"}});
    let moved = act("reschedule", &move_to).is(200);
    let broken = ["minimum-notice", "booking-horizon", "rescheduling-window", "opening-hours"];
    let overridden = json!({"reason": "she asked to", "rules": broken, "closed": [closed]});
    assert_eq!(moved["overridden"], overridden);
    assert_eq!(last_event(&practice, &booked)["data"]["overridden"], overridden);

    act("cancel", &json!({})).is_refused(422, "cancellation-window");
    let cancelled = act("cancel", &json!({"override": {"reason": "ill"}})).is(200);
    let overridden = json!({"reason": "ill", "rules": ["cancellation-window"]});
    assert_eq!(cancelled["cancellation"]["overridden"], overridden);
    assert_eq!(last_event(&practice, &booked)["data"]["overridden"], overridden);
}

#[test]
fn an_override_needs_the_scope_manage_whether_or_not_a_rule_is_broken() {
    let practice = a_practice();
    let web_site = with_scope(&practice, "book");
    let appointment = practice.booked(monday(10, 0));
    let overriding = json!({"reason": "because"});
    let booking = practice.booking(monday(12, 0)).with("override", overriding.clone());
    let path = format!("/v1/appointments/{}", appointment["id"].as_str().unwrap());
    let answers = [
        booking.request_of(&web_site).send(),
        web_site
            .post(
                &format!("{path}/reschedule"),
                &json!({"start_at": utc(monday(11, 0)), "override": overriding}),
            )
            .send(),
        web_site.post(&format!("{path}/cancel"), &json!({"override": overriding})).send(),
    ];
    for answer in answers {
        let problem = answer.is_refused(403, "insufficient-scope");
        assert_eq!(problem["required_scope"], "manage");
        assert!(problem["detail"].as_str().unwrap().starts_with("an override"), "{problem}");
    }
    let id = appointment["id"].as_str().unwrap();
    assert_eq!(practice.appointment(id), appointment, "nothing has changed");
    let unneeded = booking.request_of(&with_scope(&practice, "manage")).send().is(201);
    assert_eq!(unneeded["overridden"], json!({"reason": "because", "rules": []}));
}

#[test]
fn an_override_reaches_neither_taken_time_nor_the_past_nor_what_cannot_be_booked() {
    let practice = a_practice();
    practice.booked(monday(10, 0));
    let booking =
        |start| practice.booking(start).with("override", json!({"reason": "whatever it takes"}));
    booking(monday(10, 15)).send().is_refused(409, "slot-taken");
    booking(now() - minutes(1)).send().is_refused(422, "in-the-past");
    let gone = practice.a_room();
    practice.api.post(&format!("/v1/resources/{gone}/retire"), &json!({})).send().is(200);
    let retired = booking(monday(12, 0)).with("resource_ids", json!([gone]));
    retired.send().is_refused(422, "retired-resource");
    for nonsense in
        [json!({}), json!({"reason": " "}), json!("yes"), json!({"reason": "x", "y": 1})]
    {
        let booking = practice.booking(monday(12, 0)).with("override", nonsense);
        booking.send().is_refused(422, "invalid-body");
    }
    booking(monday(12, 0)).send().is(201);
}

#[test]
fn a_retry_of_what_a_rule_refused_is_told_the_same() {
    let practice = a_practice();
    let rules = json!({"slot_step_minutes": 60});
    let booking = under(&practice, &rules, monday(10, 1)).idempotency_key("once");
    let first = booking.send();
    first.is_refused(422, "start-grid");
    assert_eq!(booking.send().json(), first.json());
}

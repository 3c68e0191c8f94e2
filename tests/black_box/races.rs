//! Many who want the same time at once.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Answer, Practice, a_practice, at_once, monday};

/// One has it, and all others are told that the slot is taken.
#[track_caller]
fn one_of(answers: &[Answer]) -> Value {
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(won.len(), 1, "{answers:#?}");
    for answer in lost {
        answer.is_refused(409, "slot-taken");
    }
    won[0].json()
}

fn times(appointment: &Value) -> (DateTime<Utc>, DateTime<Utc>) {
    let time = |name: &str| appointment[name].as_str().unwrap().parse().unwrap();
    (time("start_at"), time("end_at"))
}

/// The booked appointments of the practice's room; no two of them overlap.
#[track_caller]
fn without_overlap(practice: &Practice, answers: &[Answer]) -> Vec<Value> {
    let position = answers.iter().filter(|a| a.status < 300).map(Answer::position).max();
    let query = format!("resource_id={}&min_position={}", practice.room, position.unwrap());
    let found = practice.found(&query);
    for pair in found.windows(2) {
        assert!(times(&pair[0]).1 <= times(&pair[1]).0, "{pair:#?}");
    }
    found
}

#[test]
fn of_64_clients_who_book_one_slot_one_has_it() {
    let practice = a_practice();
    let clients: Vec<String> = (0..64).map(|n| practice.a_client(&format!("Client {n}"))).collect();
    let answers =
        at_once(64, |n| practice.booking(monday(10, 0)).with("client_id", &*clients[n]).send());
    let winner = one_of(&answers);
    let found = without_overlap(&practice, &answers);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["id"], winner["id"]);
}

#[test]
fn of_64_who_hold_or_book_one_slot_one_has_it() {
    let practice = a_practice();
    let answers = at_once(64, |n| {
        let booking = practice.booking(monday(10, 0));
        if n % 2 == 0 { booking.held(10).send() } else { booking.send() }
    });
    one_of(&answers);
}

#[test]
fn of_64_intervals_that_all_contain_one_moment_one_is_booked() {
    let practice = a_practice();
    let services: Vec<String> = [31, 45, 60, 90, 100, 120, 150, 180]
        .map(|minutes| practice.a_service(&json!({"duration_minutes": minutes})))
        .into();
    // Each begins up to half an hour before noon and ends after it; no two are the same.
    let answers = at_once(64, |n| {
        let earlier = TimeDelta::minutes(i64::try_from(n).unwrap() % 31);
        let booking = practice.booking(monday(12, 0) - earlier);
        booking.with("service_id", &*services[n / 8]).send()
    });
    one_of(&answers);
    assert_eq!(without_overlap(&practice, &answers).len(), 1);
}

#[test]
fn intervals_that_overlap_in_chains_are_booked_without_overlap() {
    let practice = a_practice();
    let long = practice.a_service(&json!({"duration_minutes": 75, "buffer_after_minutes": 5}));
    let answers = at_once(64, |n| {
        let start = monday(6, 0) + TimeDelta::minutes(10 * i64::try_from(n).unwrap());
        let service = if n % 3 == 0 { &long } else { &practice.service };
        practice.booking(start).with("service_id", &**service).send()
    });
    let booked: Vec<Value> = answers.iter().filter(|a| a.status == 201).map(Answer::json).collect();
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.is_refused(409, "slot-taken");
    }
    let found = without_overlap(&practice, &answers);
    assert_eq!(found.len(), booked.len());
    assert!((5..=21).contains(&found.len()), "the day is filled: {}", found.len());
}

#[test]
fn of_many_who_move_to_one_slot_one_does() {
    let practice = a_practice();
    let appointments: Vec<Value> =
        (0..16).map(|n| practice.booked(monday(0, 0) + TimeDelta::minutes(30 * n))).collect();
    let body = json!({"start_at": crate::harness::utc(monday(20, 0))});
    let answers = at_once(16, |n| practice.act(&appointments[n], "reschedule", &body));
    let moved = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(moved, 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.is_refused(409, "slot-taken");
    }
    assert_eq!(without_overlap(&practice, &answers).len(), 16);
}

#[test]
fn of_a_confirmation_and_a_cancellation_at_once_one_is_first() {
    let practice = a_practice();
    for round in 0..8 {
        let start = monday(8, 0) + TimeDelta::hours(round);
        let held = practice.booking(start).held(10).send().is(201);
        let answers = at_once(2, |n| {
            practice.act(&held, if n == 0 { "confirm" } else { "cancel" }, &json!({}))
        });
        // Confirmed and then cancelled, or cancelled and then too late to confirm.
        answers[1].is(200);
        if answers[0].status != 200 {
            answers[0].is_refused(409, "wrong-status");
        }
        let now = practice.appointment(held["id"].as_str().unwrap());
        assert_eq!(now["status"], "cancelled");
    }
}

//! Many who want the same places, roles and limits at once.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, a_practice, at_once, monday};

/// So many have it, and all others are refused like this.
#[track_caller]
fn so_many_of(answers: &[Answer], count: usize, slug: &str) -> Vec<Value> {
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(won.len(), count, "{answers:#?}");
    for answer in lost {
        answer.is_refused(409, slug);
    }
    won.into_iter().map(Answer::json).collect()
}

#[test]
fn of_64_clients_who_want_one_of_5_places_5_have_one() {
    let practice = a_practice();
    let chairs = practice.a_resource(&json!({"capacity": 5}));
    let clients: Vec<String> = (0..64).map(|n| practice.a_client(&format!("Client {n}"))).collect();
    let answers = at_once(64, |n| {
        // Not all at the same minute, but all at once.
        let start = monday(10, 0) + TimeDelta::minutes(i64::try_from(n % 7).unwrap());
        let booking = practice.booking(start).with("resource_ids", json!([chairs]));
        booking.with("client_id", &*clients[n]).send()
    });
    so_many_of(&answers, 5, "slot-taken");
    practice.is_whole();
}

#[test]
fn of_two_who_need_one_room_and_different_doctors_one_wins_and_the_losers_doctor_stays_free() {
    let practice = a_practice();
    let doctors =
        ["Ada", "Bo"].map(|name| practice.a_resource(&json!({"name": name, "kind": "staff"})));
    let needs = json!([{"role": "doctor", "kind": "staff"}, {"role": "room", "kind": "room"}]);
    let service = practice.a_service(&json!({"needs": needs}));
    for round in 0..8 {
        let start = monday(8, 0) + TimeDelta::hours(round);
        // With the room named, and with the room left to be chosen.
        let answers = at_once(2, |n| {
            let ids = if round % 2 == 0 {
                json!([doctors[n], practice.room])
            } else {
                json!([doctors[n]])
            };
            let booking = practice.booking(start).with("service_id", &*service);
            booking.with("resource_ids", ids).send()
        });
        let slug = if round % 2 == 0 { "slot-taken" } else { "role-taken" };
        so_many_of(&answers, 1, slug);
        let loser = usize::from(answers[0].status == 201);
        let alone = practice.booking(start).with("resource_ids", json!([doctors[loser]]));
        alone.send().is(201);
    }
    practice.is_whole();
}

#[test]
fn of_64_bookings_that_name_nobody_as_many_are_made_as_there_are_doctors() {
    for choose in ["first-free", "least-booked", "round-robin"] {
        let practice = a_practice();
        let doctors: BTreeSet<String> = (0..5)
            .map(|n| practice.a_resource(&json!({"name": format!("Doctor {n}"), "kind": "staff"})))
            .collect();
        let needs = json!([{"role": "doctor", "kind": "staff"}]);
        let service = practice.a_service(&json!({"needs": needs, "choose": choose}));
        let answers = at_once(64, |n| {
            let booking = practice.booking(monday(10, 0)).without("resource_ids");
            let booking = booking.with("service_id", &*service);
            booking.idempotency_key(&format!("{choose}-{n}")).send()
        });
        let won = so_many_of(&answers, 5, "role-taken");
        let chosen: BTreeSet<String> = won
            .iter()
            .map(|booked| booked["resource_ids"][0].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(chosen, doctors, "{choose}");
        practice.is_whole();
    }
}

#[test]
fn of_20_bookings_of_one_client_as_many_are_made_as_the_day_allows() {
    let practice = a_practice();
    let service = practice.a_service(&json!({"limit_per_client_per_day": 2}));
    let answers = at_once(20, |n| {
        let start = monday(8, 0) + TimeDelta::minutes(30 * i64::try_from(n).unwrap());
        practice.booking(start).with("service_id", &*service).send()
    });
    so_many_of(&answers, 2, "client-day-limit");
    practice.is_whole();
}

#[test]
fn of_20_holds_of_one_client_as_many_are_made_as_a_client_can_have() {
    let practice = a_practice();
    let answers = at_once(20, |n| {
        let start = monday(8, 0) + TimeDelta::minutes(30 * i64::try_from(n).unwrap());
        let body = practice.booking(start).body;
        practice.api.post("/v1/holds", &body).send()
    });
    so_many_of(&answers, 3, "client-hold-limit");
    practice.is_whole();
}

//! Waiting for a place in a session.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{a_while, cancel, confirm, hold_of, join_as, offered, start, status};
use crate::harness::{Practice, a_practice, at_once, date, monday, utc};

/// A practice whose service is given in sessions of two, at ten and at noon, and the ids of these.
fn a_studio() -> (Practice, String, [String; 2]) {
    let practice = a_practice();
    let class = practice.a_service(&json!({"name": "Yoga", "session_places": 2}));
    let session = |hour: u32| {
        let body = json!({"service_id": class, "resource_ids": [practice.room],
                          "start_at": utc(monday(hour, 0))});
        practice.created("/v1/sessions", &body)
    };
    let sessions = [session(10), session(12)];
    (practice, class, sessions)
}

fn book(practice: &Practice, session: &str) -> Value {
    let body = json!({"client_id": practice.a_client("One who was quicker")});
    practice.api.post(&format!("/v1/sessions/{session}/appointments"), &body).send().is(201)
}

fn wait(practice: &Practice, class: &str, times: &Value) -> Value {
    let client = practice.a_client("One who waits");
    let but = json!({"service_id": class, "resource_ids": null, "times": times});
    join_as(practice, &client, &but).is(201)
}

fn around_ten() -> Value {
    json!([{"days": ["mon"], "from": "09:00", "to": "11:00"}])
}

#[test]
fn a_place_in_a_session_goes_to_the_first_who_has_time_for_it() {
    let (practice, class, sessions) = a_studio();
    let booked = [(); 2].map(|()| book(&practice, &sessions[0]));
    let noon = [(); 2].map(|()| book(&practice, &sessions[1]));
    let short = json!([{"days": ["mon"], "from": "09:00", "to": "10:29"}]);
    let unfit = wait(&practice, &class, &short);
    let first = wait(&practice, &class, &around_ten());
    let second = wait(&practice, &class, &json!([]));
    a_while();
    assert_eq!(status(&practice, &first), "waiting", "both are full");
    cancel(&practice, &booked[1]);
    let first = offered(&practice, &first);
    assert_eq!(start(&first), monday(10, 0));
    let hold = practice.appointment(hold_of(&first));
    assert_eq!((&hold["status"], &hold["session_id"]), (&json!("held"), &json!(sessions[0])));
    assert_eq!(confirm(&practice, &first).is(200)["session_id"], sessions[0]);
    cancel(&practice, &noon[0]);
    assert_eq!(start(&offered(&practice, &second)), monday(12, 0));
    assert_eq!(status(&practice, &unfit), "waiting");
    practice.is_whole();
}

#[test]
fn a_session_that_is_scheduled_is_offered_to_those_who_wait_for_one() {
    let practice = a_practice();
    let class = practice.a_service(&json!({"session_places": 2}));
    let entries = [(); 3].map(|()| wait(&practice, &class, &around_ten()));
    let other_room = practice.a_room();
    let client = practice.a_client("One who wants a certain room");
    let but = json!({"service_id": class, "resource_ids": [other_room]});
    let elsewhere = join_as(&practice, &client, &but).is(201);
    let body = json!({"service_id": class, "resource_ids": [practice.room],
                      "start_at": utc(monday(10, 0))});
    let session = practice.created("/v1/sessions", &body);
    for entry in &entries[..2] {
        offered(&practice, entry);
    }
    a_while();
    for entry in [&entries[2], &elsewhere] {
        assert_eq!(status(&practice, entry), "waiting");
    }
    // It has gone to another day, and the offers with it; nobody has time then.
    let to = json!({"start_at": utc(monday(10, 0) + chrono::TimeDelta::days(7))});
    let path = format!("/v1/sessions/{session}/reschedule");
    practice.api.post(&path, &to).send().is(200);
    a_while();
    assert_eq!(status(&practice, &entries[2]), "waiting");
    practice.is_whole();
}

#[test]
fn of_a_promotion_and_16_direct_bookings_one_has_the_place_in_the_session() {
    let (practice, class, sessions) = a_studio();
    let mut booked = book(&practice, &sessions[0]);
    book(&practice, &sessions[0]);
    let clients: Vec<String> = (0..16).map(|n| practice.a_client(&format!("Client {n}"))).collect();
    for round in 0..6_u64 {
        let entry = wait(&practice, &class, &around_ten());
        let answers = at_once(17, |n| match n.checked_sub(1) {
            None => cancel(&practice, &booked),
            Some(n) => {
                std::thread::sleep(std::time::Duration::from_millis(round * 40));
                let body = json!({"client_id": clients[n]});
                let path = format!("/v1/sessions/{}/appointments", sessions[0]);
                practice.api.post(&path, &body).send()
            }
        });
        let won: Vec<_> = answers[1..].iter().filter(|answer| answer.status == 201).collect();
        if let [won] = &*won {
            a_while();
            assert_eq!(status(&practice, &entry), "waiting", "round {round}");
            let path = format!("/v1/waiting-list/{}", entry["id"].as_str().unwrap());
            practice.api.request("DELETE", &path).send().is(200);
            booked = won.json();
        } else {
            assert!(won.is_empty(), "round {round}: {won:#?}");
            booked = confirm(&practice, &offered(&practice, &entry)).is(200);
        }
    }
    practice.is_whole();
}

#[test]
fn for_sessions_no_resource_need_be_named() {
    let (practice, class, _) = a_studio();
    let days = json!({"service_id": class, "from": date(1).to_string(), "to": date(1).to_string()});
    let mut named = days.clone();
    named["resource_ids"] = json!([practice.room]);
    let mut unnamed = days;
    unnamed["resource_ids"] = Value::Null;
    for but in [named, unnamed] {
        assert_eq!(join_as(&practice, &practice.client, &but).is(201)["status"], "waiting");
    }
}

#[test]
fn who_cannot_have_a_place_in_any_of_200_sessions_is_offered_one_in_a_later_one() {
    let practice = a_practice();
    let class = practice.a_service(&json!({
        "duration_minutes": 5, "session_places": 2, "limit_per_client_per_day": 1,
    }));
    let session = |start| {
        let body = json!({"service_id": class, "resource_ids": [practice.room],
                          "start_at": utc(start)});
        practice.created("/v1/sessions", &body)
    };
    let monday_sessions = at_once(4, |n| {
        let first = 51 * i64::try_from(n).unwrap();
        let starts = (first..first + 51).map(|k| monday(0, 0) + TimeDelta::minutes(5 * k));
        starts.map(session).collect::<Vec<_>>()
    });
    // It is the client's one for that day, and all others have room.
    let body = json!({"client_id": practice.client});
    let taken = format!("/v1/sessions/{}/appointments", monday_sessions[3][50]);
    practice.api.post(&taken, &body).send().is(201);
    let tuesday = monday(10, 0) + TimeDelta::days(1);
    session(tuesday);
    let but = json!({"service_id": class, "resource_ids": null, "from": date(0), "to": date(1)});
    let entry = join_as(&practice, &practice.client, &but).is(201);
    assert_eq!(start(&offered(&practice, &entry)), tuesday);
    practice.is_whole();
}

#[test]
fn sessions_that_nobody_may_join_any_more_keep_nobody_from_a_later_one() {
    let practice = a_practice();
    let month = 30 * 24 * 60;
    let rules = json!({"minimum_notice_minutes": month});
    let class = practice.a_service(&json!({"session_places": 2, "rules": rules}));
    let session = |start| {
        let body = json!({"service_id": class, "resource_ids": [practice.room],
                          "start_at": utc(start)});
        practice.created("/v1/sessions", &body)
    };
    // More than are tried, and all have room.
    for hour in 0..40 {
        session(monday(0, 0) + TimeDelta::hours(hour));
    }
    let later = monday(10, 0) + TimeDelta::days(14);
    session(later);
    let client = practice.a_client("One who waits");
    let but = json!({"service_id": class, "resource_ids": null, "from": date(0), "to": date(20)});
    let entry = join_as(&practice, &client, &but).is(201);
    assert_eq!(start(&offered(&practice, &entry)), later);
    practice.is_whole();
}

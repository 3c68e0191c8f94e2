//! `POST /v1/appointments:batch`: many bookings, a verdict for each, or all or none.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Answer, Practice, a_practice, at_once, monday, utc};

const PATH: &str = "/v1/appointments:batch";

/// Half hours from eight on Monday, one after the other.
fn half_hour(n: usize) -> DateTime<Utc> {
    monday(8, 0) + TimeDelta::minutes(30 * i64::try_from(n).unwrap())
}

fn at(practice: &Practice, starts: impl IntoIterator<Item = DateTime<Utc>>) -> Vec<Value> {
    starts.into_iter().map(|start| practice.booking(start).body).collect()
}

fn send(practice: &Practice, body: &Value, key: Option<&str>) -> Answer {
    let request = practice.api.post(PATH, body);
    match key {
        Some(key) => request.header("idempotency-key", key).send(),
        None => request.send(),
    }
}

fn each(practice: &Practice, items: &[Value]) -> Answer {
    send(practice, &json!({"items": items}), None)
}

fn all_or_none(practice: &Practice, items: &[Value]) -> Answer {
    send(practice, &json!({"atomic": true, "items": items}), None)
}

#[track_caller]
fn verdicts(answer: &Answer) -> Vec<Value> {
    answer.is(200)["items"].as_array().unwrap().clone()
}

#[track_caller]
fn statuses(answer: &Answer) -> Vec<u64> {
    verdicts(answer).iter().map(|verdict| verdict["status"].as_u64().unwrap()).collect()
}

/// How many appointments the practice has, once all of this is found.
#[track_caller]
fn found_after(practice: &Practice, answer: &Answer) -> usize {
    practice.found(&format!("min_position={}", answer.position())).len()
}

/// What is in the practice's log, whatever the last answer was: one more booking tells.
#[track_caller]
fn found_beside_one_more(practice: &Practice) -> usize {
    let more = practice.booking(half_hour(2_000)).send();
    more.is(201);
    found_after(practice, &more) - 1
}

#[test]
fn each_item_gets_its_verdict_in_order_and_a_refused_one_stops_nobody() {
    let practice = a_practice();
    practice.booked(half_hour(1));
    let mut items = at(&practice, (0..4).map(half_hour));
    items[2]["service_id"] = json!(practice.client);
    let answer = each(&practice, &items);
    let verdicts = verdicts(&answer);
    assert_eq!(statuses(&answer), [201, 409, 422, 201]);
    for n in [0, 3] {
        let appointment = &verdicts[n]["appointment"];
        assert_eq!(appointment["start_at"], utc(half_hour(n)));
        let id = appointment["id"].as_str().unwrap();
        assert_eq!(*appointment, practice.appointment(id));
    }
    assert_eq!(verdicts[1]["problem"]["type"], "urn:daybook:problem:slot-taken");
    assert_eq!(verdicts[1]["problem"]["resource_id"], practice.room);
    assert_eq!(verdicts[2]["problem"]["type"], "urn:daybook:problem:unknown-service");
    assert_eq!(found_after(&practice, &answer), 3);
    practice.is_whole();
}

#[test]
fn of_two_items_that_want_the_same_the_first_has_it() {
    let practice = a_practice();
    let again = || [half_hour(0), half_hour(1), half_hour(0)];
    assert_eq!(statuses(&each(&practice, &at(&practice, again()))), [201, 201, 409]);
    let other = a_practice();
    let refused = all_or_none(&other, &at(&other, again()));
    assert_eq!(refused.is_refused(409, "slot-taken")["index"], 2);
    assert_eq!(found_beside_one_more(&other), 0);
    practice.is_whole();
    other.is_whole();
}

#[test]
fn an_atomic_batch_is_booked_whole_in_one_piece_of_the_log() {
    let practice = a_practice();
    let answer = all_or_none(&practice, &at(&practice, (0..20).map(half_hour)));
    assert_eq!(statuses(&answer), [201; 20]);
    for (n, verdict) in verdicts(&answer).iter().enumerate() {
        let appointment = &verdict["appointment"];
        assert_eq!(appointment["start_at"], utc(half_hour(n)));
        assert_eq!(*appointment, practice.appointment(appointment["id"].as_str().unwrap()));
    }
    assert_eq!(found_after(&practice, &answer), 20);
    practice.is_whole();
}

#[test]
fn an_atomic_batch_with_one_refused_item_books_nothing_and_says_which() {
    let practice = a_practice();
    practice.booked(half_hour(5));
    let taken = all_or_none(&practice, &at(&practice, (0..8).map(half_hour)));
    let problem = taken.is_refused(409, "slot-taken");
    assert_eq!(problem["index"], 5);
    assert_eq!(problem["start_at"], utc(half_hour(5)));
    let mut items = at(&practice, (0..4).map(half_hour));
    items[2]["start_at"] = json!("2001-01-01T00:00:00Z");
    let past = all_or_none(&practice, &items);
    assert_eq!(past.is_refused(422, "in-the-past")["index"], 2);
    assert_eq!(found_beside_one_more(&practice), 1);
    practice.is_whole();
}

#[test]
fn of_atomic_batches_that_overlap_at_once_one_wins_whole() {
    let practice = a_practice();
    for round in 0..4 {
        // They share their middle, from both ends.
        let answers = at_once(8, |n| {
            let first = 100 * round + n;
            let mut starts: Vec<_> = (first..first + 10).map(half_hour).collect();
            if n % 2 == 0 {
                starts.reverse();
            }
            all_or_none(&practice, &at(&practice, starts))
        });
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1, "{answers:#?}");
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            let index = lost.is_refused(409, "slot-taken")["index"].as_u64().unwrap();
            assert!(index < 10, "{lost:#?}");
        }
        assert_eq!(found_after(&practice, won[0]), 10 * (round + 1));
    }
    practice.is_whole();
}

#[test]
fn batches_of_both_kinds_at_once_book_no_slot_twice_and_leave_none_free() {
    let practice = a_practice();
    let chairs = practice.a_resource(&json!({"capacity": 2}));
    let items = |n: usize| -> Vec<Value> {
        let starts = (0..30).map(|slot| half_hour((slot + 7 * n) % 30));
        starts.map(|at| practice.booking(at).with("resource_ids", json!([chairs])).body).collect()
    };
    let answers = at_once(8, |n| {
        let all = items(n);
        if n < 2 { all_or_none(&practice, &all[..5]) } else { each(&practice, &all) }
    });
    let booked: usize = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| statuses(answer).into_iter().filter(|status| *status == 201).count())
        .sum();
    // Thirty slots on two chairs.
    assert_eq!(booked, 60, "{answers:#?}");
    for verdict in answers[2..].iter().flat_map(verdicts).filter(|one| one["status"] != 201) {
        assert_eq!(verdict["problem"]["type"], "urn:daybook:problem:slot-taken");
    }
    for lost in answers[..2].iter().filter(|answer| answer.status != 200) {
        lost.is_refused(409, "slot-taken");
    }
    practice.is_whole();
}

#[test]
fn items_of_an_atomic_batch_choose_what_those_before_them_left() {
    let practice = a_practice();
    let chairs = practice.a_resource(&json!({"capacity": 3}));
    let chair = |start| practice.booking(start).with("resource_ids", json!([chairs])).body;
    let three = vec![chair(half_hour(0)); 3];
    assert_eq!(statuses(&all_or_none(&practice, &three)), [201; 3]);
    let four = vec![chair(half_hour(9)); 4];
    assert_eq!(all_or_none(&practice, &four).is_refused(409, "slot-taken")["index"], 3);

    let needs = json!([{"role": "doctor", "kind": "staff"}]);
    let service = practice.a_service(&json!({"needs": needs, "limit_per_client_per_day": 2}));
    let doctors = ["Ada", "Bo", "Cy"]
        .map(|name| practice.a_resource(&json!({"name": name, "kind": "staff"})));
    let with_any = |client: &str| {
        let booking = practice.booking(half_hour(0)).without("resource_ids");
        booking.with("service_id", &*service).with("client_id", client).body
    };
    let client = practice.client.as_str();
    // Three doctors are free, but the client may have two of these a day.
    let refused = all_or_none(&practice, &vec![with_any(client); 3]);
    assert_eq!(refused.is_refused(409, "client-day-limit")["index"], 2);
    let other = practice.a_client("Another");
    let items = [with_any(client), with_any(&other), with_any(client)];
    let booked = all_or_none(&practice, &items);
    let chosen = |verdict: &Value| verdict["appointment"]["resource_ids"][0].clone();
    let mut chosen: Vec<_> = verdicts(&booked).iter().map(chosen).collect();
    chosen.sort_by_key(Value::to_string);
    let mut all = doctors.map(Value::from).to_vec();
    all.sort_by_key(Value::to_string);
    assert_eq!(chosen, all);
    practice.is_whole();
}

#[test]
fn a_batch_that_is_sent_again_gets_the_same_verdicts_and_books_nothing_twice() {
    for atomic in [false, true] {
        let practice = a_practice();
        let body = json!({"atomic": atomic, "items": at(&practice, (0..6).map(half_hour))});
        let answers = at_once(4, |_| send(&practice, &body, Some("k")));
        let first = answers[0].is(200);
        practice.act(&first["items"][3]["appointment"], "cancel", &json!({})).is(200);
        for answer in answers.iter().chain([&send(&practice, &body, Some("k"))]) {
            assert_eq!(answer.is(200), first);
            assert_eq!(answer.position(), answers[0].position());
        }
        assert_eq!(statuses(&answers[0]), [201; 6]);
        assert_eq!(found_beside_one_more(&practice), 6);
        practice.is_whole();
    }
}

#[test]
fn a_refusal_is_given_again_with_its_index_even_when_it_would_now_succeed() {
    for atomic in [false, true] {
        let practice = a_practice();
        let in_the_way = practice.booked(half_hour(2));
        let body = json!({"atomic": atomic, "items": at(&practice, (0..4).map(half_hour))});
        let first = send(&practice, &body, Some("k"));
        practice.act(&in_the_way, "cancel", &json!({})).is(200);
        let again = send(&practice, &body, Some("k"));
        assert_eq!((again.status, again.json()), (first.status, first.json()));
        if atomic {
            assert_eq!(again.is_refused(409, "slot-taken")["index"], 2);
        } else {
            assert_eq!(statuses(&again), [201, 201, 409, 201]);
        }
        practice.is_whole();
    }
}

#[test]
fn a_key_of_a_batch_names_no_other_request() {
    let practice = a_practice();
    for (n, atomic) in [(0, false), (100, true)] {
        let key = format!("k{n}");
        let items = |count| at(&practice, (n..n + count).map(half_hour));
        let body = json!({"atomic": atomic, "items": items(2)});
        send(&practice, &body, Some(&key)).is(200);
        // Longer than the first, it must not book what the first had not.
        let longer = json!({"atomic": atomic, "items": items(4)});
        let answer = send(&practice, &longer, Some(&key));
        answer.is_refused(422, "idempotency-key-reused");
        let alone = practice.booking(half_hour(n + 50)).idempotency_key(&key).send();
        alone.is_refused(422, "idempotency-key-reused");
    }
    assert_eq!(found_beside_one_more(&practice), 4);
    practice.is_whole();
}

#[test]
fn a_batch_has_500_items_and_not_one_more() {
    for atomic in [false, true] {
        let practice = a_practice();
        let items = at(&practice, (0..500).map(half_hour));
        let began = Instant::now();
        let answer = send(&practice, &json!({"atomic": atomic, "items": items}), None);
        let took = began.elapsed();
        assert_eq!(statuses(&answer), [201; 500]);
        // A bound that only a batch of another order of cost breaks, on a busy machine too.
        assert!(took < Duration::from_secs(10), "{took:?}");
        println!("500 items, atomic: {atomic}: {took:?}");
        assert_eq!(found_after(&practice, &answer), 500);
        let too_many = at(&practice, (1_000..1_501).map(half_hour));
        let refused = send(&practice, &json!({"atomic": atomic, "items": too_many}), None);
        assert_eq!(refused.is_refused(422, "invalid-body")["member"], "items");
        practice.is_whole();
    }
}

#[test]
fn a_body_that_cannot_be_read_books_nothing_and_says_where() {
    let practice = a_practice();
    each(&practice, &[]).is_refused(422, "invalid-body");
    let mut items = at(&practice, (0..3).map(half_hour));
    items[1]["start_at"] = json!("soon");
    let refused = each(&practice, &items);
    assert_eq!(refused.is_refused(422, "invalid-body")["member"], "items[1].start_at");
    let body = json!({"atomic": "yes", "items": []});
    send(&practice, &body, None).is_refused(422, "invalid-body");
    assert_eq!(found_beside_one_more(&practice), 0);
}

#[test]
fn a_batch_may_be_larger_than_a_booking_but_is_bounded() {
    let practice = a_practice();
    let note = "n".repeat(3_000);
    let with_note = |n| practice.booking(half_hour(n)).with("note", &*note).body;
    let items: Vec<_> = (0..200).map(with_note).collect();
    assert_eq!(statuses(&each(&practice, &items)), [201; 200]);
    let mut too_large = json!({"items": items}).to_string();
    too_large.push_str(&" ".repeat(2 * 1024 * 1024));
    let refused = practice.api.request("POST", PATH).body("application/json", too_large).send();
    let problem = refused.is_refused(413, "body-too-large");
    assert!(problem["detail"].as_str().unwrap().contains("2097152"), "{problem}");
}

#[test]
fn overriding_rules_in_a_batch_needs_the_same_key_as_alone() {
    let practice = a_practice();
    let key = crate::harness::Server::shared().database.key(&practice.tenant, "book");
    let item = practice.booking(half_hour(0)).with("override", json!({"reason": "Asked for"})).body;
    let body = json!({"items": [item]});
    let answer = practice.api.with_key(Some(&key)).post(PATH, &body).send();
    answer.is_refused(403, "insufficient-scope");
    assert_eq!(statuses(&send(&practice, &body, None)), [201]);
}

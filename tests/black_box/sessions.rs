//! Sessions that several clients share.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Answer, Practice, a_practice, at_once, id_of, monday, utc};

/// A practice whose service is given in sessions of five.
fn a_studio() -> (Practice, String) {
    let practice = a_practice();
    let class = practice.a_service(&json!({
        "name": "Morning yoga", "category": "yoga", "tags": ["mat"], "session_places": 5,
    }));
    (practice, class)
}

fn session_at(practice: &Practice, class: &str, start: DateTime<Utc>, but: &Value) -> Answer {
    let mut body =
        json!({"service_id": class, "resource_ids": [practice.room], "start_at": utc(start)});
    for (name, value) in but.as_object().unwrap() {
        body[name] = value.clone();
    }
    practice.api.post("/v1/sessions", &body).send()
}

fn a_session(practice: &Practice, class: &str) -> String {
    id_of(&session_at(practice, class, monday(10, 0), &json!({})).is(201))
}

fn join(practice: &Practice, session: &str, client: &str) -> Answer {
    let path = format!("/v1/sessions/{session}/appointments");
    practice.api.post(&path, &json!({"client_id": client})).send()
}

fn session(practice: &Practice, id: &str) -> Value {
    practice.api.get(&format!("/v1/sessions/{id}")).send().is(200)
}

fn act(practice: &Practice, id: &str, action: &str, body: &Value) -> Answer {
    practice.api.post(&format!("/v1/sessions/{id}/{action}"), body).send()
}

/// The ids of those who are in it.
fn who(practice: &Practice, id: &str) -> Vec<String> {
    let path = format!("/v1/sessions/{id}/appointments");
    let list = practice.api.get(&path).send().is(200);
    list["items"].as_array().unwrap().iter().map(id_of).collect()
}

fn clients(practice: &Practice, count: usize) -> Vec<String> {
    (0..count).map(|n| practice.a_client(&format!("Client {n}"))).collect()
}

#[test]
fn clients_share_a_session_and_each_has_an_appointment_of_their_own() {
    let (practice, class) = a_studio();
    let made = session_at(&practice, &class, monday(10, 0), &json!({"places": 2}));
    assert_eq!(made.json()["free"], Value::Null);
    let id = id_of(&made.is(201));
    let [ada, bo, cy] = clients(&practice, 3).try_into().unwrap();
    let first = join(&practice, &id, &ada).is(201);
    assert_eq!(first["session_id"], *id);
    assert_eq!(first["start_at"], utc(monday(10, 0)));
    assert_eq!(first["resource_ids"], json!([practice.room]));
    assert_eq!((&first["title"], &first["category"]), (&json!("Morning yoga"), &json!("yoga")));
    let second = join(&practice, &id, &bo).is(201);
    let problem = join(&practice, &id, &cy).is_refused(409, "session-full");
    assert_eq!(problem["places"], 2);
    assert_eq!(session(&practice, &id)["free"], 0);
    // The session has the room: nobody else can.
    practice.booking(monday(10, 0)).send().is_refused(409, "slot-taken");
    let answer = practice.act(&first, "cancel", &json!({}));
    answer.is(200);
    assert_eq!(session(&practice, &id)["free"], 1);
    let third = join(&practice, &id, &cy).is(201);
    assert_eq!(who(&practice, &id).len(), 2);
    let found = practice.found(&format!("resource_id={}", practice.room));
    assert!(found.len() <= 3, "{found:#?}");
    practice.act(&second, "check-in", &json!({})).is(200);
    practice.act(&third, "no-show", &json!({})).is(200);
    assert_eq!(who(&practice, &id), [id_of(&second)]);
    practice.is_whole();
}

#[test]
fn of_64_clients_who_want_one_of_5_places_in_a_session_5_have_one() {
    let (practice, class) = a_studio();
    let id = a_session(&practice, &class);
    let clients = clients(&practice, 64);
    let answers = at_once(64, |n| join(&practice, &id, &clients[n]));
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(won.len(), 5, "{answers:#?}");
    for answer in lost {
        answer.is_refused(409, "session-full");
    }
    let mut had: Vec<String> = won.into_iter().map(|answer| id_of(&answer.json())).collect();
    let mut shown = who(&practice, &id);
    had.sort();
    shown.sort();
    assert_eq!(had, shown);
    practice.is_whole();
}

#[test]
fn a_place_is_held_and_confirmed_or_given_back() {
    let (practice, class) = a_studio();
    let id = id_of(&session_at(&practice, &class, monday(10, 0), &json!({"places": 1})).is(201));
    let keep = || {
        let path = format!("/v1/sessions/{id}/holds");
        let body = json!({"client_id": practice.client, "ttl_minutes": 10});
        practice.api.post(&path, &body).send()
    };
    let held = keep().is(201);
    assert_eq!(held["status"], "held");
    keep().is_refused(409, "session-full");
    let path = format!("/v1/holds/{}", id_of(&held));
    practice.api.request("DELETE", &path).send().is(200);
    let held = keep().is(201);
    let booked = practice.act(&held, "confirm", &json!({})).is(200);
    assert_eq!((&booked["status"], &booked["session_id"]), (&json!("booked"), &json!(id)));
    practice.is_whole();
}

#[test]
fn a_session_that_is_called_off_takes_its_appointments_with_it() {
    let (practice, class) = a_studio();
    let id = a_session(&practice, &class);
    let clients = clients(&practice, 3);
    let joined: Vec<Value> = clients.iter().map(|one| join(&practice, &id, one).is(201)).collect();
    let away = practice.act(&joined[0], "cancel", &json!({})).is(200);
    let answer = act(&practice, &id, "cancel", &json!({"reason": "Flooded"}));
    assert_eq!(answer.is(200)["status"], "cancelled");
    for appointment in &joined[1..] {
        let appointment = practice.appointment(&id_of(appointment));
        assert_eq!(appointment["cancellation"], json!({"by": "staff", "reason": "Flooded"}));
    }
    // One that was cancelled before stays as it was.
    assert_eq!(practice.appointment(&id_of(&away)), away);
    assert!(who(&practice, &id).is_empty());
    let shown = session(&practice, &id);
    assert_eq!((&shown["reason"], &shown["free"]), (&json!("Flooded"), &Value::Null));
    join(&practice, &id, &clients[0]).is_refused(409, "session-cancelled");
    act(&practice, &id, "cancel", &json!({})).is_refused(409, "session-is-cancelled");
    practice.booking(monday(10, 0)).send().is(201);
    practice.is_whole();
}

#[test]
fn nobody_is_left_behind_in_a_session_that_is_called_off_while_they_join() {
    let (practice, class) = a_studio();
    let clients = clients(&practice, 12);
    for round in 0..6 {
        let start = monday(8, 0) + TimeDelta::hours(round);
        let places = json!({"places": 12});
        let id = id_of(&session_at(&practice, &class, start, &places).is(201));
        let answers = at_once(13, |n| match n {
            0 => act(&practice, &id, "cancel", &json!({})),
            n => join(&practice, &id, &clients[n - 1]),
        });
        answers[0].is(200);
        for answer in &answers[1..] {
            if answer.status == 201 {
                let appointment = practice.appointment(&id_of(&answer.json()));
                assert_eq!(appointment["status"], "cancelled", "{appointment}");
            } else {
                answer.is_refused(409, "session-cancelled");
            }
        }
    }
    practice.is_whole();
}

#[test]
fn a_session_moves_with_everybody_in_it() {
    let (practice, class) = a_studio();
    let id = a_session(&practice, &class);
    let clients = clients(&practice, 4);
    let joined: Vec<Value> = clients.iter().map(|one| join(&practice, &id, one).is(201)).collect();
    let other = practice.a_room();
    // By less than its length: it overlaps only its own claims.
    let to = |start, but: Value| {
        let mut body = json!({"start_at": utc(start)});
        if let Some(ids) = but.get("resource_ids") {
            body["resource_ids"] = ids.clone();
        }
        act(&practice, &id, "reschedule", &body)
    };
    to(monday(10, 15), json!({})).is(200);
    to(monday(10, 15), json!({"resource_ids": [other]})).is(200);
    for appointment in &joined {
        let appointment = practice.appointment(&id_of(appointment));
        assert_eq!(appointment["start_at"], utc(monday(10, 15)));
        assert_eq!(appointment["resource_ids"], json!([other]));
        assert_eq!(appointment["status"], "booked");
    }
    assert_eq!(session(&practice, &id)["free"], 1);
    let fifth = practice.a_client("Fifth");
    join(&practice, &id, &fifth).is(201);
    join(&practice, &id, &practice.client).is_refused(409, "session-full");
    // The room that it left is free; the one that it has is not.
    practice.booking(monday(10, 15)).send().is(201);
    let there = practice.booking(monday(10, 30)).with("resource_ids", json!([other]));
    there.send().is_refused(409, "slot-taken");
    to(monday(10, 15), json!({"resource_ids": [practice.room]})).is_refused(409, "slot-taken");
    assert_eq!(session(&practice, &id)["resource_ids"], json!([other]));
    practice.is_whole();
}

#[test]
fn everybody_who_joins_a_session_while_it_moves_is_where_it_is() {
    let (practice, class) = a_studio();
    let clients = clients(&practice, 12);
    let id = id_of(&session_at(&practice, &class, monday(8, 0), &json!({"places": 100})).is(201));
    let other = practice.a_room();
    for round in 0..6 {
        let rooms = [&practice.room, &other];
        // Every second time only the room changes.
        let start = monday(8, 0) + TimeDelta::minutes(10 * (round / 2));
        let body =
            json!({"start_at": utc(start), "resource_ids": [rooms[usize::from(round % 2 == 0)]]});
        let answers = at_once(9, |n| match n {
            0 => act(&practice, &id, "reschedule", &body),
            n => join(&practice, &id, &clients[n]),
        });
        let answers: Vec<Value> = answers
            .iter()
            .enumerate()
            .map(|(n, answer)| answer.is(if n == 0 { 200 } else { 201 }))
            .collect();
        let session = session(&practice, &id);
        for appointment in &answers[1..] {
            let appointment = practice.appointment(&id_of(appointment));
            assert_eq!(appointment["start_at"], session["start_at"], "{appointment}");
            assert_eq!(appointment["resource_ids"], session["resource_ids"], "{appointment}");
        }
    }
    assert_eq!(who(&practice, &id).len(), 48);
    practice.is_whole();
}

#[test]
fn an_appointment_in_a_session_is_not_moved_by_itself() {
    let (practice, class) = a_studio();
    let id = a_session(&practice, &class);
    let joined = join(&practice, &id, &practice.client).is(201);
    let body = json!({"start_at": utc(monday(12, 0))});
    let problem = practice.act(&joined, "reschedule", &body).is_refused(409, "in-session");
    assert_eq!(problem["session_id"], *id);
    let body = json!({"from_resource_id": practice.room, "to_resource_id": practice.a_room()});
    practice.act(&joined, "reassign", &body).is_refused(409, "in-session");
}

#[test]
fn rules_of_the_service_hold_for_those_who_join() {
    let practice = a_practice();
    let class = practice.a_service(&json!({
        "session_places": 5, "limit_per_client_per_day": 1,
        "rules": {"booking_horizon_days": 30, "slot_step_minutes": 60},
    }));
    // The studio plans further ahead than clients book, and when it likes.
    let early = session_at(&practice, &class, monday(10, 7), &json!({})).is(201);
    let late = session_at(&practice, &class, monday(15, 0), &json!({})).is(201);
    let far = monday(10, 0) + TimeDelta::days(200);
    let far = session_at(&practice, &class, far, &json!({})).is(201);
    let join = |session: &Value| join(&practice, &id_of(session), &practice.client);
    join(&early).is(201);
    join(&late).is_refused(409, "client-day-limit");
    join(&far).is_refused(422, "booking-horizon");
}

#[test]
fn a_service_is_given_in_sessions_or_to_one_client_at_a_time() {
    let (practice, class) = a_studio();
    let alone = practice.booking(monday(10, 0)).with("service_id", &*class);
    alone.send().is_refused(422, "sessions-only");
    let asked = format!("/v1/availability?service_id={class}&from=2027-01-01&to=2027-01-02");
    practice.api.get(&asked).send().is_refused(422, "sessions-only");
    let other = practice.service.clone();
    let answer = session_at(&practice, &other, monday(10, 0), &json!({}));
    answer.is_refused(422, "not-in-sessions");
}

#[test]
fn roles_of_a_session_are_filled_and_its_resources_bound() {
    let practice = a_practice();
    let class = practice.a_service(&json!({
        "session_places": 3, "needs": [{"role": "teacher", "kind": "staff"}],
    }));
    let schedule = || {
        let body = json!({"service_id": class, "start_at": utc(monday(10, 0))});
        practice.api.post("/v1/sessions", &body).send()
    };
    schedule().is_refused(422, "role-unfilled");
    let teacher = practice.a_resource(&json!({"name": "Ada", "kind": "staff"}));
    assert_eq!(schedule().is(201)["resource_ids"], json!([teacher]));
    schedule().is_refused(409, "role-taken");
}

#[test]
fn sessions_are_listed_by_start_with_the_places_that_are_free() {
    let (practice, class) = a_studio();
    let [late, early] = [14, 9]
        .map(|hour| id_of(&session_at(&practice, &class, monday(hour, 0), &json!({})).is(201)));
    join(&practice, &early, &practice.client).is(201);
    let answer = act(&practice, &late, "cancel", &json!({}));
    let list = |query: &str| {
        let position = answer.position();
        let path = format!("/v1/sessions?{query}&min_position={position}");
        let list = practice.api.get(&path).send().is(200);
        list["items"].as_array().unwrap().clone()
    };
    let all = list("limit=10");
    assert_eq!(all.iter().map(id_of).collect::<Vec<_>>(), [early.clone(), late.clone()]);
    assert_eq!((&all[0]["free"], &all[1]["free"]), (&json!(4), &Value::Null));
    let date = monday(9, 0).date_naive();
    let day = format!("from={date}&to={date}&service_id={class}");
    assert_eq!(list(&format!("{day}&status=scheduled")).len(), 1);
    assert_eq!(list(&format!("service_id={}", practice.service)).len(), 0);
    let bad = practice.api.get("/v1/sessions?status=over").send();
    bad.is_refused(400, "invalid-query");
}

#[test]
fn a_session_asked_for_twice_is_there_once_and_a_stale_version_changes_nothing() {
    let (practice, class) = a_studio();
    let body = json!({"service_id": class, "resource_ids": [practice.room], "start_at": utc(monday(10, 0))});
    let send = || practice.api.post("/v1/sessions", &body).header("Idempotency-Key", "s").send();
    let [first, second] = [send().is(201), send().is(201)];
    assert_eq!(first["id"], second["id"]);
    let id = id_of(&first);
    let joined = join(&practice, &id, &practice.client).is(201);
    let path = format!("/v1/sessions/{id}/reschedule");
    let to = |hour| json!({"start_at": utc(monday(hour, 0))});
    let moved = |version: &str, hour| {
        practice.api.post(&path, &to(hour)).header("If-Match", version).send()
    };
    moved("\"1\"", 11).is(200);
    moved("\"1\"", 12).is_refused(412, "stale-version");
    let move_again =
        || practice.api.post(&path, &to(13)).header("Idempotency-Key", "m").send().is(200);
    assert_eq!(move_again(), move_again());
    let appointment = practice.appointment(&id_of(&joined));
    assert_eq!(
        (&appointment["start_at"], &appointment["version"]),
        (&json!(utc(monday(13, 0))), &json!(3))
    );
    practice.is_whole();
}

#[test]
fn what_is_no_session_is_not_found_and_bad_bodies_say_why() {
    let (practice, class) = a_studio();
    let unknown = "00000000-0000-7000-8000-000000000000";
    join(&practice, unknown, &practice.client).is_refused(404, "not-found");
    act(&practice, unknown, "cancel", &json!({})).is_refused(404, "not-found");
    practice.api.get(&format!("/v1/sessions/{unknown}")).send().is_refused(404, "not-found");
    for (name, value) in [("places", json!(0)), ("places", json!(501)), ("start_at", json!("soon"))]
    {
        let answer = session_at(&practice, &class, monday(10, 0), &json!({name: value}));
        answer.is_refused(422, "invalid-body");
    }
    let past = session_at(&practice, &class, monday(10, 0) - TimeDelta::days(3_650), &json!({}));
    past.is_refused(422, "in-the-past");
}

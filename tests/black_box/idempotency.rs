//! `Idempotency-Key`: a retry is answered as the first try was, and nothing is done twice.

use serde_json::{Value, json};

use crate::harness::{Answer, Practice, a_practice, at_once, monday, utc};

/// What a client sees of an answer.
fn seen(answer: &Answer) -> (u16, Option<&str>, Option<&str>, Option<&str>, Value) {
    let header = |name| answer.header(name);
    (answer.status, header("etag"), header("location"), header("daybook-position"), answer.json())
}

#[test]
fn one_key_20_times_at_once_makes_one_appointment_and_20_equal_answers() {
    let practice = a_practice();
    let booking = practice.booking(monday(10, 0)).idempotency_key("once");
    let answers = at_once(20, |_| booking.send());
    for answer in &answers {
        assert_eq!(answer.status, 201, "{answer:#?}");
        assert_eq!(seen(answer), seen(&answers[0]));
    }
    let found = practice.found(&format!("min_position={}", answers[0].position()));
    assert_eq!(found.len(), 1);
    assert_eq!(seen(&booking.send()), seen(&answers[0]), "and so is a later one");
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    let practice = a_practice();
    practice.booking(monday(10, 0)).idempotency_key("k").send().is(201);
    let other = practice.booking(monday(12, 0)).idempotency_key("k").send();
    other.is_refused(422, "idempotency-key-reused");
    // And has done nothing.
    practice.booked(monday(12, 0));
}

#[test]
fn the_same_key_for_another_command_is_refused() {
    let practice = a_practice();
    let post = |path: &str, body: &Value| {
        practice.api.post(path, body).header("idempotency-key", "k").send()
    };
    let client = json!({"name": "A client"});
    post("/v1/clients", &client).is(201);
    let path = format!("/v1/clients/{}", practice.client);
    let change = practice.api.patch(&path, &client).header("idempotency-key", "k").send();
    change.is_refused(422, "idempotency-key-reused");
}

#[test]
fn a_refused_command_is_refused_again_even_when_it_would_now_succeed() {
    let practice = a_practice();
    let in_the_way = practice.booked(monday(10, 0));
    let booking = practice.booking(monday(10, 0)).idempotency_key("late");
    let first = booking.send();
    first.is_refused(409, "slot-taken");
    practice.act(&in_the_way, "cancel", &json!({})).is(200);
    assert_eq!(seen(&booking.send()), seen(&first));
    booking.idempotency_key("later").send().is(201);
}

#[test]
fn an_actions_answer_is_replayed_as_it_was() {
    let practice = a_practice();
    let appointment = practice.booked(monday(10, 0));
    let path = format!("/v1/appointments/{}/cancel", appointment["id"].as_str().unwrap());
    let cancel = || {
        let body = json!({"reason": "Ill", "by": "client"});
        practice.api.post(&path, &body).header("idempotency-key", "c").send()
    };
    let first = cancel();
    assert_eq!(first.is(200)["status"], "cancelled");
    practice.act(&appointment, "change", &json!({"tags": ["gone"]})).is(200);
    assert_eq!(seen(&cancel()), seen(&first));
    let without_key = practice.act(&appointment, "cancel", &json!({}));
    without_key.is_refused(409, "wrong-status");
}

#[test]
fn a_key_is_of_one_tenant() {
    let (one, other) = (a_practice(), a_practice());
    let book = |practice: &Practice| practice.booking(monday(10, 0)).idempotency_key("k").send();
    let (one, other) = (book(&one).is(201), book(&other).is(201));
    assert_ne!(one["id"], other["id"]);
}

#[test]
fn what_is_made_and_changed_in_the_catalogue_is_replayed_too() {
    let practice = a_practice();
    let service = json!({"name": "S", "category": "c", "tags": [], "duration_minutes": 5});
    let resource = json!({"name": "R", "kind": "room", "time_zone": "UTC", "weekly_hours": []});
    let client = json!({"name": "A client"});
    let (of_service, of_resource, of_client) = (
        format!("/v1/services/{}", practice.service),
        format!("/v1/resources/{}", practice.room),
        format!("/v1/clients/{}", practice.client),
    );
    let commands = [
        ("POST", "/v1/services".to_owned(), service.clone()),
        ("POST", "/v1/resources".to_owned(), resource),
        ("POST", "/v1/clients".to_owned(), client.clone()),
        ("PATCH", of_service.clone(), service),
        ("POST", format!("{of_service}/retire"), json!({})),
        // Three events.
        ("PATCH", of_resource.clone(), json!({"weekly_hours": [], "capacity": 3, "name": "R 2"})),
        (
            "POST",
            format!("{of_resource}/exceptions"),
            json!({"kind": "time-off", "days": {"first": "2027-07-01", "last": "2027-07-02"}}),
        ),
        ("POST", format!("{of_resource}/retire"), json!({})),
        ("PATCH", of_client, client),
    ];
    for (number, (method, path, body)) in commands.iter().enumerate() {
        let key = format!("key-{number}");
        let request = || practice.api.request(method, path).json(body);
        let send = || request().header("idempotency-key", &key).send();
        let first = send();
        assert!(first.status < 300, "{first:#?}");
        assert_eq!(seen(&send()), seen(&first), "{path}");
    }
}

#[test]
fn a_key_is_short_and_visible() {
    let practice = a_practice();
    for bad in ["", "with space", &"k".repeat(256)] {
        let answer = practice.booking(monday(10, 0)).idempotency_key(bad).send();
        answer.is_refused(400, "invalid-idempotency-key");
    }
    let longest = practice.booking(monday(10, 0)).idempotency_key(&"k".repeat(255)).send();
    assert_eq!(longest.is(201)["start_at"], utc(monday(10, 0)));
}

/// Whether an answer says that it was given before.
fn is_replay(answer: &Answer) -> bool {
    answer.header("idempotent-replayed").is_some_and(|said| said == "true")
}

#[test]
fn a_body_that_means_the_same_is_the_same_request_whatever_its_bytes_are() {
    let practice = a_practice();
    let (service, room, client) = (&practice.service, &practice.room, &practice.client);
    let send = |body: String| {
        let request = practice.api.request("POST", "/v1/holds").header("idempotency-key", "meant");
        request.body("application/json", body).send()
    };
    let start = utc(monday(10, 0));
    let first = send(format!(
        r#"{{"service_id":"{service}","resource_ids":["{room}"],"client_id":"{client}","start_at":"{start}"}}"#
    ));
    first.is(201);
    assert!(!is_replay(&first));
    let elsewhere = monday(10, 0).with_timezone(&chrono_tz::Europe::Oslo).to_rfc3339();
    let upper = service.to_uppercase();
    let again = send(format!(
        "{{ \"start_at\": \"{elsewhere}\",\n  \"client_id\": \"{client}\", \"ttl_minutes\": 10, \"note\": null,
            \"resource_ids\": [ \"{room}\" ], \"service_id\": \"{upper}\" }}"
    ));
    assert_eq!(seen(&again), seen(&first));
    assert!(is_replay(&again), "{again:#?}");
    let longer = send(format!(
        r#"{{"service_id":"{service}","resource_ids":["{room}"],"client_id":"{client}","start_at":"{start}","ttl_minutes":11}}"#
    ));
    longer.is_refused(422, "idempotency-key-reused");
    assert!(!is_replay(&longer));
}

#[test]
fn a_patch_is_compared_by_what_it_means_too() {
    let practice = a_practice();
    let path = format!("/v1/services/{}", practice.service);
    let send = |body: &str| {
        let request = practice.api.request("PATCH", &path).header("idempotency-key", "meant");
        request.body("application/merge-patch+json", body).send()
    };
    let first = send(
        r#"{"name":"S","tags":["a","b"],"price":{"amount_minor":1,"currency":"EUR"},"location":null,"metadata":{"k":"v","l":null}}"#,
    );
    first.is(200);
    let again = send(
        r#"{ "metadata": {"l": null, "k": " v "}, "location": null, "tags": ["b", "a", "b"], "name": " S ",
             "price": {"currency": "EUR", "amount_minor": 1} }"#,
    );
    assert_eq!(seen(&again), seen(&first));
    assert!(is_replay(&again), "{again:#?}");
    // What is left out is not what is removed.
    let other = send(
        r#"{"name":"S","tags":["a","b"],"price":{"amount_minor":1,"currency":"EUR"},"metadata":{"k":"v"}}"#,
    );
    other.is_refused(422, "idempotency-key-reused");
}

/// It says that another version is there, and whoever has looked at that sends the same command again.
#[test]
fn a_version_that_was_out_of_date_is_no_answer_to_the_key() {
    let practice = a_practice();
    let appointment = practice.booked(monday(10, 0));
    let path = format!("/v1/appointments/{}", appointment["id"].as_str().unwrap());
    practice.act(&appointment, "change", &json!({"tags": ["changed"]})).is(200);
    for (n, (method, path, body)) in [
        ("PATCH", path.clone(), json!({"title": "Other"})),
        ("POST", format!("{path}/cancel"), json!({})),
    ]
    .into_iter()
    .enumerate()
    {
        let send = |version: usize| {
            let request = practice.api.request(method, &path).json(&body);
            let request = request.header("idempotency-key", &format!("key-{n}"));
            request.header("if-match", &format!("\"{version}\"")).send()
        };
        let stale = send(1 + n);
        stale.is_refused(412, "stale-version");
        assert!(!is_replay(&stale));
        let done = send(2 + n);
        done.is(200);
        assert!(!is_replay(&done), "{done:#?}");
        // It was done: whichever version is named now.
        for version in [1 + n, 2 + n, 3 + n] {
            let again = send(version);
            assert_eq!(seen(&again), seen(&done));
            assert!(is_replay(&again), "{again:#?}");
        }
    }
}

#[test]
fn an_answer_that_was_given_before_says_so() {
    let practice = a_practice();
    let booking = practice.booking(monday(10, 0)).idempotency_key("k");
    assert!(!is_replay(&booking.send()));
    assert!(is_replay(&booking.send()));
    // A refusal too.
    let refused = practice.booking(monday(10, 0)).idempotency_key("late");
    assert!(!is_replay(&refused.send()));
    let again = refused.send();
    again.is_refused(409, "slot-taken");
    assert!(is_replay(&again));
    // Without a key, nothing is.
    assert!(!is_replay(&practice.booking(monday(10, 0)).send()));
    // Of a batch, all of it.
    let batch = |hours: &[u32]| {
        let items: Vec<Value> =
            hours.iter().map(|hour| practice.booking(monday(*hour, 0)).body).collect();
        let request = practice.api.post("/v1/appointments:batch", &json!({"items": items}));
        request.header("idempotency-key", "batch").send()
    };
    assert!(!is_replay(&batch(&[11, 12, 11])));
    let again = batch(&[11, 12, 11]);
    again.is(200);
    assert!(is_replay(&again), "{again:#?}");
}

/// Another caller of the same tenant learns nothing of what was answered.
#[test]
fn an_answer_is_given_again_only_to_whom_it_was_given() {
    let practice = a_practice();
    let made = |scopes: &[&str]| {
        let key = practice.api.post("/v1/keys", &json!({"name": "A key", "scopes": scopes}));
        key.send().is(201)
    };
    let scopes = ["book", "personal", "appointments"];
    let (one, other) = (made(&scopes), made(&scopes));
    let as_key = |made: &Value| practice.api.with_key(made["key"].as_str());
    let contact = json!({"name": "A client", "email": "client@example.org"});
    let register = |by: &Value, body: &Value| {
        as_key(by).post("/v1/clients", body).header("idempotency-key", "client@example.org").send()
    };
    let first = register(&one, &contact);
    first.is(201);
    assert_eq!(seen(&register(&one, &contact)), seen(&first));
    register(&other, &contact).is_refused(422, "idempotency-key-of-another");
    // Whatever is asked: no guess is told from another.
    register(&other, &json!({"name": "A guess"})).is_refused(422, "idempotency-key-of-another");
    register(&one, &json!({"name": "Another"})).is_refused(422, "idempotency-key-reused");

    // A key that replaces it is the same caller, and so is the next.
    let mut newest = one;
    for _ in 0..2 {
        let rotate = format!("/v1/keys/{}/rotate", newest["id"].as_str().unwrap());
        newest = practice.api.post(&rotate, &json!({"overlap_hours": 1})).send().is(201);
        let again = register(&newest, &contact);
        assert_eq!(seen(&again), seen(&first));
        assert!(is_replay(&again));
    }
}

//! What cannot be understood is refused by a type of its own, and never by a 500.

use std::io::{Read as _, Write as _};
use std::thread;

use serde_json::{Value, json};

use crate::harness::{a_practice, monday};

/// A query of `GET /v1/appointments`, and the type of problem that it is.
const BAD_QUERIES: &[(&str, &str)] = &[
    ("from=2026-02-30", "invalid-date"),
    ("to=2026-13-01", "invalid-date"),
    ("from=2026-2-3", "invalid-date"),
    ("from=20260203", "invalid-date"),
    ("from=yesterday", "invalid-date"),
    ("from=2026-02-03T00:00:00Z", "invalid-date"),
    ("from=0000-00-00", "invalid-date"),
    ("from=2026-03-02&to=2026-03-01", "invalid-range"),
    ("tz=Mars/Olympus", "unknown-time-zone"),
    ("tz=%2B01:00", "unknown-time-zone"),
    ("cursor=broken", "invalid-cursor"),
    ("cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "invalid-cursor"),
    ("cursor=%00%FF", "invalid-query"),
    ("category=%00", "invalid-query"),
    ("q=a&q=b", "invalid-query"),
    ("from=2026-03-01&from=2026-03-02", "invalid-query"),
    ("service_id=one", "invalid-id"),
    ("resource_id=1", "invalid-id"),
    ("status=lost", "invalid-query"),
    ("tags=a&tags_match=some", "invalid-query"),
    ("sort=title", "invalid-query"),
    ("limit=many", "invalid-query"),
    ("min_position=-1", "invalid-query"),
    ("min_position=x", "invalid-query"),
    ("colour=red", "invalid-query"),
    // As a form sends the fields that nobody has filled in: a filter that says nothing would show everything.
    ("client_id=", "invalid-query"),
    ("from=", "invalid-query"),
    ("tags=&tags=a", "invalid-query"),
    ("q=", "invalid-query"),
    ("q=%20", "invalid-query"),
    ("q=%3F!", "invalid-query"),
    // Nothing of it is a letter: it must not find everything.
    ("q=%E2%80%8B", "invalid-query"),
    ("q=%CC%81", "invalid-query"),
    ("q=%E3%80%80", "invalid-query"),
    // Latin 1 is no UTF-8, and would be another word.
    ("q=caf%e9", "invalid-query"),
    ("category=caf%E9", "invalid-query"),
    ("reference=%C3", "invalid-query"),
    ("metadata[colour]=%ff", "invalid-query"),
    ("%e9=1", "invalid-query"),
];

#[test]
fn every_bad_query_has_its_type_of_problem() {
    let practice = a_practice();
    let mut wrong = Vec::new();
    for (query, slug) in BAD_QUERIES {
        let answer = practice.api.get(&format!("/v1/appointments?{query}")).send();
        if (answer.status, &*answer.slug()) == (400, slug) {
            answer.is_refused(400, slug);
        } else {
            wrong.push(format!("{query}: {} {}, not {slug}", answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_cursor_that_was_changed_is_refused() {
    let practice = a_practice();
    let position = practice.booking(monday(9, 0)).send().position();
    practice.booked(monday(10, 0));
    let path = format!("/v1/appointments?limit=1&min_position={}", position + 1);
    let cursor = practice.api.get(&path).send().is(200)["next_cursor"].clone();
    let cursor = cursor.as_str().expect("there is a second page");
    let refused = |path: String| practice.api.get(&path).send().is_refused(400, "invalid-cursor");
    refused(format!("/v1/appointments?limit=1&cursor={}", &cursor[1..]));
    refused(format!("/v1/appointments?limit=1&cursor={cursor}AAAA"));
    // It goes on with the question that it was given for, and with no other.
    refused(format!("/v1/appointments?limit=1&sort=-start_at&cursor={cursor}"));
    refused(format!("/v1/appointments?limit=1&category=other&cursor={cursor}"));
}

#[test]
fn every_bad_booking_is_refused_before_anything_is_booked() {
    let practice = a_practice();
    let long = |length| Value::from("x".repeat(length));
    let cases: Vec<(&str, Value)> = vec![
        ("start_at", json!("2026-12-01T10:00:00")),
        ("start_at", json!("2026-12-01")),
        ("start_at", json!("2026-02-30T10:00:00Z")),
        ("start_at", json!("soon")),
        ("start_at", json!(1_780_000_000)),
        ("start_at", Value::Null),
        ("service_id", json!("one")),
        ("service_id", json!(1)),
        ("service_id", Value::Null),
        ("client_id", json!("")),
        ("resource_ids", json!("one")),
        ("resource_ids", json!([])),
        ("resource_ids", json!(["one"])),
        ("resource_ids", json!([practice.room, practice.room])),
        ("resource_ids", json!([Value::Null])),
        ("title", long(10_000)),
        ("title", json!("")),
        ("title", json!("a\u{0}b")),
        ("title", json!("a\nb")),
        ("title", json!("a\u{1b}[31mb")),
        ("title", json!(5)),
        ("category", long(10_000)),
        ("category", json!("a\u{7}b")),
        ("tags", json!("first")),
        ("tags", json!([1])),
        ("tags", json!(["a\u{0}b"])),
        ("tags", json!([long(10_000)])),
        ("tags", (0..1_000).map(|n| json!(format!("tag-{n}"))).collect()),
        ("note", json!("a\u{0}b")),
        ("note", long(16_001)),
        ("hold_minutes", json!(10)),
        ("ttl_minutes", json!(10)),
        ("colour", json!("red")),
        ("status", json!("fulfilled")),
        ("id", json!("01890000-0000-7000-8000-000000000000")),
    ];
    let mut wrong = Vec::new();
    for (member, value) in cases {
        let answer = practice.booking(monday(10, 0)).with(member, value.clone()).send();
        if (answer.status, &*answer.slug()) != (422, "invalid-body") {
            let shown: String = value.to_string().chars().take(80).collect();
            wrong.push(format!("{member}={shown}: {} {}", answer.status, answer.text));
        }
    }
    for member in ["service_id", "client_id", "start_at"] {
        let answer = practice.booking(monday(10, 0)).without(member).send();
        if (answer.status, &*answer.slug()) != (422, "invalid-body") {
            wrong.push(format!("without {member}: {} {}", answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    practice.booked(monday(10, 0));
}

#[test]
fn a_name_is_short_and_has_no_control_characters() {
    let practice = a_practice();
    let bodies = [
        ("/v1/services", json!({"category": "c", "tags": [], "duration_minutes": 5})),
        ("/v1/resources", json!({"kind": "room", "time_zone": "UTC", "weekly_hours": []})),
        ("/v1/clients", json!({})),
    ];
    for (path, mut body) in bodies {
        for bad in
            ["x".repeat(10_000), "x".repeat(201), " ".into(), "a\u{0}b".into(), "a\tb".into()]
        {
            body["name"] = json!(bad);
            practice.api.post(path, &body).send().is_refused(422, "invalid-body");
        }
        body["name"] = json!("ø".repeat(200));
        practice.api.post(path, &body).send().is(201);
    }
}

#[test]
fn a_body_that_is_not_json_is_told_from_one_that_is_wrong() {
    let practice = a_practice();
    let send = |content_type: &str, body: &[u8]| {
        practice.api.request("POST", "/v1/clients").body(content_type, body).send()
    };
    for not_json in [
        &b"{"[..],
        b"{\"name\": \"A\"",
        b"{'name': 'A'}",
        b"name=A",
        b"{\"name\": \"A\"} and more",
        b"{\"name\": \"\xff\"}",
    ] {
        send("application/json", not_json).is_refused(400, "invalid-json");
    }
    for wrong in [&b"[]"[..], b"\"A\"", b"null", b"12", b"{\"name\": [\"A\"]}", b"{\"name\": null}"]
    {
        send("application/json", wrong).is_refused(422, "invalid-body");
    }
    send("text/plain", b"{\"name\": \"A\"}").is_refused(415, "unsupported-media-type");
    send("application/x-www-form-urlencoded", b"name=A").is_refused(415, "unsupported-media-type");
    send("application/json; charset=utf-8", b"{\"name\": \"A\"}").is(201);
    send("application/json; charset=\"UTF-8\"", b"{\"name\": \"A\"}").is(201);
    for other in ["iso-8859-1", "utf-16", "\"latin1\""] {
        let content_type = format!("application/json; charset={other}");
        send(&content_type, b"{\"name\": \"A\"}").is_refused(415, "unsupported-media-type");
    }
}

#[test]
fn a_member_that_is_given_twice_is_refused_wherever_it_is() {
    let practice = a_practice();
    let send = |path: &str, body: &str| {
        practice.api.request("POST", path).body("application/json", body).send()
    };
    let client = |more: &str| format!(r#"{{"name": "A", {more}}}"#);
    for (more, member) in [
        (r#""name": "B""#, "name"),
        (r#""metadata": {"a": "1", "a": "2"}"#, "metadata.a"),
        (r#""email": "a@example.org", "email": null"#, "email"),
    ] {
        let problem = send("/v1/clients", &client(more)).is_refused(422, "invalid-body");
        assert_eq!(problem["member"], member, "{problem}");
    }
    let change = practice.api.request("PATCH", &format!("/v1/clients/{}", practice.client));
    let twice = r#"{"phone": null, "phone": "+47 22"}"#;
    let change = change.body("application/merge-patch+json", twice);
    assert_eq!(change.send().is_refused(422, "invalid-body")["member"], "phone");
}

/// What looks empty in a list cannot be chosen, and what turns the direction of writing is taken for something else.
#[test]
fn a_text_that_nobody_can_read_as_it_is_written_is_refused() {
    let practice = a_practice();
    let service = json!({"name": "S", "category": "c", "duration_minutes": 5});
    let resource = json!({"name": "R", "kind": "room", "time_zone": "UTC", "weekly_hours": []});
    let booking = practice.booking(monday(10, 0)).body;
    let cases = [
        ("/v1/services", &service, &["name", "category", "location", "reference"][..]),
        ("/v1/resources", &resource, &["name", "reference"]),
        ("/v1/clients", &json!({"name": "A"}), &["name", "notes", "reference"]),
        ("/v1/appointments", &booking, &["title", "category", "note", "location"]),
    ];
    for (path, body, members) in cases {
        let with = |member: &str, value: Value| {
            let mut body = body.clone();
            body[member] = value;
            practice.api.post(&format!("{path}?dry_run=true"), &body).send()
        };
        for unreadable in [
            "\u{200b}",
            "\u{feff}\u{2060}",
            "\u{3164}",
            "\u{200f} \u{200e}",
            "pay \u{202e}001 RUE",
            "\u{2066}a\u{2069}",
            "a\u{202a}b",
        ] {
            for member in members {
                let problem = with(member, json!(unreadable)).is_refused(422, "invalid-body");
                assert_eq!(problem["member"], *member, "{problem}");
            }
            let pairs = json!({"a": unreadable});
            let problem = with("metadata", pairs).is_refused(422, "invalid-body");
            assert_eq!(problem["member"], "metadata.a", "{problem}");
            with("metadata", json!({unreadable: "a"})).is_refused(422, "invalid-body");
        }
        for good in [
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd} a",
            "\u{1f469}\u{200d}\u{1f467}",
            "\u{645}\u{6cc}\u{200c}\u{62e}",
        ] {
            for member in members {
                with(member, json!(good)).is(200);
            }
        }
    }
}

#[test]
fn a_body_that_is_nested_deeply_is_refused() {
    let practice = a_practice();
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let answer = practice.api.request("POST", "/v1/clients").body("application/json", deep).send();
    assert!([400, 422].contains(&answer.status), "{answer:#?}");
    assert!(["invalid-json", "invalid-body"].contains(&&*answer.slug()), "{answer:#?}");
}

#[test]
fn a_body_of_10_mb_is_refused() {
    let practice = a_practice();
    let body = json!({"name": "x".repeat(10_000_000)}).to_string();
    // By hand, because a client may give up when it is answered before it has sent everything.
    let mut stream = practice.api.begin_post("/v1/clients", body.len()).unwrap();
    let mut sending = stream.try_clone().unwrap();
    let sender = thread::spawn(move || {
        let _ = sending.write_all(body.as_bytes());
    });
    let mut answer = Vec::new();
    // The connection may be reset once it has answered: what was read before counts.
    let _ = stream.read_to_end(&mut answer);
    sender.join().unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("urn:daybook:problem:body-too-large"), "{answer}");
    practice.a_client("The server still answers");
}

#[test]
fn an_id_in_a_path_is_a_uuid() {
    let practice = a_practice();
    for id in ["1", "one", "01890000-0000-7000-8000", "01890000-0000-7000-8000-00000000000g", "%00"]
    {
        for path in ["services", "resources", "clients", "appointments"] {
            practice.api.get(&format!("/v1/{path}/{id}")).send().is_refused(400, "invalid-id");
        }
        let path = format!("/v1/appointments/{id}/events");
        practice.api.get(&path).send().is_refused(400, "invalid-id");
        let path = format!("/v1/appointments/{id}/cancel");
        practice.api.post(&path, &json!({})).send().is_refused(400, "invalid-id");
    }
}

#[test]
fn every_action_refuses_unknown_members_and_wrong_types() {
    let practice = a_practice();
    let appointment = practice.booked(monday(10, 0));
    let refused = [
        ("confirm", json!({"x": 1})),
        ("check-in", json!({"x": 1})),
        ("complete", json!({"x": 1})),
        ("no-show", json!({"x": 1})),
        ("cancel", json!({"x": 1})),
        ("cancel", json!({"by": "fate"})),
        ("cancel", json!({"by": "client", "reason": "x".repeat(10_000)})),
        ("reschedule", json!({})),
        ("reschedule", json!({"start_at": "2026-12-01T10:00:00"})),
        ("reschedule", json!({"start_at": "2026-12-01T10:00:00Z", "x": 1})),
        ("reschedule", json!({"start_at": "2026-12-01T10:00:00Z", "resource_ids": []})),
        ("change", json!({"tags": "a"})),
        ("change", json!({"category": "a\u{0}b"})),
        ("change", json!({"x": 1})),
    ];
    for (action, body) in refused {
        practice.act(&appointment, action, &body).is_refused(422, "invalid-body");
    }
    assert_eq!(practice.appointment(appointment["id"].as_str().unwrap()), appointment);
}

#[test]
fn a_path_and_a_method_that_are_not_there_are_problems_too() {
    let practice = a_practice();
    practice.api.get("/v1/nowhere").send().is_refused(404, "not-found");
    practice.api.get("/nowhere").send().is_refused(404, "not-found");
    for (method, path) in
        [("DELETE", "/v1/appointments"), ("PUT", "/v1/services"), ("POST", "/livez")]
    {
        let answer = practice.api.request(method, path).send();
        answer.is_refused(405, "method-not-allowed");
        assert!(answer.header("allow").is_some(), "RFC 9110 section 15.5.6: {answer:#?}");
    }
}

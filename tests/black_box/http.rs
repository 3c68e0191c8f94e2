//! Manners of HTTP that all routes have: conditional requests, compression, calls from other origins' pages.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::every_operation::house::House;
use crate::harness::{
    Answer, Api, Database, Practice, Server, a_practice, eventually, id_of, monday, utc,
};

/// Everything that is one thing, as `GET` shows it: all of which the document says so, and a hold, which lapses.
fn single_things(house: &House) -> Vec<String> {
    let of = |path: &str| house.asked("GET", path).path;
    let report = of("/v1/imports/{id}");
    eventually("the import is over", || {
        (house.practice.api.get(&report).send().is(200)["status"] == "finished").then_some(())
    });
    let held = house.practice.booking(monday(11, 0)).held(30).send().is(201);
    let held = format!("/v1/appointments/{}", id_of(&held));
    documented().iter().map(|path| of(path)).chain([held]).collect()
}

/// The paths of which the document says that they are read conditionally, always; what is cached can be at times.
fn documented() -> Vec<String> {
    let document = Server::shared().api(None).get("/openapi.json").send().is(200);
    let paths = document["paths"].as_object().unwrap().iter();
    let always = |it: &Value| it["headers"]["ETag"]["$ref"] == "#/components/headers/Version";
    let read = paths.filter(|(_, it)| {
        it["get"]["responses"].get("304").is_some() && always(&it["get"]["responses"]["200"])
    });
    let read: Vec<String> = read.map(|(path, _)| path.clone()).collect();
    assert!(read.len() >= 10, "{read:?}");
    read
}

#[test]
fn whoever_has_a_thing_as_it_is_is_told_so_whatever_it_is() {
    let house = House::new();
    let practice = &house.practice;
    for path in single_things(&house) {
        let read = practice.api.get(&path).send();
        read.has_status(200);
        let etag = read.header("etag").unwrap_or_else(|| panic!("{path} has an ETag"));
        for method in ["GET", "HEAD"] {
            for known in
                [etag.to_owned(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()]
            {
                let request = practice.api.request(method, &path);
                let again = request.header("if-none-match", &known).send();
                assert_eq!(again.status, 304, "{method} {path}: {known}");
                assert_eq!(
                    (again.header("etag"), &*again.text),
                    (Some(etag), ""),
                    "{method} {path}"
                );
                assert_eq!(again.header("daybook-position"), read.header("daybook-position"));
            }
            let other =
                practice.api.request(method, &path).header("if-none-match", "\"other\"").send();
            assert_eq!((other.status, other.header("etag")), (200, Some(etag)), "{method} {path}");
        }
    }
}

#[test]
fn what_has_changed_is_shown_also_where_its_version_is_the_same() {
    let practice = a_practice();
    let unchanged = |path: &str, etag: &str| {
        practice.api.get(path).header("if-none-match", etag).send().status == 304
    };
    let booked = practice.booked(monday(10, 0));
    let path = format!("/v1/appointments/{}", id_of(&booked));
    let etag = practice.api.get(&path).send().header("etag").unwrap().to_owned();
    assert!(unchanged(&path, &etag));
    practice.act(&booked, "check-in", &json!({})).is(200);
    assert!(!unchanged(&path, &etag));
    // A place of a session is taken without a change of the session.
    let class = practice.a_service(&json!({"session_places": 2}));
    let session = json!({"service_id": class, "resource_ids": [practice.a_room()], "start_at": utc(monday(9, 0))});
    let session = practice.created("/v1/sessions", &session);
    let path = format!("/v1/sessions/{session}");
    let first = practice.api.get(&path).send();
    let etag = first.header("etag").unwrap().to_owned();
    let place = json!({"client_id": practice.client});
    practice.created(&format!("{path}/appointments"), &place);
    let second = practice.api.get(&path).header("if-none-match", &etag).send();
    assert_eq!(second.is(200)["version"], first.json()["version"]);
    // A command asks for the version alone.
    let to = json!({"start_at": utc(monday(13, 0))});
    let moved = practice.api.post(&format!("{path}/reschedule"), &to).header("if-match", &etag);
    moved.send().is(200);
}

/// The answer to whoever takes these encodings, and its body once it is decoded.
fn encoded(practice: &Practice, path: &str, accept: &str) -> (Answer, Vec<u8>) {
    let request = || practice.api.get(path).header("accept-encoding", accept);
    let (answer, bytes) = (request().send(), request().download());
    let mut decoded = Vec::new();
    match answer.header("content-encoding") {
        None => decoded = bytes,
        Some("gzip") => {
            GzDecoder::new(&*bytes).read_to_end(&mut decoded).unwrap();
        }
        Some("br") => {
            brotli_decompressor::Decompressor::new(&*bytes, 4_096)
                .read_to_end(&mut decoded)
                .unwrap();
        }
        Some(other) => panic!("{other}: {answer:#?}"),
    }
    (answer, decoded)
}

#[test]
fn a_large_answer_is_compressed_for_whoever_takes_that_and_a_small_one_is_left_alone() {
    let practice = a_practice();
    let booked = (0..12).map(|hour| practice.booking(monday(hour, 0)).send().position());
    let list = format!("/v1/appointments?min_position={}", booked.max().unwrap());
    let list = list.as_str();
    let (plain, bytes) = encoded(&practice, list, "identity");
    assert_eq!(plain.header("content-encoding"), None);
    for (accept, expected) in [
        ("gzip", Some("gzip")),
        ("br", Some("br")),
        ("gzip, deflate, br", Some("br")),
        ("gzip;q=1.0, br;q=0.5", Some("gzip")),
        ("zstd", None),
        // Nothing is refused for an encoding: it would be told of a command that has been done.
        ("identity;q=0", None),
        ("*;q=0", None),
    ] {
        let (answer, decoded) = encoded(&practice, list, accept);
        answer.has_status(200);
        assert_eq!(answer.header("content-encoding"), expected, "{accept}");
        assert_eq!(decoded, bytes, "{accept}");
        assert_eq!(answer.header("vary"), Some("accept-encoding"), "{accept}");
        if expected.is_some() {
            let sent = practice.api.get(list).header("accept-encoding", accept).download();
            assert!(sent.len() * 3 < bytes.len(), "{accept}: {} of {}", sent.len(), bytes.len());
        }
    }
    let small = format!("/v1/clients/{}", practice.client);
    assert_eq!(encoded(&practice, &small, "gzip, br").0.header("content-encoding"), None);
    let (csv, lines) = encoded(&practice, "/v1/events/export?format=csv", "gzip");
    assert_eq!(csv.header("content-encoding"), Some("gzip"));
    assert!(lines.starts_with(b"position,"));
}

#[test]
fn an_encoded_answer_has_an_etag_of_its_own_and_is_known_by_it() {
    let practice = a_practice();
    let note = "n".repeat(4_000);
    let booked = practice.booking(monday(10, 0)).with("note", note).send().is(201);
    let path = format!("/v1/appointments/{}", id_of(&booked));
    let plain = practice.api.get(&path).send();
    let plain = plain.header("etag").unwrap();
    let (answer, _) = encoded(&practice, &path, "gzip");
    let etag = answer.header("etag").unwrap();
    assert_eq!(etag, format!("{}-gzip\"", plain.strip_suffix('"').unwrap()));
    for known in [etag, plain] {
        let request = practice.api.get(&path).header("accept-encoding", "gzip");
        let again = request.header("if-none-match", known).send();
        assert_eq!((again.status, again.header("etag")), (304, Some(known)));
    }
    let cancel = practice.api.post(&format!("{path}/cancel"), &json!({})).header("if-match", etag);
    cancel.send().is(200);
}

#[test]
fn a_stream_of_events_is_not_compressed() {
    let practice = a_practice();
    let path = "/v1/events/stream?to=2000-01-01";
    let answer = practice.api.get(path).header("accept-encoding", "gzip, br").send();
    answer.has_status(200);
    assert_eq!(answer.header("content-encoding"), None);
}

/// What a browser asks before a page of this origin may send a command.
fn preflight(api: &Api, origin: &str) -> Answer {
    let request = api.request("OPTIONS", "/v1/appointments").header("origin", origin);
    let request = request.header("access-control-request-method", "POST");
    request.header("access-control-request-headers", "authorization,idempotency-key").send()
}

#[test]
fn pages_of_other_origins_may_not_call_unless_they_are_named() {
    let practice = a_practice();
    let read = practice.api.get("/v1/services").header("origin", "https://desk.example").send();
    read.has_status(200);
    assert_eq!(read.header("access-control-allow-origin"), None);
    assert_eq!(
        preflight(&practice.api, "https://desk.example").header("access-control-allow-origin"),
        None
    );

    let database = Database::fresh();
    let origins = "https://desk.example,http://localhost:5173";
    let server = Server::start_with(&database, &["--cors-origin", origins]);
    let practice = Practice::on(&server);
    let allowed = |answer: &Answer| answer.header("access-control-allow-origin").map(str::to_owned);
    for origin in ["https://desk.example", "http://localhost:5173"] {
        // Whoever asks before has no key.
        let asked = preflight(&server.api(None), origin);
        asked.has_status(200);
        assert_eq!(allowed(&asked).as_deref(), Some(origin));
        let list = |name: &str| asked.header(name).unwrap().to_ascii_lowercase();
        for method in ["get", "post", "put", "patch", "delete"] {
            assert!(list("access-control-allow-methods").contains(method), "{method}");
        }
        for header in
            ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"]
        {
            assert!(list("access-control-allow-headers").contains(header), "{header}");
        }
        assert_eq!(list("access-control-max-age"), "7200");
        for request in [
            practice.api.get("/v1/services"),
            practice.api.get("/v1/services/none"),
            server.api(None).get("/v1/services"),
        ] {
            let answer = request.header("origin", origin).send();
            assert_eq!(allowed(&answer).as_deref(), Some(origin), "{answer:#?}");
            let exposed =
                answer.header("access-control-expose-headers").unwrap().to_ascii_lowercase();
            for header in [
                "etag",
                "location",
                "link",
                "daybook-position",
                "idempotent-replayed",
                "x-request-id",
            ] {
                assert!(exposed.contains(header), "{header}");
            }
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
    }
    for other in ["https://desk.example.net", "http://desk.example", "null"] {
        assert_eq!(allowed(&preflight(&server.api(None), other)), None, "{other}");
    }
    let said = database.run(&["serve", "--cors-origin", "desk.example"]).failed();
    assert!(said.contains("an origin is a scheme and a host"), "{said}");
}

/// What is answered to this, by hand: no client sends it.
fn told(api: &Api, request: &str) -> String {
    let address = api.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let key = api.key().unwrap_or_default();
    let request = request.replace("KEY", key).replace("HOST", address);
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    // A connection may be reset once it has answered: what was read before counts.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn problem_in(answer: &str) -> Value {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.to_lowercase().contains("content-type: application/problem+json"), "{answer}");
    assert!(head.to_lowercase().contains("x-request-id: "), "{answer}");
    serde_json::from_str(body).unwrap()
}

/// A proxy may have gone by the one, and the program by the other.
#[test]
fn a_header_that_says_one_thing_is_given_once() {
    let practice = a_practice();
    let usual = [
        ("host", "HOST"),
        ("authorization", "Bearer KEY"),
        ("content-type", "application/json"),
        ("idempotency-key", "once"),
        ("if-match", "\"1\""),
        ("daybook-min-position", "1"),
        ("last-event-id", "1"),
    ];
    let head: String =
        usual.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect();
    for (name, value) in usual {
        for second in [value, "other"] {
            let answer = told(
                &practice.api,
                &format!(
                    "PATCH /v1/clients/{} HTTP/1.1\r\n{head}{name}: {second}\r\n\
                     connection: close\r\ncontent-length: 14\r\n\r\n{{\"name\": \"Two\"}}",
                    practice.client
                ),
            );
            assert!(answer.starts_with("HTTP/1.1 400 "), "{name}: {answer}");
            let problem = problem_in(&answer);
            assert_eq!(problem["type"], "urn:daybook:problem:repeated-header", "{answer}");
            assert_eq!(problem["header"], name, "{answer}");
        }
    }
    let path = format!("/v1/clients/{}", practice.client);
    assert_ne!(practice.api.get(&path).send().is(200)["name"], "Two");
    // What is a list may go on in another line.
    let list = practice.api.get(&path).header("if-none-match", "\"9\"");
    list.header("if-none-match", "*").send().has_status(304);
}

#[test]
fn a_uri_that_is_too_long_is_a_problem() {
    let practice = a_practice();
    let of = |length: usize| {
        let path = "/v1/appointments?";
        let each = format!("&tags={}", "t".repeat(1_994));
        let long = format!("{path}{}", each.repeat(9));
        long[..length].to_owned()
    };
    assert_ne!(practice.api.get(&of(16_384)).send().status, 414);
    let answer = practice.api.get(&of(16_385)).send();
    answer.is_refused(414, "uri-too-long");
    assert!(answer.header("x-request-id").is_some());
}

/// As docs/api.md says: there is no request yet that could be told more.
#[test]
fn what_is_no_request_is_answered_by_a_status_alone() {
    let practice = a_practice();
    let head = |line: &str, more: &str| format!("{line}\r\nhost: HOST\r\n{more}\r\n");
    let many = "x: y\r\n".repeat(100);
    let large = format!("x: {}\r\n", "y".repeat(1_000_000));
    let long = format!("GET /v1/clients?{} HTTP/1.1", "q".repeat(65_535));
    for (request, status) in [
        (head("no request", ""), 400),
        (head("GET /livez HTTP/9.9", ""), 400),
        (head("GET /livez HTTP/1.1", "no header\r\n"), 400),
        (head("GET /livez HTTP/1.1", "content-length: 1\r\ncontent-length: 2\r\n"), 400),
        (head(&long, ""), 414),
        (head("GET /livez HTTP/1.1", &many), 431),
        (head("GET /livez HTTP/1.1", &large), 431),
    ] {
        let answer = told(&practice.api, &request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        assert!(!answer.to_lowercase().contains("x-request-id"), "{answer}");
    }
}

/// What an answer says may be done with it.
fn rules(answer: &Answer) -> (Option<&str>, Option<&str>) {
    (answer.header("cache-control"), answer.header("x-content-type-options"))
}

#[test]
fn every_answer_says_whether_it_may_be_kept_and_that_it_is_what_it_says() {
    let practice = a_practice();
    let path = format!("/v1/clients/{}", practice.client);
    let read = practice.api.get(&path).send();
    let (asks_again, never) = (Some("private, no-cache"), Some("no-store"));
    assert_eq!(rules(&read), (asks_again, Some("nosniff")));
    let known =
        practice.api.get(&path).header("if-none-match", read.header("etag").unwrap()).send();
    known.has_status(304);
    assert_eq!(rules(&known), (asks_again, Some("nosniff")));
    let head = practice.api.request("HEAD", &path).send();
    assert_eq!(rules(&head), (asks_again, Some("nosniff")));
    for answer in [
        practice.api.get("/v1/clients").send(),
        practice.api.patch(&path, &json!({"name": "Other"})).send(),
        practice.api.get("/v1/clients/none").send(),
        practice.api.with_key(None).get("/v1/clients").send(),
        practice.api.get("/v1/events/export?format=csv").send(),
        practice.api.get("/v1/events/stream?to=2000-01-01").send(),
        practice.api.get("/livez").send(),
        practice.api.get("/").send(),
        practice.api.get("/nowhere").send(),
    ] {
        assert_eq!(rules(&answer), (never, Some("nosniff")), "{answer:#?}");
    }
    for path in ["/openapi.json", "/asyncapi.json", "/docs"] {
        let answer = practice.api.get(path).send();
        assert_eq!(rules(&answer), (Some("no-cache"), Some("nosniff")), "{path}");
    }
    for request in [
        practice.api.get("/"),
        practice.api.get("/").header("accept", "text/html"),
        practice.api.get("/docs"),
    ] {
        let answer = request.send();
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'"), "{answer:#?}");
        assert!(policy.contains("frame-ancestors 'none'"), "{answer:#?}");
    }
}

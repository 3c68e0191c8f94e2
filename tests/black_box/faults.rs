//! What goes wrong around the program: it says so, in bounded time, and goes on.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::harness::{
    APPOINTMENTS, Database, Practice, Server, a_practice, at_once, eventually, monday,
};

/// A little longer than any answer may take.
const BOUND: Duration = Duration::from_secs(20);

/// What comes until the server hangs up, which it must do in time.
fn all_of(mut stream: TcpStream) -> String {
    let started = Instant::now();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    answer
}

#[test]
fn a_slow_client_is_disconnected_and_delays_nobody() {
    let practice = a_practice();
    let address = practice.api.url.trim_start_matches("http://");
    let mut head = TcpStream::connect(address).unwrap();
    head.write_all(b"GET /v1/appointments HTTP/1.1\r\nhost: ").unwrap();
    let mut body = practice.api.begin_post("/v1/clients", 100).unwrap();
    body.write_all(b"{\"na").unwrap();
    practice.booked(monday(8, 0));
    let (head, body) = thread::scope(|scope| {
        let head = scope.spawn(|| all_of(head));
        let body = scope.spawn(|| all_of(body));
        (head.join().unwrap(), body.join().unwrap())
    });
    assert!(!head.contains("200 OK"), "{head}");
    let body = body.to_lowercase();
    assert!(body.starts_with("http/1.1 503 ") && body.contains("\r\nretry-after: "), "{body}");
}

#[test]
fn a_client_that_disconnects_leaves_nothing_half_done() {
    const CLIENTS: i64 = 60;
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let start = |number: i64| monday(0, 0) + TimeDelta::minutes(30 * number);
    let send = |number: i64, part: usize| {
        let body = practice.booking(start(number)).body.to_string();
        let mut stream = practice.api.begin_post("/v1/appointments", body.len()).unwrap();
        stream.write_all(&body.as_bytes()[..body.len() / part]).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    };
    // Half of them before they have said what they want, half of them after.
    (0..CLIENTS).for_each(|number| send(number, if number % 2 == 0 { 2 } else { 1 }));
    let last = practice.booking(start(CLIENTS)).send();
    last.is(201);
    eventually("nothing is under way any more", || {
        let booked = practice.found(&format!("limit=100&min_position={}", last.position())).len();
        thread::sleep(Duration::from_millis(100));
        (practice.found("limit=100").len() == booked).then_some(())
    });
    let found = practice.found("limit=100");
    assert!(i64::try_from(found.len()).unwrap() <= 1 + CLIENTS / 2, "{} bookings", found.len());
    for number in (0..CLIENTS).step_by(2) {
        practice.booked(start(number));
    }
    server.database.run(&["verify"]).succeeded();
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let booked = practice.booking(monday(8, 0)).send();
    booked.is(201);
    let mut sql = server.database.sql();
    // As PostgreSQL does when a table cannot grow.
    sql.run(
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
         CREATE TRIGGER no_room BEFORE INSERT ON events EXECUTE FUNCTION no_room()",
    );
    let answers = at_once(8, |n| {
        practice.booking(monday(9, 0) + TimeDelta::hours(n.try_into().unwrap())).send()
    });
    for answer in answers {
        assert!(answer.says_come_back(), "{answer:?}");
    }
    let what_was_there = practice.found(&format!("min_position={}", booked.position()));
    assert_eq!(what_was_there.len(), 1, "what is there can be read");
    sql.run("DROP TRIGGER no_room ON events");
    practice.booked(monday(9, 0));
    server.database.run(&["verify"]).succeeded();
}

#[test]
fn connections_that_are_all_taken_are_told_and_come_back() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    practice.booked(monday(8, 0));
    let mut sql = server.database.sql();
    sql.run(&format!("BEGIN; LOCK TABLE {APPOINTMENTS}.appointments"));
    let started = Instant::now();
    let answers = at_once(60, |_| practice.api.get("/v1/appointments").send());
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    for answer in answers {
        assert!(answer.says_come_back(), "{answer:?}");
    }
    sql.run("ROLLBACK");
    eventually("it answers again", || {
        (practice.api.get("/v1/appointments").send().status == 200).then_some(())
    });
}

#[test]
fn whatever_was_done_before_a_stop_was_answered() {
    const BOOKERS: usize = 16;
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let (next, answered) = (AtomicI64::new(0), AtomicI64::new(0));
    thread::scope(|scope| {
        for _ in 0..BOOKERS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let start = monday(0, 0) + TimeDelta::minutes(30 * number);
                    let Ok(answer) = practice.booking(start).request().try_send() else { return };
                    answer.is(201);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        eventually("it is busy", || (answered.load(Ordering::Relaxed) > 100).then_some(()));
        server.signal(Signal::SIGTERM);
    });
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    let booked = server.database.sql().number(
        "SELECT count(*) FROM events WHERE tenant_id = $1 AND event_type = 'AppointmentBooked'",
        &practice.tenant,
    );
    assert_eq!(booked, answered.into_inner(), "{}", json!({"sent": next.into_inner()}));
}

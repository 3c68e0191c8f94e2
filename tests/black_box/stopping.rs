//! How a program comes and goes: whether it is ready, and what it still does when it is told to stop.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use nix::sys::signal::Signal;

use crate::harness::{Database, Practice, Server, Wire, monday, within};

/// What the server answers on this connection to one request.
fn ask(connection: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: daybook\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut answer = vec![0; 4_096];
    let read = connection.read(&mut answer).unwrap_or(0);
    String::from_utf8_lossy(&answer[..read]).to_lowercase()
}

fn connection(server: &Server) -> Option<TcpStream> {
    TcpStream::connect(server.url.trim_start_matches("http://")).ok()
}

#[test]
fn a_program_that_is_told_to_stop_goes_on_for_a_moment_and_says_that_it_stops() {
    let server = Server::start_with(&Database::fresh(), &["--drain-seconds", "2"]);
    let mut kept = connection(&server).unwrap();
    assert!(!ask(&mut kept, "/livez").contains("connection: close"));
    let mut idle = connection(&server).unwrap();
    assert!(ask(&mut idle, "/livez").contains("200 ok"));
    let told = Instant::now();
    server.signal(Signal::SIGTERM);
    within(Duration::from_secs(1), "it is not ready", || {
        let answer = server.operator().get("/readyz").send();
        (answer.status == 503).then(|| assert_eq!(answer.json()["draining"], true))
    });
    // Old connections and new ones are answered, and end with the answer.
    let answer = ask(&mut kept, "/livez");
    assert!(answer.contains("200 ok") && answer.contains("connection: close"), "{answer}");
    assert_eq!(kept.read(&mut [0]).unwrap(), 0, "it is closed");
    while told.elapsed() < Duration::from_millis(1_500) {
        let answer = ask(&mut connection(&server).expect("it listens"), "/livez");
        assert!(answer.contains("200 ok") && answer.contains("connection: close"), "{answer}");
        thread::sleep(Duration::from_millis(50));
    }
    within(Duration::from_secs(5), "nobody listens", || {
        connection(&server).is_none().then_some(())
    });
    assert_eq!(idle.read(&mut [0]).unwrap(), 0, "what is idle is closed");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    assert!(told.elapsed() < Duration::from_secs(6), "{:?}", told.elapsed());
}

#[test]
fn with_a_database_that_hangs_it_lives_is_not_ready_recovers_and_stops() {
    let database = Database::fresh();
    let wire = Wire::to(&database);
    let server = wire.server(&database, &[]);
    let practice = Practice::on(&server);
    practice.booked(monday(8, 0));
    wire.freeze();
    within(Duration::from_secs(10), "it is not ready", || {
        (server.operator().get("/readyz").send().status == 503).then_some(())
    });
    // All that ask wait, and it answers.
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| practice.api.get("/v1/appointments").send().says_come_back());
        }
        for api in [server.api(None), server.operator()] {
            for path in ["/livez", "/readyz"] {
                let asked = Instant::now();
                api.get(path).send();
                assert!(asked.elapsed() < Duration::from_secs(1), "{path}: {:?}", asked.elapsed());
            }
        }
    });
    wire.thaw();
    within(Duration::from_secs(15), "it is ready again", || {
        (server.operator().get("/readyz").send().status == 200).then_some(())
    });
    practice.booked(monday(9, 0));
    wire.freeze();
    let told = Instant::now();
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    assert!(told.elapsed() < Duration::from_secs(25), "{:?}", told.elapsed());
}

#[test]
fn told_twice_it_stops_at_once() {
    let server = Server::start_with(&Database::fresh(), &["--drain-seconds", "60"]);
    server.signal(Signal::SIGTERM);
    thread::sleep(Duration::from_millis(300));
    let told = Instant::now();
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait().code(), Some(1), "{}", server.log());
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
}

#[test]
fn a_tenant_whose_projection_is_behind_takes_no_program_out() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    practice.booked(monday(8, 0));
    let dead = "UPDATE checkpoints SET leader = gen_random_uuid(),
                       lease_until = clock_timestamp() + interval '1 hour'
                 WHERE tenant_id = $1";
    within(Duration::from_secs(10), "somebody who has died leads", || {
        (server.database.sql().change(dead, &practice.tenant) > 0).then_some(())
    });
    for number in 0..20 {
        practice.booked(monday(9, 0) + TimeDelta::hours(number));
    }
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        server.api(None).get("/readyz").send().has_status(200);
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn idle_connections_shut_nobody_out() {
    let server = Server::start_with(&Database::fresh(), &["--max-connections", "32"]);
    let idle: Vec<TcpStream> = (0..330).filter_map(|_| connection(&server)).collect();
    assert!(idle.len() > 300, "{}", idle.len());
    for _ in 0..5 {
        let asked = Instant::now();
        server.api(None).get("/livez").send().has_status(200);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
    drop(idle);
}

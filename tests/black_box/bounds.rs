//! No request stops the program: what costs too much is refused, and nobody takes all the room.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, connect, setsockopt, socket, sockopt,
};
use serde_json::{Value, json};

use crate::harness::{Answer, Database, Practice, Server, at_once, date, eventually};

/// As many requests as one tenant may have under way.
const ROOM_OF_A_TENANT: usize = 256;

/// However busy the program is, it says in this time that it lives.
const LIVES_WITHIN: Duration = Duration::from_secs(2);

const EVERY_DAY: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A house with many rooms, each of which opens and closes fifty times a day, at minutes of its own.
fn a_house(server: &Server, rooms: usize) -> (Practice, Vec<String>) {
    let practice = Practice::on(server);
    let made = at_once(4, |n| {
        let own = (0..rooms).filter(|room| room % 4 == n);
        own.map(|room| practice.a_resource(&json!({"weekly_hours": windows(room)}))).collect()
    });
    let made: Vec<Vec<String>> = made;
    (practice, made.concat())
}

fn windows(room: usize) -> Value {
    let time = |minute: usize| format!("{:02}:{:02}", minute / 60, minute % 60);
    let window = |n: usize| {
        let from = 28 * n + room % 28;
        json!({"days": EVERY_DAY, "from": time(from), "to": time(from + 10)})
    };
    (0..50).map(window).collect()
}

/// Sixteen rooms at once, of which two can be none but one and the same.
fn impossible(room: &str) -> Value {
    let role = |n: usize| match n {
        0..14 => json!({"role": format!("room {n}"), "kind": "room"}),
        _ => json!({"role": format!("room {n}"), "among": [room]}),
    };
    json!({
        "roles": (0..16).map(role).collect::<Vec<_>>(), "duration_minutes": 1, "step_minutes": 1,
        "from": date(0), "to": date(91), "time_zone": "UTC", "limit": 1,
    })
}

#[test]
fn a_search_that_costs_too_much_is_refused_and_the_program_lives_meanwhile() {
    let server = Server::start(&Database::fresh());
    let (practice, rooms) = a_house(&server, 60);
    let search = |body: &Value| practice.api.post("/v1/availability/search", body).send();
    let possible = json!({
        "roles": [{"role": "one", "kind": "room"}, {"role": "other", "kind": "room"}],
        "duration_minutes": 1, "step_minutes": 1, "from": date(0), "to": date(91), "time_zone": "UTC", "limit": 1,
    });
    let found = search(&possible).is(200);
    assert_eq!((found["slots"].as_array().unwrap().len(), &found["more"]), (1, &json!(true)));
    let impossible = impossible(&rooms[0]);
    search(&impossible).is_refused(422, "too-broad");
    let (over, probe) = (AtomicBool::new(false), server.api(None).kept_alive());
    thread::scope(|scope| {
        scope.spawn(|| {
            let refused = at_once(16, |_| search(&impossible));
            over.store(true, Ordering::Relaxed);
            // They take turns, so the last may wait for too long.
            let (waited, told): (Vec<_>, Vec<_>) =
                refused.into_iter().partition(Answer::says_come_back);
            assert!(waited.len() < 16, "none had its turn");
            for answer in told {
                drop(answer.is_refused(422, "too-broad"));
            }
        });
        while !over.load(Ordering::Relaxed) {
            let asked = Instant::now();
            assert_eq!(probe.get("/livez").send().status, 200);
            assert!(asked.elapsed() < LIVES_WITHIN, "{:?}", asked.elapsed());
            thread::sleep(Duration::from_millis(10));
        }
    });
}

#[test]
fn all_lists_of_an_answer_together_are_bounded() {
    let server = Server::shared();
    let (practice, rooms) = a_house(server, 20);
    let asked = |limit: &str| {
        let (day, rooms) = (date(0), rooms.join("&resource_id="));
        let path = format!(
            "/v1/availability?duration_minutes=1&step_minutes=1&from={day}&to={day}&tz=UTC&by=resource\
             &resource_id={rooms}{limit}"
        );
        practice.api.get(&path).send()
    };
    let usual = asked("").is(200);
    assert_eq!(usual["resources"].as_array().unwrap().len(), 20);
    asked("&limit=1000").is(200);
    asked("&limit=1001").is_refused(422, "too-broad");
}

/// Requests whose bodies are still to come.
fn begun(practice: &Practice, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| practice.api.begin_post("/v1/clients", 100).unwrap()).collect()
}

#[test]
fn one_tenants_flood_leaves_another_served() {
    let server = Server::start(&Database::fresh());
    let (loud, quiet) = (Practice::on(&server), Practice::on(&server));
    let mut flood = begun(&loud, ROOM_OF_A_TENANT);
    let path = format!("/v1/services/{}", loud.service);
    // Whoever asks before all have arrived has a place, too, for a moment: then one more takes it.
    let refused = eventually("there is no room left", || {
        let answer = loud.api.get(&path).send();
        if answer.status != 503 {
            flood.extend(begun(&loud, 1));
        }
        Some(answer).filter(|answer| answer.status == 503)
    });
    refused.is_refused(503, "overloaded");
    assert!(refused.says_come_back());
    quiet.a_client("A client");
    drop(flood);
    eventually("there is room again", || (loud.api.get(&path).send().status == 200).then_some(()));
}

#[test]
fn whoever_reads_slowly_keeps_the_place_of_the_request() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let flood = begun(&practice, ROOM_OF_A_TENANT - 1);
    let mut reader = slow_reader(&practice);
    let mut head = [0; 12];
    reader.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    let service = format!("/v1/services/{}", practice.service);
    practice.api.get(&service).send().is_refused(503, "overloaded");
    drop(reader);
    eventually("its place is free", || {
        (practice.api.get(&service).send().status == 200).then_some(())
    });
    drop(flood);
}

/// Who asks for every minute of a week, with its end, and reads nothing of it. It takes so small packets that no
/// more than a tenth of the answer is on its way.
fn slow_reader(practice: &Practice) -> TcpStream {
    let address: SocketAddrV4 = practice.api.url.trim_start_matches("http://").parse().unwrap();
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None).unwrap();
    setsockopt(&socket, sockopt::TcpMaxSeg, &500).unwrap();
    setsockopt(&socket, sockopt::RcvBuf, &4_096).unwrap();
    connect(socket.as_raw_fd(), &SockaddrIn::from(address)).unwrap();
    let mut stream = TcpStream::from(socket);
    let path = format!(
        "/v1/availability?duration_minutes=1&step_minutes=1&from={}&to={}&tz=UTC&limit=10000&resource_id={}",
        date(0),
        date(7),
        practice.room
    );
    let key = practice.api.key().unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

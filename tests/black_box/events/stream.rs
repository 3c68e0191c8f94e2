//! `GET /v1/events/stream`

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;

use super::sse::Stream;
use super::{a_long_log, events, position};
use crate::harness::{Database, Practice, Server, a_practice, a_tenant, monday, seed};

#[test]
fn a_stream_tells_what_there_is_and_then_what_happens() {
    let practice = a_practice();
    let mut stream = Stream::open(&practice.api, "", None).unwrap();
    for expected in 1..=3 {
        assert_eq!(stream.next().unwrap().id, expected.to_string());
    }
    let booked = practice.booked(monday(10, 0));
    let event = stream.next().unwrap();
    assert_eq!((&*event.id, &*event.name), ("4", ""));
    let event: Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(event, events(&practice.api, "")[3]);
    assert_eq!(event["subject"], format!("appointment/{}", booked["id"].as_str().unwrap()));
    let mut filtered = Stream::open(&practice.api, "event_type=AppointmentBooked", None).unwrap();
    assert_eq!(filtered.next().unwrap().id, "4");
}

#[test]
fn a_reader_who_is_killed_a_hundred_times_under_load_sees_every_position_once_and_in_order() {
    let practice = a_practice();
    let over = AtomicBool::new(false);
    let mut rng = StdRng::seed_from_u64(seed("killed a hundred times"));
    let (mut seen, mut last_id) = (Vec::new(), None);
    let read = |stream: &mut Stream, seen: &mut Vec<u64>| {
        let event = stream.next().expect("the server goes on");
        assert_eq!(event.name, "", "{event:?}");
        let data: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(event.id, data["id"]);
        seen.push(position(&data));
    };
    thread::scope(|scope| {
        for day in 0..3 {
            let (practice, over) = (&practice, &over);
            scope.spawn(move || {
                let room = practice.a_room();
                for nth in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let start =
                        monday(0, 0) + TimeDelta::days(day) + TimeDelta::minutes(nth % 48 * 30);
                    let booking = practice.booking(start).with("resource_ids", vec![room.clone()]);
                    let booked = booking.send().is(201);
                    practice.act(&booked, "cancel", &serde_json::json!({})).is(200);
                }
            });
        }
        let done = scope.spawn(|| {
            // Ends the load whatever happens here.
            struct Over<'a>(&'a AtomicBool);
            impl Drop for Over<'_> {
                fn drop(&mut self) {
                    self.0.store(true, Ordering::Relaxed);
                }
            }
            let _over = Over(&over);
            for _ in 0..100 {
                let mut stream = Stream::open(&practice.api, "", last_id.as_deref()).unwrap();
                for _ in 0..rng.random_range(0..12) {
                    read(&mut stream, &mut seen);
                }
                last_id = stream.last_id.clone();
            }
        });
        done.join().unwrap();
    });
    let head = practice.api.get("/v1/events?after=latest").send().is(200)["head"].as_u64().unwrap();
    let mut stream = Stream::open(&practice.api, "", last_id.as_deref()).unwrap();
    while seen.last().is_none_or(|last| *last < head) {
        read(&mut stream, &mut seen);
    }
    assert_eq!(seen, (1..=head).collect::<Vec<_>>());
    assert!(head > 200, "there was little load: {head}");
}

#[test]
fn where_nothing_passes_the_filter_the_position_comes_by_itself() {
    let practice = a_practice();
    let mut stream =
        Stream::open(&practice.api, "event_type=AppointmentBooked&to=2000-01-01", None).unwrap();
    let end = stream.next().unwrap();
    assert_eq!((&*end.name, &*end.data), ("end", r#"{"reason":"to","resume_after":"0"}"#));
    assert_eq!(stream.next(), None);
    let to = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    practice.booked(monday(10, 0));
    let query = format!("event_type=SeriesBooked&to={}", to.format("%Y-%m-%dT%H:%M:%S%.6fZ"));
    let mut stream = Stream::open(&practice.api, &query, None).unwrap();
    assert_eq!(stream.next().unwrap().data, r#"{"reason":"to","resume_after":"3"}"#);
    assert_eq!(stream.last_id.as_deref(), Some("3"), "told without an event");
}

#[test]
fn a_program_that_is_told_to_stop_says_so_to_those_who_listen_and_does_not_wait_for_them() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let mut stream = Stream::open(&practice.api, "", None).unwrap();
    for _ in 0..3 {
        stream.next().unwrap();
    }
    let asked = Instant::now();
    server.signal(Signal::SIGTERM);
    let end = stream.next().unwrap();
    assert_eq!((&*end.name, &*end.data), ("end", r#"{"reason":"stopping","resume_after":"3"}"#));
    assert_eq!(stream.next(), None);
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}

#[test]
fn who_reads_too_slowly_is_cut_off_with_a_last_event_and_resumes() {
    const EVENTS: u32 = 10_000;
    let server = Server::start(&Database::fresh());
    let tenant = a_tenant();
    let api = server.api(Some(server.database.key(&tenant, "read")));
    a_long_log(&server.database, &tenant, EVENTS, 4_000);
    let mut stream = Stream::open(&api, "", None).unwrap();
    let mut seen = vec![stream.next().unwrap().id];
    // Longer than the server's patience.
    thread::sleep(Duration::from_secs(13));
    let end = loop {
        let event = stream.next().expect("a last event");
        if event.name == "end" {
            break event;
        }
        seen.push(event.id);
    };
    let end: Value = serde_json::from_str(&end.data).unwrap();
    assert_eq!(end["reason"], "slow");
    assert_eq!(end["resume_after"].as_str(), seen.last().map(String::as_str));
    assert!(seen.len() < EVENTS as usize, "it was cut off");
    let mut stream = Stream::open(&api, "", stream.last_id.as_deref()).unwrap();
    while seen.len() < EVENTS as usize {
        seen.push(stream.next().unwrap().id);
    }
    let all: Vec<String> = (1..=EVENTS).map(|n| n.to_string()).collect();
    assert_eq!(seen, all);
}

#[test]
fn a_tenant_has_so_many_streams_at_once_and_room_again_when_one_is_closed() {
    let practice = a_practice();
    let open = || Stream::open(&practice.api, "", None);
    let mut streams: Vec<Stream> = (0..64).map(|_| open().unwrap()).collect();
    assert!(open().err().unwrap().says_come_back());
    streams.pop();
    crate::harness::eventually("there is room again", || open().ok());
}

#[test]
fn a_stream_ends_when_its_time_is_over_also_where_nothing_has_happened_since() {
    let server = Server::start(&Database::fresh());
    let tenant = a_tenant();
    let api = server.api(Some(server.database.key(&tenant, "read")));
    // As if its log were an old one.
    let older = "UPDATE log_heads SET recorded_at = '2019-12-01Z' WHERE tenant_id = $1";
    assert_eq!(server.database.sql().change(older, &tenant), 1);
    let mut quiet = Stream::open(&api, "to=2020-01-01", None).unwrap();
    let end = quiet.next().expect("an end");
    assert_eq!((&*end.name, &*end.data), ("end", r#"{"reason":"to","resume_after":"0"}"#));
}

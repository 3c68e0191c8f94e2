//! Endpoints that fail, and programs that are killed: nothing is lost, ids stay, and who answers well is not held up.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::endpoint::{Endpoint, Message, Reply};
use super::{LOCAL, add, deliveries, head, seen, server};
use crate::harness::{Database, Practice, Server, eventually, id_of, monday, size, within};

fn booked(practice: &Practice, count: i64) {
    for n in 0..count {
        practice.booked(monday(0, 0) + TimeDelta::minutes(30 * n));
    }
}

/// It has taken each event after this one, in order; some perhaps again.
#[track_caller]
fn are_all_in_order(taken: &[Message], after: u64, count: usize) {
    let mut next = after + 1;
    let mut ids = BTreeSet::new();
    for message in taken {
        assert!(message.position() <= next, "{} came before {next}", message.position());
        if message.position() == next {
            next += 1;
        }
        ids.insert(message.id().to_owned());
    }
    assert_eq!(next, after + 1 + u64::try_from(count).unwrap(), "nothing is missing");
    assert_eq!(ids.len(), count, "an event has one id");
}

#[test]
fn an_endpoint_that_fails_is_told_the_same_again_before_anything_else() {
    let practice = Practice::on(server());
    let count = Arc::new(AtomicU32::new(0));
    let elsewhere = Endpoint::new();
    let moves_to = elsewhere.url.clone();
    let endpoint = Endpoint::which(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::Status(500),
        1 => Reply::HangUp,
        2 => Reply::Moved(moves_to.clone()),
        _ => Reply::Status(200),
    });
    let before = head(&practice);
    let webhook = add(&practice, &endpoint, &json!({})).is(201);
    booked(&practice, 3);
    eventually("it is said that it fails", || {
        let seen = seen(&practice, &id_of(&webhook));
        (seen["failed_attempts"].is_u64() && seen["next_attempt_at"].is_string()).then_some(())
    });
    are_all_in_order(&endpoint.has_taken(3), before, 3);
    let told = endpoint.told();
    assert!(told[..4].iter().all(|message| message.id() == told[0].id()), "{told:#?}");
    let times: Vec<Duration> = told[..4].windows(2).map(|two| two[1].at - two[0].at).collect();
    assert!(times[2] > times[1] && times[1] > times[0], "longer and longer: {times:?}");
    assert!(elsewhere.told().is_empty(), "nobody is sent elsewhere");
    let failures: Vec<Value> = deliveries(&practice, &id_of(&webhook))
        .iter()
        .rev()
        .map(|delivery| json!([delivery["attempt"], delivery["failure"]]))
        .collect();
    let sent = [
        json!([1, "status-500"]),
        json!([2, "broken-off"]),
        json!([3, "status-307"]),
        json!([4, null]),
        json!([1, null]),
        json!([1, null]),
    ];
    assert_eq!(failures, sent);
    let seen = eventually("it is well again", || {
        let seen = seen(&practice, &id_of(&webhook));
        (seen["events_behind"] == 0).then_some(seen)
    });
    assert!(seen["failed_attempts"].is_null() && seen["failure"].is_null(), "{seen}");
}

#[test]
fn one_that_has_gone_is_told_nothing_more_and_that_is_said() {
    let server = Server::start_with(&Database::fresh(), &[LOCAL]);
    let practice = Practice::on(&server);
    let endpoint = Endpoint::which(|_| Reply::Status(410));
    let webhook = add(&practice, &endpoint, &json!({})).is(201);
    booked(&practice, 2);
    let id = id_of(&webhook);
    let stopped = eventually("it is given up", || {
        let seen = seen(&practice, &id);
        seen["stopped_at"].is_string().then_some(seen)
    });
    assert_eq!((&stopped["active"], &stopped["failure"]), (&json!(false), &json!("gone")));
    assert_eq!(endpoint.told().len(), 1);
    let doctor = server.database.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1));
    assert!(doctor.stdout.contains(&format!("webhook {id} of {}", practice.tenant)), "{doctor:?}");
    let metric = "daybook_followers_stopped{follower=\"webhook\"} 1";
    eventually("the metric says so", || {
        let metrics = server.operator().get("/metrics").send();
        metrics.text.lines().any(|line| line == metric).then_some(())
    });
    // Who brings it back goes on with what it was not told.
    endpoint.behaves(|_| Reply::Status(200));
    let at = format!("/v1/webhooks/{id}");
    practice.api.patch(&at, &json!({"active": true})).send().is(200);
    assert_eq!(endpoint.has_taken(2).len(), 2);
    assert!(seen(&practice, &id)["stopped_at"].is_null());
}

/// More of them than have a turn at once, of as many tenants as it takes.
#[test]
fn those_who_are_slow_hold_up_nobody_else() {
    let slow = Endpoint::which(|_| Reply::Late(Duration::from_secs(30), 200));
    for _ in 0..4 {
        let practice = Practice::on(server());
        for _ in 0..20 {
            add(&practice, &slow, &json!({})).is(201);
        }
        booked(&practice, 1);
    }
    // A tenant has eight turns at once.
    slow.was_told(32);
    // One of another tenant, while they are waited for.
    let (others, quick) = (Practice::on(server()), Endpoint::new());
    add(&others, &quick, &json!({})).is(201);
    let begun = Instant::now();
    others.booked(monday(9, 0));
    quick.has_taken(1);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    slow.behaves(|_| Reply::Status(200));
}

/// A name that leads to this machine, or to its network, is not asked where that is not allowed; nor is one without TLS.
#[test]
fn nobody_is_told_anything_inside_of_the_network() {
    let practice = Practice::on(Server::shared());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let add = |url: &str| practice.api.post("/v1/webhooks", &json!({"url": url})).send();
    add(&format!("http://127.0.0.1:{port}/")).is_refused(422, "invalid-body");
    let webhooks: Vec<String> = [
        format!("https://localhost:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("https://[::1]:{port}/"),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        "https://10.0.0.1/".to_owned(),
    ]
    .iter()
    .map(|url| id_of(&add(url).is(201)))
    .collect();
    practice.booked(monday(9, 0));
    for id in &webhooks {
        let failed = eventually("it is refused", || deliveries(&practice, id).pop());
        assert_eq!(failed["failure"], "not-public", "{failed}");
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody came");
}

/// How often a program is killed.
const KILLS: &str = "DAYBOOK_WEBHOOK_KILLS";

#[test]
fn two_programs_that_are_killed_lose_nothing_and_keep_the_order() {
    let kills: u32 = size(KILLS, 3);
    let database = Database::fresh();
    let api = Server::start_with(&database, &["--roles", "api,projector", LOCAL]);
    let practice = Practice::on(&api);
    let (before, answered) = (head(&practice), Arc::new(AtomicU32::new(0)));
    // Some fail, so that what is tried again is killed, too.
    let endpoint = Endpoint::which(move |_| match answered.fetch_add(1, Ordering::Relaxed) % 10 {
        3 => Reply::Status(503),
        _ => Reply::Late(Duration::from_millis(20), 200),
    });
    let webhook = add(&practice, &endpoint, &json!({})).is(201);
    let relay = || Server::start_with(&database, &["--roles", "relay", LOCAL]);
    let _other = relay();
    let count = 60;
    thread::scope(|scope| {
        scope.spawn(|| booked(&practice, count));
        for n in 0..kills {
            let one = relay();
            let told = endpoint.told().len();
            within(Duration::from_mins(1), "somebody tells it", || {
                (endpoint.told().len() > told + n as usize || endpoint.taken().len() >= 60)
                    .then_some(())
            });
            one.kill_dash_9();
        }
    });
    eventually("it is told all", || {
        (seen(&practice, &id_of(&webhook))["events_behind"] == 0).then_some(())
    });
    are_all_in_order(&endpoint.taken(), before, usize::try_from(count).unwrap());
}

/// While nobody is killed, nobody is told anything twice: one of the programs has the endpoint.
#[test]
fn of_two_programs_one_tells_an_endpoint() {
    let database = Database::fresh();
    let api = Server::start_with(&database, &["--roles", "api,projector", LOCAL]);
    let practice = Practice::on(&api);
    let before = head(&practice);
    let endpoint = Endpoint::which(|_| Reply::Late(Duration::from_millis(40), 200));
    let webhook = add(&practice, &endpoint, &json!({})).is(201);
    let relay = || Server::start_with(&database, &["--roles", "relay", LOCAL]);
    let _both = [relay(), relay()];
    let count = 50;
    booked(&practice, count);
    within(Duration::from_mins(1), "it is told all", || {
        (seen(&practice, &id_of(&webhook))["events_behind"] == 0).then_some(())
    });
    let told: Vec<u64> = endpoint.told().iter().map(Message::position).collect();
    let count = u64::try_from(count).unwrap();
    assert_eq!(told, (before + 1..=before + count).collect::<Vec<_>>());
}

/// The control of the test of kills: an event that was taken by nobody is not passed over when its program is killed.
#[test]
fn what_nobody_has_answered_is_told_by_the_next_program() {
    let database = Database::fresh();
    let api = Server::start_with(&database, &["--roles", "api,projector", LOCAL]);
    let practice = Practice::on(&api);
    let before = head(&practice);
    let endpoint = Endpoint::which(|_| Reply::Late(Duration::from_secs(5), 200));
    add(&practice, &endpoint, &json!({})).is(201);
    let one = Server::start_with(&database, &["--roles", "relay", LOCAL]);
    booked(&practice, 2);
    endpoint.was_told(1);
    one.kill_dash_9();
    endpoint.behaves(|_| Reply::Status(200));
    let killed_at = Instant::now();
    let _two = Server::start_with(&database, &["--roles", "relay", LOCAL]);
    let told = endpoint.was_told(3);
    assert_eq!(
        told.iter().map(Message::position).collect::<Vec<_>>(),
        [before + 1, before + 1, before + 2]
    );
    assert_eq!(told[0].id(), told[1].id());
    // Nobody waits for the lease of a program that has ended.
    assert!(told[1].at - killed_at < Duration::from_secs(20), "{:?}", told[1].at - killed_at);
}

/// A log that came to rest before an endpoint was told all of it is found by whoever tells next.
#[test]
fn what_happened_while_nobody_told_is_told_later() {
    let database = Database::fresh();
    let api = Server::start_with(&database, &["--roles", "api,projector", LOCAL]);
    let practice = Practice::on(&api);
    let (before, endpoint) = (head(&practice), Endpoint::new());
    add(&practice, &endpoint, &json!({})).is(201);
    let relay = || Server::start_with(&database, &["--roles", "relay", LOCAL]);
    // It has read to the end, and is due no more.
    let one = relay();
    practice.booked(monday(8, 0));
    endpoint.has_taken(1);
    one.interrupt();
    one.wait();
    booked(&practice, 2);
    let mut sql = database.sql();
    within(Duration::from_mins(1), "the log rests", || {
        let rests = "SELECT count(*) FROM log_heads WHERE NOT active AND tenant_id = $1";
        (sql.number(rests, &practice.tenant) == 1).then_some(())
    });
    let _two = relay();
    are_all_in_order(&endpoint.has_taken(3), before, 3);
}

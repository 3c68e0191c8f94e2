//! The program's own life: its database, its signals, its subcommands.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harness::{CalendarFile, Database, Practice, Server, Sql, eventually, monday};

#[test]
fn it_brings_up_a_database_of_its_own_and_keeps_it() {
    let database = Database::embedded();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let appointment = practice.booked(monday(10, 0));
    server.interrupt();
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    drop(server);

    let server = Server::start(&database);
    let practice = practice.moved_to(&server);
    let id = appointment["id"].as_str().unwrap();
    assert_eq!(practice.appointment(id), appointment);
    eventually("the read model has what was booked last", || {
        let found = practice.found("");
        (found.first()?["id"] == appointment["id"]).then_some(())
    });
    practice.booking(monday(10, 0)).send().is_refused(409, "slot-taken");
}

#[test]
fn subcommands_work_on_the_same_folder_before_and_while_the_server_runs() {
    let database = Database::embedded();
    database.run(&["migrate"]).succeeded();
    let before = database.key("conf", "read");
    let server = Server::start(&database);
    database.run(&["migrate"]).succeeded();
    let while_it_runs = database.key("conf", "book");
    let file = CalendarFile::of_the_conference();
    let import = database.import(&file.path, "conf", &[]);
    assert_eq!(import.last_line(), "booked 61, already there 0, refused 0", "{import:#?}");
    for key in [before, while_it_runs] {
        let api = server.api(Some(key));
        eventually("what was imported is found", || {
            let page = api.get("/v1/appointments?limit=100").send().is(200);
            (page["items"].as_array().unwrap().len() == 61).then_some(())
        });
    }
    server.interrupt();
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
}

#[test]
fn its_own_postgresql_is_open_to_other_clients() {
    let database = Database::embedded();
    let ask = ["psql", "--no-align", "--tuples-only", "--command", "SELECT 6 * 7"];
    assert_eq!(database.run(&ask).succeeded(), "42\n", "nobody serves");
    let refused = database.run(&["url"]).failed();
    assert!(refused.contains("no server runs on"), "{refused}");
    let server = Server::start(&database);
    assert_eq!(database.run(&ask).succeeded(), "42\n", "a server does");
    let url = database.run(&["url"]).succeeded();
    let tenants = Sql::connect(url.trim(), None)
        .number("SELECT count(*) FROM tenants WHERE tenant_id = $1", "none");
    assert_eq!(tenants, 0);
    let failed = database.run(&["psql", "--command", "SELECT no_such_thing"]).failed();
    assert!(failed.contains("no_such_thing") && failed.contains("psql ended with"), "{failed}");
    assert!(server.log().lines().all(|line| !line.contains("ERROR")), "{}", server.log());

    let elsewhere = Database::fresh().run(&["url"]).failed();
    assert!(elsewhere.contains("by the URL that you gave"), "{elsewhere}");
}

#[test]
fn tenants_and_keys_are_listed_and_a_key_that_is_revoked_opens_nothing() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let key = database.key("one", "read");
    database.run(&["tenant", "create", "another"]).succeeded();
    assert_eq!(database.run(&["tenant", "list"]).succeeded(), "another\none\n");
    let listed = database.run(&["key", "list", "--tenant", "one"]).succeeded();
    assert_eq!(listed.lines().count(), 1, "{listed}");
    let read = " availability,appointments,analytics,personal ";
    assert!(listed.contains(read) && !listed.contains(&key), "{listed}");
    let id = listed.split(' ').next().unwrap();
    let asks = || server.api(Some(key.clone())).get("/v1/services").send().status;
    assert_eq!(asks(), 200);
    let theirs = database.run(&["key", "revoke", "--tenant", "another", id]).failed();
    assert!(theirs.contains("`daybook key list --tenant another`"), "{theirs}");
    database.run(&["key", "revoke", "--tenant", "one", id]).succeeded();
    eventually("it opens nothing any more", || (asks() == 401).then_some(()));
    let listed = database.run(&["key", "list", "--tenant", "one"]).succeeded();
    assert!(listed.starts_with(id) && listed.contains("  revoked "), "{listed}");
}

#[test]
fn a_request_that_has_begun_is_answered_before_the_server_ends() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let server = Server::start(&Database::fresh());
        let practice = Practice::on(&server);
        let body = json!({"name": "Came just in time"}).to_string();
        let mut stream = practice.api.begin_post("/v1/clients", body.len()).unwrap();
        stream.write_all(&body.as_bytes()[..4]).unwrap();
        // The server has begun with it.
        thread::sleep(Duration::from_millis(200));
        server.signal(signal);
        let connection = || practice.api.begin_post("/v1/clients", 0);
        eventually("it takes no new connections", || connection().err());
        stream.write_all(&body.as_bytes()[4..]).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    }
}

/// What one who books has seen of a burst: the answer to each key, or none.
type Seen = Mutex<BTreeMap<i64, Option<Value>>>;

#[test]
fn after_kill_dash_9_in_a_burst_every_answered_booking_is_there_once() {
    const BOOKERS: usize = 8;
    const ENOUGH: usize = 200;
    let database = Database::embedded();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let slot = |number: i64| {
        let start = monday(0, 0) + TimeDelta::minutes(30 * number);
        practice.booking(start).idempotency_key(&format!("slot-{number}"))
    };
    let (next, seen) = (AtomicI64::new(0), Seen::default());
    thread::scope(|scope| {
        for _ in 0..BOOKERS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    seen.lock().unwrap().insert(number, None);
                    let Ok(answer) = slot(number).request().try_send() else { return };
                    seen.lock().unwrap().insert(number, Some(answer.is(201)));
                }
            });
        }
        eventually("enough is booked", || {
            let answered = seen.lock().unwrap().values().flatten().count();
            (answered >= ENOUGH).then_some(())
        });
        server.kill_dash_9();
    });
    drop(server);
    let seen = seen.into_inner().unwrap();
    let unanswered: Vec<i64> =
        seen.iter().filter(|(_, answer)| answer.is_none()).map(|(number, _)| *number).collect();
    assert!(!unanswered.is_empty(), "it was killed while it worked");

    let server = Server::start(&database);
    let again = Practice::on(&server);
    let practice = practice.moved_to(&server);
    let slot = |number: i64| {
        let start = monday(0, 0) + TimeDelta::minutes(30 * number);
        practice.booking(start).idempotency_key(&format!("slot-{number}"))
    };
    for appointment in seen.values().flatten() {
        assert_eq!(practice.appointment(appointment["id"].as_str().unwrap()), *appointment);
    }
    // By itself: no position is asked for.
    let answered: BTreeSet<&str> =
        seen.values().flatten().map(|a| a["id"].as_str().unwrap()).collect();
    eventually("the read model has caught up", || {
        let found = practice.found("limit=100");
        let found: BTreeSet<&str> = found.iter().map(|a| a["id"].as_str().unwrap()).collect();
        found.is_superset(&answered).then_some(())
    });
    // A client without an answer asks again, and gets what was done or has it done.
    let retried: Vec<_> = unanswered.iter().map(|number| slot(*number).send()).collect();
    let position = retried.iter().map(|answer| {
        answer.is(201);
        answer.position()
    });
    let position = position.max().unwrap();
    let query = format!("limit=100&min_position={position}");
    eventually("it has what was booked since", || {
        let answer = practice.api.get(&format!("/v1/appointments?{query}")).send();
        // The dead server's lease on the read model may have to lapse first.
        (!answer.says_come_back()).then_some(())
    });
    let found = practice.found(&query);
    let starts: BTreeSet<&str> = found.iter().map(|a| a["start_at"].as_str().unwrap()).collect();
    assert_eq!(starts.len(), found.len(), "none is there twice");
    assert_eq!(found.len(), seen.len(), "all of them, and nothing else");
    again.booked(monday(10, 0));
}

#[test]
fn a_server_that_cannot_reach_its_database_lives_but_is_not_ready() {
    let server = Server::start_unready(&Database::unreachable(), &[]);
    let api = server.api(None);
    api.get("/livez").send().has_status(200);
    assert!(api.get("/readyz").send().says_come_back());
    assert!(server.api(Some("a-key".into())).get("/v1/services").send().says_come_back());
    server.interrupt();
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
}

#[test]
fn a_subcommand_that_cannot_reach_its_database_says_so() {
    let file = CalendarFile::of_the_conference();
    let database = Database::unreachable();
    let key = database.run(&["key", "create", "--tenant", "t", "--scope", "read"]);
    for finished in [database.run(&["migrate"]), key, database.import(&file.path, "t", &[])] {
        let complaint = finished.failed();
        assert!((1..10).contains(&complaint.trim().lines().count()), "in few words: {complaint}");
    }
}

#[test]
fn an_address_that_is_taken_is_said_to_be() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let complaint = Database::fresh().run(&["serve", "--listen", &address]).failed();
    assert!(complaint.contains(&address), "{complaint}");
}

#[test]
fn what_cannot_be_understood_on_the_command_line_is_refused() {
    let database = Database::fresh();
    for arguments in [
        &["key", "create", "--tenant", "t", "--scope", "everything"][..],
        &["key", "create", "--tenant", "", "--scope", "read"],
        &["key", "create", "--tenant", "no/slash", "--scope", "read"],
        &["key", "create", "--tenant", "t"],
        &["serve", "--listen", "nowhere"],
        &["unheard-of"],
        &["import", "--tenant", "t"],
    ] {
        let complaint = database.run(arguments).failed();
        assert!(!complaint.trim().is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_key_is_only_ever_shown_once() {
    let database = Database::fresh();
    let keys: BTreeSet<String> = (0..3).map(|_| database.key("t", "read")).collect();
    assert_eq!(keys.len(), 3);
}

#[test]
fn two_servers_on_one_database_never_book_one_slot_twice() {
    let database = Database::fresh();
    let servers = [Server::start(&database), Server::start(&database)];
    let practice = Practice::on(&servers[0]);
    let apis = servers.each_ref().map(|server| practice.api.at(&server.url));
    let path = format!("/v1/resources/{}", practice.room);
    // What one wrote, the other knows.
    apis[1].get(&path).send().is(200);
    let mut positions = Vec::new();
    for round in 0..4 {
        let start = monday(8, 0) + TimeDelta::hours(round);
        let answers = crate::harness::at_once(16, |n| {
            practice.booking(start).request_of(&apis[n % 2]).send()
        });
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(won.len(), 1, "{answers:#?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.is_refused(409, "slot-taken");
        }
        positions.push(won[0].position());
    }
    let last = positions.iter().max().unwrap();
    for api in &apis {
        let path = format!("/v1/appointments?min_position={last}");
        let page = api.get(&path).send().is(200);
        assert_eq!(page["items"].as_array().unwrap().len(), 4);
    }
}

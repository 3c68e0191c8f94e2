//! Answers that are cached are those that would be worked out.

mod load;
mod redis;
mod secure;
mod shared;

use std::thread;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use self::load::{Load, Seen, by_url_alone, figures_of, log, path, stale};
use crate::harness::{
    Answer, Database, Practice, Server, UTILISATION, date, monday, size, utc, within,
};

/// How many answers are compared with the log.
const READS: &str = "DAYBOOK_CACHE_READS";

/// How often answers were found there since the program began, by what its metrics say.
fn found(server: &Server, there: &str) -> u64 {
    server.figure(&format!("daybook_cache_reads_total{{found=\"{there}\"}}"))
}

/// What is different after it was done: how many were worked out, and how many found in memory.
fn counted(server: &Server, done: impl FnOnce()) -> (u64, u64) {
    let before = (found(server, "none"), found(server, "memory"));
    done();
    (found(server, "none") - before.0, found(server, "memory") - before.1)
}

#[test]
fn an_answer_is_worked_out_once_and_again_when_something_has_happened() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let last = practice.booking(monday(8, 0)).send().position();
    let read = |position| practice.api.get(&path(position)).send();
    let first = read(last);
    // Of the same position, whoever asks, in whichever order.
    let other_order =
        format!("/v1/utilisation?group_by=day&min_position={last}&to={}&from={}", date(6), date(0));
    let counts = counted(&server, || {
        for again in [read(last), practice.api.get(&other_order).send()] {
            assert_eq!((again.is(200), again.position()), (first.is(200), first.position()));
            assert_eq!(again.header("etag"), first.header("etag"));
        }
    });
    assert_eq!(counts, (0, 2));
    let moved = practice.booking(monday(9, 0)).send().position();
    let counts = counted(&server, || {
        assert_eq!(figures_of(&read(moved)).appointments, 2);
    });
    assert_eq!(counts, (1, 0));
    // What was, still was.
    let then = format!("/v1/utilisation?from={}&to={}&as_of=position:{last}", date(0), date(6));
    let counts = counted(&server, || {
        let answers = [0, 1].map(|_| practice.api.get(&then).send());
        assert_eq!(answers[0].is(200), answers[1].is(200));
        assert_eq!(figures_of(&answers[0]).appointments, 1);
    });
    assert_eq!(counts, (1, 1));
}

#[test]
fn a_program_that_is_told_to_cache_nothing_answers_the_same() {
    let database = Database::fresh();
    let (with, without) =
        (Server::start(&database), Server::start_with(&database, &["--cache-mib", "0"]));
    let practice = Practice::on(&with);
    let last = practice.booking(monday(8, 0)).send().position();
    let as_of = format!("/v1/appointments?as_of=position:{last}");
    for path in [path(last), as_of] {
        let cached = [0, 1].map(|_| practice.api.get(&path).send().is(200));
        let counts = counted(&without, || {
            let answer = practice.moved_to(&without).api.get(&path).send();
            assert_eq!(cached, [answer.is(200), answer.is(200)]);
            assert_eq!(answer.header("etag"), None);
        });
        assert_eq!(counts, (0, 0));
    }
}

#[test]
fn whoever_has_an_answer_as_it_is_is_told_so_without_working_it_out() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let last = practice.booking(monday(8, 0)).send().position();
    let as_of = path(last).replace("min_position=", "as_of=position:");
    for path in [path(last), as_of] {
        let first = practice.api.get(&path).send();
        let etag = first.header("etag").expect("what is cached has an ETag").to_owned();
        let again = |etag: &str| practice.api.get(&path).header("if-none-match", etag).send();
        let counts = counted(&server, || {
            for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}")] {
                let answer = again(&known);
                assert_eq!((answer.status, &*answer.text), (304, ""));
                assert_eq!(answer.header("etag"), Some(&*etag));
                assert_eq!(answer.position(), first.position());
            }
        });
        assert_eq!(counts, (0, 0), "{path}");
        assert_eq!(again("\"other\"").is(200), first.is(200));
    }
    let etag = practice.api.get(&path(last)).send().header("etag").unwrap().to_owned();
    let moved = practice.booking(monday(9, 0)).send().position();
    let changed = practice.api.get(&path(moved)).header("if-none-match", &etag).send();
    assert_eq!(figures_of(&changed).appointments, 2);
    assert_ne!(changed.header("etag"), Some(&*etag));
}

#[test]
fn what_one_may_see_is_not_told_to_another_who_asks_the_same() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let other = Practice::on(&server);
    let room = practice.a_room();
    practice.booked(monday(8, 0));
    let in_room = practice.booking(monday(9, 0)).with("resource_ids", json!([room])).send();
    let last = in_room.position();
    let path = format!("/v1/appointments?as_of=position:{last}");
    let limited = server
        .database
        .key_with(&practice.tenant, &["--scopes", "appointments", "--resource", &room]);
    let seen = |answer: Answer| answer.is(200)["items"].as_array().unwrap().len();
    for _ in 0..2 {
        assert_eq!(seen(practice.api.get(&path).send()), 2);
        assert_eq!(seen(practice.api.with_key(Some(&limited)).get(&path).send()), 1);
    }
    // Another tenant's log has these positions as well.
    let mut hours = 8..24;
    while other.booking(monday(hours.next().unwrap(), 0)).send().position() < last {}
    let theirs = practice.api.with_key(other.api.key()).get(&path).send().is(200);
    let clients = theirs["items"].as_array().unwrap().iter().map(|item| &item["client_id"]);
    assert!(clients.into_iter().all(|client| *client == json!(other.client)), "{theirs}");
}

#[test]
fn a_projection_that_is_made_anew_is_read_although_nothing_has_happened() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let last = practice.booking(monday(8, 0)).send().position();
    let read = || figures_of(&practice.api.get(&path(last)).send());
    assert_eq!(read().appointments, 1);
    let damage = format!("DELETE FROM {UTILISATION}.taken");
    server.database.sql().run(&damage);
    assert_eq!(read().appointments, 1, "it is cached");
    // As it is, it is cached by another question, and then made anew.
    let damaged = || figures_of(&practice.api.get(&format!("{}&limit=9", path(last))).send());
    assert_eq!(damaged().appointments, 0);
    server.database.run(&["projections", "rebuild", "utilisation"]).succeeded();
    within(Duration::from_mins(1), "what was damaged is right", || {
        (damaged().appointments == 1).then_some(())
    });
    assert_eq!(read().appointments, 1);
}

#[test]
fn no_answer_is_stale_on_either_of_two_programs_that_are_written_and_read() {
    let database = Database::fresh();
    let nodes = [Server::start(&database), Server::start(&database)];
    let practice = Practice::on(&nodes[0]);
    let load = Load::run(&practice, &[&nodes[0], &nodes[1]], size(READS, 600), || {});
    load.compare(&practice, &nodes[0]);
    let hits: u64 = nodes.iter().map(|node| found(node, "memory")).sum();
    println!("{} answers compared, {hits} of them were cached", load.seen().len());
    assert!(hits > 0, "nothing was cached");
}

/// A hold lapses without an event: what shows it is not cached, and what is of a moment is of what the clock showed then.
#[test]
fn a_hold_that_lapses_between_two_equal_questions_is_seen() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let held = practice.booking(monday(8, 0)).held(1).send();
    let last = held.position();
    let lapses: DateTime<Utc> = held.is(201)["hold_expires_at"].as_str().unwrap().parse().unwrap();
    let of_now = format!("/v1/appointments?status=held&min_position={last}");
    let of_then = format!("/v1/appointments?status=held&as_of=position:{last}");
    let count = |path: &str| {
        let answer = practice.api.get(path).send();
        (answer.is(200)["items"].as_array().unwrap().len(), answer.position())
    };
    assert_eq!((count(&of_now), count(&of_then)), ((1, last), (1, last)));
    while DateTime::<Utc>::from(SystemTime::now()) < lapses + TimeDelta::milliseconds(100) {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!((count(&of_now).0, count(&of_then)), (0, (1, last)));
    let at = |instant: DateTime<Utc>| {
        count(&format!("/v1/appointments?status=held&as_of={}", utc(instant)))
    };
    for _ in 0..2 {
        assert_eq!(at(lapses - TimeDelta::milliseconds(1)), (1, last));
        assert_eq!(at(lapses), (0, last), "the position is the same, and the clock is not");
    }
}

/// The same readers with a cache whose key has no position: it is found out.
#[test]
fn a_cache_whose_key_has_no_position_would_be_found_out() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let load = Load::run(&practice, &[&server], 300, || {});
    let (log, seen) = (log(&practice, &server), load.seen());
    let found_out = stale(&log, &by_url_alone(&seen));
    assert!(found_out.len() > 10, "{} of {}", found_out.len(), seen.len());
    assert_eq!(stale(&log, &seen), Vec::<Seen>::new());
}

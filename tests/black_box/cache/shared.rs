//! A Redis behind several programs: whatever becomes of it costs time alone.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::load::{Load, figures_of, path};
use super::redis::Redis;
use super::{READS, counted, found};
use crate::harness::{
    Database, Practice, Server, Sql, date, eventually, monday, personal, program, size,
};

fn node(database: &Database, redis: &Redis) -> Server {
    Server::start_with(database, &["--redis-url", &redis.url()])
}

pub(super) fn failures(server: &Server, why: &str) -> u64 {
    server.figure(&format!("daybook_cache_failures_total{{why=\"{why}\"}}"))
}

/// Waits until so many answers have been put there: nobody waits for that.
fn has(redis: &Redis, count: usize) -> Vec<String> {
    eventually("answers are shared", || Some(redis.names()).filter(|names| names.len() == count))
}

#[test]
fn what_one_program_has_worked_out_another_finds() {
    let (database, redis) = (Database::fresh(), Redis::start());
    let nodes = [node(&database, &redis), node(&database, &redis)];
    let practice = Practice::on(&nodes[0]);
    let last = practice.booking(monday(8, 0)).send().position();
    let many = format!(
        "/v1/utilisation?from=2027-01-01&to=2027-12-31&group_by=day,resource&min_position={last}"
    );
    for (n, path) in [path(last), many].iter().enumerate() {
        let first = practice.api.get(path).send();
        has(&redis, n + 1);
        let before = found(&nodes[1], "redis");
        let second = practice.moved_to(&nodes[1]).api.get(path).send();
        assert_eq!(second.is(200), first.is(200));
        for header in ["etag", "daybook-position", "link"] {
            assert_eq!(second.header(header), first.header(header), "{header}");
        }
        assert_eq!(found(&nodes[1], "redis") - before, 1, "{path}");
    }
    let moved = practice.booking(monday(9, 0)).send().position();
    let answer = practice.moved_to(&nodes[1]).api.get(&path(moved)).send();
    assert_eq!(figures_of(&answer).appointments, 2);
}

#[test]
fn whoever_reads_what_is_there_learns_nothing_of_persons_or_of_what_was_asked() {
    let (database, redis) = (Database::fresh(), Redis::start());
    let server = node(&database, &redis);
    let practice = Practice::on(&server);
    let last = practice.booking(monday(8, 0)).send().position();
    let (day, room) = (date(0), &practice.room);
    let asked = format!("resource_id={room}&from={day}&to={day}&as_of=position:{last}");
    practice.api.get(&format!("/v1/utilisation?{asked}")).send().is(200);
    let [name] = &has(&redis, 1)[..] else { panic!("it is one") };
    let parts: Vec<&str> = name.split(':').collect();
    assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [7, 16, 64], "{name}");
    let value = String::from_utf8_lossy(&redis.value(name)).into_owned();
    assert!(value.contains("\"items\""), "it is short enough to be read: {value}");
    for personal in [personal::NAME, personal::EMAIL, personal::NOTES] {
        assert!(!value.contains(personal), "{value}");
    }
    // What is shown with it may be about a person.
    let with_clients = format!("/v1/appointments?expand=client&as_of=position:{last}");
    practice.api.get(&with_clients).send().is(200);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(redis.names().len(), 1);
    let time_to_live: u32 = redis.say(&["TTL", name]).parse().unwrap();
    assert!((3_000..=3_600).contains(&time_to_live), "{time_to_live}");
}

#[test]
fn what_was_changed_there_or_is_of_another_question_is_not_taken() {
    let (database, redis) = (Database::fresh(), Redis::start());
    let first = node(&database, &redis);
    let practice = Practice::on(&first);
    let one = practice.booking(monday(8, 0)).send().position();
    let answers = |on: &Server, last| {
        let api = practice.moved_to(on).api;
        [one, last].map(|position| {
            let path = path(position).replace("min_position=", "as_of=position:");
            figures_of(&api.get(&path).send()).appointments
        })
    };
    let last = practice.booking(monday(9, 0)).send().position();
    assert_eq!(answers(&first, last), [1, 2]);
    let names = has(&redis, 2);
    let values = [redis.value(&names[0]), redis.value(&names[1])];
    let mut changed = values[0].clone();
    *changed.last_mut().unwrap() ^= 1;
    let cut = values[0][..40].to_vec();
    for poison in [values[1].clone(), changed, cut, b"nonsense".to_vec(), Vec::new()] {
        redis.put(&names[0], &poison);
        redis.put(&names[1], &poison);
        let second = node(&database, &redis);
        assert_eq!(answers(&second, last), [1, 2]);
        // What is empty is not there.
        let is_damaged = !poison.is_empty();
        assert_eq!(failures(&second, "damaged") >= 1, is_damaged, "{poison:?}");
    }
    let third = node(&database, &redis);
    assert_eq!((answers(&third, last), failures(&third, "damaged")), ([1, 2], 0), "it is mended");
}

#[test]
fn no_answer_is_stale_whatever_becomes_of_the_shared_cache() {
    let (database, mut redis) = (Database::fresh(), Redis::start());
    let nodes = [node(&database, &redis), node(&database, &redis)];
    let practice = Practice::on(&nodes[0]);
    let load = Load::run(&practice, &[&nodes[0], &nodes[1]], size(READS, 900), || {
        let pause = || thread::sleep(Duration::from_millis(1_200));
        pause();
        redis.dump();
        pause();
        redis.say(&["FLUSHALL"]);
        pause();
        redis.signal(Signal::SIGSTOP);
        pause();
        redis.signal(Signal::SIGCONT);
        pause();
        let names = redis.names();
        for (name, other) in names.iter().zip(names.iter().skip(1)).take(20) {
            redis.put(name, &redis.value(other));
        }
        pause();
        redis.kill_and_start(true);
        pause();
        redis.kill_and_start(false);
        pause();
    });
    load.compare(&practice, &nodes[0]);
    let shared: u64 = nodes.iter().map(|node| found(node, "redis")).sum();
    println!("{shared} answers were found there");
}

#[test]
fn a_server_that_is_frozen_or_gone_holds_nobody_up_and_is_used_again() {
    let (database, mut redis) = (Database::fresh(), Redis::start());
    let server = node(&database, &redis);
    let practice = Practice::on(&server);
    let last = practice.booking(monday(8, 0)).send().position();
    let mut number = 0;
    let mut ask = |times: u32| {
        let begun = Instant::now();
        for _ in 0..times {
            number += 1;
            // Each is another question.
            let path = format!("{}&limit={}", path(last), number % 200 + 1);
            practice.api.get(&path).send().is(200);
        }
        begun.elapsed() / times
    };
    let usual = ask(20);
    redis.signal(Signal::SIGSTOP);
    let frozen = ask(30);
    redis.signal(Signal::SIGCONT);
    println!("{usual:?} a request, and {frozen:?} while the server is frozen");
    let late = failures(&server, "timeout");
    assert!((3..20).contains(&late), "{late} waited for it");
    assert!(frozen < usual + Duration::from_millis(100), "{usual:?}, {frozen:?}");
    server.log_with("the shared cache does not answer");
    redis.kill_and_start(false);
    eventually("it is used again", || {
        ask(1);
        (!redis.names().is_empty()).then_some(())
    });
    server.log_with("the shared cache answers again");
}

#[test]
fn programs_of_other_sources_share_nothing() {
    let (database, redis) = (Database::fresh(), Redis::start());
    let server = node(&database, &redis);
    let practice = Practice::on(&server);
    let last = practice.booking(monday(8, 0)).send().position();
    let first = practice.api.get(&path(last)).send();
    let names = has(&redis, 1);
    let build = names[0].split(':').nth(1).unwrap().to_owned();
    let other_build = build.chars().rev().collect::<String>();
    assert_ne!(build, other_build);
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("daybook");
    copied_with(&build, &other_build, &other);
    let ours = database.daybook(&["serve", "--listen", "127.0.0.1:0", "--redis-url", &redis.url()]);
    let mut theirs = Command::new(other);
    theirs.args(ours.get_args());
    for (name, value) in ours.get_envs() {
        match value {
            Some(value) => theirs.env(name, value),
            None => theirs.env_remove(name),
        };
    }
    theirs.stdin(Stdio::null()).stdout(Stdio::piped());
    let next = Server::start_command(&database, theirs);
    let counts = counted(&next, || {
        let answer = practice.moved_to(&next).api.get(&path(last)).send();
        assert_eq!(answer.is(200), first.is(200));
        assert_ne!(answer.header("etag"), first.header("etag"));
    });
    assert_eq!((counts, found(&next, "redis")), ((1, 0), 0));
    let names = has(&redis, 2);
    let builds: Vec<&str> = names.iter().map(|name| name.split(':').nth(1).unwrap()).collect();
    assert!(builds.contains(&&*build) && builds.contains(&&*other_build), "{builds:?}");
}

/// A copy of a program in which one text stands for another, each time.
fn copied_with(text: &str, other: &str, to: &Path) {
    let replaced = Command::new("sed")
        .env("LC_ALL", "C")
        .arg(format!("s/{text}/{other}/g"))
        .arg(program("daybook"))
        .stdout(File::create(to).unwrap())
        .status();
    assert!(replaced.unwrap().success());
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A database that was restored from a copy, and goes on otherwise from there, has the same positions.
#[test]
fn logs_with_a_common_past_share_that_alone() {
    let (database, redis) = (Database::fresh(), Redis::start());
    let server = node(&database, &redis);
    let practice = Practice::on(&server);
    let common = practice.booking(monday(8, 0)).send().position();
    assert_eq!(figures_of(&practice.api.get(&path(common)).send()).appointments, 1);
    has(&redis, 1);
    server.interrupt();
    server.wait();
    let copy = copied(&database);
    let (one, other) = (node(&database, &redis), node(&copy, &redis));
    let (here, there) = (practice.moved_to(&one), practice.moved_to(&other));
    let figures = |practice: &Practice, position| {
        figures_of(&practice.api.get(&path(position)).send()).appointments
    };
    assert_eq!((figures(&here, common), figures(&there, common)), (1, 1));
    let booked = here.booking(monday(9, 0)).send().position();
    there.a_room();
    assert_eq!(booked, common + 1);
    assert_eq!(figures(&here, booked), 2);
    assert_eq!(figures(&there, booked), 1, "its event there is another");
    assert_eq!(figures(&here, booked), 2);
}

fn copied(database: &Database) -> Database {
    let url = database.url();
    let name = url.trim_start_matches("postgres:///").split('?').next().unwrap();
    let copy = format!("{name}_copy");
    let mut sql = Sql::connect(&url.replacen(name, "postgres", 1), None);
    let create = format!("CREATE DATABASE {copy} TEMPLATE {name}");
    eventually("nobody is connected any more", || sql.try_run(&create).ok());
    Database::at(url.replacen(name, &copy, 1))
}

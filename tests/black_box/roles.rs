//! Programs with a part of the roles, on one database.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::{Database, Practice, Server, eventually, monday, size, within};

/// A program with these roles, which is ready.
fn with_roles(database: &Database, roles: &str) -> Server {
    Server::start_with(database, &["--roles", roles])
}

#[test]
fn the_api_alone_books_and_says_which_role_a_list_waits_for_until_it_is_there() {
    let database = Database::fresh();
    let api = with_roles(&database, "api");
    let practice = Practice::on(&api);
    let position = practice.booking(monday(9, 0)).send().position();
    let list = || practice.api.get(&format!("/v1/appointments?min_position={position}")).send();
    let asked = Instant::now();
    let problem = list().is_refused(503, "role-missing");
    assert_eq!(problem["role"], "projector");
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    assert!(list().header("retry-after").is_some());
    let listed = api.keyed_operator().get("/v1/programs").send().is(200);
    assert_eq!(listed["missing_roles"], json!(["projector", "relay", "reminders", "housekeeper"]));
    assert_eq!(listed["items"][0]["roles"], json!(["api"]));
    let said = database.run(&["doctor"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stdout.contains("no program that lives has the role projector"), "{said:?}");
    // And when there is one, it heals by itself.
    let projector = with_roles(&database, "projector");
    within(Duration::from_secs(5), "the list is there", || (list().status == 200).then_some(()));
    let metric = "daybook_programs_alive{role=\"projector\"} 1";
    eventually("the metric says so", || {
        let metrics = projector.operator().get("/metrics").send();
        metrics.text.lines().any(|line| line == metric).then_some(())
    });
    projector.interrupt();
    assert_eq!(projector.wait().code(), Some(0), "{}", projector.log());
    // Whoever ends in order is not waited for.
    let listed = api.keyed_operator().get("/v1/programs").send().is(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
}

#[test]
fn every_program_has_an_operations_port_and_only_the_role_api_answers_requests() {
    let database = Database::fresh();
    let relay = with_roles(&database, "relay,sync");
    assert_eq!(relay.url, "", "nobody listens");
    let operator = relay.operator();
    for path in ["/livez", "/startupz", "/metrics"] {
        operator.get(path).send().has_status(200);
    }
    let ready = operator.get("/readyz").send().is(200);
    assert_eq!(ready["checks"], json!(["readers"]));
    assert!(relay.log().contains("nothing to do yet"), "{}", relay.log());
    operator.get("/v1/services").send().is_refused(404, "not-found");
    let complaint = database.run(&["serve", "--roles", "api,baker"]).failed();
    assert!(complaint.contains("no role \"baker\""), "{complaint}");
}

/// How often each role is killed.
const KILLS: &str = "DAYBOOK_ROLE_KILLS";

#[test]
fn whichever_role_is_killed_the_others_go_on() {
    let kills: u32 = size(KILLS, 3);
    let database = Database::fresh();
    let api = with_roles(&database, "api");
    let practice = Practice::on(&api);
    let (over, next, booked) = (AtomicBool::new(false), AtomicI64::new(0), AtomicI64::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let start = monday(0, 0) + TimeDelta::minutes(30 * number);
                    practice.booking(start).send().is(201);
                    booked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let others = scope.spawn(|| {
            for role in ["projector", "housekeeper", "api"] {
                for _ in 0..kills {
                    let other = with_roles(&database, role);
                    let before = booked.load(Ordering::Relaxed);
                    eventually("they book", || {
                        (booked.load(Ordering::Relaxed) > before).then_some(())
                    });
                    other.kill_dash_9();
                }
            }
        });
        let ended = others.join();
        over.store(true, Ordering::Relaxed);
        ended.unwrap();
    });
    let _projector = with_roles(&database, "projector");
    let last = practice.booking(monday(0, 0) - TimeDelta::hours(1)).send().position();
    let found = within(Duration::from_secs(15), "all of them are listed", || {
        let query = format!("/v1/appointments?limit=1&min_position={last}");
        (practice.api.get(&query).send().status == 200).then(|| practice.found("limit=200").len())
    });
    assert_eq!(i64::try_from(found).unwrap(), booked.into_inner() + 1);
    database.run(&["verify"]).succeeded();
}

//! Whoever is told what is personal leaves an entry, whatever the route.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{entries, some};
use crate::every_operation::{self, house::House};
use crate::harness::{Database, Practice, Server, a_practice, monday, personal};

/// What a booking's note says.
const NOTE: &str = "personal-mark-notes of a visit";

#[test]
fn a_reading_says_who_was_told_which_members_of_whom_by_which_request_and_why() {
    let practice = a_practice();
    let id = Uuid::now_v7().to_string();
    let path = format!("/v1/clients/{}", practice.client);
    let request = practice.api.get(&path).header("x-request-id", &id);
    request.header("daybook-purpose", "ticket-4711").send().is(200);
    let read = some(&practice.api, "personal-data-read", 1).remove(0);
    let key = practice.api.get("/v1/keys").send().is(200)["items"][0]["id"].clone();
    for (member, expected) in [
        ("actor", json!(format!("key:{}", key.as_str().unwrap()))),
        ("subject_ids", json!([practice.client])),
        ("fields", json!(["email", "name", "notes", "phone"])),
        ("route", json!("GET /v1/clients/{id}")),
        ("correlation_id", json!(id)),
        ("purpose", json!("ticket-4711")),
        ("times", json!(1)),
    ] {
        assert_eq!(read[member], expected, "{member}: {read}");
    }
    // Who made the client was told what they had said.
    assert_eq!(entries(&practice.api, "kind=personal-data-read").len(), 1);
    for bad in ["Ada Lovelace", "a@b.example", "-"] {
        let asked = practice.api.get(&path).header("daybook-purpose", bad);
        asked.send().is_refused(400, "invalid-purpose");
    }
}

#[test]
fn whoever_is_not_told_leaves_no_reading() {
    let practice = a_practice();
    let note = practice.booking(monday(9, 0)).with("note", NOTE).send().is(201);
    let path = format!("/v1/appointments/{}", note["id"].as_str().unwrap());
    let key =
        Server::shared().database.key_with(&practice.tenant, &["--scopes", "appointments,book"]);
    let desk = practice.api.with_key(Some(&key));
    assert!(desk.get(&path).send().is(200).get("note").is_none());
    desk.patch(&path, &json!({"tags": ["seen"]})).send().is(200);
    practice.api.get("/v1/events?limit=1000").send().is(200);
    practice.api.get(&path).send().is(200);
    let read = some(&practice.api, "personal-data-read", 1);
    thread::sleep(Duration::from_secs(1));
    assert_eq!(entries(&practice.api, "kind=personal-data-read").len(), read.len());
    assert_eq!((read.len(), &read[0]["fields"]), (1, &json!(["note"])));
}

/// A new route that tells what is personal is found here, for its answer has a mark: nobody has to add it.
#[test]
fn every_answer_with_something_personal_leaves_an_entry() {
    let house = House::on(Server::shared());
    let api = &house.practice.api;
    let visits = api.found("");
    for visit in &visits {
        let path = format!("/v1/appointments/{}", visit["id"].as_str().unwrap());
        api.patch(&path, &json!({"note": NOTE})).send().is(200);
    }
    let (mut told, mut asked) = (BTreeSet::new(), Vec::new());
    let operations = every_operation::operations();
    // What is read is there before commands change it.
    let (reads, commands): (Vec<_>, Vec<_>) =
        operations.iter().partition(|operation| operation.is_get());
    for operation in reads.into_iter().chain(commands) {
        for more in ["", "expand=client", "personal=told"] {
            let (name, _) = more.split_once('=').unwrap_or_default();
            if !more.is_empty() && !operation.has(name) {
                continue;
            }
            let id = Uuid::now_v7().to_string();
            let request = every_operation::request(&house, operation, more);
            let answer = request.header("x-request-id", &id).send();
            let marks = [personal::NAME, personal::EMAIL, personal::NOTES, NOTE];
            // Who makes something is told what they have said.
            if answer.status != 201 && marks.iter().any(|mark| answer.text.contains(mark)) {
                told.insert(operation.path.clone());
                asked.push((id, format!("{} {} {more}", operation.method, operation.path)));
            }
        }
    }
    for path in [
        "/v1/clients",
        "/v1/clients/{id}",
        "/v1/appointments",
        "/v1/appointments/{id}",
        "/v1/appointments/{id}/events",
        "/v1/agenda",
        "/v1/events",
        "/v1/events/export",
    ] {
        assert!(told.contains(path), "{path} tells nothing personal: {told:?}");
    }
    // The last are written within a second.
    thread::sleep(Duration::from_secs(1));
    let found = some(api, "personal-data-read", asked.len() - 1);
    let exported = some(api, "personal-data-exported", 1);
    let recorded: BTreeSet<&str> = found
        .iter()
        .chain(&exported)
        .filter_map(|entry| entry["correlation_id"].as_str())
        .collect();
    for (id, what) in &asked {
        assert!(recorded.contains(&**id), "{what} has told what is personal, and no entry says so");
    }
    let subjects =
        |entry: &Value| entry["subject_ids"].as_array().is_some_and(|all| !all.is_empty());
    assert!(found.iter().all(subjects), "{found:?}");
}

#[test]
fn a_reading_of_a_second_ago_outlives_the_program_and_one_of_now_its_orderly_end() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let path = format!("/v1/clients/{}", practice.client);
    practice.api.get(&path).send().is(200);
    thread::sleep(Duration::from_millis(1_100));
    server.kill_dash_9();
    server.wait();
    let server = Server::start(&database);
    let practice = practice.moved_to(&server);
    assert_eq!(some(&practice.api, "personal-data-read", 1).len(), 1);
    practice.api.get(&path).send().is(200);
    server.interrupt();
    server.wait();
    let server = Server::start(&database);
    let practice = practice.moved_to(&server);
    assert_eq!(entries(&practice.api, "kind=personal-data-read").len(), 2);
}

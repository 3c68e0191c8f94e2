//! What bookings refer to: `/v1/services`, `/v1/resources`, `/v1/clients`.

mod clients;
mod finding;
mod resources;
mod services;

use serde_json::{Value, json};

use crate::harness::{Answer, Practice, Request};

/// A POST that makes something, with what is true of all of these: 201, version 1, a `Location` where the
/// same is found, and a position.
#[track_caller]
fn made(practice: &Practice, path: &str, body: &Value) -> Value {
    let answer = practice.api.post(path, body).send();
    let made = answer.is(201);
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert!(answer.position() > 0);
    let location = answer.header("location").expect("a Location");
    assert!(location.ends_with(&format!("{path}/{}", made["id"].as_str().unwrap())));
    let read = practice.api.get(location).send();
    assert_eq!(read.is(200), made);
    assert_eq!(read.header("etag"), Some("\"1\""));
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(made[name], *value, "{name} is as it was given");
    }
    made
}

/// Retires it: 200, the next version, and a GET says the same.
#[track_caller]
fn retired(practice: &Practice, path: &str) -> Value {
    let retire = practice.api.post(&format!("{path}/retire"), &json!({}));
    becomes(practice, path, retire)
}

/// A PATCH that changes it: 200, the next version, and a GET says the same.
#[track_caller]
fn patched(practice: &Practice, path: &str, change: &Value) -> Value {
    becomes(practice, path, practice.api.patch(path, change))
}

#[track_caller]
fn becomes(practice: &Practice, path: &str, request: Request) -> Value {
    let before = practice.api.get(path).send().is(200);
    let answer = request.send();
    let after = answer.is(200);
    let version = before["version"].as_u64().unwrap() + 1;
    assert_eq!(after["version"], version);
    assert_eq!(answer.header("etag"), Some(&*format!("\"{version}\"")));
    assert_eq!(practice.api.get(path).send().is(200), after);
    after
}

/// The ids in a list, through all of its pages.
fn listed(practice: &Practice, path: &str, limit: usize, after: &Answer) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let position = after.position();
        let path = format!("{path}?limit={limit}&min_position={position}{cursor}");
        let page = practice.api.get(&path).send().is(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
        assert!(ids.len() < 1_000, "pages without end");
    }
}

/// Makes seven, and finds each of them once in the list.
fn each_is_listed_once(practice: &Practice, path: &str, body: &Value) {
    let mut made: Vec<String> = Vec::new();
    let mut last = None;
    for _ in 0..7 {
        let answer = practice.api.post(path, body).send();
        made.push(answer.is(201)["id"].as_str().unwrap().to_owned());
        last = Some(answer);
    }
    for limit in [1, 3, 100] {
        let mut listed = listed(practice, path, limit, last.as_ref().unwrap());
        // The practice has one of each kind already.
        listed.retain(|id| made.contains(id));
        listed.sort();
        made.sort();
        assert_eq!(listed, made, "in pages of {limit}");
    }
}

//! Calendar feeds: calendars that programs follow by an address.
//!
//! * `followed`: what is told to whoever has the address, read by Python's `icalendar`.
//! * `changes`: bytes and tags change when something in the calendar does.
//! * `routes`: who makes feeds and for how much, and how they end.
//! * `secrets`: the address is written nowhere.

mod changes;
mod followed;
mod routes;
mod secrets;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Answer, Practice, child, eventually};

/// A feed that was made.
struct Feed {
    id: String,
    /// Of its address.
    path: String,
}

/// A feed with these members.
#[track_caller]
fn a_feed(practice: &Practice, but: &Value) -> Feed {
    let mut body = json!({"name": "All"});
    for (name, value) in but.as_object().unwrap() {
        body[name] = value.clone();
    }
    made(&practice.api.post("/v1/calendar-feeds", &body).send().is(201))
}

#[track_caller]
fn made(feed: &Value) -> Feed {
    let text = |name: &str| feed[name].as_str().unwrap().to_owned();
    Feed { id: text("id"), path: text("path") }
}

impl Feed {
    /// What whoever has the address, and nothing else, is answered.
    fn follow(&self, practice: &Practice) -> Answer {
        practice.api.with_key(None).get(&self.path).send()
    }

    /// Its events by start, as soon as the calendar is so.
    #[track_caller]
    fn events_once(&self, practice: &Practice, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        eventually("the calendar is so", || {
            Some(events(&self.follow(practice))).filter(|events| is_so(events))
        })
    }
}

/// The events of a calendar, which is one for `icalendar`, too.
#[track_caller]
fn events(answer: &Answer) -> Vec<Value> {
    read(answer)["events"].as_array().unwrap().clone()
}

#[track_caller]
fn read(answer: &Answer) -> Value {
    answer.has_status(200);
    assert_eq!(answer.header("content-type"), Some("text/calendar; charset=utf-8"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("python/recurrence/bin/python");
    assert!(python.exists(), "{} is not there: `cargo xtask test` makes it", python.display());
    let mut judge = Command::new(python);
    judge.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("black_box/calendar_feeds/judge.py"));
    judge.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut judge = child::spawn(judge).unwrap();
    judge.stdin.take().unwrap().write_all(answer.text.as_bytes()).unwrap();
    let said = judge.wait_with_output().unwrap();
    assert!(said.status.success(), "{}\n{}", String::from_utf8_lossy(&said.stderr), answer.text);
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(said["errors"], json!([]), "{}", answer.text);
    assert!(said["longest"].as_u64().unwrap() <= 75, "{}", answer.text);
    said
}

/// What of each event stands under this name.
fn each<'a>(events: &'a [Value], name: &str) -> Vec<&'a str> {
    events.iter().map(|event| event[name].as_str().unwrap_or_default()).collect()
}

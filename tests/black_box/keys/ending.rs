//! A key that was revoked or has expired ends everywhere at once: in all programs, and with its open streams.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{made, make, text};
use crate::events::sse::Stream;
use crate::harness::{Api, Database, Practice, Server, id_of};

/// What is waited for at most. It is far less than programs go by what they know where nobody tells them.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// The last event of a stream, and when it came.
pub(crate) fn end_of(api: &Api) -> mpsc::Receiver<(Instant, Value)> {
    let mut stream = Stream::open(api, "", None).unwrap();
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        while let Some(event) = stream.next() {
            if event.name == "end" {
                let data = serde_json::from_str(&event.data).unwrap();
                let _ = ended.send((Instant::now(), data));
            }
        }
    });
    end
}

pub(crate) fn ends(end: &mpsc::Receiver<(Instant, Value)>, since: Instant) -> Duration {
    let (at, told) = end.recv_timeout(PATIENCE).expect("the stream ends");
    assert_eq!(told["reason"], "key-ended", "{told}");
    at - since
}

#[test]
fn a_key_that_is_revoked_ends_on_every_program_with_its_streams() {
    let database = Database::fresh();
    let (one, other) = (Server::start(&database), Server::start(&database));
    let practice = Practice::on(&one);
    let key = made(&practice.api, &["analytics", "availability"]);
    let kept = made(&practice.api, &["analytics", "availability"]);
    let holders: Vec<Api> = [&one, &other]
        .into_iter()
        .flat_map(|server| [&key, &kept].map(|key| server.api(Some(text(key).to_owned()))))
        .collect();
    for holder in &holders {
        holder.get("/v1/services").send().has_status(200);
    }
    let streams: Vec<_> = holders.iter().map(end_of).collect();
    let revoked = Instant::now();
    let path = format!("/v1/keys/{}/revoke", id_of(&key));
    practice.api.post(&path, &json!({})).send().is(200);
    // This program knows it before it says so.
    holders[0].get("/v1/services").send().is_refused(401, "invalid-key");
    while holders[2].get("/v1/services").send().status != 401 {
        assert!(revoked.elapsed() < PATIENCE, "the other program takes it still");
    }
    let heard = revoked.elapsed();
    let took = [ends(&streams[0], revoked), ends(&streams[2], revoked)];
    println!("revoked: the other program refuses after {heard:?}, the streams end after {took:?}");
    for (holder, stream) in [(&holders[1], &streams[1]), (&holders[3], &streams[3])] {
        holder.get("/v1/services").send().has_status(200);
        assert!(stream.try_recv().is_err(), "another key's stream goes on");
    }
}

/// By the command line, which is a program of its own.
#[test]
fn a_key_that_is_revoked_by_an_operator_ends_at_once() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let key = made(&practice.api, &["analytics"]);
    let stream = end_of(&server.api(Some(text(&key).to_owned())));
    let id = id_of(&key);
    database.run(&["key", "revoke", "--tenant", &practice.tenant, &id]).succeeded();
    ends(&stream, Instant::now());
}

#[test]
fn a_key_ends_with_its_streams_when_its_time_is_over() {
    let server = Server::shared();
    let practice = Practice::on(server);
    let end = DateTime::<Utc>::from(std::time::SystemTime::now()) + TimeDelta::milliseconds(2_500);
    let body = json!({"name": "Soon over", "scopes": ["analytics"],
                      "expires_at": end.to_rfc3339_opts(SecondsFormat::Millis, true)});
    let key = make(&practice.api, &body).is(201);
    let holder = practice.api.with_key(Some(text(&key)));
    let stream = end_of(&holder);
    let until = (end - DateTime::<Utc>::from(std::time::SystemTime::now())).to_std().unwrap();
    assert!(stream.recv_timeout(until.mul_f64(0.8)).is_err(), "it is good until its end");
    let (_, told) = stream.recv_timeout(until + PATIENCE).expect("the stream ends");
    assert_eq!(told["reason"], "key-ended");
    holder.get("/v1/events").send().is_refused(401, "expired-key");
}

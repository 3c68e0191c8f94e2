//! The relay to RabbitMQ: each event is published, in order, at least once, whatever happens; and a consumer has its effect exactly once.
//!
//! * `broker`: a RabbitMQ of a test. `consumer`: the example of `examples/consumer`, which knows nothing of tests.
//! * `publishing`: what is published, and how it is verified. `faults`: a broker that is away, full, or has lost something.
//! * `secure`: a broker that speaks TLS. `window`: how much is on its way at once. `kills`: whoever is killed, and what would be lost by a relay that moves first.

pub(crate) mod broker;
mod consumer;
mod faults;
mod kills;
mod publishing;
mod secure;
mod window;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;

use crate::harness::{Database, Practice, Server, monday, within};
use broker::Rabbit;

/// A queue, as the example declares it.
const COPY: &str = "copy";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A Python that has pika, as `cargo xtask test` has made it.
pub(crate) fn python() -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("python/consumer/bin/python");
    assert!(
        python.exists(),
        "{} is not there: `cargo xtask test` makes it, from examples/consumer/requirements.txt",
        python.display()
    );
    Command::new(python)
}

/// What a script of a few lines does at a broker, whose `channel` it has; what it puts into `said` is told.
fn at(rabbit: &Rabbit, script: &str) -> Value {
    let program = format!(
        "import json, pika\n\
         connection = pika.BlockingConnection(pika.URLParameters({:?}))\n\
         channel = connection.channel()\n\
         said = None\n{script}\nconnection.close()\nprint(json.dumps(said))",
        rabbit.url()
    );
    let mut command = python();
    if let Some(authority) = rabbit.authority() {
        command.env("SSL_CERT_FILE", authority);
    }
    let output = command.args(["-c", &program]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Binds the queue by a key; by `#` it takes all.
fn bind(rabbit: &Rabbit, key: &str) {
    bind_queue(rabbit, COPY, key);
}

fn bind_queue(rabbit: &Rabbit, queue: &str, key: &str) {
    let script = "channel.exchange_declare('daybook', exchange_type='topic', durable=True)\n\
                  channel.queue_declare('QUEUE', durable=True, arguments={'x-queue-type': 'quorum', 'x-single-active-consumer': True})\n\
                  channel.queue_bind('QUEUE', 'daybook', routing_key='KEY')";
    at(rabbit, &script.replace("QUEUE", queue).replace("KEY", key));
}

/// All that waits in a queue, in its order; then it is empty.
fn waiting(rabbit: &Rabbit, queue: &str) -> Vec<Value> {
    // Of a queue with a single active consumer nothing can be had one by one.
    let script = "said = []\n\
                  count = channel.queue_declare('QUEUE', passive=True).method.message_count\n\
                  messages = channel.consume('QUEUE')\n\
                  for _ in range(count):\n\
                  \x20   method, properties, body = next(messages)\n\
                  \x20   channel.basic_ack(method.delivery_tag)\n\
                  \x20   said.append({'key': method.routing_key, 'id': properties.message_id, 'type': properties.type,\n\
                  \x20                'mode': properties.delivery_mode, 'headers': properties.headers,\n\
                  \x20                'content_type': properties.content_type, 'event': json.loads(body)})\n\
                  channel.cancel()";
    at(rabbit, &script.replace("QUEUE", queue)).as_array().unwrap().clone()
}

/// The events of a log among these have come in order, each after all of those before it, from one position to another; some
/// perhaps again.
#[track_caller]
fn are_whole(messages: &[Value], tenant: &str, after: u64, until: u64) {
    let source = format!("urn:daybook:log:{tenant}");
    let mut seen = after;
    for message in messages.iter().filter(|message| message["event"]["source"] == source) {
        let position: u64 = message["event"]["id"].as_str().unwrap().parse().unwrap();
        seen += u64::from(position == seen + 1);
    }
    assert_eq!(seen, until, "{tenant}: {} messages", messages.len());
}

fn api(database: &Database) -> Server {
    Server::start_with(database, &["--roles", "api,projector"])
}

fn as_relay(url: &str) -> [&str; 4] {
    ["--roles", "relay", "--amqp-url", url]
}

fn relay(database: &Database, rabbit: &Rabbit) -> Server {
    Server::start_with(database, &as_relay(&rabbit.url()))
}

fn booked(practice: &Practice, from: i64, count: i64) {
    for n in from..from + count {
        practice.booked(monday(0, 0) + TimeDelta::minutes(30 * n));
    }
}

fn head(practice: &Practice) -> u64 {
    practice.api.get("/v1/events?after=latest").send().is(200)["head"].as_u64().unwrap()
}

fn status(database: &Database) -> String {
    database.run(&["relay", "status"]).succeeded()
}

/// A log is not published, and this is why.
#[track_caller]
fn fails(database: &Database, why: &str) {
    within(Duration::from_mins(1), why, || {
        status(database).lines().any(|line| line.ends_with(why)).then_some(())
    });
}

#[track_caller]
fn is_all_published(database: &Database, logs: u32) {
    let all = format!("{logs} logs, 0 events that the broker has not confirmed");
    within(Duration::from_mins(2), "all of it is the broker's", || {
        status(database).contains(&all).then_some(())
    });
}

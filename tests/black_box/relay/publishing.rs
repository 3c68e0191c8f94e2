//! What is published, and how it is verified.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::broker::Rabbit;
use super::consumer::Consumer;
use super::{COPY, api, are_whole, at, bind, booked, head, is_all_published, relay, repository};
use super::{as_relay, waiting};
use crate::database::clocks;
use crate::harness::{Database, Practice, Server, monday, within};

#[test]
fn each_event_is_published_in_the_order_of_its_log_and_verified() {
    let rabbit = Rabbit::start();
    bind(&rabbit, "#");
    let database = Database::fresh();
    let (api, _relay) = (api(&database), relay(&database, &rabbit));
    let practices = [Practice::on(&api), Practice::on(&api)];
    for practice in &practices {
        booked(practice, 0, 3);
    }
    is_all_published(&database, 2);
    let verify = ["relay", "verify", "--queue", COPY, "--amqp-url", &rabbit.url()];
    let said = database.run(&verify).succeeded();
    assert!(said.contains("missing: 0, not as in the log: 0, again: 0"), "{said}");
    let messages = waiting(&rabbit, COPY);
    for practice in &practices {
        let source = format!("urn:daybook:log:{}", practice.tenant);
        let ours: Vec<&Value> =
            messages.iter().filter(|message| message["event"]["source"] == source).collect();
        let feed = practice.api.get("/v1/events?limit=200").send().is(200);
        let events: Vec<&Value> = ours.iter().map(|message| &message["event"]).collect();
        assert_eq!(json!(events), feed["items"], "as the feed has it, personal data withheld");
        let last = ours.last().unwrap();
        assert_eq!(last["key"], format!("{}.appointment.AppointmentBooked", practice.tenant));
        assert_eq!(last["type"], "daybook.AppointmentBooked");
        assert_eq!(last["id"], format!("{source}#{}", head(practice)));
        assert_eq!(last["mode"], 2, "persistent");
        assert_eq!(last["content_type"], "application/cloudevents+json; charset=utf-8");
        let stream = last["event"]["subject"].as_str().unwrap();
        assert_eq!(last["headers"]["partitionkey"], format!("{}/{stream}", practice.tenant));
    }
    // What is not there is named, and so is what is not as the log has it.
    booked(&practices[0], 3, 3);
    is_all_published(&database, 2);
    let change = "messages = channel.consume('copy')\n\
                  first, second, last = [next(messages) for _ in range(3)]\n\
                  channel.basic_ack(second[0].delivery_tag)\n\
                  channel.basic_ack(last[0].delivery_tag)\n\
                  other = json.loads(last[2]); other['data'] = {}\n\
                  channel.confirm_delivery()\n\
                  channel.basic_publish('daybook', 'other', json.dumps(other))";
    at(&rabbit, change);
    let failed = database.run(&verify);
    assert_eq!(failed.code, Some(1));
    assert!(failed.stdout.contains("missing: 1, not as in the log: 1,"), "{failed:?}");
    // Where somebody reads, not all of it is there to be compared.
    let consumer = Consumer::start(&rabbit, Duration::from_mins(1));
    within(Duration::from_mins(1), "it reads", || {
        let failed = database.run(&verify);
        failed.stderr.contains("somebody reads this queue").then_some(())
    });
    drop(consumer);
}

/// The queues of `deploy/rabbitmq`.
#[test]
fn readers_in_parallel_have_each_stream_in_one_queue_and_in_order() {
    let deploy = repository().join("deploy/rabbitmq");
    let rabbit = Rabbit::start_with(&fs::read_to_string(deploy.join("enabled_plugins")).unwrap());
    // It listens a moment before it takes orders.
    rabbit.control(&["await_startup"]);
    rabbit.control(&["import_definitions", deploy.join("definitions.json").to_str().unwrap()]);
    let database = Database::fresh();
    let (api, _relay) = (api(&database), relay(&database, &rabbit));
    let practice = Practice::on(&api);
    for n in 0..12 {
        let booked = practice.booked(monday(0, 0) + TimeDelta::minutes(30 * n));
        practice.act(&booked, "check-in", &json!({})).is(200);
    }
    is_all_published(&database, 1);
    let (mut queues, mut versions) = (BTreeMap::new(), BTreeMap::<String, Vec<u64>>::new());
    for n in 0..4 {
        for message in waiting(&rabbit, &format!("daybook.streams.{n}")) {
            let stream = message["event"]["subject"].as_str().unwrap().to_owned();
            assert_eq!(*queues.entry(stream.clone()).or_insert(n), n, "{stream} is in one queue");
            let version = message["event"]["version"].as_u64().unwrap();
            versions.entry(stream).or_default().push(version);
        }
    }
    let first = queues.values().next();
    assert!(queues.values().any(|queue| Some(queue) != first), "not all in one: {queues:?}");
    for (stream, versions) in &versions {
        assert!(versions.is_sorted() && versions[0] == 1, "{stream}: {versions:?}");
    }
    let all: usize = versions.values().map(Vec::len).sum();
    assert_eq!(u64::try_from(all).unwrap(), head(&practice));
}

#[test]
fn several_relays_whose_clocks_are_off_publish_each_log_in_order() {
    let rabbit = Rabbit::start();
    bind(&rabbit, "#");
    let database = Database::fresh();
    let api = api(&database);
    let url = rabbit.url();
    let off = |seconds| clocks::off_by(seconds, &database, &as_relay(&url));
    let relays: [Server; 2] = [off(90), off(-90)];
    let practices = [Practice::on(&api), Practice::on(&api)];
    for n in 0..10 {
        for practice in &practices {
            booked(practice, n, 1);
        }
    }
    is_all_published(&database, 2);
    // Whichever is left goes on with all logs.
    relays[0].kill_dash_9();
    for practice in &practices {
        booked(practice, 10, 1);
    }
    is_all_published(&database, 2);
    let messages = waiting(&rabbit, COPY);
    for practice in &practices {
        are_whole(&messages, &practice.tenant, 0, head(practice));
    }
}

//! Whoever is killed: each effect is there once. And what would be lost by a relay that moves first.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;

use super::broker::Rabbit;
use super::consumer::{COPY_IN_RUST, Consumer};
use super::{COPY, api, bind, bind_queue, booked, head, is_all_published, relay};
use crate::harness::{Database, Practice, eventually, monday, size, within};

/// How often each is killed.
const KILLS: &str = "DAYBOOK_RELAY_KILLS";

/// What `act` gives while somebody books and cancels all the time.
fn while_busy<T>(practice: &Practice, act: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (_goes_on, ended) = mpsc::channel::<()>();
        scope.spawn(move || {
            let mut slots = (100..1_000).cycle();
            while ended.try_recv() == Err(TryRecvError::Empty) {
                let slot = slots.next().unwrap();
                let booked = practice.booked(monday(0, 0) + TimeDelta::minutes(30 * slot));
                practice.act(&booked, "cancel", &json!({})).is(200);
            }
        });
        act()
    })
}

/// How many events of each appointment a log has.
fn appointments(practice: &Practice) -> BTreeMap<String, u64> {
    let (mut after, mut counts) = (0, BTreeMap::new());
    loop {
        let path = format!("/v1/events?limit=1000&after={after}");
        let page = practice.api.get(&path).send().is(200);
        let events = page["items"].as_array().unwrap();
        for event in events {
            let subject = event["subject"].as_str().unwrap();
            if subject.starts_with("appointment/") {
                *counts.entry(subject.to_owned()).or_default() += 1;
            }
        }
        let Some(last) = events.last() else { return counts };
        after = last["id"].as_str().unwrap().parse().unwrap();
    }
}

#[test]
fn whatever_is_killed_consumers_have_each_effect_exactly_once() {
    let kills: u32 = size(KILLS, 2);
    let mut rabbit = Rabbit::start();
    bind(&rabbit, "#");
    bind_queue(&rabbit, COPY_IN_RUST, "#");
    let database = Database::fresh();
    let api = api(&database);
    let practice = Practice::on(&api);
    let patience = Duration::from_mins(1);
    let mut consumers =
        [Consumer::start(&rabbit, patience), Consumer::start_in_rust(&rabbit, patience)];
    let _other = relay(&database, &rabbit);
    let begun = Instant::now();
    while_busy(&practice, || {
        for _ in 0..kills {
            let one = relay(&database, &rabbit);
            let far = head(&practice) + 20;
            eventually("it goes on", || (head(&practice) > far).then_some(()));
            one.kill_dash_9();
            for consumer in &mut consumers {
                consumer.kill_dash_9_and_start_again();
            }
            rabbit.kill_dash_9();
            rabbit.start_again();
        }
    });
    is_all_published(&database, 1);
    let all = (head(&practice), appointments(&practice));
    println!("{} events in {:?}", all.0, begun.elapsed());
    // The positions that it has taken have no gap, or it would have stopped.
    for consumer in &mut consumers {
        within(Duration::from_mins(2), "the copy has all", || {
            (consumer.copy(&practice.tenant)? == all).then_some(())
        });
        assert!(consumer.is_alive());
    }
}

/// The control: so it would be with a relay that moves before the broker has confirmed, and dies between the two.
#[test]
fn what_a_relay_that_moves_first_would_lose_is_found_out() {
    let rabbit = Rabbit::start();
    bind(&rabbit, "#");
    bind_queue(&rabbit, COPY_IN_RUST, "#");
    let database = Database::fresh();
    let api = api(&database);
    let practice = Practice::on(&api);
    booked(&practice, 0, 3);
    let relay_that_dies = relay(&database, &rabbit);
    is_all_published(&database, 1);
    relay_that_dies.kill_dash_9();
    booked(&practice, 3, 3);
    let moves = "UPDATE followers SET position = position + 3, due_at = NULL \
                  WHERE tenant_id = $1 AND kind = 'broker'";
    assert_eq!(database.sql().change(moves, &practice.tenant), 1);
    let _relay = relay(&database, &rabbit);
    booked(&practice, 6, 3);
    is_all_published(&database, 1);
    let verify = ["relay", "verify", "--queue", COPY, "--amqp-url", &rabbit.url()];
    let said = database.run(&verify);
    assert!(said.code == Some(1) && said.stdout.contains("missing: 3,"), "{said:?}");
    // The consumer waits for what is missing, and gives up when more has come for so long.
    let patience = Duration::from_secs(1);
    let consumers =
        [Consumer::start(&rabbit, patience), Consumer::start_in_rust(&rabbit, patience)];
    for mut consumer in consumers {
        let (status, said) = while_busy(&practice, || consumer.ended());
        assert_eq!(status.code(), Some(1));
        assert!(said.contains("an event is missing"), "{said}");
        assert!(consumer.copy(&practice.tenant).unwrap().0 < head(&practice) - 3);
    }
}

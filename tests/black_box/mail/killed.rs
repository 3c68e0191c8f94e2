//! `kill -9` of a program around the hand-over, beside another one: nobody is forgotten, and whoever has it twice has the same.

use std::collections::BTreeSet;
use std::ops::Range;
use std::thread;
use std::time::Duration;

use rand::Rng as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::Relay;
use crate::harness::{Database, Server, eventually, seed, within};

/// How long it takes until a try lapses whose program is gone, with a patience of a second.
const LAPSES: Duration = Duration::from_mins(2);

/// Those to whom something is written, and the ledger of it.
pub(crate) trait Written {
    /// What its events begin with.
    const NAME: &'static str;
    /// In which milliseconds after they are booked it is handed over.
    const HANDED_OVER: Range<u64>;

    fn relay(&self) -> &Relay;
    fn database(&self) -> &Database;
    /// An appointment of somebody at this address, to whom it is to be written.
    fn to(&self, address: &str) -> Value;
    fn ledger(&self, appointment: &Value) -> Vec<(String, Value)>;
}

/// Kills a program so often; all appointments that were booked meanwhile.
pub(crate) fn survives<W: Written>(writes: &W, kills: u32) -> Vec<Value> {
    let mut random = StdRng::seed_from_u64(seed("crashes"));
    let options = writes.relay().options();
    let mut other = Server::start_with(writes.database(), &options);
    let mut all: Vec<(String, Value)> = Vec::new();
    for cycle in 0..kills {
        // Half of them are in the middle of a hand-over when it happens.
        let addresses = (0..12).map(|n| match n % 2 {
            0 => format!("late-1.{cycle}.{n}@example.org"),
            _ => format!("prompt.{cycle}.{n}@example.org"),
        });
        all.extend(addresses.map(|address| {
            let appointment = writes.to(&address);
            (address, appointment)
        }));
        if cycle % 2 == 0 {
            // The relay has it, and has not said so.
            writes.relay().has(1, &format!("late-1.{cycle}.0@example.org"));
        } else {
            thread::sleep(Duration::from_millis(random.random_range(W::HANDED_OVER)));
        }
        other.kill_dash_9();
        other = Server::start_with(writes.database(), &options);
    }
    let twice = all.iter().filter(|(address, appointment)| was_twice(writes, address, appointment));
    println!("{} of {}, {kills} kills, {} twice", all.len(), W::NAME, twice.count());
    all.into_iter().map(|(_, appointment)| appointment).collect()
}

/// Waits until it is known what has become of one. Whether it was taken on twice.
fn was_twice<W: Written>(writes: &W, address: &str, appointment: &Value) -> bool {
    let (sent, failed) = (format!("{}Sent", W::NAME), format!("{}Failed", W::NAME));
    let ledger = within(LAPSES, address, || {
        let ledger = writes.ledger(appointment);
        let is_sent = ledger.iter().any(|(name, _)| *name == sent);
        // Unknown twice: it was handed over twice, and nobody knows of either.
        let given_up = ledger.iter().filter(|(name, _)| *name == failed).count() >= 2
            && ledger.last().is_some_and(|(_, last)| last.get("retry_at").is_none());
        (is_sent || given_up).then_some(ledger)
    });
    let mails = eventually(&format!("{address} is forgotten: {ledger:?}"), || {
        Some(writes.relay().mails_to(address)).filter(|mails| !mails.is_empty())
    });
    let ids: BTreeSet<&str> = mails.iter().map(|mail| mail.text("message_id")).collect();
    assert_eq!(ids.len(), 1, "{address}: {mails:?}");
    let unknown = ledger.iter().filter(|(_, event)| event["failure"] == json!("unknown"));
    assert!(mails.len() <= 1 + unknown.count(), "{address}: {} of {ledger:?}", mails.len());
    mails.len() > 1
}

//! `kill -9` around the hand-over, with two programs on one database.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use rand::Rng as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::Reminding;
use crate::harness::{Server, id_of, seed, size, within};

/// How often a program is killed.
const KILLS: &str = "DAYBOOK_REMINDER_KILLS";

/// How long it takes until a try lapses whose program is gone, with a patience of a second.
const LAPSES: Duration = Duration::from_mins(2);

#[test]
fn whatever_is_killed_nobody_is_forgotten_and_whoever_has_it_twice_has_the_same() {
    let mut random = StdRng::seed_from_u64(seed("crashes"));
    let reminding = Reminding::new();
    let options = reminding.relay.options();
    let mut other = Server::start_with(&reminding.database, &options);
    let mut all: Vec<(String, Value)> = Vec::new();
    let cycles = size(KILLS, 2_u32);
    for cycle in 0..cycles {
        // Half of them are in the middle of a hand-over when it happens.
        let addresses = (0..12).map(|n| match n % 2 {
            0 => format!("late-1.{cycle}.{n}@example.org"),
            _ => format!("prompt.{cycle}.{n}@example.org"),
        });
        let booked = addresses.map(|address| {
            let appointment = reminding.booked(&reminding.client(&address), 5);
            (address, appointment)
        });
        all.extend(booked.collect::<Vec<_>>());
        if cycle % 2 == 0 {
            // The relay has it, and has not said so.
            reminding.relay.has(1, &format!("late-1.{cycle}.0@example.org"));
        } else {
            thread::sleep(Duration::from_millis(random.random_range(3_500..6_500)));
        }
        other.kill_dash_9();
        other = Server::start_with(&reminding.database, &options);
    }
    let settled = |appointment: &Value| {
        let ledger = reminding.ledger(appointment);
        let sent = ledger.iter().any(|(name, _)| name == "ReminderSent");
        // Unknown twice: it was handed over twice, and nobody knows of either.
        let given_up = ledger.iter().filter(|(name, _)| name == "ReminderFailed").count() >= 2
            && ledger.last().is_some_and(|(_, last)| last.get("retry_at").is_none());
        (sent || given_up).then_some(ledger)
    };
    let mut twice = 0;
    for (address, appointment) in &all {
        let ledger = within(LAPSES, address, || settled(appointment));
        let mails = reminding.relay.mails_to(address);
        assert!(!mails.is_empty(), "{address} is forgotten: {ledger:?}");
        let ids: BTreeSet<&str> = mails.iter().map(|mail| mail.text("message_id")).collect();
        assert_eq!(ids.len(), 1, "{address}: {mails:?}");
        let unknown = ledger.iter().filter(|(_, event)| event["failure"] == json!("unknown"));
        assert!(mails.len() <= 1 + unknown.count(), "{address}: {} of {ledger:?}", mails.len());
        twice += usize::from(mails.len() > 1);
    }
    println!("{} reminders, {cycles} kills, {twice} sent twice", all.len());
    let ids: BTreeSet<String> = all.iter().map(|(_, appointment)| id_of(appointment)).collect();
    assert_eq!(reminding.reminders().keys().filter(|id| ids.contains(*id)).count(), all.len());
    reminding.database.run(&["verify"]).succeeded();
    reminding.database.projections_are_what_the_log_says();
    drop(other);
}

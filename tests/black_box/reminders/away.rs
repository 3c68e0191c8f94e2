//! A relay that is away: for a moment, and for an hour.

use std::thread;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{HOUR, Reminding, in_seconds, names};
use crate::database::AnotherTime;
use crate::harness::within;

#[test]
fn a_relay_that_was_away_is_given_what_still_holds() {
    let reminding = Reminding::new();
    reminding.relay.stop();
    let moved = reminding.booked(&reminding.client("moved@example.org"), 2);
    reminding.until(&moved, "ReminderFailed");
    let later = json!({"start_at": in_seconds(3 * 3_600).to_rfc3339()});
    reminding.practice.act(&moved, "reschedule", &later).is(200);
    let stay =
        (0..20).map(|n| reminding.booked(&reminding.client(&format!("stays.{n}@example.org")), 2));
    let stay: Vec<Value> = stay.collect();
    thread::sleep(Duration::from_secs(4));
    reminding.relay.start_again();
    for (n, appointment) in stay.iter().enumerate() {
        reminding.until(appointment, "ReminderSent");
        assert_eq!(reminding.relay.mails_to(&format!("stays.{n}@example.org")).len(), 1);
    }
    let ledger = names(&reminding.ledger(&moved));
    assert_eq!(
        reminding.until(&moved, "ReminderGivenUp")[..2],
        ["ReminderBegun", "ReminderFailed"]
    );
    assert_eq!(reminding.ledger(&moved).last().unwrap().1["why"], "moved", "{ledger:?}");
    assert!(reminding.relay.mails_to("moved@example.org").is_empty());
    // The relay that is away costs one try at a time, not one of each.
    let tries: usize = stay.iter().map(|it| reminding.ledger(it).len()).sum();
    assert!(tries <= 2 * stay.len() + 12, "{tries} events");
}

/// What others send does not wait for a relay that is away, nor is the relay there because of it.
#[test]
fn webhooks_are_told_while_the_relay_is_away() {
    let reminding = Reminding::new();
    reminding.relay.stop();
    for n in 0..8 {
        reminding.booked(&reminding.client(&format!("mail.{n}@example.org")), 2);
    }
    let practice = &reminding.practice;
    let rules = json!([{"before_minutes": HOUR, "channel": "webhook"}]);
    let service = practice.a_service(&json!({"reminders": rules}));
    let booking = practice.booking(in_seconds(3) + TimeDelta::minutes(HOUR.into()));
    let booking =
        booking.with("service_id", service).with("resource_ids", json!([practice.a_room()]));
    let told = booking.with("client_id", reminding.client_with(&json!({}))).send().is(201);
    reminding.until(&told, "ReminderDue");
    let log = reminding.server.log();
    assert!(!log.contains("the mail relay is there again"), "{log}");
}

/// By clocks that are set forward: an hour for the database, and for whoever asks it what time it is.
#[test]
fn a_relay_that_was_away_for_an_hour_is_given_all_that_still_holds_and_nothing_else() {
    let begun = DateTime::<Utc>::from(SystemTime::now());
    let time = AnotherTime::at(begun);
    let reminding = Reminding::at(&time);
    let practice = &reminding.practice;
    let reminds = |minutes: u32| {
        practice.a_service(&json!({"reminders": [{"before_minutes": minutes, "channel": "email"}]}))
    };
    let (early, late) = (reminds(180), reminds(30));
    reminding.relay.stop();
    let due = in_seconds(8);
    let booked = |service: &str, minutes: i64, address: &str| -> Value {
        let booking =
            practice.booking(due + TimeDelta::minutes(minutes)).with("service_id", service);
        let booking = booking.with("client_id", reminding.client(address));
        booking.with("resource_ids", json!([practice.a_room()])).send().is(201)
    };
    let address = |what: &str, n: usize| format!("{what}.{n}@example.org");
    let all = |service: &str, minutes, what: &str, count| -> Vec<Value> {
        (0..count).map(|n| booked(service, minutes, &address(what, n))).collect()
    };
    let stay = all(&early, 180, "stays", 12);
    let cancelled = all(&early, 180, "cancelled", 3);
    let moved = all(&early, 180, "moved", 3);
    let over = all(&late, 30, "over", 4);
    let failed = || {
        let all = reminding.reminders();
        all.values().flatten().filter(|(name, _)| name == "ReminderFailed").count()
    };
    let fails_again = || {
        let before = failed();
        within(Duration::from_mins(2), "it is tried", || (failed() > before).then_some(()));
    };
    fails_again();
    time.set(begun + TimeDelta::minutes(20));
    for appointment in &cancelled {
        practice.act(appointment, "cancel", &json!({"by": "client"})).is(200);
    }
    let start = (due + TimeDelta::hours(12)).to_rfc3339();
    for appointment in &moved {
        practice.act(appointment, "reschedule", &json!({"start_at": start})).is(200);
    }
    fails_again();
    time.set(begun + TimeDelta::minutes(62));
    fails_again();
    reminding.relay.start_again();
    for (n, appointment) in stay.iter().enumerate() {
        let ledger = within(Duration::from_mins(3), "it is sent", || {
            let ledger = reminding.ledger(appointment);
            (ledger.last()?.0 == "ReminderSent").then_some(ledger)
        });
        let mails = reminding.relay.mails_to(&address("stays", n)).len();
        assert_eq!(mails, 1, "{ledger:?}");
        assert!(reminding.recorded_at(appointment, "ReminderBegun") >= due);
    }
    // None of them reminds of what is over, and the ledger says why of each.
    for appointment in &over {
        let why = within(Duration::from_mins(3), "it is given up", || {
            let ledger = reminding.ledger(appointment);
            let (name, last) = ledger.last()?;
            match &**name {
                "ReminderSkipped" | "ReminderGivenUp" => last["why"].as_str().map(str::to_owned),
                // The next try would have been after the start.
                "ReminderFailed" if last["retry_at"].is_null() => Some("too-late".to_owned()),
                _ => None,
            }
        });
        assert_eq!(why, "too-late");
    }
    for what in ["cancelled", "moved", "over"] {
        for n in 0..4 {
            assert!(reminding.relay.mails_to(&address(what, n)).is_empty(), "{what} {n}");
        }
    }
    for appointment in cancelled.iter().chain(&moved) {
        let ledger = names(&reminding.ledger(appointment));
        assert!(!ledger.iter().any(|name| name == "ReminderSent"), "{ledger:?}");
    }
    assert_eq!(reminding.relay.count(), stay.len());
    // One at a time is tried: of what cannot be sent the log does not grow.
    let events: usize = reminding.reminders().values().map(Vec::len).sum();
    assert!(events <= 2 * stay.len() + over.len() + 60, "{events} events");
    reminding.database.run(&["verify"]).succeeded();
    reminding.database.projections_are_what_the_log_says();
}

//! Very many reminders that are due in the same minute.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Reminding, in_seconds};
use crate::harness::{Practice, personal, size, within};

/// How many are due in the same minute.
const DUE: &str = "DAYBOOK_REMINDERS_DUE";

/// Services of a tenant that has many: each reminds at another time before the start, so that a room has many
/// appointments whose clients are reminded at once.
const SERVICES: usize = 24;

/// How many one of the others has.
const FEW: usize = 10;

/// Books so many, all of whose reminders are due then and go to this address.
fn book(practice: &Practice, address: &str, count: usize, due: DateTime<Utc>) {
    personal::is_sent();
    let client = json!({"name": personal::NAME, "email": address});
    let client = practice.created("/v1/clients", &client);
    let of_service = |n: usize| {
        let minutes = 60 + 30 * i64::try_from(n).unwrap();
        let rules = json!([{"before_minutes": minutes, "channel": "email"}]);
        (practice.a_service(&json!({"reminders": rules})), due + TimeDelta::minutes(minutes))
    };
    let services: Vec<_> = (0..SERVICES.min(count)).map(of_service).collect();
    let rooms: Vec<String> = (0..count.div_ceil(SERVICES)).map(|_| practice.a_room()).collect();
    let body = |n: usize| {
        let (service, start) = &services[n % services.len()];
        let booking = practice.booking(*start).with("service_id", &**service);
        let booking = booking.with("client_id", &*client);
        booking.with("resource_ids", json!([rooms[n / services.len()]])).body
    };
    let bodies: Vec<Value> = (0..count).map(body).collect();
    for items in bodies.chunks(250) {
        let booked = practice.api.post("/v1/appointments:batch", &json!({"items": items})).send();
        let verdicts = booked.is(200)["items"].as_array().unwrap().clone();
        assert!(verdicts.iter().all(|it| it["status"] == 201), "{verdicts:?}");
    }
}

fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

#[test]
fn of_very_many_that_are_due_at_once_each_is_sent_and_no_tenant_waits_for_another() {
    let reminding = Reminding::new();
    let many = size(DUE, 400_usize);
    let others: Vec<Practice> = (0..4).map(|_| Practice::on(&reminding.server)).collect();
    let due = in_seconds(20 + i64::try_from(many / 40).unwrap());
    // Whoever has few is due a little later: not because they are first do they not wait.
    let few_due = due + TimeDelta::seconds(2);
    for (n, other) in others.iter().enumerate() {
        book(other, &format!("few.{n}@example.org"), FEW, few_due);
    }
    book(&reminding.practice, "many@example.org", many, due);
    assert!(now() < due, "it took too long to book them");
    thread::sleep((due - now()).to_std().unwrap_or_default());
    let (begun, all) = (Instant::now(), many + others.len() * FEW);
    let limit = Duration::from_mins(2) + Duration::from_millis(100) * u32::try_from(all).unwrap();
    within(limit, "all are sent", || (reminding.relay.count() >= all).then_some(()));
    let took = begun.elapsed();
    let mails = reminding.relay.mails();
    let last_of_few = mails.iter().rposition(|mail| mail.0["to"][0] != "many@example.org").unwrap();
    #[expect(clippy::cast_precision_loss, reason = "it is for the eye")]
    let rate = all as f64 / took.as_secs_f64();
    println!("{all} reminders in {took:?}: {rate:.0} a second; those of few were {last_of_few} in");
    assert_eq!(mails.len(), all);
    let ids: BTreeSet<&str> = mails.iter().map(|mail| mail.text("message_id")).collect();
    assert_eq!(ids.len(), all, "each is another message");
    // Of many, a good part was still to be sent when those of few were.
    assert!(last_of_few < all - many / 4, "{last_of_few} of {all}");
    let log = within(Duration::from_mins(1), "all is recorded", || {
        let log = reminding.reminders();
        log.values().all(|it| it.last().unwrap().0 == "ReminderSent").then_some(log)
    });
    assert_eq!((log.len(), log.values().map(Vec::len).sum::<usize>()), (many, 2 * many));
}

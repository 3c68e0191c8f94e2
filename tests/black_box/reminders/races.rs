//! Who cancels and moves while reminders are begun.

use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::Row as _;

use super::{Reminding, in_seconds};
use crate::harness::{at_once, id_of, size};

/// What has happened to an appointment and its reminders.
struct Happened {
    position: i64,
    kind: String,
    of: String,
    payload: Value,
    version: i64,
}

fn everything(reminding: &Reminding) -> Vec<Happened> {
    let query = "SELECT position, event_type, aggregate_id, payload, sequence FROM events
                  WHERE tenant_id = $1 AND aggregate_type IN ('appointment', 'reminder') ORDER BY position";
    let rows = reminding.database.sql().rows(query, &reminding.practice.tenant);
    let happened = rows.iter().map(|row| Happened {
        position: row.get("position"),
        kind: row.get("event_type"),
        of: row.get::<String, _>("aggregate_id").rsplit('/').next().unwrap().to_owned(),
        payload: row.get("payload"),
        version: row.get("sequence"),
    });
    happened.collect()
}

/// The start that an appointment had at a version.
fn start_at(all: &[Happened], id: &str, version: i64) -> DateTime<Utc> {
    let told = all.iter().filter(|it| it.of == id && it.version <= version);
    let start = told.filter_map(|it| it.payload["slot"]["during"]["start_at"].as_str()).next_back();
    start.unwrap().parse().unwrap()
}

#[test]
fn nothing_is_begun_after_it_was_cancelled_or_moved() {
    let reminding = Reminding::new();
    let rounds = size("DAYBOOK_PROOF_ROUNDS", 12_u32).div_ceil(12);
    let (mut begun, mut spared) = (0, 0);
    for round in 0..rounds {
        let clients: Vec<String> =
            (0..64).map(|n| reminding.client(&format!("racer.{round}.{n}@example.org"))).collect();
        let due = in_seconds(6);
        let start = due + TimeDelta::hours(1);
        let rooms: Vec<String> = (0..64).map(|_| reminding.practice.a_room()).collect();
        let booked = at_once(64, |n| {
            let booking = reminding.practice.booking(start).with("client_id", &*clients[n]);
            booking.with("resource_ids", json!([rooms[n]])).send().is(201)
        });
        at_once(64, |n| {
            // In the moments in which they are begun, so that all meet each other.
            let at = due + TimeDelta::milliseconds(20 * i64::try_from(n % 16).unwrap());
            let wait = at - DateTime::<Utc>::from(std::time::SystemTime::now());
            thread::sleep(wait.to_std().unwrap_or_default());
            let act = |action, body| reminding.practice.act(&booked[n], action, &body);
            if n % 2 == 0 {
                act("cancel", json!({"by": "client"})).is(200);
            } else {
                act("reschedule", json!({"start_at": (start + TimeDelta::hours(2)).to_rfc3339()}))
                    .is(200);
            }
        });
        thread::sleep(Duration::from_secs(5));
        let all = everything(&reminding);
        for (n, appointment) in booked.iter().enumerate() {
            let id = id_of(appointment);
            let mails = reminding.relay.mails_to(&format!("racer.{round}.{n}@example.org"));
            let ended = |it: &&Happened| {
                it.of == id
                    && matches!(&*it.kind, "AppointmentCancelled" | "AppointmentRescheduled")
            };
            let ended = all.iter().find(ended).expect("all were");
            let of = |it: &&Happened| it.payload["appointment_id"] == json!(id);
            let first = all.iter().find(of).filter(|it| it.kind == "ReminderBegun");
            let Some(first) = first else {
                assert!(mails.is_empty(), "{id}: nothing was begun: {mails:?}");
                spared += 1;
                continue;
            };
            begun += 1;
            assert!(first.position < ended.position, "{id}: begun at {}", first.position);
            let seen = first.payload["appointment_version"].as_i64().unwrap();
            assert_eq!(start_at(&all, &id, seen), start, "{id}");
            // What it was tried again for is what there was then, too.
            let again = |it: &&Happened| it.of == first.of && it.kind == "ReminderBegunAgain";
            assert!(all.iter().filter(again).all(|it| it.position < ended.position), "{id}");
        }
    }
    assert!(begun > 0 && spared > 0, "nobody met: {begun} begun, {spared} not");
    reminding.database.run(&["verify"]).succeeded();
    reminding.database.projections_are_what_the_log_says();
}

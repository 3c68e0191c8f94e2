//! Who moves and cancels while clients are told.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Row as _;

use super::{Telling, hours, nine};
use crate::harness::{at_once, eventually, id_of, within};

const CLIENTS: usize = 32;

#[test]
fn nothing_is_told_that_is_not_so_any_more_and_all_learn_what_is() {
    let telling = Telling::new();
    let address = |n: usize| format!("racer.{n}@example.org");
    let clients: Vec<String> = (0..CLIENTS).map(|n| telling.client(&address(n))).collect();
    let booked = at_once(CLIENTS, |n| telling.booked(&clients[n], nine()));
    at_once(CLIENTS, |n| {
        for days in 1..=3 {
            telling.moved(&booked[n], nine() + hours(24 * days));
        }
        if n % 2 == 0 {
            telling.cancelled(&booked[n]);
        }
    });
    let mut told_more = 0;
    for (n, appointment) in booked.iter().enumerate() {
        let standing = if n % 2 == 0 { "cancelled" } else { "booked" };
        let ledger = within(Duration::from_mins(2), &address(n), || {
            let ledger = telling.ledger(appointment);
            let begun = ledger.iter().rev().find(|(name, _)| name.starts_with("NoticeBegun"));
            let was_sent = ledger.iter().any(|(name, _)| name == "NoticeSent");
            let is_sent = ledger.last().is_some_and(|(name, _)| name == "NoticeSent");
            let knows = begun.is_some_and(|(_, begun)| {
                let start: chrono::DateTime<chrono::Utc> =
                    begun["start_at"].as_str().unwrap().parse().unwrap();
                begun["standing"] == standing && start == nine() + hours(72)
            });
            let is_over = ledger.last().is_none_or(|(name, _)| name == "NoticeGivenUp");
            let was_never_told = standing == "cancelled" && !was_sent && is_over;
            ((is_sent && knows) || was_never_told).then_some(ledger)
        });
        let sent = ledger.iter().filter(|(name, _)| name == "NoticeSent").count();
        let mails = telling.relay.mails_to(&address(n));
        assert_eq!(mails.len(), sent, "{ledger:?}");
        told_more += usize::from(sent > 1);
    }
    println!("{told_more} of {CLIENTS} were told more than once");
    rests_on_what_was_so(&telling);
    telling.database.projections_are_what_the_log_says();
}

/// Each that was begun rests on the appointment as it was at that position.
fn rests_on_what_was_so(telling: &Telling) {
    let query = "SELECT event_type, aggregate_id, payload, sequence FROM events
                  WHERE tenant_id = $1 AND aggregate_type IN ('appointment', 'notice') ORDER BY position";
    let mut versions: BTreeMap<String, i64> = BTreeMap::new();
    let mut begun = 0;
    for row in telling.database.sql().rows(query, &telling.practice.tenant) {
        let (kind, payload): (String, Value) = (row.get("event_type"), row.get("payload"));
        let id: String = row.get("aggregate_id");
        if kind.starts_with("Appointment") {
            let id = id.rsplit('/').next().unwrap().to_owned();
            versions.insert(id, row.get("sequence"));
        } else if kind.starts_with("NoticeBegun") {
            let appointment = payload["appointment_id"].as_str().unwrap();
            assert_eq!(payload["appointment_version"], json!(versions[appointment]), "{payload}");
            begun += 1;
        }
    }
    assert!(begun >= CLIENTS / 2, "{begun}");
}

/// A place that comes free is offered by mail to who has waited, and booked when they take it.
#[test]
fn who_has_waited_is_offered_a_place_and_told_that_it_is_theirs() {
    let telling = Telling::new();
    let (first, address) = ("first@example.org", "waits@example.org");
    let taken = telling.booked(&telling.client(first), nine());
    telling.next(0, first);
    let room = taken["resource_ids"][0].as_str().unwrap();
    let day = nine().date_naive().to_string();
    let waits = json!({
        "service_id": telling.practice.service, "client_id": telling.client(address), "resource_ids": [room],
        "from": day, "to": day, "time_zone": "Europe/Oslo",
        "times": [{"days": ["sun"], "from": "09:00", "to": "09:30"}],
    });
    telling.practice.api.post("/v1/waiting-list", &waits).send().is(201);
    telling.cancelled(&taken);
    let offer = telling.next(0, address);
    assert!(offer.text("subject").starts_with("A place for you: Check-up"), "{offer:?}");
    assert!(offer.text("text").contains("It is kept for you until"), "{offer:?}");
    assert!(!offer.text("raw").contains("text/calendar"), "{offer:?}");
    let held = eventually("the hold is found", || telling.practice.found("status=held").pop());
    let confirm = format!("/v1/holds/{}/confirm", id_of(&held));
    telling.practice.api.post(&confirm, &json!({})).send().is(200);
    let confirmed = telling.next(1, address);
    let read = crate::mail::judges::read(&confirmed);
    assert_eq!((&read["method"], &read["sequence"]), (&json!("REQUEST"), &json!(0)));
    assert_eq!(read["uid"], json!(id_of(&held)));
}

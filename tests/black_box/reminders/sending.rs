//! What is sent, to whom, and what is not.

use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use serde_json::{Value, json};
use sqlx::Row as _;

use super::{Reminding, in_seconds, names};
use crate::erasure_ledger::{copied, stopped};
use crate::harness::{Server, eventually, id_of, personal, within};
use crate::mail::is_late;

#[test]
fn a_client_is_reminded_by_one_mail_an_hour_before() {
    let reminding = Reminding::new();
    let client = reminding.client("one@example.org");
    let appointment = reminding.booked(&client, 3);
    let [mail] = reminding.relay.has(1, "one@example.org").try_into().unwrap();
    assert_eq!(reminding.until(&appointment, "ReminderSent"), ["ReminderBegun", "ReminderSent"]);
    let [(_, begun), (_, sent)] = reminding.ledger(&appointment).try_into().unwrap();
    assert_eq!(mail.text("message_id"), format!("<{}>", begun["message_id"].as_str().unwrap()));
    assert_eq!((&begun["attempt"], &begun["appointment_version"]), (&json!(1), &json!(1)));
    assert_eq!(sent, json!({"type": "ReminderSent", "code": 250}));
    let start: DateTime<Utc> = appointment["start_at"].as_str().unwrap().parse().unwrap();
    let time = start.format("%A %-d %B %Y at %H:%M").to_string();
    assert_eq!(mail.text("subject"), format!("Reminder: Check-up on {time}"));
    for body in ["text", "html"] {
        assert!(mail.text(body).contains(&time), "{mail:?}");
        assert!(mail.text(body).contains(personal::NAME), "{mail:?}");
    }
    assert_eq!(mail.text("from"), "post@practice.example");
    assert!(mail.0["headers"].as_array().unwrap().contains(&json!("auto-submitted")));
    // Neither the address nor what the relay said is anywhere.
    let events = format!("{:?}", reminding.reminders());
    for told in [events, reminding.server.log(), metrics(&reminding)] {
        assert!(!told.contains("example.org"), "{told}");
    }
    assert!(metrics(&reminding).contains("daybook_reminders_total{result=\"sent\"} 1"));
    thread::sleep(Duration::from_secs(6));
    assert_eq!(reminding.relay.mails().len(), 1);
    reminding.database.run(&["verify"]).succeeded();
    reminding.database.projections_are_what_the_log_says();
}

fn metrics(reminding: &Reminding) -> String {
    String::from_utf8(reminding.server.operator().get("/metrics").download()).unwrap()
}

#[test]
fn what_a_relay_does_not_take_is_tried_again_or_failed_for_good() {
    let reminding = Reminding::new();
    let booked = |address: &str| reminding.booked(&reminding.client(address), 3);
    let busy = booked("busy-1.a@example.org");
    let leaving = booked("leaving-1.a@example.org");
    let gone = booked("gone.a@example.org");
    let cut = booked("cut-1.a@example.org");
    let late = booked("late-2.a@example.org");
    let twice = ["ReminderBegun", "ReminderFailed", "ReminderBegunAgain", "ReminderSent"];
    for (appointment, failure, code) in [
        (&busy, "transient", json!(451)),
        (&leaving, "transient", json!(421)),
        (&cut, "unknown", json!(null)),
    ] {
        assert_eq!(reminding.until(appointment, "ReminderSent"), twice);
        let failed = &reminding.ledger(appointment)[1].1;
        assert_eq!((&failed["failure"], &failed["code"]), (&json!(failure), &code));
    }
    assert_eq!(reminding.until(&gone, "ReminderFailed"), ["ReminderBegun", "ReminderFailed"]);
    let failed = json!({"type": "ReminderFailed", "failure": "permanent", "code": 550});
    assert_eq!(reminding.ledger(&gone)[1].1, failed);
    assert_eq!(reminding.until(&late, "ReminderSent").len(), 2, "it is waited for an answer");
    assert_eq!(reminding.relay.mails_to("busy-1.a@example.org").len(), 1);
    // It was taken on, and nobody said so: the same message, once more.
    let cut = reminding.relay.mails_to("cut-1.a@example.org");
    assert_eq!(cut.len(), 2);
    assert_eq!(cut[0].text("message_id"), cut[1].text("message_id"));
    assert!(!reminding.server.log().contains("example.org"), "{}", reminding.server.log());
}

/// However often it was tried: it is since it was due.
#[test]
fn for_how_long_a_reminder_is_late_counts_from_when_it_was_due_at_first() {
    let reminding = Reminding::new();
    let late = reminding.booked(&reminding.client("busy-9.a@example.org"), 3);
    reminding.until(&late, "ReminderFailed");
    is_late(&reminding.server, "daybook_reminders_oldest_due_seconds");
}

/// What is known of them is only kept.
#[test]
fn a_client_who_is_restricted_is_not_reminded() {
    let reminding = Reminding::new();
    let client = reminding.client("kept@example.org");
    let appointment = reminding.booked(&client, 10);
    let restrict = format!("/v1/clients/{client}/restrict");
    let reason = json!({"reason": "objection-pending"});
    reminding.practice.api.post(&restrict, &reason).send().is(200);
    assert_eq!(reminding.until(&appointment, "ReminderSkipped"), ["ReminderSkipped"]);
    assert_eq!(reminding.ledger(&appointment)[0].1["why"], "restricted");
    assert_eq!(reminding.relay.mails().len(), 0);
}

#[test]
fn nobody_is_reminded_of_what_is_not_to_come() {
    let reminding = Reminding::new();
    let practice = &reminding.practice;
    let client = |name: &str| reminding.client(&format!("{name}@example.org"));
    let booked = |name: &str| reminding.booked(&client(name), 6);
    let cancelled = booked("cancelled");
    practice.act(&cancelled, "cancel", &json!({"by": "client"})).is(200);
    let moved = booked("moved");
    let later = in_seconds(3 * 3_600).to_rfc3339();
    practice.act(&moved, "reschedule", &json!({"start_at": later})).is(200);
    let back = booked("back");
    practice.act(&back, "reschedule", &json!({"start_at": later})).is(200);
    practice.act(&back, "reschedule", &json!({"start_at": back["start_at"]})).is(200);
    let came = booked("came");
    practice.act(&came, "check-in", &json!({})).is(200);
    let unwanted = reminding.client_with(&json!({"email": "no@example.org", "reminders": "none"}));
    let unwanted = reminding.booked(&unwanted, 6);
    let nowhere = reminding.booked(&reminding.client_with(&json!({})), 6);
    let too_late = reminding.booked(&client("late"), -60);
    reminding.relay.has(1, "back@example.org");
    assert_eq!(reminding.until(&back, "ReminderSent").len(), 2);
    assert_eq!(reminding.until(&unwanted, "ReminderSkipped"), ["ReminderSkipped"]);
    assert_eq!(reminding.ledger(&unwanted)[0].1["why"], "not-wanted");
    assert_eq!(reminding.until(&nowhere, "ReminderSkipped"), ["ReminderSkipped"]);
    assert_eq!(reminding.ledger(&nowhere)[0].1["why"], "no-address");
    thread::sleep(Duration::from_secs(3));
    for silent in [&cancelled, &moved, &came, &too_late] {
        assert_eq!(names(&reminding.ledger(silent)), [""; 0], "{}", id_of(silent));
    }
    assert_eq!(reminding.relay.mails().len(), 1);
}

#[test]
fn of_two_that_are_due_one_is_sent() {
    let reminding = Reminding::new();
    let soon = in_seconds(3);
    let due = soon - TimeDelta::seconds(soon.second().into()) + TimeDelta::minutes(1);
    let at = due.format("%H:%M").to_string();
    let rules = json!([{"before_minutes": 60, "channel": "email"},
        {"before_days": days_to(due, due + TimeDelta::hours(1)), "time": at, "channel": "email"}]);
    let service = reminding.practice.a_service(&json!({"reminders": rules}));
    let (client, room) = (reminding.client("two@example.org"), reminding.practice.a_room());
    let booking = reminding.practice.booking(due + TimeDelta::hours(1));
    let booking = booking.with("client_id", client.as_str()).with("service_id", service.as_str());
    let appointment = booking.with("resource_ids", json!([room])).send().is(201);
    let ledger = within(Duration::from_secs(90), "both are settled", || {
        let ledger = reminding.ledger(&appointment);
        (ledger.len() == 3 && ledger.iter().any(|(name, _)| name == "ReminderSent"))
            .then_some(ledger)
    });
    let skipped = ledger.iter().find(|(name, _)| name == "ReminderSkipped").unwrap();
    assert_eq!(skipped.1["why"], "superseded");
    assert_eq!(reminding.relay.mails().len(), 1);
}

fn days_to(from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    (to.date_naive() - from.date_naive()).num_days()
}

/// The original has sent it, or will.
#[test]
fn a_copy_of_a_database_does_not_send_what_was_due_before_it_was_one() {
    let reminding = Reminding::new();
    let before = reminding.booked(&reminding.client("before@example.org"), 8);
    let after = reminding.booked(&reminding.client("after@example.org"), 40);
    stopped(&reminding.server);
    let copy = copied(&reminding.database, "reminders_of_a_copy");
    while in_seconds(0) <= due(&before) {
        thread::sleep(Duration::from_millis(100));
    }
    let server = Server::start_with(&copy, &reminding.relay.options());
    let query = "SELECT event_type, payload ->> 'why' AS why FROM events
                  WHERE tenant_id = $1 AND aggregate_type = 'reminder' ORDER BY position";
    let skipped = eventually("it is skipped", || {
        let rows = copy.sql().rows(query, &reminding.practice.tenant);
        rows.first().map(|row| (row.get("event_type"), row.get("why")))
    });
    assert_eq!(skipped, ("ReminderSkipped".to_owned(), "too-late".to_owned()));
    within(Duration::from_mins(1), "what is due later is sent", || {
        reminding.relay.mails_to("after@example.org").pop()
    });
    assert!(reminding.relay.mails_to("before@example.org").is_empty());
    stopped(&server);
    // The original sends it, late as it is.
    let options = reminding.relay.options();
    let original = reminding.started_again(&options);
    original.until(&before, "ReminderSent");
    original.until(&after, "ReminderSent");
}

/// When the client of an appointment is to be reminded.
fn due(appointment: &Value) -> DateTime<Utc> {
    let start: DateTime<Utc> = appointment["start_at"].as_str().unwrap().parse().unwrap();
    start - TimeDelta::hours(1)
}

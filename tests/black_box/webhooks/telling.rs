//! What an endpoint is told, in which order and how it is signed.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde_json::{Value, json};

use super::endpoint::{Endpoint, Message};
use super::{add, deliveries, head, seen, server};
use crate::harness::{Practice, eventually, id_of, monday, personal, utc};

/// What the official library says of each message: `true`, or why not.
fn verified(secret: &str, messages: &[Message]) -> Vec<Value> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("python/webhooks/bin/python");
    assert!(
        python.exists(),
        "{} is not there: `cargo xtask test` makes it, from tests/black_box/webhooks/requirements.txt",
        python.display()
    );
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("black_box/webhooks/verified.py");
    let mut child = Command::new(python)
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for message in messages {
        let line = json!({"secret": secret, "headers": message.headers, "body": message.body});
        writeln!(input, "{line}").unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_endpoint_is_told_what_happens_in_the_order_of_the_log() {
    let (practice, endpoint) = (Practice::on(server()), Endpoint::new());
    let before = head(&practice);
    let webhook = add(&practice, &endpoint, &json!({})).is(201);
    for hour in 8..12 {
        practice.booked(monday(hour, 0));
    }
    let told = endpoint.has_taken(4);
    let positions: Vec<u64> = told.iter().map(Message::position).collect();
    assert_eq!(positions, (before + 1..=before + 4).collect::<Vec<_>>());
    // As the feed tells it.
    let feed = practice.api.get(&format!("/v1/events?after={before}")).send().is(200);
    let events: Vec<Value> = told.iter().map(Message::event).collect();
    assert_eq!(json!(events), feed["items"]);
    for message in &told {
        assert!(message.headers["content-type"].starts_with("application/cloudevents+json"));
        assert_eq!(
            message.id(),
            format!("urn:daybook:log:{}#{}", practice.tenant, message.position())
        );
    }
    let id = id_of(&webhook);
    let shown = eventually("it is told all", || {
        let shown = seen(&practice, &id);
        (shown["events_behind"] == 0).then_some(shown)
    });
    assert_eq!(shown["position"], before + 4);
    assert!(shown["secret"].is_null() && webhook["secret"].is_string());
    // What was sent is known, and not what was in it.
    let deliveries = deliveries(&practice, &id);
    assert_eq!(deliveries.len(), 4);
    for (delivery, message) in deliveries.iter().rev().zip(&told) {
        assert_eq!(delivery["position"], message.position());
        assert_eq!((&delivery["status"], &delivery["attempt"]), (&json!(204), &json!(1)));
        let hash = ring::digest::digest(&ring::digest::SHA256, message.body.as_bytes());
        let hash =
            hash.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        assert_eq!(delivery["body_sha256"], hash);
    }
}

#[test]
fn it_is_told_of_the_types_and_categories_that_it_asks_for() {
    let practice = Practice::on(server());
    let other = practice.a_service(&json!({"category": "massage"}));
    let (of_type, of_category) = (Endpoint::new(), Endpoint::new());
    let moved = json!({"event_types": ["AppointmentRescheduled", "daybook.AppointmentCancelled"]});
    add(&practice, &of_type, &moved).is(201);
    add(&practice, &of_category, &json!({"categories": ["Mássage", "sauna"]})).is(201);
    let appointment = practice.booked(monday(9, 0));
    practice.booking(monday(10, 0)).with("service_id", other).send().is(201);
    let later = json!({"start_at": utc(monday(12, 0))});
    practice.act(&appointment, "reschedule", &later).is(200);
    practice.act(&appointment, "cancel", &json!({})).is(200);
    let types = |told: &[Message]| -> Vec<String> {
        told.iter().map(|it| it.event()["type"].as_str().unwrap().to_owned()).collect()
    };
    let moved_and_cancelled = ["daybook.AppointmentRescheduled", "daybook.AppointmentCancelled"];
    assert_eq!(types(&of_type.has_taken(2)), moved_and_cancelled);
    assert_eq!(types(&of_category.has_taken(1)), ["daybook.AppointmentBooked"]);
    // Who asks for nothing that has happened is at the end all the same.
    let all = practice.api.get("/v1/webhooks").send().is(200);
    for webhook in all["items"].as_array().unwrap() {
        let id = id_of(webhook);
        eventually("it is at the end", || {
            (seen(&practice, &id)["events_behind"] == 0).then_some(())
        });
    }
    assert_eq!(of_category.told().len(), 1);
}

#[test]
fn a_message_is_signed_as_the_official_library_wants_it_also_while_a_secret_is_replaced() {
    let (practice, endpoint) = (Practice::on(server()), Endpoint::new());
    let webhook = add(&practice, &endpoint, &json!({})).is(201);
    let first = webhook["secret"].as_str().unwrap().to_owned();
    practice.booked(monday(9, 0));
    let told = endpoint.has_taken(1);
    assert_eq!(verified(&first, &told), [json!(true)]);
    let mut forged = told[0].clone();
    forged.body = forged.body.replace("AppointmentBooked", "AppointmentCancelled");
    let refused = json!("No matching signature found");
    assert_eq!(verified(&first, &[forged]), std::slice::from_ref(&refused));
    let rotate = format!("/v1/webhooks/{}/rotate-secret", id_of(&webhook));
    let rotate = |hours: u32| {
        let rotated = practice.api.post(&rotate, &json!({"overlap_hours": hours})).send();
        assert_eq!(rotated.header("cache-control"), Some("no-store"));
        rotated.is(200)["secret"].as_str().unwrap().to_owned()
    };
    let second = rotate(24);
    practice.booked(monday(10, 0));
    let told = &endpoint.has_taken(2)[1..];
    assert_eq!(
        (verified(&first, told), verified(&second, told)),
        (vec![json!(true)], vec![json!(true)])
    );
    let third = rotate(0);
    practice.booked(monday(11, 0));
    let told = &endpoint.has_taken(3)[2..];
    assert_eq!(verified(&third, told), [json!(true)]);
    assert_eq!(verified(&second, told), [refused]);
}

#[test]
fn what_is_personal_is_told_to_those_alone_who_may_have_it() {
    let practice = Practice::on(server());
    let key = json!({"name": "Integrator", "scopes": ["analytics", "manage"]});
    let key = practice.api.post("/v1/keys", &key).send().is(201);
    let integrator = practice.api.with_key(key["key"].as_str());
    let (withheld, told) = (Endpoint::new(), Endpoint::new());
    let body =
        |endpoint: &Endpoint, personal: &str| json!({"url": endpoint.url, "personal": personal});
    let refused = integrator.post("/v1/webhooks", &body(&told, "told")).send();
    refused.is_refused(403, "insufficient-scope");
    integrator.post("/v1/webhooks", &body(&withheld, "withheld")).send().is(201);
    let webhook = practice.api.post("/v1/webhooks", &body(&told, "told")).send().is(201);
    // Nor can it be sent to somebody else by whoever may not have it.
    let at = format!("/v1/webhooks/{}", id_of(&webhook));
    let elsewhere = json!({"url": withheld.url});
    integrator.patch(&at, &elsewhere).send().is_refused(403, "insufficient-scope");
    let again = format!("{at}/replay");
    integrator.post(&again, &json!({"after": 0})).send().is_refused(403, "insufficient-scope");
    practice.a_client(personal::NAME);
    assert!(told.has_taken(1)[0].body.contains(personal::NAME));
    let message = &withheld.has_taken(1)[0];
    assert!(!message.body.contains(personal::NAME), "{message:?}");
    // It is on record that all of it is handed out.
    let audit = practice.api.get("/v1/audit?kind=personal-data-exported").send().is(200);
    let entry = &audit["items"][0];
    assert_eq!(
        (&entry["all_subjects"], &entry["object"]),
        (&json!(true), &json!(format!("webhook {}", id_of(&webhook))))
    );
}

#[test]
fn what_was_told_is_told_again_from_a_position_with_the_same_ids() {
    let (practice, endpoint) = (Practice::on(server()), Endpoint::new());
    let before = head(&practice);
    let webhook = add(&practice, &endpoint, &json!({"after": 0})).is(201);
    let count = usize::try_from(before).unwrap();
    let first = endpoint.has_taken(count);
    assert_eq!(first[0].position(), 1, "all that was there before it");
    let replay = format!("/v1/webhooks/{}/replay", id_of(&webhook));
    practice
        .api
        .post(&replay, &json!({"after": before + 1}))
        .send()
        .is_refused(422, "invalid-body");
    practice.api.post(&replay, &json!({"after": 1})).send().is(200);
    let all = endpoint.has_taken(2 * count - 1);
    let ids = |messages: &[Message]| -> Vec<String> {
        messages.iter().map(|message| message.id().to_owned()).collect()
    };
    assert_eq!(ids(&all[count..]), ids(&first[1..]));
    let distinct: BTreeSet<String> = ids(&all).into_iter().collect();
    assert_eq!(distinct.len(), count);
}

#[test]
fn one_that_is_left_alone_goes_on_from_where_it_was() {
    let (practice, endpoint) = (Practice::on(server()), Endpoint::new());
    let webhook = add(&practice, &endpoint, &json!({"active": false})).is(201);
    let at = format!("/v1/webhooks/{}", id_of(&webhook));
    let start = monday(9, 0);
    for n in 0..3 {
        practice.booked(start + TimeDelta::hours(n));
    }
    let (quiet, other) = (endpoint.clone(), Endpoint::new());
    add(&practice, &other, &json!({"after": webhook["position"]})).is(201);
    other.has_taken(3);
    assert!(quiet.told().is_empty());
    practice.api.patch(&at, &json!({"active": true})).send().is(200);
    assert_eq!(endpoint.has_taken(3).len(), 3);
    practice.api.request("DELETE", &at).send().is(200);
    practice.booked(start + TimeDelta::hours(3));
    other.has_taken(4);
    assert_eq!(endpoint.told().len(), 3, "it is told nothing more");
    practice.api.get(&at).send().is_refused(404, "not-found");
}

/// Without a relay: whoever is told reminds the client.
#[test]
fn a_reminder_is_told_when_it_is_due_and_not_of_what_is_cancelled() {
    let (practice, endpoint) = (Practice::on(server()), Endpoint::new());
    let rules = json!([{"before_minutes": 60, "channel": "webhook"}]);
    let service = practice.a_service(&json!({"reminders": rules}));
    add(&practice, &endpoint, &json!({"event_types": ["daybook.ReminderDue"]})).is(201);
    let now = DateTime::<Utc>::from(SystemTime::now()).trunc_subsecs(0);
    let due_in = |seconds| {
        let start = now + TimeDelta::minutes(60) + TimeDelta::seconds(seconds);
        let booking = practice.booking(start).with("service_id", &*service);
        booking.with("resource_ids", json!([practice.a_room()])).send().is(201)
    };
    let (cancelled, kept) = (due_in(12), due_in(15));
    practice.act(&cancelled, "cancel", &json!({"by": "client"})).is(200);
    let told = endpoint.has_taken(1);
    let event = told[0].event();
    assert_eq!(event["type"], "daybook.ReminderDue");
    assert_eq!(event["data"]["appointment_id"], kept["id"], "the other would have been before");
    assert_eq!(event["data"]["rule"], json!({"before_minutes": 60, "channel": "webhook"}));
    let path = format!("/v1/appointments/{}/reminders", id_of(&kept));
    eventually("it is announced", || {
        let page = practice.api.get(&path).send().is(200);
        (page["items"][0]["status"] == "announced").then_some(())
    });
}

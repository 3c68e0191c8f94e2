//! What is planned, and what has become of it, over HTTP.

use serde_json::{Value, json};

use super::Reminding;
use crate::harness::{Server, a_practice, eventually, id_of, monday};

#[test]
fn what_is_planned_is_listed_and_moves_with_the_appointment() {
    let mut practice = a_practice();
    let rules = json!([{"before_days": 1, "time": "18:00", "channel": "email"},
        {"before_minutes": 60, "channel": "email"}]);
    practice.service = practice.a_service(&json!({"reminders": rules}));
    let booked = practice.booking(monday(9, 0)).send();
    let position = booked.position();
    let booked = booked.is(201);
    let of = format!("/v1/appointments/{}/reminders", id_of(&booked));
    let listed = |path: &str, position: u64| -> Vec<Value> {
        let with = if path.contains('?') { '&' } else { '?' };
        let answer = practice.api.get(&format!("{path}{with}min_position={position}")).send();
        answer.is(200)["items"].as_array().unwrap().clone()
    };
    let told = |items: &[Value]| -> Vec<(String, String, Value)> {
        let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
        items
            .iter()
            .map(|it| (text(it, "status"), text(it, "due_at"), it["rule"].clone()))
            .collect()
    };
    let eve = crate::harness::utc(monday(18, 0) - chrono::TimeDelta::days(1));
    let eight = crate::harness::utc(monday(8, 0));
    let both = listed(&of, position);
    let planned = |due: &str, rule: &Value| ("planned".to_owned(), due.to_owned(), rule.clone());
    assert_eq!(told(&both), [planned(&eve, &rules[0]), planned(&eight, &rules[1])]);
    assert_eq!(both[0]["start_at"], booked["start_at"]);
    assert_eq!((&both[0]["version"], &both[0]["attempts"]), (&json!(0), &json!(0)));
    assert_eq!(listed("/v1/reminders?status=planned", position), both);
    assert!(listed("/v1/reminders?status=sent&status=failed", position).is_empty());
    let day = eight.split('T').next().unwrap();
    let of_day = listed(&format!("/v1/reminders?from={day}&to={day}&tz=UTC"), position);
    assert_eq!(told(&of_day), [planned(&eight, &rules[1])]);

    let move_to = json!({"start_at": crate::harness::utc(monday(10, 0))});
    let position = practice.act(&booked, "reschedule", &move_to).position();
    let moved = listed(&of, position);
    assert_eq!(told(&moved)[1].1, crate::harness::utc(monday(9, 0)));
    assert_ne!(moved[1]["id"], both[1]["id"]);
    let cancelled = practice.act(&booked, "cancel", &json!({"by": "staff"})).position();
    assert!(listed(&of, cancelled).is_empty());
    practice.api.get("/v1/reminders?status=lost").send().is_refused(400, "invalid-query");
    let nobody = "/v1/appointments/01890000-0000-7000-8000-000000000000/reminders";
    practice.api.get(nobody).send().is_refused(404, "not-found");
}

/// Whoever keeps that calendar reminds of what is in it.
#[test]
fn nobody_is_to_be_reminded_of_what_was_imported() {
    let practice = a_practice();
    let folder = tempfile::tempdir().unwrap();
    let (file, start) = (folder.path().join("calendar.ics"), monday(9, 0).format("%Y%m%dT%H%M%SZ"));
    let event = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:one\r\n\
         DTSTAMP:20260101T000000Z\r\nDTSTART:{start}\r\nDURATION:PT30M\r\nSUMMARY:Visit\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    std::fs::write(&file, event).unwrap();
    Server::shared().database.import(&file, &practice.tenant, &[]).succeeded();
    let imported =
        eventually("it is imported", || practice.api.found("status=booked").into_iter().next());
    let service = imported["service_id"].as_str().unwrap();
    let rules = json!({"reminders": [{"before_minutes": 60, "channel": "email"}]});
    practice.api.patch(&format!("/v1/services/{service}"), &rules).send().is(200);
    // One of the same service that was booked here.
    let booked = practice.booking(monday(12, 0)).with("service_id", service).send();
    let planned = |appointment: &Value| -> usize {
        let (id, position) = (id_of(appointment), booked.position());
        let of = format!("/v1/appointments/{id}/reminders?min_position={position}");
        practice.api.get(&of).send().is(200)["items"].as_array().unwrap().len()
    };
    assert_eq!((planned(&booked.is(201)), planned(&imported)), (1, 0));
}

#[test]
fn rules_that_cannot_be_are_refused() {
    let practice = a_practice();
    let service = format!("/v1/services/{}", practice.service);
    for rules in [
        json!([{"before_minutes": 60, "channel": "pigeon"}]),
        json!([{"before_minutes": 0, "channel": "email"}]),
        json!([{"before_days": 1, "before_minutes": 60, "channel": "email"}]),
        json!([{"before_days": 1, "channel": "email"}, {"before_days": 1, "channel": "email"}]),
    ] {
        let patch = practice.api.patch(&service, &json!({"reminders": rules})).send();
        patch.is_refused(422, "invalid-body");
    }
    let client = format!("/v1/clients/{}", practice.client);
    for wrong in [json!({"reminders": "sometimes"}), json!({"language": "Norwegian"})] {
        practice.api.patch(&client, &wrong).send().is_refused(422, "invalid-body");
    }
}

#[test]
fn a_reminder_is_sent_now_when_somebody_asks_for_it() {
    let reminding = Reminding::new();
    let practice = &reminding.practice;
    let appointment = reminding.booked(&reminding.client("now@example.org"), 3_600);
    let path = format!("/v1/appointments/{}/reminders", id_of(&appointment));
    let head = practice.api.get(&format!("/v1/appointments/{}", id_of(&appointment))).send();
    let path = format!("{path}?min_position={}", head.position());
    let planned = practice.api.get(&path).send().is(200)["items"][0].clone();
    let resend = format!("/v1/reminders/{}/resend", id_of(&planned));
    let asked = practice.api.post(&resend, &json!({})).send().is(200);
    assert_eq!((&asked["status"], &asked["version"]), (&json!("asked"), &json!(1)));
    reminding.relay.has(1, "now@example.org");
    let told = ["ReminderAsked", "ReminderBegunAgain", "ReminderSent"];
    assert_eq!(reminding.until(&appointment, "ReminderSent"), told);
    // Once more: another message.
    practice.api.post(&resend, &json!({})).send().is(200);
    let mails = reminding.relay.has(2, "now@example.org");
    assert_ne!(mails[0].text("message_id"), mails[1].text("message_id"));
    reminding.until(&appointment, "ReminderSent");
    practice.act(&appointment, "cancel", &json!({"by": "client"})).is(200);
    practice.api.post(&resend, &json!({})).send().is(200);
    reminding.until(&appointment, "ReminderGivenUp");
    assert_eq!(reminding.ledger(&appointment).last().unwrap().1["why"], "cancelled");
    assert_eq!(reminding.relay.mails().len(), 2);
    let nobody = "/v1/reminders/01890000-0000-7000-8000-000000000000/resend";
    practice.api.post(nobody, &json!({})).send().is_refused(404, "not-found");
}

//! When a reminder is due where clocks change, on those days.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Reminding, names};
use crate::database::AnotherTime;
use crate::harness::{id_of, utc, within};

/// An appointment at nine, somewhere, and a rule: when that is due.
struct Case {
    zone: &'static str,
    nine: &'static str,
    rule: Value,
    due: &'static str,
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn days(days: u32, time: &str) -> Value {
    json!({"before_days": days, "time": time, "channel": "email"})
}

/// In the order in which they are due.
fn cases() -> [Case; 7] {
    let case = |zone, nine, rule, due| Case { zone, nine, rule, due };
    let summer = "2027-03-28T07:00:00Z";
    let (day, hours) = (json!({"before_days": 1, "channel": "email"}), 24 * 60);
    let hours = json!({"before_minutes": hours, "channel": "email"});
    [
        // The clocks are set forward in the night: 24 hours before nine it is eight, and nine is 23 hours before.
        case("Europe/Oslo", summer, hours, "2027-03-27T07:00:00Z"),
        case("Europe/Oslo", summer, day, "2027-03-27T08:00:00Z"),
        // Half past two is not there: it is half past three.
        case("Europe/Oslo", "2027-03-29T07:00:00Z", days(1, "02:30"), "2027-03-28T01:30:00Z"),
        // There is no midnight: the day begins at one.
        case("Africa/Cairo", "2027-04-30T06:00:00Z", days(0, "00:00"), "2027-04-29T22:00:00Z"),
        case("America/Santiago", "2027-09-05T12:00:00Z", days(0, "00:00"), "2027-09-05T04:00:00Z"),
        // Half an hour is not there.
        case(
            "Australia/Lord_Howe",
            "2027-10-03T22:00:00Z",
            days(1, "02:15"),
            "2027-10-02T15:45:00Z",
        ),
        // Half past two is there twice: it is the first.
        case("Europe/Oslo", "2027-11-01T08:00:00Z", days(1, "02:30"), "2027-10-31T00:30:00Z"),
    ]
}

#[test]
fn a_client_is_reminded_by_the_clocks_of_where_the_appointment_is() {
    let time = AnotherTime::at(at("2027-03-20T12:00:00Z"));
    let reminding = Reminding::at(&time);
    let practice = &reminding.practice;
    let cases = cases();
    let booked: Vec<Value> = cases
        .iter()
        .enumerate()
        .map(|(n, case)| {
            let room = practice.a_resource(&json!({"time_zone": case.zone}));
            let service = practice.a_service(&json!({"reminders": [case.rule]}));
            let booking = practice.booking(at(case.nine)).with("service_id", service);
            let booking = booking.with("client_id", reminding.client(&address(n)));
            booking.with("resource_ids", json!([room])).send().is(201)
        })
        .collect();
    for (n, (case, appointment)) in cases.iter().zip(&booked).enumerate() {
        let of = format!("/v1/appointments/{}/reminders", id_of(appointment));
        let planned = within(Duration::from_mins(1), "it is planned", || {
            practice.api.get(&of).send().is(200)["items"].as_array().unwrap().first().cloned()
        });
        let due = at(case.due);
        assert_eq!(planned["due_at"], utc(due), "{}", case.zone);
        time.set(due - TimeDelta::seconds(4));
        within(Duration::from_mins(2), case.due, || {
            (names(&reminding.ledger(appointment)).last()? == "ReminderSent").then_some(())
        });
        let late = reminding.recorded_at(appointment, "ReminderBegun") - due;
        assert!((TimeDelta::zero()..TimeDelta::minutes(2)).contains(&late), "{}: {late}", case.due);
        let [mail] = reminding.relay.has(1, &address(n)).try_into().unwrap();
        let told = format!("at 09:00 ({})", case.zone);
        assert!(mail.text("text").contains(&told), "{mail:?}");
    }
    assert_eq!(reminding.relay.count(), cases.len());
}

fn address(n: usize) -> String {
    format!("clock.{n}@example.org")
}

//! Free time: what is offered, what is not, and that what is offered can be booked.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::harness::{Answer, Practice, a_practice, date, monday, utc};

/// Half an hour at a time, in a room that is open on the Monday from nine to eleven.
struct Desk {
    practice: Practice,
    room: String,
}

fn hours(from: &str, to: &str) -> Value {
    json!([{"days": ["mon"], "from": from, "to": to}])
}

fn a_desk() -> Desk {
    let practice = a_practice();
    let room = practice.a_resource(&json!({"weekly_hours": hours("09:00", "11:00")}));
    Desk { practice, room }
}

impl Desk {
    /// What is offered on the Monday.
    fn asked(&self, query: &str) -> Answer {
        let day = date(0);
        let path = format!("/v1/availability?from={day}&to={day}&tz=UTC&{query}");
        self.practice.api.get(&path).send()
    }

    fn offered(&self, query: &str) -> Vec<String> {
        starts(&self.asked(query).is(200)["slots"])
    }

    /// Of the practice's service, in the desk's room.
    fn of_room(&self) -> Vec<String> {
        self.offered(&format!("service_id={}&resource_id={}", self.practice.service, self.room))
    }

    fn book(&self, start: DateTime<Utc>) -> Value {
        let booking = self.practice.booking(start).with("resource_ids", json!([self.room]));
        booking.send().is(201)
    }
}

/// The times of day in UTC.
fn starts(slots: &Value) -> Vec<String> {
    let start = |slot: &Value| slot["start_at"].as_str().unwrap()[11..16].to_owned();
    slots.as_array().unwrap().iter().map(start).collect()
}

#[test]
fn a_free_day_is_offered_in_quarters_of_an_hour_and_a_booking_takes_its_part_at_once() {
    let desk = a_desk();
    assert_eq!(desk.of_room(), ["09:00", "09:15", "09:30", "09:45", "10:00", "10:15", "10:30"]);
    let booked = desk.book(monday(9, 30));
    assert_eq!(desk.of_room(), ["09:00", "10:00", "10:15", "10:30"]);
    desk.practice.act(&booked, "cancel", &json!({"by": "client"})).is(200);
    assert_eq!(desk.of_room().len(), 7);
}

#[test]
fn what_is_offered_has_its_end_and_can_be_booked_and_what_lies_between_cannot() {
    let desk = a_desk();
    desk.book(monday(9, 40));
    let query = format!("service_id={}&resource_id={}", desk.practice.service, desk.room);
    let slots = desk.asked(&query).is(200)["slots"].clone();
    let (start, end) = (utc(monday(9, 0)), utc(monday(9, 30)));
    assert_eq!((&slots[0]["start_at"], &slots[0]["end_at"]), (&json!(start), &json!(end)));
    let offered = starts(&slots);
    for minute in (0..135).step_by(15) {
        let (hour, minute) = (9 + minute / 60, minute % 60);
        let start = monday(hour, minute);
        let booking = desk.practice.booking(start).with("resource_ids", json!([desk.room]));
        let answer = booking.send();
        if offered.contains(&format!("{hour:02}:{minute:02}")) {
            let booked = answer.is(201);
            desk.practice.act(&booked, "cancel", &json!({"by": "staff"})).is(200);
        } else {
            assert!([409, 422].contains(&answer.status), "{start}: {answer:#?}");
        }
    }
}

#[test]
fn hours_that_change_and_services_that_are_revised_count_at_once() {
    let desk = a_desk();
    assert_eq!(desk.of_room().len(), 7);
    let path = format!("/v1/resources/{}", desk.room);
    let body = json!({"weekly_hours": hours("09:00", "10:00")});
    desk.practice.api.patch(&path, &body).send().is(200);
    assert_eq!(desk.of_room(), ["09:00", "09:15", "09:30"]);
    let path = format!("/v1/services/{}", desk.practice.service);
    let terms = json!({
        "name": "Check-up", "category": "check-up", "duration_minutes": 40,
        "rules": {"slot_step_minutes": 10},
    });
    desk.practice.api.patch(&path, &terms).send().is(200);
    assert_eq!(desk.of_room(), ["09:00", "09:10", "09:20"]);
}

#[test]
fn resources_are_asked_for_a_duration_without_a_service_merged_or_each_by_itself() {
    let desk = a_desk();
    let late = desk.practice.a_resource(&json!({"weekly_hours": hours("10:30", "12:00")}));
    let both =
        format!("duration_minutes=60&step_minutes=30&resource_id={}&resource_id={late}", desk.room);
    assert_eq!(desk.offered(&both), ["09:00", "09:30", "10:00", "10:30", "11:00"]);
    let each = desk.asked(&format!("{both}&by=resource")).is(200)["resources"].clone();
    let of = |n: usize| (each[n]["resource_id"].as_str().unwrap(), starts(&each[n]["slots"]));
    assert_eq!(of(0), (&*desk.room, vec!["09:00".into(), "09:30".into(), "10:00".into()]));
    assert_eq!(of(1), (&*late, vec!["10:30".into(), "11:00".into()]));
    let first = desk.asked(&format!("{both}&limit=2")).is(200);
    assert_eq!((starts(&first["slots"]).len(), &first["more"]), (2, &json!(true)));
}

#[test]
fn a_service_that_needs_roles_is_offered_when_each_can_be_filled() {
    let desk = a_desk();
    let practice = &desk.practice;
    let doctor = |name: &str, from, to| {
        let weekly_hours = hours(from, to);
        practice.a_resource(&json!({"name": name, "kind": "staff", "weekly_hours": weekly_hours}))
    };
    let early = doctor("Early", "09:00", "10:00");
    let late = doctor("Late", "10:00", "12:00");
    let service = practice.a_service(&json!({
        "rules": {"slot_step_minutes": 30},
        "needs": [{"role": "doctor", "kind": "staff"},
                  {"role": "room", "among": [desk.room]}],
    }));
    let of_service = format!("service_id={service}");
    assert_eq!(desk.offered(&of_service), ["09:00", "09:30", "10:00", "10:30"]);
    let of_late = desk.offered(&format!("{of_service}&resource_id={late}"));
    assert_eq!(of_late, ["10:00", "10:30"]);
    let booking = practice.booking(monday(9, 30)).with("service_id", &*service);
    booking.without("resource_ids").send().is(201);
    assert_eq!(desk.offered(&of_service), ["09:00", "10:00", "10:30"]);
    let body = json!({"service_id": service, "from": date(0), "to": date(0), "time_zone": "UTC"});
    let found = practice.api.post("/v1/availability/search", &body).send().is(200);
    assert_eq!(found["slots"][0]["resource_ids"], json!([early, desk.room]));
    assert_eq!(found["slots"][1]["resource_ids"], json!([late, desk.room]));
    let body = json!({
        "roles": [{"role": "one", "kind": "staff"}, {"role": "other", "kind": "staff"}],
        "duration_minutes": 30, "from": date(0), "to": date(0), "time_zone": "UTC",
    });
    let together = practice.api.post("/v1/availability/search", &body).send().is(200);
    assert_eq!(starts(&together["slots"]), Vec::<String>::new(), "they never meet");
}

#[test]
fn a_moment_that_is_not_offered_is_explained() {
    let desk = a_desk();
    let booked = desk.book(monday(9, 30));
    let service = desk.practice.a_service(&json!({"rules": {"slot_step_minutes": 30}}));
    let why = |hour, minute| {
        let at = utc(monday(hour, minute));
        let query = format!("service_id={service}&resource_id={}&explain=true&at={at}", desk.room);
        desk.asked(&query).is(200)["explanation"].clone()
    };
    let free = why(10, 0);
    assert_eq!((&free["offered"], &free["resources"][0]["reasons"]), (&json!(true), &json!([])));
    let reasons = |explanation: Value| {
        assert_eq!(explanation["offered"], false);
        explanation["resources"][0]["reasons"].clone()
    };
    assert_eq!(reasons(why(8, 0)), json!([{"reason": "closed"}]));
    let during = json!({"start_at": booked["start_at"], "end_at": booked["end_at"]});
    assert_eq!(reasons(why(9, 30)), json!([{"reason": "claimed", "during": during}]));
    let off_grid = reasons(why(10, 10));
    assert_eq!(
        (&off_grid[0]["reason"], &off_grid[0]["rule"]),
        (&json!("rule"), &json!("start-grid"))
    );
}

#[test]
fn a_hold_is_not_offered_until_it_is_let_go_and_places_are_offered_until_the_last() {
    let desk = a_desk();
    let practice = &desk.practice;
    let body = json!({
        "service_id": practice.service, "client_id": practice.client,
        "resource_ids": [desk.room], "start_at": utc(monday(9, 0)),
    });
    let held = practice.api.post("/v1/holds", &body).send().is(201);
    assert!(!desk.of_room().contains(&"09:00".to_owned()));
    let path = format!("/v1/holds/{}", held["id"].as_str().unwrap());
    practice.api.request("DELETE", &path).send().is(200);
    assert!(desk.of_room().contains(&"09:00".to_owned()));
    let path = format!("/v1/resources/{}", desk.room);
    practice.api.patch(&path, &json!({"capacity": 2})).send().is(200);
    desk.book(monday(9, 0));
    assert!(desk.of_room().contains(&"09:00".to_owned()));
    desk.book(monday(9, 0));
    assert!(!desk.of_room().contains(&"09:00".to_owned()));
}

#[test]
fn what_is_asked_for_is_checked() {
    let desk = a_desk();
    let (service, room) = (&desk.practice.service, &desk.room);
    let good = format!("service_id={service}&resource_id={room}");
    for (bad, status, kind) in [
        (format!("resource_id={room}"), 400, "invalid-query"),
        (format!("service_id={service}"), 400, "invalid-query"),
        (format!("service_id={room}&resource_id={room}"), 422, "unknown-service"),
        (format!("service_id={service}&resource_id={service}"), 422, "unknown-resource"),
        (format!("{good}&duration_minutes=45"), 422, "offered-duration"),
        (format!("{good}&duration_minutes=0"), 400, "invalid-query"),
        (format!("{good}&limit=0"), 400, "invalid-query"),
        (format!("{good}&limit=10001"), 400, "invalid-query"),
        (format!("{good}&step_minutes=0"), 400, "invalid-query"),
        (format!("{good}&by=colour"), 400, "invalid-query"),
        (format!("{good}&explain=true"), 400, "invalid-query"),
        (format!("{good}&at=2027-01-01T10:00:00Z"), 400, "invalid-query"),
        (format!("{good}&explain=true&at=soon"), 400, "invalid-query"),
        (format!("{good}&colour=red"), 400, "invalid-query"),
        ("service_id=1&resource_id=2".to_owned(), 400, "invalid-id"),
    ] {
        desk.asked(&bad).is_refused(status, kind);
    }
    let days = |from: &str, to: &str| {
        desk.practice.api.get(&format!("/v1/availability?{good}&from={from}&to={to}")).send()
    };
    days("2027-01-01", "2027-04-02").is(200);
    days("2027-01-01", "2027-04-03").is_refused(400, "invalid-range");
    days("2027-01-02", "2027-01-01").is_refused(400, "invalid-range");
    days("2027-02-30", "2027-03-01").is_refused(400, "invalid-date");
}

#[test]
fn dates_that_the_log_cannot_keep_are_told_so() {
    let desk = a_desk();
    let room = json!([desk.room]);
    for (from, to) in [("+262142-12-30", "+262142-12-30"), ("-5000-01-01", "-5000-01-02")] {
        let body = json!({"resource_ids": room, "from": from, "to": to, "duration_minutes": 44640});
        let answer = desk.practice.api.post("/v1/availability/search", &body).send();
        answer.is_refused(400, "invalid-date");
    }
}

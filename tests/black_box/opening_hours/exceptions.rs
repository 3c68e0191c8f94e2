//! Extra hours and time off.

use chrono::TimeDelta;
use serde_json::json;

use super::Place;
use crate::harness::{date, monday};

#[test]
fn time_off_closes_whole_days_until_it_is_called_off() {
    let place = Place::in_zone("UTC", &["mon,tue,wed 09:00-17:00"]);
    let tuesday = monday(10, 0) + TimeDelta::days(1);
    let off = json!({"kind": "time-off", "days": {"first": date(0), "last": date(1)},
                     "reason": "Training"});
    let answer = place.add(&off);
    let added = answer.is(201);
    assert_eq!(answer.header("etag"), Some("\"2\""), "the resource's");
    assert!(answer.position() > 0);
    for member in ["kind", "days", "reason"] {
        assert_eq!(added[member], off[member]);
    }
    let location = answer.header("location").unwrap();
    assert_eq!(place.practice.api.get(location).send().is(200), added);
    assert_eq!(place.resource()["exceptions"], json!([added]));
    place.is_closed(monday(10, 0));
    place.is_closed(tuesday);
    place.is_open(tuesday + TimeDelta::days(1));

    let after = place.remove(&added);
    assert_eq!(after.header("etag"), Some("\"3\""));
    assert_eq!(after.is(200)["exceptions"], json!([]));
    assert_eq!(place.resource(), after.json());
    place.is_open(monday(10, 0));
    place.is_open(tuesday);
    place.remove(&added).is_refused(404, "not-found");
    place.practice.api.get(location).send().is_refused(404, "not-found");
}

#[test]
fn time_off_closes_hours_and_appointments_made_before_stand() {
    let place = Place::in_zone("UTC", &["mon 09:00-17:00"]);
    let booked = place.book(monday(12, 0)).is(201);
    let (from, to) = (format!("{}T12:00", date(0)), format!("{}T13:00", date(0)));
    place.add(&json!({"kind": "time-off", "hours": {"from": from, "to": to}})).is(201);
    place.is_closed(monday(12, 30));
    place.is_closed(monday(11, 45));
    place.is_open(monday(11, 30));
    place.is_open(monday(13, 0));
    assert_eq!(place.practice.appointment(booked["id"].as_str().unwrap()), booked);
}

#[test]
fn extra_hours_open_days_and_hours_also_over_midnight() {
    let place = Place::in_zone("UTC", &["mon 09:00-12:00"]);
    let tuesday = monday(0, 0) + TimeDelta::days(1);
    place.is_closed(monday(12, 0));
    let (from, to) = (format!("{}T12:00", date(0)), format!("{}T02:00", date(1)));
    place.add(&json!({"kind": "extra-hours", "hours": {"from": from, "to": to}})).is(201);
    place.add(&json!({"kind": "extra-hours", "days": {"first": date(3), "last": date(3)}})).is(201);
    // What touches is one.
    place.is_open(monday(11, 45));
    place.is_open(monday(23, 45));
    place.is_open(tuesday + TimeDelta::minutes(90));
    place.is_closed(tuesday + TimeDelta::minutes(105));
    place.is_open(tuesday + TimeDelta::days(2));
    place.is_open(tuesday + TimeDelta::days(3) - TimeDelta::minutes(30));
    place.is_closed(tuesday + TimeDelta::days(3) - TimeDelta::minutes(15));
}

#[test]
fn time_off_is_stronger_than_extra_hours_whichever_came_first() {
    for kinds in [["time-off", "extra-hours"], ["extra-hours", "time-off"]] {
        let place = Place::in_zone("UTC", &["mon 09:00-12:00"]);
        for kind in kinds {
            place.add(&json!({"kind": kind, "days": {"first": date(0), "last": date(0)}})).is(201);
        }
        place.is_closed(monday(10, 0));
        place.is_closed(monday(14, 0));
    }
}

#[test]
fn an_exception_that_is_sent_again_with_its_key_is_added_once() {
    let place = Place::in_zone("UTC", &[]);
    let off = json!({"kind": "time-off", "days": {"first": date(0), "last": date(1)}});
    let request = || place.practice.api.post(&place.path("/exceptions"), &off);
    let first = request().header("idempotency-key", "time-off").send();
    // The answer is the first one's, even when others have been added since.
    place.add(&json!({"kind": "extra-hours", "days": {"first": date(5), "last": date(5)}})).is(201);
    let again = request().header("idempotency-key", "time-off").send();
    assert_eq!(again.is(201), first.is(201));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.position(), first.position());
    assert_eq!(place.resource()["exceptions"].as_array().unwrap().len(), 2);
}

#[test]
fn a_list_of_resources_leaves_exceptions_and_holidays_out_and_knows_the_version() {
    let place = Place::in_zone("UTC", &[]);
    let off = json!({"kind": "time-off", "days": {"first": date(0), "last": date(1)}});
    let added = place.add(&off);
    place.observe(&json!([{"date": date(3), "name": "A holiday"}])).is(200);
    let position = place.remove(&added.is(201)).position();
    let list = format!("/v1/resources?min_position={position}");
    let list = place.practice.api.get(&list).send().is(200);
    let items = list["items"].as_array().unwrap();
    let mut listed = items.iter().find(|item| item["id"] == *place.resource).unwrap().clone();
    assert_eq!(listed["version"], 4);
    // When it was made and changed is told in lists alone.
    for instant in ["created_at", "updated_at"] {
        assert!(listed.as_object_mut().unwrap().remove(instant).is_some(), "{instant}");
    }
    let mut resource = place.resource();
    let members = resource.as_object_mut().unwrap();
    assert!(members.remove("exceptions").is_some() && members.remove("holidays").is_some());
    assert_eq!(listed, resource);
}

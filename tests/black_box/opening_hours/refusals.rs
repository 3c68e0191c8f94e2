//! What is not understood, or cannot be done.

use serde_json::{Value, json};

use super::Place;

const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

#[test]
fn an_exception_without_kind_length_or_exactly_one_span_is_refused() {
    let place = Place::in_zone("UTC", &[]);
    let days = |first: &str, last: &str| json!({"first": first, "last": last});
    let hours = |from: &str, to: &str| json!({"from": from, "to": to});
    for bad in [
        json!({}),
        json!({"kind": "time-off"}),
        json!({"kind": "holiday", "days": days("2027-07-01", "2027-07-01")}),
        json!({"days": days("2027-07-01", "2027-07-01")}),
        json!({"kind": "time-off", "days": days("2027-07-02", "2027-07-01")}),
        json!({"kind": "time-off", "days": days("2027-02-29", "2027-03-01")}),
        json!({"kind": "time-off", "days": days("2027-7-1", "2027-07-01")}),
        json!({"kind": "time-off", "days": days("2027-07-01", "2200-01-01")}),
        json!({"kind": "time-off", "days": {"first": "2027-07-01"}}),
        json!({"kind": "time-off", "hours": hours("2027-07-01T10:00", "2027-07-01T10:00")}),
        json!({"kind": "time-off", "hours": hours("2027-07-01T10:00Z", "2027-07-01T11:00Z")}),
        json!({"kind": "time-off", "hours": hours("2027-07-01", "2027-07-02")}),
        json!({"kind": "time-off", "days": days("2027-07-01", "2027-07-01"),
               "hours": hours("2027-07-01T10:00", "2027-07-01T11:00")}),
        json!({"kind": "time-off", "days": days("2027-07-01", "2027-07-01"), "x": 1}),
        json!({"kind": "time-off", "days": days("2027-07-01", "2027-07-01"), "reason": ""}),
        json!({"kind": "time-off", "days": days("2027-07-01", "2027-07-01"),
               "reason": "x".repeat(501)}),
    ] {
        place.add(&bad).is_refused(422, "invalid-body");
    }
    assert_eq!(place.resource()["version"], 1, "nothing has happened");
}

#[test]
fn holidays_that_are_none_too_many_or_given_twice_are_refused() {
    let place = Place::in_zone("UTC", &[]);
    let holiday = |date: &str, name: &str| json!({"date": date, "name": name});
    let many = |count: usize| -> Value {
        (0..count).map(|n| holiday("2027-05-17", &format!("Holiday {n}"))).collect()
    };
    for bad in [
        json!(null),
        json!(["2027-05-17"]),
        json!([holiday("2027-05-32", "A day")]),
        json!([holiday("2027-05-17", "")]),
        json!([holiday("2027-05-17", "A day"), holiday("2027-05-17", "A day")]),
        json!([{"date": "2027-05-17", "name": "A day", "id": "one"}]),
        json!([{"date": "2027-05-17", "name": "A day", "closed": true}]),
        many(1_001),
    ] {
        place.observe(&bad).is_refused(422, "invalid-body");
    }
    assert_eq!(place.resource()["version"], 1, "nothing has happened");
    place.observe(&many(1_000)).is(200);
}

#[test]
fn opening_hours_are_asked_for_by_days_and_at_most_92() {
    let place = Place::in_zone("UTC", &["daily 09:00-17:00"]);
    for (query, slug) in [
        ("", "invalid-query"),
        ("from=2027-01-01", "invalid-query"),
        ("to=2027-01-01", "invalid-query"),
        ("from=2027-01-01&to=2027-01-02&tz=UTC", "invalid-query"),
        ("from=2027-02-29&to=2027-03-01", "invalid-date"),
        ("from=1969-12-31&to=1970-01-01", "invalid-date"),
        ("from=2199-12-31&to=2200-01-01", "invalid-date"),
        ("from=2027-01-02&to=2027-01-01", "invalid-range"),
        ("from=2027-01-01&to=2027-04-03", "invalid-range"),
    ] {
        place.opening_hours(query).is_refused(400, slug);
    }
    assert_eq!(place.open("2027-01-01", "2027-04-02").len(), 92);
    assert_eq!(place.open("2199-12-31", "2199-12-31").len(), 1);
    assert_eq!(place.open("1970-01-01", "1970-01-01").len(), 1);
}

#[test]
fn what_is_not_there_is_not_found_and_what_is_retired_stays_as_it_is() {
    let place = Place::in_zone("UTC", &["daily 09:00-17:00"]);
    let off = json!({"kind": "time-off", "days": {"first": "2027-07-01", "last": "2027-07-01"}});
    let added = place.add(&off).is(201);
    let api = &place.practice.api;
    let nowhere = format!("/v1/resources/{NOBODY}");
    let exception = format!("/exceptions/{}", added["id"].as_str().unwrap());
    api.post(&format!("{nowhere}/exceptions"), &off).send().is_refused(404, "not-found");
    api.get(&format!("{nowhere}{exception}")).send().is_refused(404, "not-found");
    api.request("DELETE", &format!("{nowhere}{exception}")).send().is_refused(404, "not-found");
    let holidays = json!({"holidays": []});
    let path = format!("{nowhere}/holidays");
    api.request("PUT", &path).json(&holidays).send().is_refused(404, "not-found");
    let days = "/opening-hours?from=2027-01-01&to=2027-01-02";
    api.get(&format!("{nowhere}{days}")).send().is_refused(404, "not-found");
    let other = place.path(&format!("/exceptions/{NOBODY}"));
    api.get(&other).send().is_refused(404, "not-found");
    api.request("DELETE", &other).send().is_refused(404, "not-found");
    api.get(&place.path("/exceptions/one")).send().is_refused(400, "invalid-id");

    let stale = api.post(&place.path("/exceptions"), &off).header("if-match", "\"1\"").send();
    stale.is_refused(412, "stale-version");
    api.post(&place.path("/retire"), &json!({})).send().is(200);
    place.add(&off).is_refused(409, "resource-retired");
    place.remove(&added).is_refused(409, "resource-retired");
    place.observe(&json!([])).is_refused(409, "resource-retired");
    // What it was can still be seen.
    assert_eq!(place.resource()["exceptions"], json!([added]));
    place.opening_hours("from=2027-01-01&to=2027-01-02").is(200);
}

//! `POST /v1/series/{id}/reschedule`, `POST /v1/series/{id}/cancel`

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::booking::next_day_of;
use super::{a_series, act, booked, each, ids, instant, local, now, with};
use crate::harness::{Practice, a_practice, eventually, utc};

/// A series of four days at nine.
fn four_days() -> (Practice, Value) {
    let practice = a_practice();
    let body = a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=4");
    let series = booked(&practice, &body);
    (practice, series)
}

fn days(days: &[u64]) -> Vec<String> {
    days.iter().map(|days| local(*days, "09:00")).collect()
}

fn starts(at: &[(u64, &str)]) -> Vec<String> {
    at.iter().map(|(days, time)| utc(instant(*days, time))).collect()
}

#[test]
fn one_occurrence_is_cancelled_and_its_time_is_free() {
    let (practice, series) = four_days();
    let body = json!({"scope": "this", "recurrence_id": local(1, "09:00"), "reason": "ill"});
    let change = &act(&practice, &series, "cancel", &body).is(200)["latest_change"];
    assert_eq!((&change["kind"], &change["scope"]), (&json!("cancelled"), &json!("this")));
    assert_eq!(ids(&change["changed"]), days(&[1]));
    assert_eq!(each(&practice, &series, "status"), ["booked", "cancelled", "booked", "booked"]);
    practice.booked(instant(1, "09:00"));
    practice.is_whole();
}

#[test]
fn one_and_what_follows_are_cancelled() {
    let (practice, series) = four_days();
    let body = json!({"scope": "following", "recurrence_id": local(2, "09:00")});
    act(&practice, &series, "cancel", &body).is(200);
    let statuses = ["booked", "booked", "cancelled", "cancelled"];
    assert_eq!(each(&practice, &series, "status"), statuses);
    practice.is_whole();
}

#[test]
fn of_all_those_that_are_no_longer_booked_are_left_alone() {
    let (practice, series) = four_days();
    let appointment = |n: usize| json!({"id": series["occurrences"][n]["appointment_id"]});
    practice.act(&appointment(0), "check-in", &json!({})).is(200);
    practice.act(&appointment(2), "cancel", &json!({})).is(200);
    let change =
        &act(&practice, &series, "cancel", &json!({"scope": "all"})).is(200)["latest_change"];
    assert_eq!(ids(&change["changed"]), days(&[1, 3]));
    assert_eq!(ids(&change["left"]), days(&[0, 2]));
    assert_eq!(change["left"][0]["because"], "not-booked");
    let statuses = ["checked-in", "cancelled", "cancelled", "cancelled"];
    assert_eq!(each(&practice, &series, "status"), statuses);
    let again = act(&practice, &series, "cancel", &json!({"scope": "all"}));
    again.is_refused(409, "nothing-to-change");
    practice.is_whole();
}

#[test]
fn an_occurrence_that_has_begun_is_left_alone() {
    let practice = a_practice();
    let soon = DateTime::<Utc>::from(SystemTime::now()) + TimeDelta::seconds(5);
    let soon = soon.with_nanosecond(0).unwrap();
    let start = soon.format("%Y-%m-%dT%H:%M:%S").to_string();
    let series = booked(&practice, &a_series(&practice, &start, "FREQ=DAILY;COUNT=3"));
    eventually("the first has begun", || {
        (DateTime::<Utc>::from(SystemTime::now()) > soon).then_some(())
    });
    let body = json!({"scope": "all", "shift_days": 1});
    let change = &act(&practice, &series, "reschedule", &body).is(200)["latest_change"];
    assert_eq!(change["left"][0]["because"], "begun");
    assert_eq!((ids(&change["left"]).len(), ids(&change["changed"]).len()), (1, 2));
    let change =
        &act(&practice, &series, "cancel", &json!({"scope": "all"})).is(200)["latest_change"];
    assert_eq!(change["left"][0]["because"], "begun");
    assert_eq!(each(&practice, &series, "status"), ["booked", "cancelled", "cancelled"]);
    practice.is_whole();
}

#[test]
fn an_occurrence_can_still_be_changed_by_itself() {
    let (practice, series) = four_days();
    let appointment = json!({"id": series["occurrences"][1]["appointment_id"]});
    let moved = json!({"start_at": utc(instant(1, "14:00"))});
    let shown = practice.act(&appointment, "reschedule", &moved).is(200);
    assert_eq!(shown["series"]["recurrence_id"], local(1, "09:00"));
    // It moves on from where it is; its recurrence id is as before.
    let body = json!({"scope": "following", "recurrence_id": local(1, "09:00"), "shift_days": 7});
    act(&practice, &series, "reschedule", &body).is(200);
    assert_eq!(
        each(&practice, &series, "start_at"),
        starts(&[(0, "09:00"), (8, "14:00"), (9, "09:00"), (10, "09:00")])
    );
    practice.is_whole();
}

#[test]
fn resources_are_chosen_anew_for_each_occurrence_by_itself() {
    let practice = a_practice();
    let rooms =
        ["A", "B"].map(|name| practice.a_resource(&json!({"name": name, "tags": ["x-ray"]})));
    let needs = json!([{"role": "room", "tags": ["x-ray"]}]);
    let service = practice.a_service(&json!({"needs": needs}));
    let mut body = a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=3");
    body["service_id"] = json!(service);
    body.as_object_mut().unwrap().remove("resource_ids");
    let series = booked(&practice, &body);
    let rooms_of = || -> Vec<Value> {
        let series = now(&practice, &series);
        let occurrences = series["occurrences"].as_array().unwrap();
        occurrences.iter().map(|one| one["appointment"]["resource_ids"][0].clone()).collect()
    };
    assert_eq!(rooms_of(), [&*rooms[0]; 3]);
    // At ten the first room is taken on the second day, both are on the third.
    let take = |day: u64, room: &str| {
        let taken = practice.booking(instant(day, "10:00")).with("resource_ids", json!([room]));
        taken.send().is(201)
    };
    take(1, &rooms[0]);
    let third = [take(2, &rooms[0]), take(2, &rooms[1])];
    let to_ten = json!({"scope": "all", "time": "10:00"});
    let kept = act(&practice, &series, "reschedule", &to_ten).is_refused(409, "slot-taken");
    assert_eq!(kept["recurrence_id"], local(2, "09:00"));
    // Those that go later go last first, so that is the third, too.
    let chosen = with(to_ten, "choose_resources", true);
    let none = act(&practice, &series, "reschedule", &chosen).is_refused(409, "role-taken");
    assert_eq!(none["recurrence_id"], local(2, "09:00"));
    assert_eq!(
        each(&practice, &series, "start_at"),
        starts(&[(0, "09:00"), (1, "09:00"), (2, "09:00")])
    );
    let most = with(chosen.clone(), "mode", "best-effort");
    let change = &act(&practice, &series, "reschedule", &most).is(200)["latest_change"];
    assert_eq!((ids(&change["changed"]), ids(&change["refused"])), (days(&[0, 1]), days(&[2])));
    assert_eq!(change["refused"][0]["problem"]["type"], "urn:daybook:problem:role-taken");
    assert_eq!(rooms_of(), [&*rooms[0], &rooms[1], &rooms[0]]);
    // Chosen anew where they are, too.
    practice.act(&third[0], "cancel", &json!({})).is(200);
    let stay = json!({"scope": "all", "choose_resources": true});
    act(&practice, &series, "reschedule", &stay).is(200);
    assert_eq!(rooms_of(), [&*rooms[0], &rooms[1], &rooms[0]]);
    act(&practice, &series, "reschedule", &chosen).is(200);
    let ten = starts(&[(0, "10:00"), (1, "10:00"), (2, "10:00")]);
    assert_eq!(each(&practice, &series, "start_at"), ten);
    practice.is_whole();
}

/// Where there is no such time, clocks show one hour more; it is not forgotten for that.
#[test]
fn one_that_moves_to_an_hour_that_is_skipped_and_back_has_its_own_local_time_again() {
    let practice = a_practice();
    let before = next_day_of(23) - TimeDelta::days(1);
    let body = a_series(&practice, &format!("{before}T02:15"), "FREQ=DAILY;COUNT=1");
    let series = booked(&practice, &with(body, "time_zone", "Europe/Oslo"));
    let shown = || {
        let start: DateTime<Utc> = each(&practice, &series, "start_at")[0].parse().unwrap();
        start.with_timezone(&Tz::Europe__Oslo).format("%F %H:%M").to_string()
    };
    let move_by = |days: i64| {
        act(&practice, &series, "reschedule", &json!({"scope": "all", "shift_days": days})).is(200);
        shown()
    };
    let on = |days: i64, time: &str| format!("{} {time}", before + TimeDelta::days(days));
    assert_eq!(shown(), on(0, "02:15"));
    assert_eq!(move_by(1), on(1, "03:15"));
    assert_eq!(move_by(-1), on(0, "02:15"));
    assert_eq!(move_by(1), on(1, "03:15"));
    assert_eq!(move_by(1), on(2, "02:15"));
    practice.is_whole();
}

#[test]
fn all_move_to_another_time_of_day() {
    let (practice, series) = four_days();
    let body = json!({"scope": "all", "time": "15:30"});
    let answer = act(&practice, &series, "reschedule", &body);
    let change = &answer.is(200)["latest_change"];
    assert_eq!(change["kind"], "rescheduled");
    assert_eq!(ids(&change["changed"]), days(&[0, 1, 2, 3]));
    assert_eq!(change["changed"][3]["start_at"], utc(instant(3, "15:30")));
    let at = |time| starts(&[(0, time), (1, time), (2, time), (3, time)]);
    assert_eq!(each(&practice, &series, "start_at"), at("15:30"));
    practice.is_whole();
}

/// Each takes the time that the next has had.
#[test]
fn occurrences_that_move_are_not_in_each_others_way() {
    let (practice, series) = four_days();
    let shift = |days: i64| json!({"scope": "all", "shift_days": days});
    act(&practice, &series, "reschedule", &shift(1)).is(200);
    let nine = |days: [u64; 4]| starts(&days.map(|days| (days, "09:00")));
    assert_eq!(each(&practice, &series, "start_at"), nine([1, 2, 3, 4]));
    let back = with(shift(-1), "mode", "best-effort");
    act(&practice, &series, "reschedule", &back).is(200);
    assert_eq!(each(&practice, &series, "start_at"), nine([0, 1, 2, 3]));
    practice.is_whole();
}

#[test]
fn a_limit_of_the_day_counts_occurrences_and_moves_with_them() {
    let practice = a_practice();
    let service = practice.a_service(&json!({"limit_per_client_per_day": 1}));
    let asked = |days: u64, time: &str| {
        let body = a_series(&practice, &local(days, time), "FREQ=DAILY;COUNT=4");
        with(body, "service_id", service.clone())
    };
    let series = booked(&practice, &asked(0, "09:00"));
    let second = practice.api.post("/v1/series", &asked(3, "11:00")).send();
    let problem = second.is_refused(409, "client-day-limit");
    assert_eq!(problem["recurrence_id"], local(3, "11:00"));
    act(&practice, &series, "reschedule", &json!({"scope": "all", "shift_days": -1})).is(200);
    booked(&practice, &asked(3, "11:00"));
    practice.is_whole();
}

#[test]
fn the_local_time_is_kept_when_a_series_moves_over_a_change_of_clocks() {
    let practice = a_practice();
    let body = a_series(&practice, &local(0, "09:00"), "FREQ=WEEKLY;COUNT=3");
    let series = booked(&practice, &with(body, "time_zone", "Europe/Oslo"));
    let half_a_year = json!({"scope": "all", "shift_days": 26 * 7});
    act(&practice, &series, "reschedule", &half_a_year).is(200);
    for (n, start) in (0u64..).zip(each(&practice, &series, "start_at")) {
        let start: DateTime<Utc> = start.parse().unwrap();
        let shown = start.with_timezone(&chrono_tz::Tz::Europe__Oslo).naive_local();
        assert_eq!(shown, instant(26 * 7 + 7 * n, "09:00").naive_utc());
    }
    practice.is_whole();
}

#[test]
fn with_one_in_the_way_all_or_nothing_moves_nothing_and_best_effort_the_others() {
    let (practice, series) = four_days();
    practice.booked(instant(2, "15:15"));
    let body = json!({"scope": "all", "time": "15:00"});
    let refused = act(&practice, &series, "reschedule", &body);
    assert_eq!(refused.is_refused(409, "slot-taken")["recurrence_id"], local(2, "09:00"));
    let nine = starts(&[(0, "09:00"), (1, "09:00"), (2, "09:00"), (3, "09:00")]);
    assert_eq!(each(&practice, &series, "start_at"), nine);
    let answer = act(&practice, &series, "reschedule", &with(body.clone(), "mode", "best-effort"));
    let change = &answer.is(200)["latest_change"];
    assert_eq!(ids(&change["changed"]), days(&[0, 1, 3]));
    assert_eq!(ids(&change["refused"]), days(&[2]));
    let problem = &change["refused"][0]["problem"];
    assert_eq!(problem["type"], "urn:daybook:problem:slot-taken");
    let but_one = starts(&[(0, "15:00"), (1, "15:00"), (2, "09:00"), (3, "15:00")]);
    assert_eq!(each(&practice, &series, "start_at"), but_one);
    let this = json!({"scope": "this", "recurrence_id": local(2, "09:00"), "time": "15:00",
                      "mode": "best-effort"});
    let refused = act(&practice, &series, "reschedule", &this).is_refused(409, "none-changed");
    assert_eq!(ids(&refused["refused"]), days(&[2]));
    assert_eq!(refused["refused"][0]["problem"]["type"], "urn:daybook:problem:slot-taken");
    practice.is_whole();
}

#[test]
fn a_series_moves_to_another_room() {
    let (practice, series) = four_days();
    let other = practice.a_room();
    let body = json!({"scope": "following", "recurrence_id": local(2, "09:00"),
                      "resource_ids": [other]});
    act(&practice, &series, "reschedule", &body).is(200);
    let series = now(&practice, &series);
    let rooms = series["occurrences"].as_array().unwrap().iter();
    let rooms: Vec<_> = rooms.map(|one| one["appointment"]["resource_ids"][0].clone()).collect();
    let (room, other) = (json!(practice.room), json!(other));
    assert_eq!(rooms, [&room, &room, &other, &other].map(Clone::clone));
    practice.is_whole();
}

#[test]
fn what_is_too_late_for_a_client_to_cancel_is_refused_and_the_rest_is_not() {
    let practice = a_practice();
    let now = DateTime::<Utc>::from(SystemTime::now());
    // Until between the first two.
    let window = (instant(0, "12:00") - now).num_minutes();
    let service = practice.a_service(&json!({"rules": {"cancellation_window_minutes": window}}));
    let body = a_series(&practice, &local(0, "09:00"), "FREQ=WEEKLY;COUNT=3");
    let series = booked(&practice, &with(body, "service_id", service));
    let all = json!({"scope": "all"});
    let refused = act(&practice, &series, "cancel", &all).is_refused(422, "cancellation-window");
    assert_eq!(refused["recurrence_id"], local(0, "09:00"));
    let answer = act(&practice, &series, "cancel", &with(all.clone(), "mode", "best-effort"));
    let change = &answer.is(200)["latest_change"];
    assert_eq!(ids(&change["changed"]), days(&[7, 14]));
    assert_eq!(ids(&change["refused"]), days(&[0]));
    act(&practice, &series, "cancel", &with(all, "by", "staff")).is(200);
    assert_eq!(each(&practice, &series, "status"), ["cancelled"; 3]);
    practice.is_whole();
}

#[test]
fn a_change_of_what_was_not_seen_is_refused_and_one_sent_again_is_answered_as_before() {
    let (practice, series) = four_days();
    let path = format!("/v1/series/{}/reschedule", series["id"].as_str().unwrap());
    let send = |body: &Value, version: &str, key: &str| {
        let request = practice.api.post(&path, body).header("if-match", version);
        request.header("idempotency-key", key).send()
    };
    let body = json!({"scope": "all", "shift_days": 1});
    let first = send(&body, "\"1\"", "a");
    assert_eq!(first.header("etag"), Some("\"2\""));
    send(&body, "\"1\"", "b").is_refused(412, "stale-version");
    send(&body, "\"2\"", "c").is(200);
    assert_eq!(send(&body, "\"1\"", "a").is(200), first.is(200));
    let moved = starts(&[(2, "09:00"), (3, "09:00"), (4, "09:00"), (5, "09:00")]);
    assert_eq!(each(&practice, &series, "start_at"), moved);
    practice.is_whole();
}

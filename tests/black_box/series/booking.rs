//! `POST /v1/series`, `GET /v1/series/{id}`

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{a_series, book, booked, each, ids, instant, local, now, with};
use crate::harness::{Practice, a_practice, date, utc};

/// The next day in Oslo, some weeks from now, that has this many hours.
pub(super) fn next_day_of(hours: i64) -> NaiveDate {
    let midnight = |date: NaiveDate| {
        Tz::Europe__Oslo.from_local_datetime(&date.and_time(NaiveTime::MIN)).unwrap()
    };
    let length = |date: NaiveDate| midnight(date.succ_opt().unwrap()) - midnight(date);
    let later = date(14).iter_days();
    later.into_iter().find(|day| length(*day) == TimeDelta::hours(hours)).unwrap()
}

#[test]
fn a_weekly_series_stays_at_its_local_time_when_clocks_change() {
    let practice = a_practice();
    for hours in [23, 25] {
        let change = next_day_of(hours);
        let first = change - TimeDelta::days(14);
        let body = a_series(&practice, &format!("{first}T09:00"), "FREQ=WEEKLY;COUNT=5");
        let series = booked(&practice, &with(body, "time_zone", "Europe/Oslo"));
        assert_eq!(ids(&series["occurrences"]).len(), 5);
        let starts = each(&practice, &series, "start_at");
        for (week, start) in (0i64..).zip(&starts) {
            let start: DateTime<Utc> = start.parse().unwrap();
            let shown = start.with_timezone(&Tz::Europe__Oslo).naive_local().to_string();
            assert_eq!(shown, format!("{} 09:00:00", first + TimeDelta::weeks(week)));
        }
        let length = |from: usize, to: usize| {
            let at = |n: usize| starts[n].parse::<DateTime<Utc>>().unwrap();
            (at(to) - at(from)).num_hours()
        };
        // The day on which clocks change is the third.
        assert_eq!((length(0, 1), length(1, 2)), (7 * 24, 7 * 24 + hours - 24));
    }
    practice.is_whole();
}

#[test]
fn an_appointment_says_of_which_series_it_is_and_is_found_like_any_other() {
    let practice = a_practice();
    let answer = book(&practice, &a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=3"));
    let series = answer.is(201);
    let location = answer.header("location").unwrap();
    assert_eq!(location, format!("/v1/series/{}", series["id"].as_str().unwrap()));
    assert!(practice.api.get(location).send().header("etag").unwrap().starts_with("\"1-"));
    let found = practice.found(&format!("min_position={}", answer.position()));
    assert_eq!(found.len(), 3);
    for (n, occurrence) in series["occurrences"].as_array().unwrap().iter().enumerate() {
        assert_eq!(occurrence["appointment_id"], found[n]["id"]);
        let appointment = practice.appointment(found[n]["id"].as_str().unwrap());
        let id = local(n as u64, "09:00");
        assert_eq!(appointment["series"], json!({"series_id": series["id"], "recurrence_id": id}));
        assert_eq!(appointment["start_at"], utc(instant(n as u64, "09:00")));
    }
    practice.is_whole();
}

/// A practice in which the room is taken in the second of four weeks.
fn one_taken_week() -> (Practice, Value) {
    let practice = a_practice();
    practice.booked(instant(7, "09:15"));
    let body = a_series(&practice, &local(0, "09:00"), "FREQ=WEEKLY;COUNT=4");
    (practice, body)
}

#[test]
fn with_one_week_taken_all_or_nothing_is_nothing_and_says_which_week() {
    let (practice, body) = one_taken_week();
    let refused = book(&practice, &body);
    let problem = refused.is_refused(409, "slot-taken");
    assert_eq!(problem["recurrence_id"], local(7, "09:00"));
    assert_eq!(problem["resource_id"], practice.room);
    assert_eq!(problem["start_at"], utc(instant(7, "09:15")));
    // All the others are free.
    for week in [0, 2, 3] {
        practice.booked(instant(7 * week, "09:00"));
    }
    practice.is_whole();
}

#[test]
fn with_one_week_taken_best_effort_books_the_others_and_says_why_not_this() {
    let (practice, body) = one_taken_week();
    let answer = book(&practice, &with(body, "mode", "best-effort"));
    let series = answer.is(201);
    let weeks = [0, 14, 21].map(|days| local(days, "09:00"));
    assert_eq!(ids(&series["occurrences"]), weeks);
    assert_eq!(ids(&series["refused"]), [local(7, "09:00")]);
    let problem = &series["refused"][0]["problem"];
    assert_eq!(problem["type"], "urn:daybook:problem:slot-taken");
    assert_eq!(problem["resource_id"], practice.room);
    let now = now(&practice, &series);
    assert_eq!(now["refused"], series["refused"]);
    assert_eq!(now["mode"], "best-effort");
    assert_eq!(practice.found(&format!("min_position={}", answer.position())).len(), 4);
    practice.is_whole();
}

#[test]
fn what_is_left_out_is_not_booked() {
    let practice = a_practice();
    let body = a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=5");
    let exdates = json!([local(0, "09:00"), date(3).to_string(), date(40).to_string()]);
    let series = booked(&practice, &with(body, "exdates", exdates.clone()));
    assert_eq!(ids(&series["occurrences"]), [1, 2, 4].map(|days| local(days, "09:00")));
    assert_eq!(series["exdates"], exdates);
    practice.booked(instant(3, "09:00"));
    practice.is_whole();
}

#[test]
fn without_a_zone_times_are_local_in_the_tenants() {
    let practice = a_practice();
    let mut body = a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=1");
    body.as_object_mut().unwrap().remove("time_zone");
    let series = booked(&practice, &body);
    let zone: Tz = series["time_zone"].as_str().unwrap().parse().unwrap();
    let nine = zone.from_local_datetime(&instant(0, "09:00").naive_utc()).unwrap();
    assert_eq!(each(&practice, &series, "start_at"), [utc(nine.to_utc())]);
}

#[test]
fn each_occurrence_is_given_a_resource_of_its_own() {
    let practice = a_practice();
    let other = practice.a_resource(&json!({"name": "B room"}));
    let needs = json!([{"role": "room", "kind": "room"}]);
    let service = practice.a_service(&json!({"needs": needs}));
    // "A room" comes first by its name, and is taken on the second day.
    practice.booked(instant(1, "09:00"));
    let mut body = a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=3");
    body.as_object_mut().unwrap().remove("resource_ids");
    let series = booked(&practice, &with(body, "service_id", service));
    let series = now(&practice, &series);
    let rooms = series["occurrences"].as_array().unwrap().iter();
    let rooms: Vec<_> = rooms.map(|one| one["appointment"]["resource_ids"][0].clone()).collect();
    assert_eq!(rooms, [&practice.room, &other, &practice.room].map(|id| json!(id)));
    practice.is_whole();
}

#[test]
fn a_series_of_a_year_of_days_is_booked_and_a_day_more_is_refused() {
    let practice = a_practice();
    let daily =
        |count: u32| a_series(&practice, &local(0, "09:00"), &format!("FREQ=DAILY;COUNT={count}"));
    let refused = book(&practice, &daily(367));
    assert_eq!(refused.is_refused(422, "too-many-occurrences")["max"], 366);
    let series = booked(&practice, &daily(366));
    let starts = each(&practice, &series, "start_at");
    assert_eq!(starts.len(), 366);
    assert_eq!(starts[365], utc(instant(365, "09:00")));
    let moved = json!({"scope": "all", "shift_days": 1});
    super::act(&practice, &series, "reschedule", &moved).is(200);
    assert_eq!(each(&practice, &series, "start_at")[365], utc(instant(366, "09:00")));
    let all = json!({"scope": "all"});
    let cancelled = super::act(&practice, &series, "cancel", &all).is(200);
    assert_eq!(ids(&cancelled["latest_change"]["changed"]).len(), 366);
    practice.is_whole();
}

#[test]
fn sent_again_with_its_key_a_series_has_its_first_answer_and_books_nothing_twice() {
    let (practice, body) = one_taken_week();
    let body = with(body, "mode", "best-effort");
    let send = |body: &Value| {
        practice.api.post("/v1/series", body).header("idempotency-key", "term-1").send()
    };
    let first = send(&body);
    let series = first.is(201);
    // It is changed, and the week that was taken is free: the first answer stays.
    let cancelled = super::act(&practice, &series, "cancel", &json!({"scope": "all"}));
    let again = send(&body);
    assert_eq!(again.is(201), series);
    assert_eq!(again.position(), first.position());
    send(&with(body, "mode", "all-or-nothing")).is_refused(422, "idempotency-key-reused");
    let found = practice.found(&format!("min_position={}", cancelled.position()));
    assert_eq!(found.len(), 4);
    practice.is_whole();
}

#[test]
fn a_refusal_that_was_given_once_is_given_again() {
    let (practice, body) = one_taken_week();
    let send = || practice.api.post("/v1/series", &body).header("idempotency-key", "k").send();
    let first = send().is_refused(409, "slot-taken");
    assert_eq!(send().is_refused(409, "slot-taken"), first);
}

//! `GET /v1/agenda`, `GET /v1/agenda/diff`: a resource's day and week, and what changed on it.

use chrono::Days;
use serde_json::{Value, json};

use crate::harness::{Practice, a_practice, date, monday, utc};

/// A practice with a room in New York that is open from nine to noon there, on weekdays.
fn a_room_in_new_york() -> (Practice, String) {
    let practice = a_practice();
    let hours =
        json!([{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "12:00"}]);
    let room =
        practice.a_resource(&json!({"time_zone": "America/New_York", "weekly_hours": hours}));
    (practice, room)
}

fn agenda(practice: &Practice, room: &str, query: &str) -> Value {
    let path = format!("/v1/agenda?resource_id={room}&{query}");
    practice.api.get(&path).send().is(200)
}

fn column<'v>(items: &'v Value, field: &str) -> Vec<&'v str> {
    items.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap()).collect()
}

/// As the room's clocks show it on the Monday.
fn local(items: &Value) -> Vec<(String, String)> {
    let of = |item: &Value, field: &str| item[field].as_str().unwrap()[11..16].to_owned();
    let items = items.as_array().unwrap().iter();
    items.map(|item| (of(item, "local_start_at"), of(item, "local_end_at"))).collect()
}

fn pairs(times: &[(&str, &str)]) -> Vec<(String, String)> {
    times.iter().map(|(start, end)| ((*start).to_owned(), (*end).to_owned())).collect()
}

#[test]
fn a_day_shows_what_stands_in_order_in_local_time_with_hours_and_what_is_free() {
    let (practice, room) = a_room_in_new_york();
    let buffered = practice.a_service(&json!({"buffer_after_minutes": 15}));
    let at = |local: &str, service: &str| {
        let start = format!("{}T{local}:00", date(0)).parse::<chrono::NaiveDateTime>().unwrap();
        let start = start.and_local_timezone(chrono_tz::America::New_York).unwrap().to_utc();
        practice.booking(start).with("resource_ids", json!([room])).with("service_id", service)
    };
    let late = at("10:30", &practice.service).send().is(201);
    let early = at("09:00", &buffered).with("title", "First").send().is(201);
    let called_off = at("11:30", &practice.service).send().is(201);
    let position = practice.act(&called_off, "cancel", &json!({"by": "staff"})).position();
    let day = agenda(&practice, &room, &format!("date={}&min_position={position}", date(0)));
    let ids: Vec<&str> = [&early, &late].iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(column(&day["items"], "id"), ids);
    assert_eq!(column(&day["items"], "kind"), ["appointment", "appointment"]);
    assert_eq!(day["items"][0]["title"], "First");
    assert_eq!(local(&day["items"]), pairs(&[("09:00", "09:30"), ("10:30", "11:00")]));
    assert_eq!(local(&day["open"]), pairs(&[("09:00", "12:00")]));
    // The buffer is not free.
    assert_eq!(local(&day["free"]), pairs(&[("09:45", "10:30"), ("11:00", "12:00")]));
    assert_eq!(day["time_zone"], "America/New_York");
    assert_eq!(day["more"], false);
    assert!(day["position"].as_u64().unwrap() >= position);
}

#[test]
fn a_week_is_monday_to_sunday_and_has_what_reaches_into_it() {
    let practice = a_practice();
    // Sunday 23:45 to Monday 00:15, Sunday night after, and one between.
    let starts = [
        monday(0, 0) - chrono::TimeDelta::minutes(15),
        monday(12, 0) + Days::new(3),
        monday(23, 45) + Days::new(6),
    ];
    let mut position = 0;
    for start in starts {
        position = practice.booking(start).send().position();
    }
    let after = practice.booking(monday(0, 15) + Days::new(7)).send().position().max(position);
    let query = format!("date={}&view=week&min_position={after}", date(4));
    let week = agenda(&practice, &practice.room, &query);
    assert_eq!((&week["from"], &week["to"]), (&json!(date(0)), &json!(date(6))));
    assert_eq!(column(&week["items"], "start_at"), starts.map(utc));
    let day = agenda(&practice, &practice.room, &format!("date={}", date(3)));
    assert_eq!(column(&day["items"], "start_at"), [utc(starts[1])]);
}

#[test]
fn what_lasts_for_weeks_is_on_every_day_of_them() {
    let practice = a_practice();
    let stay = practice.a_service(&json!({"duration_minutes": 44_000}));
    let answer = practice.booking(monday(10, 0)).with("service_id", stay).send();
    let position = answer.position();
    for day in [0, 1, 8, 20, 30] {
        let query = format!("date={}&min_position={position}", date(day));
        let agenda = agenda(&practice, &practice.room, &query);
        assert_eq!(agenda["items"].as_array().unwrap().len(), 1, "day {day}");
    }
    assert_eq!(
        agenda(&practice, &practice.room, &format!("date={}", date(31)))["items"],
        json!([])
    );
}

#[test]
fn a_session_is_one_entry_that_says_how_many_are_in_it() {
    let practice = a_practice();
    let class = practice.a_service(&json!({"session_places": 5}));
    let session = json!({
        "service_id": class, "resource_ids": [practice.room], "start_at": utc(monday(18, 0)),
    });
    let session = practice.created("/v1/sessions", &session);
    let path = format!("/v1/sessions/{session}/appointments");
    let place = |name: &str| {
        let client = practice.a_client(name);
        practice.api.post(&path, &json!({"client_id": client})).send()
    };
    let (one, _two) = (place("One").is(201), place("Two").is(201));
    let before = practice.act(&one, "cancel", &json!({"by": "client"})).position();
    let query = format!("date={}&min_position={before}", date(0));
    let day = agenda(&practice, &practice.room, &query);
    assert_eq!(column(&day["items"], "id"), [&*session]);
    let item = &day["items"][0];
    assert_eq!(
        (&item["kind"], &item["places"], &item["taken"]),
        (&json!("session"), &json!(5), &json!(1))
    );
    // Before the cancellation there were two.
    let query = format!("date={}&as_of=position:{}", date(0), before - 1);
    assert_eq!(agenda(&practice, &practice.room, &query)["items"][0]["taken"], 2);
    let path = format!("/v1/sessions/{session}?as_of=position:{}", before - 1);
    assert_eq!(practice.api.get(&path).send().is(200)["free"], 3);
}

#[test]
fn a_room_with_places_is_free_while_one_of_them_is() {
    let practice = a_practice();
    let chairs = practice.a_resource(&json!({"capacity": 2}));
    let mut position = 0;
    for (hour, minute) in [(9, 0), (9, 15)] {
        let booking = practice.booking(monday(hour, minute)).with("resource_ids", json!([chairs]));
        position = booking.send().position();
    }
    let day = agenda(&practice, &chairs, &format!("date={}&min_position={position}", date(0)));
    let places: Vec<_> = day["items"].as_array().unwrap().iter().map(|it| &it["place"]).collect();
    assert_eq!(places, [0, 1]);
    let free = [("00:00", "09:15"), ("09:30", "00:00")];
    assert_eq!(local(&day["free"]), pairs(&free));
}

#[test]
fn what_changed_on_a_calendar_is_added_removed_or_changed() {
    let practice = a_practice();
    let (stays, moves, goes) = (
        practice.booked(monday(9, 0)),
        practice.booked(monday(10, 0)),
        practice.booking(monday(11, 0)).send(),
    );
    let from = goes.position();
    let goes = goes.is(201);
    practice.act(&moves, "reschedule", &json!({"start_at": utc(monday(15, 0))})).is(200);
    practice.act(&goes, "cancel", &json!({"by": "client"})).is(200);
    practice
        .act(&stays, "accept-conflict", &json!({"reason": "no"}))
        .is_refused(409, "no-conflict");
    let comes = practice.booking(monday(8, 0)).send();
    let to = comes.position();
    let diff = |from: &str, to: &str| {
        let days = format!("resource_id={}&date={}", practice.room, date(0));
        let path = format!("/v1/agenda/diff?{days}&from={from}{to}");
        practice.api.get(&path).send().is(200)
    };
    let changes = diff(&format!("position:{from}"), &format!("&to=position:{to}"));
    assert_eq!(column(&changes["added"], "id"), [comes.json()["id"].as_str().unwrap()]);
    assert_eq!(column(&changes["removed"], "id"), [goes["id"].as_str().unwrap()]);
    let other = changes["changed"].as_array().unwrap();
    assert_eq!(other.len(), 1, "{changes}");
    assert_eq!(other[0]["item"]["id"], moves["id"]);
    assert_eq!(
        column(&other[0]["changes"], "field"),
        ["busy_end_at", "busy_start_at", "end_at", "start_at"]
    );
    assert_eq!(other[0]["changes"][3]["before"], utc(monday(10, 0)));
    assert_eq!(other[0]["changes"][3]["after"], utc(monday(15, 0)));
    assert_eq!(
        (&changes["from"]["position"], &changes["to"]["position"]),
        (&json!(from), &json!(to))
    );
    assert!(changes.get("open").is_none(), "{changes}");
    // Up to now, and since before there was anything.
    assert_eq!(diff("position:1", "")["added"].as_array().unwrap().len(), 3);
    let path = format!("/v1/resources/{}", practice.room);
    practice.api.patch(&path, &json!({"weekly_hours": []})).send().is(200);
    let closed = diff(&format!("position:{to}"), "");
    assert_eq!(closed["open"]["after"], json!([]));
    assert_eq!(closed["open"]["before"].as_array().unwrap().len(), 1);
}

#[test]
fn an_agenda_says_what_it_does_not_understand() {
    let practice = a_practice();
    let get = |query: &str| practice.api.get(&format!("/v1/agenda?{query}")).send();
    let room = format!("resource_id={}", practice.room);
    get(&format!("date={}", date(0))).is_refused(400, "invalid-query");
    get(&room).is_refused(400, "invalid-query");
    get(&format!("{room}&date=2027-02-30")).is_refused(400, "invalid-date");
    get(&format!("{room}&date=1700-01-01")).is_refused(400, "invalid-date");
    get(&format!("{room}&date=2199-12-31&view=week")).is_refused(400, "invalid-date");
    get(&format!("{room}&date={}&view=month", date(0))).is_refused(400, "invalid-query");
    get(&format!("{room}&date={}&tz=Nowhere", date(0))).is_refused(400, "unknown-time-zone");
    get(&format!("{room}&date={}&from=x", date(0))).is_refused(400, "invalid-query");
    get(&format!("resource_id={}&date={}", practice.client, date(0))).is_refused(404, "not-found");
    let diff = practice.api.get(&format!("/v1/agenda/diff?{room}&date={}", date(0))).send();
    diff.is_refused(400, "invalid-query");
}

//! `GET /v1/utilisation`

use std::collections::BTreeSet;
use std::time::SystemTime;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Answer, Practice, a_practice, date, id_of, monday, utc};

/// The figures at the position of this answer.
#[track_caller]
fn figures(practice: &Practice, after: &Answer, query: &str) -> Vec<Value> {
    let (from, to, position) = (date(0), date(6), after.position());
    let path = format!("/v1/utilisation?from={from}&to={to}&min_position={position}&{query}");
    practice.api.get(&path).send().is(200)["items"].as_array().unwrap().clone()
}

fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// Open from eight to noon on every day but Sundays, with so many places.
fn a_room(practice: &Practice, capacity: u16) -> String {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat"];
    practice.a_resource(&json!({
        "capacity": capacity,
        "weekly_hours": [{"days": days, "from": "08:00", "to": "12:00"}],
    }))
}

fn of<'a>(items: &'a [Value], member: &str, value: &str) -> &'a Value {
    let found = items.iter().find(|item| item[member] == value);
    found.unwrap_or_else(|| panic!("no {member} {value} in {items:#?}"))
}

#[test]
fn what_is_booked_is_counted_where_it_is_now() {
    let practice = a_practice();
    let room = a_room(&practice, 2);
    let book = |hour| {
        let booking = practice.booking(monday(hour, 0)).with("resource_ids", json!([room]));
        booking.send().is(201)
    };
    let [moved, cancelled, missed, _stays] = [8, 9, 10, 11].map(book);
    let tuesday =
        json!({"start_at": utc(monday(8, 0) + chrono::TimeDelta::days(1)), "by": "staff"});
    practice.act(&moved, "reschedule", &tuesday).is(200);
    practice.act(&cancelled, "cancel", &json!({"by": "client"})).is(200);
    let held = practice.booking(monday(11, 0)).with("resource_ids", json!([room]));
    let held = held.held(60).send();
    practice.act(&held.is(201), "cancel", &json!({"by": "client"})).is(200);
    practice.act(&missed, "no-show", &json!({})).is(200);
    let last = practice.act(&missed, "change", &json!({"tags": [], "category": "rare"}));
    last.is(200);

    let by_day = figures(&practice, &last, &format!("group_by=day&resource_id={room}"));
    let days: Vec<String> =
        by_day.iter().map(|item| item["day"].as_str().unwrap().to_owned()).collect();
    assert_eq!(days, (0..6).map(|n| date(n).to_string()).collect::<Vec<_>>());
    let mondays = &by_day[0];
    assert_eq!(
        (&mondays["offered_minutes"], &mondays["booked_minutes"], &mondays["utilisation"]),
        (&json!(480), &json!(60), &json!(0.125))
    );
    let counts = |item: &Value| {
        ["appointments", "cancellations", "no_shows"].map(|name| item[name].as_i64().unwrap())
    };
    assert_eq!(counts(mondays), [2, 1, 1]);
    assert_eq!((&by_day[1]["booked_minutes"], counts(&by_day[1])), (&json!(30), [1, 0, 0]));
    let by_category = figures(&practice, &last, &format!("group_by=category&resource_id={room}"));
    assert_eq!(of(&by_category, "category", "rare")["booked_minutes"], 30);
    assert_eq!(of(&by_category, "category", "check-up")["booked_minutes"], 60);
    assert!(by_category[0].get("offered_minutes").is_none(), "{by_category:#?}");
    // By its own filter, a service is seen against all that its resources offer.
    let by_resource = figures(&practice, &last, "group_by=resource&category=R%C3%A1RE");
    let room = of(&by_resource, "resource_id", &room);
    assert_eq!((&room["offered_minutes"], &room["booked_minutes"]), (&json!(2880), &json!(30)));
    let lead = room["median_lead_minutes"].to_string();
    let minutes: i64 = lead.split('.').next().unwrap().parse().unwrap();
    let booked_at = monday(10, 0) - chrono::TimeDelta::minutes(minutes);
    assert!((now() - booked_at).num_minutes() < 5, "{lead}");
}

#[test]
fn an_appointment_on_two_resources_is_one_and_takes_the_time_of_both() {
    let practice = a_practice();
    let (one, other) = (a_room(&practice, 1), a_room(&practice, 1));
    let booking = practice.booking(monday(8, 0)).with("resource_ids", json!([one, other]));
    let booked = booking.send();
    booked.is(201);
    let by_service = figures(&practice, &booked, "group_by=service");
    let [service] = &by_service[..] else { panic!("{by_service:#?}") };
    assert_eq!(service["service_id"], json!(practice.service));
    assert_eq!((&service["booked_minutes"], &service["appointments"]), (&json!(60), &json!(1)));
    let by_resource = figures(&practice, &booked, "");
    for room in [one, other] {
        let room = of(&by_resource, "resource_id", &room);
        assert_eq!((&room["booked_minutes"], &room["appointments"]), (&json!(30), &json!(1)));
    }
}

#[test]
fn a_session_takes_its_resources_once_however_many_are_in_it() {
    let practice = a_practice();
    let class = practice.a_service(&json!({"session_places": 5, "category": "class"}));
    let room = a_room(&practice, 1);
    let body = json!({"service_id": class, "resource_ids": [room], "start_at": utc(monday(9, 0))});
    let session = practice.created("/v1/sessions", &body);
    let mut last = None;
    for client in ["One", "Another"] {
        let client = json!({"client_id": practice.a_client(client)});
        let path = format!("/v1/sessions/{session}/appointments");
        let joined = practice.api.post(&path, &client).send();
        joined.is(201);
        last = Some(joined);
    }
    let last = last.unwrap();
    let items = figures(&practice, &last, &format!("resource_id={room}&category=class"));
    assert_eq!((&items[0]["booked_minutes"], &items[0]["appointments"]), (&json!(30), &json!(2)));
    let cancelled = practice.api.post(&format!("/v1/sessions/{session}/cancel"), &json!({})).send();
    cancelled.is(200);
    let items = figures(&practice, &cancelled, &format!("resource_id={room}"));
    assert_eq!((&items[0]["booked_minutes"], &items[0]["cancellations"]), (&json!(0), &json!(2)));
}

#[test]
fn days_are_those_of_the_resource_and_a_night_is_on_both() {
    let practice = a_practice();
    let always = json!([{"days": ["mon", "tue"], "from": "00:00", "to": "24:00"}]);
    let room = practice.a_resource(&json!({"time_zone": "Asia/Tokyo", "weekly_hours": always}));
    // 23:50 in Tokyo.
    let booking = practice.booking(monday(14, 50)).with("resource_ids", json!([room]));
    let booked = booking.send();
    booked.is(201);
    let items = figures(&practice, &booked, &format!("group_by=day,resource&resource_id={room}"));
    let day = |item: &Value| {
        let numbers = ["offered_minutes", "booked_minutes", "appointments"]
            .map(|name| item[name].as_i64().unwrap());
        (item["day"].as_str().unwrap().to_owned(), numbers)
    };
    assert_eq!(
        items.iter().map(day).collect::<Vec<_>>(),
        [(date(0).to_string(), [1440, 10, 1]), (date(1).to_string(), [1440, 20, 0])]
    );
}

#[test]
fn what_is_offered_follows_the_hours_of_days_to_come() {
    let practice = a_practice();
    let room = a_room(&practice, 1);
    let offered = |after: &Answer| {
        let items = figures(&practice, after, &format!("group_by=day&resource_id={room}"));
        let minutes = |n| {
            let day = date(n).to_string();
            let item = items.iter().find(|item| item["day"] == day);
            item.map_or(0, |item| item["offered_minutes"].as_i64().unwrap())
        };
        [0, 1, 2].map(minutes)
    };
    let change = |method: &str, path: &str, body: Value| {
        let path = format!("/v1/resources/{room}{path}");
        practice.api.request(method, &path).json(&body).send()
    };
    let holidays = json!({"holidays": [{"date": date(1).to_string(), "name": "A holiday"}]});
    assert_eq!(offered(&change("PUT", "/holidays", holidays)), [240, 0, 240]);
    assert_eq!(offered(&change("PATCH", "", json!({"capacity": 3}))), [720, 0, 720]);
    let off = json!({"kind": "time-off", "hours": {
        "from": format!("{}T11:00", date(0)), "to": format!("{}T20:00", date(0))}});
    assert_eq!(offered(&change("POST", "/exceptions", off)), [540, 0, 720]);
    assert_eq!(offered(&change("POST", "/retire", json!({}))), [0, 0, 0]);
}

#[test]
fn figures_come_in_pages_and_questions_without_an_answer_are_refused() {
    let practice = a_practice();
    let room = a_room(&practice, 1);
    let last = practice.booking(monday(8, 0)).with("resource_ids", json!([room])).send();
    let booked = last.is(201);
    let all = figures(&practice, &last, "group_by=day,resource&limit=200");
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!(
            "/v1/utilisation?from={}&to={}&group_by=day,resource&limit=3{cursor}",
            date(0),
            date(6)
        );
        let page = practice.api.get(&path).send().is(200);
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!((paged.len(), &paged), (all.len(), &all));
    assert!(all.len() > 6);
    let refused = |query: &str, slug: &str| {
        practice.api.get(&format!("/v1/utilisation?{query}")).send().is_refused(400, slug);
    };
    refused("from=2027-01-01", "invalid-query");
    refused("from=2027-01-01&to=2026-12-31", "invalid-range");
    refused("from=2027-01-01&to=2028-01-02", "invalid-range");
    refused("from=2027-01-01&to=2027-13-01", "invalid-date");
    refused("from=2027-01-01&to=2027-01-02&group_by=client", "invalid-query");
    refused("from=2027-01-01&to=2027-01-02&resource_id=x", "invalid-id");
    refused(&format!("from=2027-01-01&to=2027-01-02{cursor}"), "invalid-cursor");
    assert!(!id_of(&booked).is_empty());
}

#[test]
fn who_pages_through_figures_while_others_book_is_told_of_each_group_once() {
    let practice = a_practice();
    let (early, late, last) = (
        practice.a_service(&json!({"category": "a"})),
        practice.a_service(&json!({"category": "\u{1f642}\"\\"})),
        practice.a_service(&json!({"category": "b"})),
    );
    let book = |service: &str| {
        let room = a_room(&practice, 1);
        let booking = practice.booking(monday(9, 0)).with("resource_ids", json!([room]));
        let booked = booking.with("service_id", json!(service)).send();
        booked.is(201);
        booked.position()
    };
    book(&late);
    let position = book(&last);
    let (from, to) = (date(0), date(6));
    for by in ["service", "day,service,category", "category", "resource,service"] {
        let query = format!("from={from}&to={to}&group_by={by}&limit=1");
        let page = |more: &str| {
            let path = format!("/v1/utilisation?{query}{more}");
            let page = practice.api.get(&path).send().is(200);
            let cursor = page["next_cursor"].as_str().map(str::to_owned);
            (page["items"][0].clone(), cursor)
        };
        let (first, next) = page(&format!("&min_position={position}"));
        let mut seen = vec![first];
        // What comes now comes before what has been told, where it is by service or by category.
        let position = book(&early);
        let mut next = next.map(|cursor| format!("&cursor={cursor}&min_position={position}"));
        while let Some(more) = next.take() {
            let (item, cursor) = page(&more);
            seen.push(item);
            next = cursor.map(|cursor| format!("&cursor={cursor}"));
        }
        let groups: Vec<_> = seen
            .iter()
            .map(|item| {
                ["day", "resource_id", "service_id", "category"].map(|of| item[of].to_string())
            })
            .collect();
        let once: BTreeSet<_> = groups.iter().collect();
        assert_eq!(groups.len(), once.len(), "{by}: {groups:?}");
        assert!(groups.len() > 1, "{by}: {groups:?}");
    }
}

/// What is offered is worked out for three months after the last event of the log.
#[test]
fn of_days_that_are_not_worked_out_it_is_said_that_it_is_not_known_what_is_offered() {
    let practice = a_practice();
    let far = date(150);
    let last = practice.booking(monday(8, 0) + TimeDelta::days(150)).send();
    last.is(201);
    let asked = |from: NaiveDate, to: NaiveDate, by: &str| {
        let position = last.position();
        let query = format!("from={from}&to={to}&group_by={by}&min_position={position}");
        practice.api.get(&format!("/v1/utilisation?{query}")).send().is(200)
    };
    let known_to: NaiveDate =
        asked(far, far, "day")["worked_out_to"].as_str().unwrap().parse().unwrap();
    assert!(known_to > date(30) && known_to < far, "{known_to}");
    for (by, from) in [("day", far), ("resource", date(0)), ("day,resource", far)] {
        let page = asked(from, far, by);
        let item = &page["items"].as_array().unwrap().last().unwrap();
        assert_eq!(item["booked_minutes"], 30, "{page}");
        for unknown in ["offered_minutes", "utilisation"] {
            assert_eq!(item.get(unknown), None, "{by}: {item}");
        }
    }
    let known = &asked(date(0), known_to, "resource")["items"][0];
    assert!(known["offered_minutes"].as_i64().unwrap() > 0, "{known}");
    assert_eq!(known["utilisation"], 0.0);
}

//! Pages: to the end, in both orders, and while rows are added.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Practice, a_practice, monday};

/// Appointments of five at the same time each, so that the start alone does not order them. The ids,
/// and the position to ask with.
fn with_appointments(practice: &Practice, times: i64) -> (Vec<Value>, u64) {
    let rooms: Vec<String> = (0..5).map(|_| practice.a_room()).collect();
    let mut booked = Vec::new();
    let mut position = 0;
    for n in 0..times {
        for room in &rooms {
            let start = monday(6, 0) + TimeDelta::hours(n);
            let answer = practice.booking(start).with("resource_ids", json!([room])).send();
            position = answer.position();
            booked.push(answer.is(201));
        }
    }
    (booked, position)
}

/// Every page of a list, by the links that it gives, and what was `done` after each.
fn pages(practice: &Practice, first: &str, mut done: impl FnMut(usize)) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let answer = practice.api.get(&path).send();
        let page = answer.is(200);
        pages.push(page["items"].as_array().unwrap().clone());
        let link = answer.header("link").map(next_of);
        assert_eq!(link.is_some(), page["next_cursor"].is_string(), "both say that there is more");
        done(pages.len());
        next = link;
        assert!(pages.len() < 1_000, "pages without end");
    }
    pages
}

/// RFC 8288: `<...>; rel="next"`.
fn next_of(link: &str) -> String {
    let (target, parameters) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
    assert_eq!(parameters.trim_start_matches([';', ' ']), "rel=\"next\"", "{link}");
    target.to_owned()
}

fn ids(items: &[Value]) -> Vec<&Value> {
    items.iter().map(|item| &item["id"]).collect()
}

fn starts(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["start_at"].as_str().unwrap()).collect()
}

fn sorted(items: &[Value]) -> Vec<&str> {
    let mut ids: Vec<&str> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn pages_give_each_appointment_once_in_either_order() {
    let practice = a_practice();
    let (booked, position) = with_appointments(&practice, 7);
    let mut orders = Vec::new();
    for sort in ["start_at", "-start_at"] {
        for limit in [1, 4, 34, 35, 36] {
            let first =
                format!("/v1/appointments?sort={sort}&limit={limit}&min_position={position}");
            let pages = pages(&practice, &first, |_| {});
            assert!(
                pages.iter().rev().skip(1).all(|page| page.len() == limit),
                "full but the last"
            );
            let all = pages.concat();
            assert_eq!(sorted(&all), sorted(&booked), "{sort} by {limit}");
            let mut in_order = starts(&all);
            if sort == "-start_at" {
                in_order.reverse();
            }
            assert!(in_order.is_sorted(), "{sort} by {limit}");
            orders.push((sort, all));
        }
    }
    let (forward, backward) = orders.split_at(5);
    for (_, order) in forward {
        assert_eq!(ids(order), ids(&forward[0].1), "the order does not depend on the limit");
    }
    let mut reversed = backward[0].1.clone();
    reversed.reverse();
    assert_eq!(ids(&reversed), ids(&forward[0].1), "one order is the other reversed");
}

#[test]
fn a_cursor_keeps_to_its_filters_and_order() {
    let practice = a_practice();
    let (booked, position) = with_appointments(&practice, 4);
    let room = booked[2]["resource_ids"][0].clone();
    let first = format!(
        "/v1/appointments?resource_id={}&sort=-start_at&limit=1&min_position={position}",
        room.as_str().unwrap()
    );
    let all = pages(&practice, &first, |_| {}).concat();
    let mut expected: Vec<Value> =
        booked.into_iter().filter(|a| a["resource_ids"][0] == room).collect();
    expected.reverse();
    assert_eq!(ids(&all), ids(&expected));
}

#[test]
fn rows_that_are_added_while_one_reads_move_nothing_else() {
    for (sort, before, after) in [("start_at", 5, 20), ("-start_at", 20, 5)] {
        let practice = a_practice();
        let (booked, position) = with_appointments(&practice, 6);
        let room = practice.a_room();
        let first = format!("/v1/appointments?sort={sort}&limit=4&min_position={position}");
        let mut unread = None;
        let added = |hour: u32, minute: u32| {
            let booking = practice.booking(monday(hour, minute));
            let answer = booking.with("resource_ids", json!([room])).send();
            let id = answer.is(201)["id"].clone();
            // It is in the read model before the next page is asked for.
            let path = format!("/v1/appointments?limit=1&min_position={}", answer.position());
            practice.api.get(&path).send().is(200);
            id
        };
        let pages = pages(&practice, &first, |page| {
            if page == 2 {
                added(before, 0);
                unread = Some(added(after, 0));
            }
        });
        let all = pages.concat();
        let mut expected = sorted(&booked);
        let unread = unread.unwrap();
        expected.push(unread.as_str().unwrap());
        expected.sort_unstable();
        assert_eq!(sorted(&all), expected, "{sort}: what is still to come is seen, the rest once");
    }
}

#[test]
fn a_page_is_bounded() {
    let practice = a_practice();
    for limit in ["0", "-1", "1000000", "many", "1.5"] {
        let path = format!("/v1/appointments?limit={limit}");
        practice.api.get(&path).send().is_refused(400, "invalid-query");
    }
}

//! `GET /v1/appointments`: every filter, alone and with others, against an answer that is computed here.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::slice;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::harness::{Practice, Server, a_practice, a_tenant, date, monday, utc};

/// A practice with appointments of all kinds over five days.
struct BusyPractice {
    practice: Practice,
    appointments: Vec<Value>,
    /// The position of the last command: what a query must have seen.
    position: u64,
    services: Vec<String>,
    rooms: Vec<String>,
    clients: Vec<String>,
}

fn a_busy_practice() -> BusyPractice {
    let practice = a_practice();
    let services: Vec<String> = ["check-up", "surgery"]
        .map(|category| practice.a_service(&json!({"category": category, "tags": [category]})))
        .into();
    let rooms: Vec<String> = (0..3).map(|_| practice.a_room()).collect();
    let clients: Vec<String> = (0..3).map(|_| practice.a_client("A client")).collect();
    let titles = ["Annual check", "Knee surgery", "Check of the knee", "Ärztliches Gespräch"];
    let tag_sets =
        [json!(["new"]), json!(["new", "urgent"]), json!([]), json!(["urgent", "remote"])];
    let mut appointments = Vec::new();
    let mut position = 0;
    for n in 0..60_usize {
        // Every two hours for five days, so that days differ between zones.
        let start = monday(0, 0) + TimeDelta::hours(2 * i64::try_from(n).unwrap());
        let booking = practice
            .booking(start)
            .with("service_id", &*services[n % 2])
            .with("resource_ids", json!([rooms[n % 3]]))
            .with("client_id", &*clients[n % 5 % 3])
            .with("title", titles[n % 4]);
        let booking = match n % 3 {
            0 => booking,
            _ => booking.with("tags", tag_sets[n % 4].clone()),
        };
        let booking = if n % 7 == 0 { booking.with("category", "other") } else { booking };
        let answer = booking.send();
        position = answer.position();
        let mut appointment = answer.is(201);
        let action = match n % 10 {
            3 => Some("cancel"),
            5 => Some("no-show"),
            7 => Some("check-in"),
            _ => None,
        };
        if let Some(action) = action {
            let answer = practice.act(&appointment, action, &json!({}));
            position = answer.position();
            appointment = answer.is(200);
        }
        appointments.push(appointment);
    }
    BusyPractice { practice, appointments, position, services, rooms, clients }
}

impl BusyPractice {
    /// What the server finds for a query must be what is true of the appointments, by start.
    #[track_caller]
    fn finds(&self, query: &str, is_meant: impl Fn(&Value) -> bool) -> usize {
        let found = self.practice.found(&format!("{query}&min_position={}", self.position));
        let expected: Vec<Value> =
            self.appointments.iter().filter(|a| is_meant(a)).cloned().collect();
        let ids = |items: &[Value]| -> Vec<Value> {
            items.iter().map(|item| json!([item["start_at"], item["id"]])).collect()
        };
        assert_eq!(ids(&found), ids(&expected), "{query}");
        found.len()
    }

    /// As before, and the question must tell some of them from the others.
    #[track_caller]
    fn tells_apart(&self, query: &str, is_meant: impl Fn(&Value) -> bool) {
        let count = self.finds(query, is_meant);
        assert!((1..self.appointments.len()).contains(&count), "{query} finds {count}");
    }
}

fn start_of(appointment: &Value) -> DateTime<Utc> {
    appointment["start_at"].as_str().unwrap().parse().unwrap()
}

/// Whether it starts on one of these days, in this zone.
fn on_days(appointment: &Value, from: NaiveDate, to: NaiveDate, zone: Tz) -> bool {
    let day = start_of(appointment).with_timezone(&zone).date_naive();
    from <= day && day <= to
}

fn tags_of(appointment: &Value) -> BTreeSet<&str> {
    appointment["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect()
}

#[test]
fn every_filter_alone_finds_what_it_names() {
    let busy = a_busy_practice();
    busy.finds("", |_| true);
    busy.tells_apart(&format!("from={}", date(2)), |a| {
        start_of(a) >= monday(0, 0) + TimeDelta::days(2)
    });
    busy.tells_apart(&format!("to={}", date(2)), |a| {
        start_of(a) < monday(0, 0) + TimeDelta::days(3)
    });
    for category in ["check-up", "surgery", "other"] {
        busy.tells_apart(&format!("category={category}"), |a| a["category"] == category);
    }
    for status in ["booked", "cancelled", "no-show", "checked-in"] {
        busy.tells_apart(&format!("status={status}"), |a| a["status"] == status);
    }
    busy.tells_apart("status=cancelled&status=no-show", |a| {
        ["cancelled", "no-show"].contains(&a["status"].as_str().unwrap())
    });
    for id in &busy.services {
        busy.tells_apart(&format!("service_id={id}"), |a| a["service_id"] == **id);
    }
    for id in &busy.rooms {
        busy.tells_apart(&format!("resource_id={id}"), |a| a["resource_ids"] == json!([id]));
    }
    for id in &busy.clients {
        busy.tells_apart(&format!("client_id={id}"), |a| a["client_id"] == **id);
    }
}

#[test]
fn of_several_values_any_will_do() {
    let busy = a_busy_practice();
    busy.tells_apart("category=SURGERY&category=other&category=unheard-of", |a| {
        ["surgery", "other"].contains(&a["category"].as_str().unwrap())
    });
    busy.tells_apart("status=cancelled&status=no-show", |a| {
        ["cancelled", "no-show"].contains(&a["status"].as_str().unwrap())
    });
    let (rooms, clients) = (&busy.rooms[1..], &busy.clients[..2]);
    let of_rooms = format!("resource_id={}&resource_id={}", rooms[0], rooms[1]);
    let in_rooms = |a: &Value| {
        rooms.iter().any(|room| a["resource_ids"].as_array().unwrap() == &[json!(room)])
    };
    busy.tells_apart(&of_rooms, in_rooms);
    let of_clients = format!("client_id={}&client_id={}", clients[0], clients[1]);
    let is_theirs = |a: &Value| clients.iter().any(|client| a["client_id"] == **client);
    busy.tells_apart(&of_clients, is_theirs);
    busy.tells_apart(&format!("{of_rooms}&{of_clients}&q=knee"), |a| {
        in_rooms(a) && is_theirs(a) && a["title"].as_str().unwrap().to_lowercase().contains("knee")
    });
    let services = &busy.services;
    let all = format!("service_id={}&service_id={}", services[0], services[1]);
    assert_eq!(busy.finds(&all, |_| true), busy.appointments.len());
    let some: Vec<&Value> = busy.appointments.iter().step_by(20).map(|a| &a["id"]).collect();
    let ids: Vec<String> = some.iter().map(|id| format!("ids={}", id.as_str().unwrap())).collect();
    busy.tells_apart(&ids.join("&"), |a| some.contains(&&a["id"]));
    busy.finds(&format!("{}&status=no-show", ids.join("&")), |a| {
        some.contains(&&a["id"]) && a["status"] == "no-show"
    });
}

#[test]
fn what_has_changed_since_is_listed_in_the_order_of_the_changes() {
    let busy = a_busy_practice();
    let list = |query: &str| -> Vec<Value> {
        let path = format!("/v1/appointments?{query}&min_position={}&limit=200", busy.position);
        let page = busy.practice.api.get(&path).send().is(200);
        page["items"].as_array().unwrap().clone()
    };
    let ids = |items: &[Value]| items.iter().map(|item| item["id"].clone()).collect::<Vec<_>>();
    let made = ids(&list("sort=created_at"));
    assert_eq!(made, ids(&busy.appointments), "in the order in which they were booked");
    assert_eq!(ids(&list("sort=-created_at")), made.iter().rev().cloned().collect::<Vec<_>>());
    let all = list("sort=updated_at");
    let at = |item: &Value, member: &str| -> DateTime<Utc> {
        item[member].as_str().unwrap().parse().unwrap()
    };
    assert!(all.is_sorted_by_key(|item| at(item, "updated_at")));
    let since = all[40]["updated_at"].as_str().unwrap();
    let expected: Vec<Value> = all[40..].to_vec();
    assert_eq!(list(&format!("updated_since={since}")), expected);
    let booked = expected.iter().filter(|item| item["status"] == "booked").rev().cloned();
    let booked: Vec<Value> = booked.collect();
    assert!(!booked.is_empty() && booked.len() < expected.len());
    assert_eq!(list(&format!("updated_since={since}&sort=-updated_at&status=booked")), booked);
    // What happens now is the last of the changes.
    let answer = busy.practice.act(&busy.appointments[0], "cancel", &json!({}));
    let path = format!("/v1/appointments?updated_since={since}&min_position={}", answer.position());
    let page = busy.practice.api.get(&path).send().is(200);
    let changed = page["items"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&changed["id"], &changed["status"]),
        (&busy.appointments[0]["id"], &json!("cancelled"))
    );
    assert!(at(changed, "updated_at") > at(changed, "created_at"));
    for (query, parameter) in [
        (format!("updated_since={since}&sort=start_at"), "updated_since"),
        ("sort=updated_at&as_of=position:3".to_owned(), "sort"),
        ("sort=changed".to_owned(), "sort"),
    ] {
        let path = format!("/v1/appointments?{query}");
        let problem = busy.practice.api.get(&path).send().is_refused(400, "invalid-query");
        assert_eq!(problem["parameter"], parameter);
    }
}

#[test]
fn days_are_those_of_the_zone_that_is_asked_for() {
    let busy = a_busy_practice();
    let (from, to) = (date(1), date(2));
    for zone in
        [Tz::UTC, Tz::America__Phoenix, Tz::Europe__Oslo, Tz::Asia__Kathmandu, Tz::Pacific__Apia]
    {
        let query = format!("from={from}&to={to}&tz={zone}");
        busy.tells_apart(&query, |a| on_days(a, from, to, zone));
        let query = format!("from={from}&to={from}&tz={}", zone.name().replace('/', "%2F"));
        busy.tells_apart(&query, |a| on_days(a, from, from, zone));
    }
}

#[test]
fn days_are_those_of_the_tenants_zone_where_none_is_asked_for() {
    let server = Server::shared();
    let tenant = a_tenant();
    let create = ["tenant", "create", &tenant, "--time-zone", "America/Phoenix"];
    server.database.run(&create).succeeded();
    let practice = Practice::of(tenant, server);
    // Phoenix is at -07:00: there it is still the day before.
    let [before, after] = [monday(6, 29), monday(7, 0)].map(|start| start + TimeDelta::days(1));
    practice.booked(before);
    let position = practice.booking(after).send().position();
    let starts = |query: &str| -> Vec<Value> {
        let found = practice.found(&format!("{query}&min_position={position}"));
        found.iter().map(|appointment| appointment["start_at"].clone()).collect()
    };
    let [before, after] = [before, after].map(|start| json!(utc(start)));
    assert_eq!(starts(&format!("from={0}&to={0}", date(0))), slice::from_ref(&before));
    assert_eq!(starts(&format!("from={0}&to={0}", date(1))), slice::from_ref(&after));
    assert_eq!(starts(&format!("from={0}&to={0}&tz=UTC", date(1))), [before, after]);
}

#[test]
fn tags_are_matched_all_or_any() {
    let busy = a_busy_practice();
    let both = BTreeSet::from(["new", "urgent"]);
    busy.tells_apart("tags=urgent", |a| tags_of(a).contains("urgent"));
    busy.tells_apart("tags=new&tags=urgent&tags_match=any", |a| !tags_of(a).is_disjoint(&both));
    busy.tells_apart("tags=new&tags=urgent&tags_match=all", |a| tags_of(a).is_superset(&both));
}

#[test]
fn a_comma_in_a_tag_or_a_category_is_a_character() {
    let practice = a_practice();
    let booking = |hour| practice.booking(monday(hour, 0));
    let (tags, category) = (json!(["yellow box, wide"]), "knees, toes");
    let both = booking(9).with("tags", tags).with("category", category).send().is(201);
    booking(10).with("tags", json!(["yellow box"])).send().is(201);
    let position = booking(11).with("tags", json!(["yellow box", "wide"])).send().position();
    let found = |query: &str| practice.found(&format!("{query}&min_position={position}"));
    for query in ["tags=yellow%20box%2C%20wide", "tags=yellow+box,+wide", "category=knees,%20toes"]
    {
        let found = found(query);
        assert_eq!(found.len(), 1, "{query}: {found:#?}");
        assert_eq!(found[0]["id"], both["id"], "{query}");
    }
    assert_eq!(found("tags=yellow%20box&tags=wide").len(), 1);
    assert_eq!(found("tags=yellow%20box,wide").len(), 0);
}

#[test]
fn words_are_searched_in_the_title() {
    let busy = a_busy_practice();
    let words = |a: &Value| a["title"].as_str().unwrap().to_lowercase();
    busy.tells_apart("q=knee", |a| words(a).contains("knee"));
    busy.tells_apart("q=KNEE", |a| words(a).contains("knee"));
    busy.tells_apart("q=check%20knee", |a| words(a).contains("check") && words(a).contains("knee"));
    busy.tells_apart("q=gespr%C3%A4ch", |a| words(a).contains("gespräch"));
    busy.tells_apart("q=surg", |a| words(a).contains("surgery"));
    busy.finds("q=nowhere", |_| false);
    // Whatever means something to a search engine is only text here.
    for odd in ["knee%25", "k'", "knee%20%26%20%7C%20!", "k%3A*", "%5Cknee", "(knee", "%22knee"] {
        let path = format!("/v1/appointments?q={odd}");
        busy.practice.api.get(&path).send().is(200);
    }
}

#[test]
fn words_are_found_however_they_are_spelt_and_shown_as_they_were_written() {
    let practice = a_practice();
    let titles = ["Café, written at once", "Cafe\u{301}, with a mark", "Straße 7", "İstanbul"];
    let mut position = 0;
    for (hour, title) in (8..).zip(titles) {
        let booking = practice.booking(monday(hour, 0)).with("title", title);
        let booking = match title {
            "Straße 7" => booking.with("category", "Führung").with("tags", json!(["Été", "new"])),
            _ => booking,
        };
        position = booking.send().position();
    }
    let found = |query: &str| -> Vec<Value> {
        let found = practice.found(&format!("{query}&min_position={position}"));
        found.iter().map(|appointment| appointment["title"].clone()).collect()
    };
    for cafe in ["caf%C3%A9", "cafe%CC%81", "CAFE", "cafe", "%EF%BD%83afe"] {
        assert_eq!(found(&format!("q={cafe}")), titles[..2], "{cafe}");
    }
    for street in ["q=STRASSE", "q=stra%C3%9Fe", "category=fuhrung", "category=FU%CC%88HRUNG"] {
        assert_eq!(found(street), ["Straße 7"], "{street}");
    }
    assert_eq!(found("tags=ete&tags=NEW"), ["Straße 7"]);
    assert_eq!(found("tags=%C3%89TE&tags=unheard-of&tags_match=any"), ["Straße 7"]);
    assert_eq!(found("q=istanbul"), ["İstanbul"]);
}

#[test]
fn words_of_every_script_are_whole_and_what_nobody_sees_does_not_cut_them() {
    let practice = a_practice();
    let titles = ["हिन्दी कक्षा", "นวดเท้าแผนไทย", "Check\u{AD}up", "می\u{200C}خواهم"];
    let mut position = 0;
    for (hour, title) in (8..).zip(titles) {
        position = practice.booking(monday(hour, 0)).with("title", title).send().position();
    }
    let found = |words: &str| -> Vec<Value> {
        let mut query = format!("min_position={position}&q=");
        words.bytes().for_each(|byte| write!(query, "%{byte:02X}").unwrap());
        let found = practice.found(&query);
        found.iter().map(|appointment| appointment["title"].clone()).collect()
    };
    for (words, title) in [
        ("हिन्दी", titles[0]),
        ("कक्षा हिन्", titles[0]),
        ("นวด", titles[1]),
        ("นวดเท้าแผนไทย", titles[1]),
        ("checkup", titles[2]),
        ("CHECK\u{200B}UP", titles[2]),
        ("میخواهم", titles[3]),
    ] {
        assert_eq!(found(words), [title], "{words}");
    }
    // What follows a virama or a tone mark, or is in the middle of a run, is no word.
    for middle in ["दी", "षा", "าแผน", "ไทย", "up"] {
        assert_eq!(found(middle), [""; 0], "{middle}");
    }
}

#[test]
fn filters_are_combined_by_and() {
    let busy = a_busy_practice();
    let days = |a: &Value| on_days(a, date(1), date(3), Tz::America__Phoenix);
    let in_days = format!("from={}&to={}&tz=America/Phoenix", date(1), date(3));
    let surgery = |a: &Value| a["category"] == "surgery";
    busy.tells_apart(&format!("{in_days}&category=surgery"), |a| days(a) && surgery(a));
    busy.tells_apart(&format!("{in_days}&category=surgery&status=booked"), |a| {
        days(a) && surgery(a) && a["status"] == "booked"
    });
    busy.tells_apart(
        &format!("{in_days}&tags=urgent&tags=new&tags_match=any&status=booked"),
        |a| {
            days(a)
                && !tags_of(a).is_disjoint(&BTreeSet::from(["new", "urgent"]))
                && a["status"] == "booked"
        },
    );
    let (room, client) = (&busy.rooms[1], &busy.clients[0]);
    busy.tells_apart(&format!("resource_id={room}&client_id={client}"), |a| {
        a["resource_ids"] == json!([room]) && a["client_id"] == **client
    });
    busy.tells_apart(&format!("q=knee&tags=urgent&resource_id={room}"), |a| {
        a["title"].as_str().unwrap().to_lowercase().contains("knee")
            && tags_of(a).contains("urgent")
            && a["resource_ids"] == json!([room])
    });
    let service = &busy.services[1];
    busy.tells_apart(&format!("{in_days}&service_id={service}&q=surgery&tags=urgent"), |a| {
        days(a)
            && a["service_id"] == **service
            && a["title"].as_str().unwrap().to_lowercase().contains("surgery")
            && tags_of(a).contains("urgent")
    });
}

#[test]
fn an_unknown_category_or_tag_or_id_is_an_empty_page() {
    let practice = a_practice();
    let position = practice.booking(monday(9, 0)).send().position();
    let nobody = "01890000-0000-7000-8000-000000000000";
    for query in [
        "category=unheard-of".to_owned(),
        "tags=unheard-of".to_owned(),
        "tags=first&tags=unheard-of&tags_match=all".to_owned(),
        format!("service_id={nobody}"),
        format!("resource_id={nobody}"),
        format!("client_id={nobody}"),
    ] {
        let path = format!("/v1/appointments?{query}&min_position={position}");
        let page = practice.api.get(&path).send().is(200);
        assert_eq!(page, json!({"items": []}), "{query}");
    }
}

#[test]
fn a_list_shows_an_appointment_as_it_is_shown_alone() {
    let practice = a_practice();
    let answer = practice.booking(monday(9, 0)).with("note", "By the back door").send();
    let query = format!("min_position={}", answer.position());
    let mut alone = answer.is(201);
    let mut listed = practice.found(&query).pop().unwrap();
    // What is personal may be left out of a list; when it was recorded, lists say.
    for shown in [&mut alone, &mut listed] {
        for member in ["note", "created_at", "updated_at"] {
            shown.as_object_mut().unwrap().remove(member);
        }
    }
    assert_eq!(listed, alone);
}

#[test]
fn who_asks_with_the_position_of_a_command_sees_what_it_did() {
    let practice = a_practice();
    let mut expected = Vec::new();
    for n in 0..20 {
        let answer = practice.booking(monday(8, 0) + TimeDelta::hours(n)).send();
        expected.push(answer.is(201)["id"].clone());
        let found = practice.found(&format!("min_position={}", answer.position()));
        let found: Vec<Value> = found.iter().map(|item| item["id"].clone()).collect();
        assert_eq!(found, expected);
        let appointment = json!({"id": expected[expected.len() - 1]});
        let position = practice.act(&appointment, "check-in", &json!({})).position();
        let found = practice.found(&format!("status=checked-in&min_position={position}"));
        assert_eq!(found.len(), expected.len());
    }
}

#[test]
fn a_position_that_is_not_yet_written_is_refused() {
    let practice = a_practice();
    let position = practice.booking(monday(9, 0)).send().position();
    let path = format!("/v1/appointments?min_position={}", position + 1_000_000);
    practice.api.get(&path).send().is_refused(400, "position-ahead");
}

#[test]
fn a_list_without_a_position_still_shows_everything_soon() {
    let practice = a_practice();
    let appointment = practice.booked(monday(9, 0));
    let found = crate::harness::eventually("the read model has it", || {
        Some(practice.found("")).filter(|found| !found.is_empty())
    });
    assert_eq!(found[0]["id"], appointment["id"]);
    assert_eq!(found[0]["start_at"], utc(monday(9, 0)));
}

#[test]
fn a_tenant_sees_only_its_own_appointments() {
    let (ours, theirs) = (a_practice(), Practice::on(Server::shared()));
    let position = ours.booking(monday(9, 0)).send().position();
    let theirs_id = theirs.booked(monday(9, 0))["id"].clone();
    let found = ours.found(&format!("min_position={position}"));
    assert_eq!(found.len(), 1);
    assert_ne!(found[0]["id"], theirs_id);
}

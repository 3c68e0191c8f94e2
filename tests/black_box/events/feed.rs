//! `GET /v1/events`

use serde_json::{Value, json};

use super::{a_long_log, events, position, positions};
use crate::harness::{Database, Server, a_practice, a_tenant, id_of, monday};

#[test]
fn the_feed_tells_all_that_has_happened_in_order_as_cloudevents() {
    let practice = a_practice();
    let booked = practice.booked(monday(10, 0));
    practice.act(&booked, "cancel", &json!({"reason": "a cold"})).is(200);
    let page = practice.api.get("/v1/events?limit=1000").send();
    assert!(page.header("content-type").unwrap().starts_with("application/json"), "{page:#?}");
    assert_eq!(page.header("link"), None, "there is no more");
    let page = page.is(200);
    let items = page["items"].as_array().unwrap();
    let types: Vec<&str> = items.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected = [
        "daybook.ServiceDefined",
        "daybook.ResourceRegistered",
        "daybook.ClientRegistered",
        "daybook.AppointmentBooked",
        "daybook.AppointmentCancelled",
    ];
    assert_eq!(types, expected);
    assert_eq!(positions(items), [1, 2, 3, 4, 5]);
    assert_eq!((&page["read_to"], &page["head"]), (&json!(5), &json!(5)));
    let cancelled = &items[4];
    assert_eq!(cancelled["specversion"], "1.0");
    assert_eq!(cancelled["source"], format!("urn:daybook:log:{}", practice.tenant));
    assert_eq!(cancelled["subject"], format!("appointment/{}", id_of(&booked)));
    assert_eq!(cancelled["datacontenttype"], "application/json");
    assert_eq!(cancelled["dataschema"], "urn:daybook:schema:AppointmentCancelled:1.0");
    assert_eq!(cancelled["sequence"], "00000000000000000005");
    assert_eq!(cancelled["version"], 2);
    // Why is for whoever asks for what is personal.
    assert_eq!(cancelled["data"], json!({"by": "client"}));
    let told = events(&practice.api, "personal=told");
    assert_eq!(told[4]["data"], json!({"reason": "a cold", "by": "client"}));
    assert!(cancelled["actor"].as_str().unwrap().starts_with("key:"), "{cancelled}");
}

#[test]
fn pages_follow_on_each_other_and_lines_have_the_same() {
    let practice = a_practice();
    for hour in 8..15 {
        practice.booked(monday(hour, 0));
    }
    let mut path = "/v1/events?limit=3&event_type=AppointmentBooked".to_owned();
    let mut found = Vec::new();
    loop {
        let page = practice.api.get(&path).send();
        found.extend(page.is(200)["items"].as_array().unwrap().iter().map(position));
        let Some(link) = page.header("link") else { break };
        path = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
        assert!(found.len() <= 7, "pages without end");
    }
    assert_eq!(found, [4, 5, 6, 7, 8, 9, 10]);
    let request = practice.api.get("/v1/events?after=4&event_type=AppointmentBooked");
    let lines = request.header("accept", "application/x-ndjson").send();
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(lines.header("daybook-read-to"), Some("10"));
    assert_eq!(lines.header("daybook-head"), Some("10"));
    let lines: Vec<Value> =
        lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, events(&practice.api, "event_type=AppointmentBooked")[1..]);
    let latest = practice.api.get("/v1/events?after=latest").send().is(200);
    assert_eq!((&latest["items"], &latest["read_to"]), (&json!([]), &json!(10)));
}

#[test]
fn filters_find_what_belongs_together() {
    let practice = a_practice();
    let other = practice.a_room();
    let first = practice.booked(monday(10, 0));
    practice.booking(monday(11, 0)).with("category", "massage").send().is(201);
    let to_other = json!({"start_at": first["start_at"], "resource_ids": [other]});
    practice.act(&first, "reschedule", &to_other).is(200);
    practice.act(&first, "cancel", &json!({})).is(200);
    let of = |query: &str| positions(&events(&practice.api, query));
    assert_eq!(of(""), (1..=8).collect::<Vec<_>>());
    assert_eq!(of("aggregate_type=resource"), [2, 4]);
    assert_eq!(of("event_type=AppointmentBooked&event_type=daybook.ServiceDefined"), [1, 5, 6]);
    assert_eq!(of(&format!("aggregate_id={}", id_of(&first))), [5, 7, 8]);
    assert_eq!(of(&format!("aggregate_type=client&aggregate_id={}", id_of(&first))), [0; 0]);
    assert_eq!(of("category=massage"), [6]);
    assert_eq!(
        of("category=check-up"),
        [1, 5, 7, 8],
        "a cancellation has the category of its appointment"
    );
    assert_eq!(of(&format!("resource_id={other}")), [4, 7, 8]);
    assert_eq!(of(&format!("resource_id={}", practice.room)), [2, 5, 6, 7]);
}

#[test]
fn a_part_of_the_log_is_had_by_when_it_was_recorded() {
    let practice = a_practice();
    for hour in 8..12 {
        practice.booked(monday(hour, 0));
    }
    let all = events(&practice.api, "");
    let time = |nth: usize| all[nth]["time"].as_str().unwrap().replace('+', "%2B");
    let of = |query: &str| positions(&events(&practice.api, query));
    assert_eq!(of(&format!("from={}", time(3))), [4, 5, 6, 7]);
    assert_eq!(of(&format!("to={}", time(3))), [1, 2, 3]);
    assert_eq!(of(&format!("from={}&to={}", time(2), time(5))), [3, 4, 5]);
    assert_eq!(of("to=1999-12-31"), [0; 0]);
    assert_eq!(of("from=2199-12-31"), [0; 0]);
    let today = all[6]["time"].as_str().unwrap();
    let yesterday = all[0]["time"].as_str().unwrap();
    assert_eq!(of(&format!("from={}&to={}&tz=UTC", &yesterday[..10], &today[..10])).len(), 7);
}

#[test]
fn what_identifies_a_client_is_told_only_to_an_admin_who_asks() {
    let practice = a_practice();
    let secret = "Lovelace";
    let contact = json!({"name": secret, "email": "lovelace@example.org", "notes": secret});
    practice.created("/v1/clients", &contact);
    practice.booking(monday(10, 0)).with("note", secret).send().is(201);
    let withheld = practice.api.get("/v1/events").send();
    withheld.has_status(200);
    assert!(!withheld.text.to_lowercase().contains("lovelace"), "{withheld:#?}");
    let told = practice.api.get("/v1/events?personal=told").send();
    assert_eq!(told.text.matches(secret).count(), 3, "{told:#?}");
    let manager = Server::shared().database.key(&practice.tenant, "manage");
    let manager = practice.api.with_key(Some(&manager));
    for route in ["/v1/events", "/v1/events/export", "/v1/events/stream"] {
        let refused = manager.get(&format!("{route}?personal=told")).send();
        assert_eq!(refused.is_refused(403, "insufficient-scope")["required_scope"], "privacy");
    }
}

#[test]
fn a_query_that_is_not_understood_is_refused() {
    let practice = a_practice();
    for (query, slug) in [
        ("event_type=AppointmentBoked", "invalid-query"),
        ("aggregate_type=appointments", "invalid-query"),
        ("aggregate_id=1", "invalid-id"),
        ("after=-1", "invalid-query"),
        ("after=4", "position-ahead"),
        ("limit=0", "invalid-query"),
        ("limit=1001", "invalid-query"),
        ("from=yesterday", "invalid-query"),
        ("from=2026-12-02&to=2026-11-01", "invalid-range"),
        ("tz=Oslo", "unknown-time-zone"),
        ("personal=yes", "invalid-query"),
        ("type=AppointmentBooked", "invalid-query"),
    ] {
        practice.api.get(&format!("/v1/events?{query}")).send().is_refused(400, slug);
    }
    practice.api.get("/v1/events/export?format=xlsx").send().is_refused(400, "invalid-query");
    let ahead = practice.api.get("/v1/events/stream").header("last-event-id", "4").send();
    ahead.is_refused(400, "position-ahead");
}

/// A reader who asks for what is rare gets an answer all the same, and goes on from where it ends.
#[test]
fn a_page_ends_early_where_nothing_passes_the_filter() {
    let server = Server::start(&Database::fresh());
    let tenant = a_tenant();
    let key = server.database.key(&tenant, "read");
    a_long_log(&server.database, &tenant, 120_000, 1);
    let practice = server.api(Some(key));
    let mut read_to = 0;
    for expected in [50_000, 100_000, 120_000] {
        let path = format!("/v1/events?event_type=ClientRegistered&after={read_to}");
        let answer = practice.get(&path).send();
        let page = answer.is(200);
        assert_eq!((&page["items"], &page["read_to"]), (&json!([]), &json!(expected)));
        assert_eq!(answer.header("link").is_some(), expected < 120_000);
        read_to = expected;
    }
}

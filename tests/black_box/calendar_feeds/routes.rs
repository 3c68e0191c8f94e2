//! Who makes feeds and for how much, and how they end.

use serde_json::{Value, json};

use super::{a_feed, each, events, made};
use crate::harness::{Practice, Server, a_practice, id_of, monday};

const AT: &str = "/v1/calendar-feeds";

/// Somebody of the practice whose key has these options.
fn somebody(practice: &Practice, options: &[&str]) -> Practice {
    let key = Server::shared().database.key_with(&practice.tenant, options);
    Practice { api: practice.api.with_key(Some(&key)), ..practice.clone() }
}

#[test]
fn the_address_is_shown_once_and_is_long_enough_not_to_be_guessed() {
    let practice = a_practice();
    let body = json!({"name": "All", "tags": ["first"], "detail": "busy"});
    let answer = practice.api.post(AT, &body).send();
    let feed = answer.is(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("location"), Some(&*format!("{AT}/{}", id_of(&feed))));
    let path = feed["path"].as_str().unwrap();
    let secret = path.strip_prefix("/calendars/").unwrap().strip_suffix(".ics").unwrap();
    let (digits, _) = secret.split_once('_').unwrap();
    assert!(digits.len() == 43 && digits.bytes().all(|it| it.is_ascii_alphanumeric()), "{path}");
    let mut seen = practice.api.get(&format!("{AT}/{}", id_of(&feed))).send().is(200);
    let mut once = feed.clone();
    once.as_object_mut().unwrap().remove("path");
    assert_eq!(seen, once);
    let listed = practice.api.get(AT).send().is(200);
    assert_eq!(listed["items"], json!([once]));
    assert!(seen["made_by"].as_str().unwrap().starts_with("key:"), "{seen}");
    // Whether anybody still follows it is seen.
    assert_eq!(seen["last_used_at"], Value::Null);
    made(&feed).follow(&practice).has_status(200);
    seen = practice.api.get(&format!("{AT}/{}", id_of(&feed))).send().is(200);
    assert!(seen["last_used_at"].is_string(), "{seen}");
}

#[test]
fn a_feed_that_is_deleted_or_has_another_address_is_followed_no_more() {
    let practice = a_practice();
    let feed = a_feed(&practice, &json!({}));
    feed.follow(&practice).has_status(200);
    let rotated = practice.api.post(&format!("{AT}/{}/rotate", feed.id), &json!({})).send().is(200);
    feed.follow(&practice).is_refused(404, "not-found");
    let rotated = made(&rotated);
    rotated.follow(&practice).has_status(200);
    practice.api.request("DELETE", &format!("{AT}/{}", feed.id)).send().is(200);
    rotated.follow(&practice).is_refused(404, "not-found");
    practice.api.get(&format!("{AT}/{}", feed.id)).send().is_refused(404, "not-found");
    let entries = practice.api.get("/v1/audit").send().is(200);
    let kinds: Vec<&str> = entries["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["object"] == format!("calendar feed {}", feed.id))
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.len(), 3, "{entries}");
}

/// It is the tenant's: whoever made it may be gone.
#[test]
fn a_feed_outlives_the_key_that_made_it_and_not_its_tenant() {
    let practice = a_practice();
    let key = practice
        .api
        .post("/v1/keys", &json!({"name": "Leaves soon", "scopes": ["appointments", "manage"]}));
    let key = key.send().is(201);
    let maker = practice.api.with_key(key["key"].as_str());
    let feed = made(&maker.post(AT, &json!({"name": "All"})).send().is(201));
    let revoke = format!("/v1/keys/{}/revoke", id_of(&key));
    practice.api.post(&revoke, &json!({})).send().is(200);
    feed.follow(&practice).has_status(200);
    Server::shared().database.run(&["tenant", "suspend", &practice.tenant]).succeeded();
    feed.follow(&practice).is_refused(403, "tenant-suspended");
    Server::shared().database.run(&["tenant", "resume", &practice.tenant]).succeeded();
    feed.follow(&practice).has_status(200);
}

#[test]
fn a_feed_tells_no_more_than_its_maker_sees() {
    let practice = a_practice();
    practice.booked(monday(8, 0));
    let other = practice.a_room();
    let there = practice.booking(monday(9, 0)).with("resource_ids", json!([other]));
    let there = id_of(&there.send().is(201));
    a_feed(&practice, &json!({})).events_once(&practice, |events| events.len() == 2);
    // Without the scope, nobody is named.
    let desk = somebody(&practice, &["--scopes", "appointments,manage"]);
    let told = desk.api.post(AT, &json!({"name": "All", "personal": "told"})).send();
    assert_eq!(told.is_refused(403, "insufficient-scope")["required_scope"], "personal");
    let busy = json!({"name": "All", "personal": "told", "detail": "busy"});
    assert_eq!(desk.api.post(AT, &busy).send().is(201)["personal"], "withheld");
    // Whoever is limited makes feeds of that, and sees no others.
    let scopes = "appointments,manage,personal";
    let limited = somebody(&practice, &["--scopes", scopes, "--resource", &other]);
    let feed = a_feed(&limited, &json!({"name": "Mine"}));
    let mine = events(&feed.follow(&practice));
    assert_eq!(each(&mine, "uid"), [there]);
    let theirs = json!({"name": "Theirs", "limits": {"resource_ids": [practice.room]}});
    limited.api.post(AT, &theirs).send().is_refused(403, "limited-key");
    let listed = limited.api.get(AT).send().is(200);
    let ids: Vec<String> = listed["items"].as_array().unwrap().iter().map(id_of).collect();
    assert_eq!(ids, [&*feed.id]);
    let all = a_feed(&practice, &json!({}));
    for (method, path) in [("GET", ""), ("DELETE", ""), ("POST", "/rotate")] {
        let asked = limited.api.request(method, &format!("{AT}/{}{path}", all.id));
        asked.send().is_refused(404, "not-found");
    }
    // The address of a feed that names clients is given by those alone who may name them.
    let named = a_feed(&practice, &json!({"personal": "told"}));
    let rotate = desk.api.post(&format!("{AT}/{}/rotate", named.id), &json!({})).send();
    rotate.is_refused(403, "insufficient-scope");
}

#[test]
fn feeds_of_others_are_not_there() {
    let (practice, other) = (a_practice(), a_practice());
    other.booked(monday(8, 0));
    let feed = a_feed(&practice, &json!({}));
    a_feed(&other, &json!({})).events_once(&other, |events| events.len() == 1);
    assert!(events(&feed.follow(&practice)).is_empty());
    for (method, path) in [("GET", ""), ("DELETE", ""), ("POST", "/rotate")] {
        let asked = other.api.request(method, &format!("{AT}/{}{path}", feed.id));
        asked.send().is_refused(404, "not-found");
    }
    let listed = other.api.get(AT).send().is(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    feed.follow(&practice).has_status(200);
}

#[test]
fn what_cannot_be_a_feed_is_refused_by_its_member() {
    let practice = a_practice();
    for (member, body) in [
        ("name", json!({"name": ""})),
        ("detail", json!({"name": "A", "detail": "some"})),
        ("personal", json!({"name": "A", "personal": "all"})),
        ("tags[0]", json!({"name": "A", "tags": [""]})),
        ("limits", json!({"name": "A", "limits": {"resource_ids": []}})),
    ] {
        let problem = practice.api.post(AT, &body).send().is_refused(422, "invalid-body");
        assert_eq!(problem["member"], member, "{problem}");
    }
    practice.api.post(AT, &json!({})).send().is_refused(422, "invalid-body");
}

//! Links for clients: keys of one appointment each, good for what they were made for.

use chrono::Days;
use serde_json::{Value, json};

use super::{OPERATOR, a_ground, guarded};
use crate::harness::{Api, Practice, Server, a_practice, eventually, id_of, monday, today, utc};

/// What a link can be good for, and by which route.
const BY_LINK: [(&str, &str); 3] = [
    ("GET", "/v1/appointments/{id}"),
    ("POST", "/v1/appointments/{id}/reschedule"),
    ("POST", "/v1/appointments/{id}/cancel"),
];

#[track_caller]
fn made(practice: &Practice, appointment: &str, body: &Value) -> Value {
    let answer = practice.api.post(&format!("/v1/appointments/{appointment}/links"), body).send();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.is(201)
}

fn holder(practice: &Practice, link: &Value) -> Api {
    practice.api.with_key(Some(link["token"].as_str().unwrap()))
}

#[test]
fn with_a_link_a_client_sees_moves_and_cancels_the_appointment() {
    let practice = a_practice();
    let booked = practice.booking(monday(9, 0)).with("note", "between us").send().is(201);
    let id = id_of(&booked);
    let link = made(&practice, &id, &json!({}));
    assert_eq!(link["actions"], json!(["see", "move", "cancel"]));
    let client = holder(&practice, &link);
    let path = format!("/v1/appointments/{id}");
    let seen = client.get(&path).send();
    assert!(!seen.text.contains("between us"), "{seen:#?}");
    assert_eq!(seen.is(200)["version"], 1);
    assert_eq!(client.get(&path).send().is(200)["version"], 1, "looking changes nothing");
    client.get(&format!("{path}?expand=client")).send().is_refused(403, "insufficient-scope");
    client
        .post(&format!("{path}/reschedule"), &json!({"start_at": utc(monday(10, 0))}))
        .send()
        .has_status(200);
    let staff = json!({"by": "staff"});
    client.post(&format!("{path}/cancel"), &staff).send().is_refused(403, "not-for-clients");
    client.post(&format!("{path}/cancel"), &json!({})).send().has_status(200);
    let events = practice.api.get(&format!("{path}/events")).send().is(200);
    let actor = format!("link:{}", id_of(&link));
    assert_eq!(events["items"][1]["metadata"]["actor"], *actor);
    assert_eq!(events["items"][2]["metadata"]["actor"], *actor);
    let token = link["token"].as_str().unwrap();
    assert!(token.starts_with("daybook_link_"), "{token}");
    let secret = token.split('_').nth(3).unwrap();
    assert!(secret.len() == 43 && !Server::shared().log().contains(secret));
}

#[test]
fn a_link_is_good_for_nothing_but_what_it_was_made_for() {
    let ground = a_ground();
    let practice = &ground.practice;
    let link = made(practice, &ground.booked, &json!({}));
    let client = holder(practice, &link);
    for &(method, route, needed) in guarded() {
        if BY_LINK.contains(&(method, route)) {
            continue;
        }
        let answer = ground.call(&client, method, route);
        match needed {
            [OPERATOR] => answer.is_refused(403, "not-an-operators-key"),
            _ => answer.is_refused(403, "not-by-link"),
        };
    }
    let other = id_of(&practice.booked(monday(4, 0)));
    for (method, route) in BY_LINK {
        let body = json!({"start_at": utc(monday(5, 0))});
        let body = if route.ends_with("reschedule") { body } else { json!({}) };
        let request = client.request(method, &route.replace("{id}", &other));
        let request = if method == "GET" { request } else { request.json(&body) };
        request.send().is_refused(404, "not-found");
        ground.call(&client, method, route).has_status(200);
    }
    let to_see = holder(practice, &made(practice, &other, &json!({"actions": ["see"]})));
    let path = format!("/v1/appointments/{other}");
    to_see.get(&path).send().has_status(200);
    to_see.post(&format!("{path}/cancel"), &json!({})).send().is_refused(403, "not-by-link");
}

#[test]
fn a_link_is_listed_and_ends_when_it_is_revoked() {
    let practice = a_practice();
    let id = id_of(&practice.booked(monday(9, 0)));
    let (path, body) = (format!("/v1/appointments/{id}/links"), json!({"actions": ["see"]}));
    let tried = practice.api.post(&format!("{path}?dry_run=true"), &body).send().is(200);
    assert_eq!(tried.get("token"), None);
    let link = made(&practice, &id, &body);
    let client = holder(&practice, &link);
    client.get(&format!("/v1/appointments/{id}")).send().has_status(200);
    let listed = practice.api.get(&path).send();
    let secret = link["token"].as_str().unwrap().split('_').nth(3).unwrap();
    assert!(!listed.text.contains(secret), "{listed:#?}");
    let ids =
        |list: &Value| list["items"].as_array().unwrap().iter().map(id_of).collect::<Vec<_>>();
    assert_eq!(ids(&listed.is(200)), [id_of(&link)]);
    let keys = practice.api.get("/v1/keys").send().is(200);
    assert!(!ids(&keys).contains(&id_of(&link)), "a link is no key: {keys}");
    let key = format!("/v1/keys/{}/revoke", id_of(&link));
    practice.api.post(&key, &json!({})).send().is_refused(404, "not-found");
    let revoke = format!("{path}/{}/revoke", id_of(&link));
    practice.api.post(&revoke, &json!({})).send().is(200);
    client.get(&format!("/v1/appointments/{id}")).send().is_refused(401, "invalid-key");
    let again = practice.api.post(&revoke, &json!({})).send().is(200);
    assert!(again["revoked_at"].is_string(), "{again}");
}

#[test]
fn there_are_only_so_many_links_of_an_appointment_and_revoked_ones_make_room() {
    let practice = a_practice();
    let id = id_of(&practice.booked(monday(9, 0)));
    let links: Vec<Value> = (0..10).map(|_| made(&practice, &id, &json!({}))).collect();
    let path = format!("/v1/appointments/{id}/links");
    practice.api.post(&path, &json!({})).send().is_refused(409, "too-many-links");
    practice.api.post(&format!("{path}/{}/revoke", id_of(&links[0])), &json!({})).send().is(200);
    made(&practice, &id, &json!({}));
    practice.api.post(&path, &json!({"actions": []})).send().is_refused(422, "invalid-body");
}

/// Of a calendar: nothing else is booked in the past.
#[test]
fn a_link_ends_when_the_visit_has_been_over_for_a_day() {
    let practice = a_practice();
    let day = (today() - Days::new(3)).format("%Y%m%d");
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//daybook//tests//EN\r\nBEGIN:VEVENT\r\n\
         UID:past\r\nDTSTART:{day}T090000Z\r\nDTEND:{day}T100000Z\r\nSUMMARY:Past\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let request = practice.api.request("POST", "/v1/imports").body("text/calendar", calendar);
    request.send().is(201);
    let find = || practice.found("limit=50").first().map(id_of);
    let past = eventually("what was imported is found", find);
    let path = format!("/v1/appointments/{past}/links");
    practice.api.post(&path, &json!({})).send().is_refused(409, "visit-is-over");
    // One that was made when it was to come.
    let booked = id_of(&practice.booked(monday(9, 0)));
    let client = holder(&practice, &made(&practice, &booked, &json!({})));
    let statement = format!(
        "UPDATE api_keys SET appointment_id = '{past}' WHERE tenant_id = $1 AND appointment_id = '{booked}'"
    );
    let database = &Server::shared().database;
    assert_eq!(database.sql().change(&statement, &practice.tenant), 1);
    let answer = client.get(&format!("/v1/appointments/{booked}")).send();
    answer.is_refused(401, "expired-key");
}

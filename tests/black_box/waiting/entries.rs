//! Joining, leaving, and what is said of those who wait.

use serde_json::{Value, json};

use super::{Full, a_full_practice, cancel, confirm, hold_of, join, join_as, offered, path, read};
use crate::harness::{a_practice, at_once, date, eventually};

#[test]
fn each_knows_their_number_and_the_list_is_in_turn() {
    let Full { practice, nine, .. } = a_full_practice();
    let entries = [(); 3].map(|()| join(&practice, &json!({})));
    let number = |entry: &Value| {
        eventually("it is known", || read(&practice.api, entry)["queue_position"].as_u64())
    };
    assert_eq!(entries.each_ref().map(number), [1, 2, 3]);
    let position = cancel(&practice, &nine).position();
    offered(&practice, &entries[0]);
    assert_eq!(read(&practice.api, &entries[0]).get("queue_position"), None);
    eventually("the others move up", || (number(&entries[2]) == 2).then_some(()));

    let list = |query: &str| -> Vec<Value> {
        let page = practice.api.get(&format!("/v1/waiting-list?{query}")).send().is(200);
        page["items"].as_array().unwrap().iter().map(|entry| entry["id"].clone()).collect()
    };
    let ids = entries.each_ref().map(|entry| entry["id"].clone());
    assert_eq!(list(&format!("min_position={position}")), ids);
    assert_eq!(list(&format!("service_id={}", practice.service)), ids);
    assert_eq!(list(&format!("service_id={}", practice.room)), [] as [Value; 0]);
    assert_eq!(list("status=offered"), ids[..1]);
    assert_eq!(list("status=waiting"), ids[1..]);
    let client = entries[1]["client_id"].as_str().unwrap();
    assert_eq!(list(&format!("client_id={client}")), ids[1..2]);
    let page = practice.api.get("/v1/waiting-list?limit=2").send();
    let next = page.is(200)["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(list(&format!("limit=2&cursor={next}")), ids[2..]);
    let other = format!("/v1/waiting-list?status=waiting&cursor={next}");
    practice.api.get(&other).send().is_refused(400, "invalid-cursor");
    practice.api.get("/v1/waiting-list?status=gone").send().is_refused(400, "invalid-query");
}

#[test]
fn a_client_who_cannot_wait_is_refused_with_the_reason() {
    let practice = a_practice();
    let client = practice.client.clone();
    let refused = |but: Value, status: u16, slug: &str| {
        join_as(&practice, &client, &but).is_refused(status, slug)
    };
    let nothing = "00000000-0000-0000-0000-000000000000";
    refused(json!({"service_id": nothing}), 422, "unknown-service");
    refused(json!({"client_id": nothing}), 422, "unknown-client");
    refused(json!({"resource_ids": [nothing]}), 422, "unknown-resource");
    refused(json!({"resource_ids": null}), 422, "no-resources");
    refused(json!({"duration_minutes": 45}), 422, "offered-duration");
    let past = json!({"from": "2020-01-01", "to": "2020-01-02"});
    assert_eq!(refused(past, 422, "wishes-passed")["last"], "2020-01-02");
    let far = date(400).to_string();
    let far = refused(json!({"from": far, "to": far}), 422, "too-far-ahead");
    assert_eq!(far["found"], date(400).to_string());
    for bad in [
        json!({"from": date(1).to_string()}),
        json!({"to": date(92).to_string()}),
        json!({"from": "soon"}),
        json!({"time_zone": "Nowhere/At_All"}),
        json!({"times": [{"days": [], "from": "09:00", "to": "10:00"}]}),
        json!({"times": "morning"}),
        json!({"resource_ids": []}),
        json!({"hours": "any"}),
    ] {
        refused(bad, 422, "invalid-body");
    }
    let needs = json!([{"role": "doctor", "kind": "staff"}]);
    let service = practice.a_service(&json!({"needs": needs}));
    refused(json!({"service_id": service}), 422, "unfit-resource");
    practice.api.get(&format!("/v1/waiting-list/{nothing}")).send().is_refused(404, "not-found");
    let unknown = practice.api.request("DELETE", &format!("/v1/waiting-list/{nothing}"));
    unknown.send().is_refused(404, "not-found");
}

#[test]
fn a_client_waits_so_many_times_at_most_and_the_list_has_an_end() {
    let Full { practice, nine, .. } = a_full_practice();
    practice.settings(&json!({"waiting_per_client": 2, "waiting_list": 3}));
    let client = practice.client.clone();
    let again = || join_as(&practice, &client, &json!({}));
    let entries = [(); 2].map(|()| again().is(201));
    let refused = again().is_refused(409, "client-entry-limit");
    assert_eq!((&refused["required"], &refused["found"]), (&json!(2), &json!(2)));
    assert_eq!(refused["client_id"], *client);
    join(&practice, &json!({}));
    let other = practice.a_client("One too many");
    let refused = join_as(&practice, &other, &json!({})).is_refused(409, "waiting-list-full");
    assert_eq!((&refused["required"], &refused["found"]), (&json!(3), &json!(3)));

    // Who is offered a place still waits for the answer; who has left does not.
    cancel(&practice, &nine);
    offered(&practice, &entries[0]);
    again().is_refused(409, "client-entry-limit");
    practice.api.request("DELETE", &path(&entries[1])).send().is(200);
    again().is(201);
    practice.is_whole();
}

#[test]
fn however_many_join_at_once_no_more_wait_than_may() {
    const AT_ONCE: usize = 24;
    let Full { practice, .. } = a_full_practice();
    practice.settings(&json!({"waiting_per_client": 5, "waiting_list": 8}));
    let joined = |client: &(dyn Fn(usize) -> String + Sync), refusal: &str| {
        let answers = at_once(AT_ONCE, |n| join_as(&practice, &client(n), &json!({})));
        let (joined, others): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 201);
        for other in others {
            other.is_refused(409, refusal);
        }
        joined.len()
    };
    assert_eq!(joined(&|_| practice.client.clone(), "client-entry-limit"), 5);
    let clients: Vec<String> = (0..AT_ONCE).map(|_| practice.a_client("One of many")).collect();
    assert_eq!(joined(&|n| clients[n].clone(), "waiting-list-full"), 3);
    let open = practice.api.get("/v1/waiting-list?status=waiting").send().is(200);
    assert!(open["items"].as_array().unwrap().len() <= 8);
    practice.is_whole();
}

#[test]
fn a_client_who_has_left_or_taken_a_place_cannot_leave_again() {
    let practice = a_practice();
    let leave = |entry: &Value| practice.api.request("DELETE", &path(entry)).send();
    let weekend = json!({"times": [{"days": ["tue"], "from": "09:00", "to": "10:00"}]});
    let waits = join(&practice, &weekend);
    let stale = practice.api.request("DELETE", &path(&waits)).header("if-match", "\"7\"").send();
    stale.is_refused(412, "stale-version");
    assert_eq!(leave(&waits).is(200)["status"], "left");
    assert_eq!(leave(&waits).is_refused(409, "entry-closed")["waiting_status"], "left");
    let taken = offered(&practice, &join(&practice, &json!({})));
    confirm(&practice, &taken).is(200);
    assert_eq!(leave(&taken).is_refused(409, "entry-closed")["waiting_status"], "taken");
    assert_eq!(practice.appointment(hold_of(&taken))["status"], "booked");
    practice.is_whole();
}

#[test]
fn joining_and_leaving_again_with_their_key_is_done_once() {
    let Full { practice, .. } = a_full_practice();
    let body = json!({
        "service_id": practice.service, "client_id": practice.client,
        "resource_ids": [practice.room], "from": date(0).to_string(), "to": date(0).to_string(),
    });
    let join =
        || practice.api.post("/v1/waiting-list", &body).header("idempotency-key", "j").send();
    let joined = join();
    assert_eq!(join().is(201), joined.is(201));
    let leave = || {
        let request = practice.api.request("DELETE", &path(&joined.json()));
        request.header("idempotency-key", "l").send()
    };
    assert_eq!(leave().is(200), leave().is(200));
    let position = leave().position();
    let list = practice.api.get(&format!("/v1/waiting-list?min_position={position}")).send();
    assert_eq!(list.is(200)["items"].as_array().unwrap().len(), 1);
}

/// What the list and an entry were, also when the offer had been seen and not recorded of the entry yet.
#[test]
fn the_list_and_its_entries_are_shown_as_of_a_moment() {
    let Full { practice, nine, .. } = a_full_practice();
    let joined = join(&practice, &json!({}));
    let head = || {
        let page = practice.api.get("/v1/events?after=latest").send().is(200);
        page["head"].as_u64().unwrap()
    };
    let mut told = vec![(head(), "waiting")];
    cancel(&practice, &nine);
    let offer = offered(&practice, &joined);
    told.push((head(), "offered"));
    confirm(&practice, &offer).is(200);
    // Until the entry's own stream says so, its hold does.
    let confirmed = head();
    told.push((confirmed, "taken"));
    eventually("it is recorded", || (head() > confirmed).then_some(()));
    told.push((head(), "taken"));
    for (position, status) in told {
        let path = format!("{}?as_of=position:{position}", path(&joined));
        let then = practice.api.get(&path).send();
        assert_eq!(then.position(), position);
        assert_eq!(then.is(200)["status"], status, "{position}");
        for (asked, found) in [(status, 1), ("left", 0)] {
            let query = format!("as_of=position:{position}&status={asked}");
            let page = practice.api.get(&format!("/v1/waiting-list?{query}")).send().is(200);
            assert_eq!(page["items"].as_array().unwrap().len(), found, "{query}");
        }
    }
}

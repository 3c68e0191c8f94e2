//! Services, resources and clients are found by what is known of them, now and as they were.

use std::slice;

use serde_json::{Value, json};

use crate::harness::{Database, Practice, Server, a_practice, eventually, id_of};

/// What a list has, without the practice's own.
#[track_caller]
fn found(practice: &Practice, path: &str) -> Vec<String> {
    let page = practice.api.get(path).send().is(200);
    let own = [&practice.service, &practice.room, &practice.client];
    let ids = page["items"].as_array().unwrap().iter().map(id_of);
    ids.filter(|id| !own.contains(&id)).collect()
}

/// Makes these; their ids, and the position after them.
fn made(practice: &Practice, path: &str, bodies: &[Value]) -> (Vec<String>, u64) {
    let answers: Vec<_> = bodies.iter().map(|body| practice.api.post(path, body).send()).collect();
    let position = answers.last().unwrap().position();
    (answers.iter().map(|answer| id_of(&answer.is(201))).collect(), position)
}

#[test]
fn clients_are_found_by_words_of_their_name_and_by_how_they_are_reached() {
    let practice = a_practice();
    let bodies = [
        json!({"name": "Night porter", "email": "Night@example.org", "phone": "+47 22 00 00 01"}),
        json!({"name": "Día-portero", "email": "day@example.org", "phone": "0047 22000002"}),
        json!({"name": "Gardener", "email": "garden@example.org"}),
    ];
    let (ids, position) = made(&practice, "/v1/clients", &bodies);
    let (night, day, garden) = (&ids[0], &ids[1], &ids[2]);
    let found =
        |query: &str| found(&practice, &format!("/v1/clients?min_position={position}&{query}"));
    assert_eq!(found("q=PORTER"), [night, day].map(String::clone));
    assert_eq!(found("q=dia"), slice::from_ref(day));
    assert_eq!(found("q=porter%20night"), slice::from_ref(night));
    assert_eq!(found("q=orter"), [""; 0]);
    assert_eq!(found("email=night@EXAMPLE.org"), slice::from_ref(night));
    assert_eq!(
        found("email=day@example.org&email=garden@example.org"),
        [day, garden].map(String::clone)
    );
    assert_eq!(found("phone=%2B4722000001"), slice::from_ref(night));
    assert_eq!(
        found("phone=+47-22-00-00-02"),
        slice::from_ref(day),
        "who forgets to encode a plus"
    );
    assert_eq!(found("phone=22000001"), [""; 0]);
    assert_eq!(found("q=porter&email=day@example.org"), slice::from_ref(day));
    assert_eq!(found(&format!("ids={garden}&ids={night}")), [night, garden].map(String::clone));
    let problem = practice.api.get("/v1/clients?email=nowhere").send();
    let problem = problem.is_refused(400, "invalid-query");
    assert_eq!(problem["parameter"], "email");
    assert!(!problem.to_string().contains("nowhere"), "what is personal is not repeated");
}

#[test]
fn a_client_is_not_found_by_what_was_known_of_them_before() {
    let practice = a_practice();
    let body =
        json!({"name": "Night porter", "email": "night@example.org", "phone": "+47 22 00 00 01"});
    let (ids, then) = made(&practice, "/v1/clients", &[body]);
    let path = format!("/v1/clients/{}", ids[0]);
    let change = json!({"name": "Gardener", "email": "garden@example.org", "phone": null});
    let now = practice.api.patch(&path, &change).send().position();
    for (before, after) in [
        ("q=porter", "q=gardener"),
        ("email=night@example.org", "email=garden@example.org"),
        ("phone=%2B4722000001", "q=gard"),
    ] {
        let found =
            |query: &str, moment: &str| found(&practice, &format!("/v1/clients?{query}&{moment}"));
        let now = format!("min_position={now}");
        assert_eq!((found(before, &now), found(after, &now)), (vec![], ids.clone()));
        assert_eq!(found(before, &format!("as_of=position:{then}")), ids);
    }
}

#[test]
fn what_a_client_is_looked_for_by_is_in_no_log_and_no_metric() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let body =
        json!({"name": "Zephyrine", "email": "zephyrine@example.org", "phone": "+47 22 98 76 54"});
    let (ids, position) = made(&practice, "/v1/clients", &[body]);
    for query in ["q=zephyrine", "email=zephyrine@example.org", "phone=%2B4722987654"] {
        let path = format!("/v1/clients?min_position={position}&{query}");
        assert_eq!(found(&practice, &path), ids);
        // Also where it is refused, and where it is broken.
        let refused = practice.api.get(&format!("/v1/clients?{query}&cursor=none")).send();
        refused.is_refused(400, "invalid-cursor");
    }
    let refused = practice.api.get("/v1/clients?email=zephyrine&phone=22987654x").send();
    refused.is_refused(400, "invalid-query");
    let metrics = server.operator().get("/metrics").send().text;
    eventually("the requests are in the log", || {
        (server.log().matches("/v1/clients").count() >= 8).then_some(())
    });
    for mark in ["ephyrine", "22987654", "22 98 76 54"] {
        assert!(!server.log().contains(mark) && !metrics.contains(mark), "{mark}");
    }
}

#[test]
fn services_are_found_by_category_and_resources_by_kind_and_tags() {
    let practice = a_practice();
    let service =
        |category: &str| json!({"name": "A", "category": category, "duration_minutes": 30});
    let bodies = ["Führung", "yoga", "other"].map(service);
    let (ids, position) = made(&practice, "/v1/services", &bodies);
    let path = format!("/v1/services?min_position={position}");
    assert_eq!(found(&practice, &format!("{path}&category=FUHRUNG&category=yoga")), ids[..2]);
    let resource = |kind: &str, tags: &[&str]| json!({"name": "A", "kind": kind, "time_zone": "UTC", "weekly_hours": [], "tags": tags});
    let bodies = [
        resource("room", &["warm"]),
        resource("staff", &["warm", "señor"]),
        resource("equipment", &[]),
    ];
    let (ids, position) = made(&practice, "/v1/resources", &bodies);
    let found =
        |query: &str| found(&practice, &format!("/v1/resources?min_position={position}&{query}"));
    assert_eq!(found("kind=room&kind=equipment"), [ids[0].clone(), ids[2].clone()]);
    assert_eq!(found("tags=Warm"), ids[..2]);
    assert_eq!(found("tags=warm&tags=SENOR"), slice::from_ref(&ids[1]));
    assert_eq!(found("tags=senor&tags=unheard-of&tags_match=any"), slice::from_ref(&ids[1]));
    assert_eq!(found("tags=warm&kind=room"), slice::from_ref(&ids[0]));
    let problem = practice.api.get("/v1/resources?kind=animal").send();
    assert_eq!(problem.is_refused(400, "invalid-query")["parameter"], "kind");
}

#[test]
fn what_is_found_as_of_a_moment_is_what_was_then() {
    let practice = a_practice();
    let body = json!({"name": "Führung", "category": "tour", "duration_minutes": 30});
    let (ids, then) = made(&practice, "/v1/services", &[body]);
    let (_, now) = made(
        &practice,
        "/v1/services",
        &[json!({"name": "Another", "category": "tour", "duration_minutes": 30})],
    );
    let tours = |moment: &str| found(&practice, &format!("/v1/services?category=Tour&{moment}"));
    assert_eq!(tours(&format!("as_of=position:{then}")), ids);
    assert_eq!(tours(&format!("as_of=position:{}", then - 1)), [""; 0]);
    assert_eq!(tours(&format!("min_position={now}")).len(), 2);
    for (query, parameter) in
        [("sort=updated_at", "sort"), ("updated_since=2020-01-01T00:00:00Z", "updated_since")]
    {
        let path = format!("/v1/services?as_of=position:{then}&{query}");
        let problem = practice.api.get(&path).send().is_refused(400, "invalid-query");
        assert_eq!(problem["parameter"], parameter);
    }
}

#[test]
fn what_has_changed_since_is_listed_in_the_order_of_the_changes() {
    let practice = a_practice();
    let bodies = ["first", "second", "third"]
        .map(|name| json!({"name": name, "category": "tour", "duration_minutes": 30}));
    let (ids, _) = made(&practice, "/v1/services", &bodies);
    let retire = format!("/v1/services/{}/retire", ids[0]);
    let position = practice.api.post(&retire, &json!({})).send().position();
    let list = |query: &str| {
        let path = format!("/v1/services?{query}&min_position={position}");
        let page = practice.api.get(&path).send().is(200);
        page["items"].as_array().unwrap().clone()
    };
    let names = |items: &[Value]| -> Vec<String> {
        let names = items.iter().map(|item| item["name"].as_str().unwrap().to_owned());
        names.filter(|name| name != "Check-up").collect()
    };
    assert_eq!(names(&list("sort=created_at")), ["first", "second", "third"]);
    assert_eq!(names(&list("sort=-created_at")), ["third", "second", "first"]);
    let updated = list("sort=updated_at");
    assert_eq!(names(&updated), ["second", "third", "first"]);
    let since = updated[2]["updated_at"].as_str().unwrap();
    assert_eq!(names(&list(&format!("updated_since={since}"))), ["third", "first"]);
    let latest = list(&format!("updated_since={since}&sort=-updated_at&limit=1"));
    assert_eq!(names(&latest), ["first"]);
    assert!(latest[0]["created_at"].as_str() < latest[0]["updated_at"].as_str());
}

/// What is asked for is in the body, and words are whole.
#[test]
fn clients_are_searched_by_what_is_known_of_them_without_a_word_of_it_in_a_url() {
    let practice = a_practice();
    let bodies = [
        json!({"name": "Night porter", "email": "Ni\u{e9}ght@example.org", "phone": "+47 22 00 00 01"}),
        json!({"name": "Día-portero", "email": "day@example.org", "phone": "0047 22000002"}),
    ];
    let (ids, position) = made(&practice, "/v1/clients", &bodies);
    let (night, day) = (&ids[0], &ids[1]);
    let search = |body: &Value| {
        practice.api.post(&format!("/v1/clients/search?min_position={position}"), body).send()
    };
    let found = |body: Value| -> Vec<String> {
        search(&body).is(200)["items"].as_array().unwrap().iter().map(id_of).collect()
    };
    // The same letter, written as one character and as two.
    for email in ["NI\u{c9}GHT@EXAMPLE.org", "nie\u{301}ght@example.org"] {
        assert_eq!(found(json!({"email": email})), slice::from_ref(night), "{email}");
    }
    assert_eq!(found(json!({"phone": "0047-22-00-00-01"})), slice::from_ref(night));
    assert_eq!(found(json!({"name": "PORTER night"})), slice::from_ref(night));
    assert_eq!(found(json!({"name": "dia"})), slice::from_ref(day));
    assert_eq!(found(json!({"name": "port"})), [""; 0], "no beginnings of words");
    assert_eq!(found(json!({"name": "porter", "email": "day@example.org"})), [""; 0]);
    for body in [json!({}), json!({"name": "%_"}), json!({"name": "a", "title": "b"})] {
        search(&body).is_refused(422, "invalid-body");
    }
    let problem = search(&json!({"email": "nowhere"})).is_refused(422, "invalid-body");
    assert!(!problem.to_string().contains("nowhere"), "what is personal is not repeated");
    // One at a time.
    let both = json!({"name": "Night"});
    practice.created("/v1/clients", &json!({"name": "Night watch"}));
    let path = |more: &str| format!("/v1/clients/search?limit=1{more}");
    let first = practice.api.post(&path(&format!("&min_position={}", position + 1)), &both);
    let first = first.send().is(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = practice.api.post(&path(&format!("&cursor={cursor}")), &both).send().is(200);
    assert_eq!(
        (id_of(&first["items"][0]), &next["items"][0]["name"]),
        (night.clone(), &json!("Night watch"))
    );
    let erase = json!({"reason": "requested"});
    practice.api.post(&format!("/v1/clients/{night}/erase"), &erase).send().is(200);
    let then = practice.api.get("/v1/events?limit=1").send().is(200)["head"].as_u64().unwrap();
    let gone = practice
        .api
        .post(&format!("/v1/clients/search?min_position={then}"), &json!({"name": "porter"}));
    assert_eq!(gone.send().is(200)["items"], json!([]));
}

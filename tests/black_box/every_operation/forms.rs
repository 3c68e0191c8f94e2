//! Bodies are read as the document says, and not as a library would take them as well: at every level of every body.

use serde_json::{Value, json};

use super::house::House;
use super::{Operation, operations};
use crate::harness::{Answer, Server, date};

/// A body with one thing in it that is of another form: where that is, and what the body is then.
struct Other {
    at: String,
    body: Value,
}

/// Everything that one thing in a body can be put as: an object as an array of what its members are, a word as an object
/// with a member of that name.
fn others(body: &Value) -> Vec<Other> {
    let mut others = Vec::new();
    each_place(body, "", &mut |at, value| {
        let other = match value {
            Value::Object(members) => members.values().cloned().collect(),
            Value::String(text) => json!({text.as_str(): null}),
            _ => return,
        };
        let mut body = body.clone();
        *body.pointer_mut(at).unwrap() = other;
        others.push(Other { at: member(at), body });
    });
    others
}

fn each_place(value: &Value, at: &str, tell: &mut impl FnMut(&str, &Value)) {
    tell(at, value);
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                each_place(value, &format!("{at}/{name}"), tell);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                each_place(item, &format!("{at}/{n}"), tell);
            }
        }
        _ => {}
    }
}

/// A place as a problem names it: `/items/0/start_at` is `items[0].start_at`.
fn member(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).map(|step| match step.parse::<usize>() {
        Ok(n) => format!("[{n}]"),
        Err(_) => format!(".{step}"),
    });
    steps.collect::<String>().trim_start_matches('.').to_owned()
}

/// What says nothing to whoever does not know how the program is made.
const WORDS_OF_RUST: [&str; 12] = [
    "struct ", "enum ", "sequence", "a map", "tuple", "u8", "u16", "u32", "u64", "i64", "unit",
    "Body",
];

/// Why the body is not refused as it should be.
fn fault(answer: &Answer, at: &str) -> Option<String> {
    if (answer.status, &*answer.slug()) != (422, "invalid-body") {
        return Some(format!("{at}: {answer:?}"));
    }
    let problem = answer.json();
    let detail = problem["detail"].as_str().unwrap();
    let is_named = problem["member"].as_str().unwrap_or_default() == at;
    let of_rust = WORDS_OF_RUST.iter().find(|word| detail.contains(**word));
    (!is_named || of_rust.is_some()).then(|| format!("{at}: {problem}"))
}

/// Bodies with all that a member can be, besides those of the house.
fn rich_bodies(house: &House) -> Vec<(&'static str, String, Value)> {
    let room = &house.practice.room;
    let hours =
        json!([{"days": ["mon", "tue"], "from": "09:00", "to": "17:00", "valid_from": date(0)}]);
    let service = json!({
        "name": "Check-up", "category": "care", "tags": ["first"], "duration_minutes": 30,
        "price": {"amount_minor": 900, "currency": "EUR"},
        "rules": {"durations": [{"minutes": 60, "price": {"amount_minor": 1700, "currency": "EUR"}}],
                  "slot_step_minutes": 15, "minimum_notice_minutes": 60},
        "needs": [{"role": "room", "kind": "room", "tags": ["quiet"], "among": [room]}],
        "choose": "least-booked", "metadata": {"colour": "blue"},
    });
    let resource = json!({
        "name": "R", "kind": "room", "time_zone": "UTC", "weekly_hours": hours, "tags": ["quiet"],
        "metadata": {"colour": "blue"},
    });
    let mut booking = house.practice.booking(crate::harness::monday(18, 0)).body;
    booking["override"] = json!({"reason": "So it is"});
    booking["metadata"] = json!({"colour": "blue"});
    let hourly = json!({
        "kind": "extra-hours", "reason": "Training",
        "hours": {"from": format!("{}T09:00", date(201)), "to": format!("{}T10:00", date(201))},
    });
    let waits = json!({
        "service_id": house.practice.service, "client_id": house.practice.client,
        "resource_ids": [room], "from": date(100), "to": date(100), "times": hours,
    });
    let of = |kind: &str, id: &str| format!("/v1/{kind}/{id}");
    vec![
        ("POST", "/v1/services".to_owned(), service.clone()),
        ("PATCH", of("services", &house.practice.service), service),
        ("POST", "/v1/resources".to_owned(), resource),
        ("PATCH", of("resources", room), json!({"weekly_hours": hours, "metadata": {"a": "b"}})),
        ("POST", of("resources", room) + "/exceptions", hourly),
        ("POST", "/v1/appointments".to_owned(), booking.clone()),
        ("POST", "/v1/appointments:batch".to_owned(), json!({"items": [booking]})),
        ("POST", "/v1/waiting-list".to_owned(), waits),
    ]
}

/// `[900, "EUR"]` is no price, and `{"mon": null}` no day.
#[test]
fn nothing_in_a_body_is_taken_for_something_of_another_form() {
    let house = House::new();
    let bodies =
        operations().into_iter().filter_map(|Operation { method, path, parameters, .. }| {
            let asked = house.asked(&method, &path);
            let body = asked.body?;
            let query = if parameters.contains("dry_run") { "?dry_run=true" } else { "" };
            Some((method, asked.path + query, body))
        });
    let rich = rich_bodies(&house);
    let rich = rich
        .into_iter()
        .map(|(method, path, body)| (method.to_owned(), path + "?dry_run=true", body));
    let (mut tried, mut wrong) = (0, Vec::new());
    for (method, path, body) in bodies.chain(rich) {
        let send = |body: &Value| house.practice.api.request(&method, &path).json(body).send();
        let as_it_is = send(&body);
        assert!(as_it_is.status < 300, "{as_it_is:#?}");
        for Other { at, body } in others(&body) {
            tried += 1;
            wrong.extend(fault(&send(&body), &at).map(|why| format!("{method} {path} {why}")));
        }
    }
    assert!(tried > 150, "{tried}");
    assert!(wrong.is_empty(), "{} of {tried}: {}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_body_that_the_document_does_not_let_be_left_out_must_be_given() {
    let house = House::new();
    let settings = || house.practice.api.get("/v1/tenant/settings").send().is(200);
    house.practice.settings(&json!({"holds_per_client": 7}));
    let put = || house.practice.api.request("PUT", "/v1/tenant/settings");
    put().send().is_refused(422, "invalid-body");
    put().body("application/json", "").send().is_refused(422, "invalid-body");
    assert_eq!(settings()["holds_per_client"], 7, "nothing was set");
    put().json(&json!({})).send().is(200);
    assert_eq!(settings()["holds_per_client"], 3);
    // What the document says of the others is so.
    let document = Server::shared().api(None).get("/openapi.json").send().is(200);
    let mut left_out = 0;
    for operation in operations().iter().filter(|operation| operation.has("dry_run")) {
        let Operation { method, path, .. } = operation;
        let body = &document["paths"][path][method.to_lowercase()]["requestBody"];
        if body["content"]["application/json"].is_null() || path == "/v1/tenant/settings" {
            continue;
        }
        let asked = format!("{}?dry_run=true", house.asked(method, path).path);
        let answer = house.practice.api.request(method, &asked).send();
        if body["required"] == true {
            answer.is_refused(422, "invalid-body");
        } else {
            answer.has_status(200);
            left_out += 1;
        }
    }
    assert!(left_out > 5, "{left_out}");
}

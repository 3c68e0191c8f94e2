//! What is true of every operation that the OpenAPI document has: an unknown or empty parameter is refused, a dry run
//! changes nothing, the past can be asked for, and what was answered is of a position of the log.
//!
//! `examples`: those of the document. `forms`: bodies are read as it says. `headers`: answers have those that the document says. `feed`: events are told as the AsyncAPI document says. `house`: a practice in which each operation has something that it can be done to. An operation that is new is
//! put in there, or these tests fail.

mod examples;
mod feed;
mod forms;
mod headers;
pub(crate) mod house;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Answer, Request, Server, monday, today};
use house::{Asked, House};

/// What is asked of the program, and not of what has happened in a tenant: it has no past.
const OF_THE_PROGRAM: &[&str] = &[
    "/livez",
    "/readyz",
    "/v1/appointments/{id}/links",
    // What is planned is of now.
    "/v1/appointments/{id}/reminders",
    "/v1/audit",
    "/v1/audit/export",
    "/v1/clients/{id}/personal-data",
    "/v1/browser-sessions",
    "/v1/calendar-feeds",
    "/v1/calendar-feeds/{id}",
    "/v1/imports/{id}",
    "/v1/issuers",
    "/v1/issuers/{id}",
    "/v1/keys",
    "/v1/keys/{id}",
    "/v1/programs",
    "/v1/projections",
    "/v1/reminders",
    "/v1/templates",
    "/v1/templates/{kind}/{language}",
    "/v1/tenant/retention",
    "/v1/tenant/settings",
    "/v1/webhooks",
    "/v1/webhooks/{id}",
    "/v1/webhooks/{id}/deliveries",
];

/// An operation of the document.
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The names of its query's parameters.
    parameters: BTreeSet<String>,
    /// Whether it changes something that is there.
    takes_if_match: bool,
    /// Whether the document says that its answers are of a position of the log.
    has_position: bool,
}

impl Operation {
    pub(crate) fn has(&self, parameter: &str) -> bool {
        self.parameters.contains(parameter)
    }

    pub(crate) fn is_get(&self) -> bool {
        self.method == "GET"
    }
}

pub(crate) fn operations() -> Vec<Operation> {
    let document = Server::shared().api(None).get("/openapi.json").send().is(200);
    let mut all = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let named = |place: &str| -> BTreeSet<String> {
                let all = operation["parameters"].as_array().into_iter().flatten();
                let all = all.filter(|parameter| parameter["in"] == place);
                all.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
            };
            let responses = operation["responses"].as_object().unwrap().iter();
            let mut done = responses.filter(|(status, _)| status.starts_with('2'));
            all.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                parameters: named("query"),
                takes_if_match: named("header").contains("If-Match"),
                has_position: done.any(|(_, it)| it["headers"]["Daybook-Position"].is_object()),
            });
        }
    }
    assert!(all.len() > 60, "{}", all.len());
    all
}

/// The request, with more in its query.
pub(crate) fn request(house: &House, operation: &Operation, query: &str) -> Request {
    let Asked { path, body, calendar } = house.asked(&operation.method, &operation.path);
    let joint = if path.contains('?') { "&" } else { "?" };
    let path = if query.is_empty() { path } else { format!("{path}{joint}{query}") };
    let request = house.asks(&operation.path).request(&operation.method, &path);
    match (body, calendar) {
        (Some(body), _) => request.json(&body),
        (None, Some(calendar)) => request.body("text/calendar", calendar),
        (None, None) => request,
    }
}

pub(crate) fn send(house: &House, operation: &Operation, query: &str) -> Answer {
    request(house, operation, query).send()
}

/// Where the practice's log ends.
pub(crate) fn head(house: &House) -> u64 {
    let page = house.practice.api.get("/v1/events?after=latest").send().is(200);
    page["head"].as_u64().unwrap()
}

/// How many events after this position were asked for: what the program does by and by, as reminding, is not.
fn asked_for(house: &House, after: u64) -> usize {
    let page = format!("/v1/events?after={after}&limit=500");
    let page = house.practice.api.get(&page).send().is(200);
    let is_asked_for = |event: &&Value| !event["actor"].as_str().unwrap().starts_with("daybook:");
    page["items"].as_array().unwrap().iter().filter(is_asked_for).count()
}

#[test]
fn an_unknown_parameter_is_refused_by_its_name() {
    let house = House::new();
    for operation in operations() {
        for query in ["colour=red", "dryrun=true", "As_Of=position:1"] {
            let problem = send(&house, &operation, query).is_refused(400, "invalid-query");
            assert_eq!(problem["parameter"], query.split('=').next().unwrap());
        }
    }
}

/// It is not as good as left out: a filter whose value was forgotten would show everything.
#[test]
fn a_parameter_without_a_value_is_refused_by_its_name() {
    let house = House::new();
    for operation in operations() {
        for parameter in &operation.parameters {
            let answer = send(&house, &operation, &format!("{parameter}="));
            let problem = answer.is_refused(400, "invalid-query");
            assert_eq!(problem["parameter"], **parameter, "{problem}");
        }
    }
}

#[test]
fn a_dry_run_of_any_command_changes_nothing() {
    let house = House::new();
    let before = head(&house);
    let settings = || house.practice.api.get("/v1/tenant/settings").send().is(200);
    let settings_before = settings();
    let operations = operations();
    let (commands, others): (Vec<_>, Vec<_>) =
        operations.iter().partition(|operation| operation.has("dry_run"));
    for operation in &others {
        let problem = send(&house, operation, "dry_run=true").is_refused(400, "invalid-query");
        assert_eq!(problem["parameter"], "dry_run");
        let searches = ["/v1/availability/search", "/v1/clients/search", "/v1/templates/preview"];
        let reads = operation.is_get() || searches.contains(&&*operation.path);
        assert!(reads, "{} {} has no dry_run", operation.method, operation.path);
    }
    assert!(commands.len() > 35, "{}", commands.len());
    for operation in &commands {
        let asked = request(&house, operation, "dry_run=true").header("idempotency-key", "tried");
        let tried = asked.send();
        tried.is(200);
        for header in ["location", "etag", "daybook-position"] {
            assert_eq!(tried.header(header), None, "nothing has happened: {tried:#?}");
        }
    }
    assert_eq!(asked_for(&house, before), 0);
    assert_eq!(settings(), settings_before);
    // Each would have happened, if it had been meant.
    for operation in &commands {
        let before = head(&house);
        let done = send(&house, operation, "dry_run=false");
        assert!([200, 201, 202].contains(&done.status), "{done:#?}");
        assert_eq!(asked_for(&house, before) > 0, operation.has_position, "{done:#?}");
    }
    assert_ne!(settings(), settings_before);
}

#[test]
fn every_answer_to_a_command_or_of_the_log_has_a_position() {
    let house = House::new();
    let mut operations = operations();
    operations.retain(|operation| operation.has_position);
    assert!(operations.len() > 50, "{}", operations.len());
    // What is read is there before commands change it.
    operations.sort_by_key(|operation| !operation.is_get());
    for operation in &operations {
        let answer = send(&house, operation, "");
        assert!([200, 201].contains(&answer.status), "{answer:#?}");
        assert!(answer.position() <= head(&house), "{answer:#?}");
    }
}

#[test]
fn what_would_be_refused_is_refused_in_a_dry_run() {
    let house = House::new();
    let before = head(&house);
    let operations = operations();
    let changes = operations.iter().filter(|operation| operation.takes_if_match);
    let stale: Vec<Answer> = changes
        .map(|operation| {
            let asked = request(&house, operation, "dry_run=true");
            asked.header("if-match", "\"900\"").send()
        })
        .collect();
    assert!(stale.len() > 20, "{}", stale.len());
    for answer in &stale {
        answer.is_refused(412, "stale-version");
    }
    let taken = house.practice.booking(monday(0, 0)).body;
    let tried = house.practice.api.post("/v1/appointments?dry_run=true", &taken).send();
    tried.is_refused(409, "slot-taken");
    assert_eq!(asked_for(&house, before), 0);
}

/// Of two that want the same, the first would have it: also where neither has it.
#[test]
fn a_dry_run_of_a_batch_sees_what_its_items_would_take_from_each_other() {
    let house = House::new();
    let before = head(&house);
    let booking = |hour| house.practice.booking(monday(hour, 0)).body;
    let items = json!([booking(20), booking(20), booking(21)]);
    let try_out = |atomic: bool| {
        let body = json!({"atomic": atomic, "items": items});
        house.practice.api.post("/v1/appointments:batch?dry_run=true", &body).send()
    };
    let each = try_out(false).is(200);
    let statuses: Vec<u64> =
        each["items"].as_array().unwrap().iter().map(|it| it["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 409, 200]);
    assert_eq!(each["items"][1]["problem"]["type"], "urn:daybook:problem:slot-taken");
    assert_eq!(try_out(true).is_refused(409, "slot-taken")["index"], 1);
    assert_eq!(asked_for(&house, before), 0);
}

#[test]
fn whatever_is_read_can_be_read_as_of_a_moment() {
    let house = House::new();
    let (operations, head) = (operations(), head(&house));
    for operation in operations.iter().filter(|operation| operation.is_get()) {
        let as_of = |moment: &str| send(&house, operation, &format!("as_of={moment}"));
        if OF_THE_PROGRAM.contains(&&*operation.path) {
            let problem = as_of("position:1").is_refused(400, "invalid-query");
            assert_eq!(problem["parameter"], "as_of");
            continue;
        }
        assert!(operation.has("as_of"), "{}", operation.path);
        as_of(&format!("position:{head}")).has_status(200);
        let ahead = as_of(&format!("position:{}", head + 1));
        assert_eq!(ahead.is_refused(400, "position-ahead")["head"], head);
        as_of("2190-01-01").is_refused(400, "moment-ahead");
        as_of("2190-01-01T00:00:00Z").is_refused(400, "moment-ahead");
        for bad in ["position:", "2026-02-30", "2026-12-01T10:00", "soon"] {
            as_of(bad).is_refused(400, "invalid-query");
        }
        as_of(&today().to_string()).has_status(200);
        // What it is about may not have been there; what there was then was nothing.
        let then = as_of("2020-01-01");
        if operation.path.ends_with("/diff") {
            // Its first moment was not known then.
            assert_eq!(then.is_refused(400, "invalid-query")["parameter"], "from");
            continue;
        }
        if operation.path == "/v1/availability" {
            then.is_refused(422, "unknown-service");
            continue;
        }
        assert!([200, 404].contains(&then.status), "{then:#?}");
        if then.status == 200 && !operation.path.starts_with("/v1/events/") {
            assert_eq!(items(&then.json()), 0, "{then:#?}");
        }
    }
}

/// Every answer that is given now is given again by whoever asks for this moment later.
#[test]
fn what_was_answered_is_the_answer_as_of_then() {
    let house = House::new();
    let operations = operations();
    let is_compared = |operation: &&Operation| {
        // A comparison says when it was made.
        let compares = operation.path.ends_with("/diff");
        let is_open = operation.path == "/v1/events/stream";
        operation.is_get() && operation.has("as_of") && !compares && !is_open
    };
    let reads: Vec<&Operation> = operations.iter().filter(is_compared).collect();
    assert!(reads.len() > 20, "{}", reads.len());
    let mut told: Vec<(u64, Vec<String>)> = Vec::new();
    let mut tell = || {
        let head = head(&house);
        let fresh = format!("min_position={head}");
        let answers = reads.iter().map(|operation| {
            let query = if operation.has("min_position") { &*fresh } else { "" };
            shown(operation, &send(&house, operation, query))
        });
        told.push((head, answers.collect()));
    };
    tell();
    for (n, operation) in operations.iter().filter(|it| it.has("dry_run")).enumerate() {
        // A place that comes free is offered by and by, and not at once; who is erased was nobody at any moment.
        let later = operation.path.starts_with("/v1/waiting-list");
        if later || operation.path.ends_with("/erase") {
            continue;
        }
        let done = send(&house, operation, "");
        assert!([200, 201, 202].contains(&done.status), "{done:#?}");
        if n % 4 == 0 {
            tell();
        }
    }
    tell();
    let mut wrong = Vec::new();
    for (position, answers) in &told {
        for (operation, was) in reads.iter().zip(answers) {
            let then = send(&house, operation, &format!("as_of=position:{position}"));
            let then = shown(operation, &then);
            if then != *was {
                wrong.push(format!("{} at {position}\nwas  {was}\nthen {then}", operation.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {:#?}", wrong.len(), told.len() * reads.len(), &wrong[0]);
}

/// What an answer says, but for when it was given.
fn shown(operation: &Operation, answer: &Answer) -> String {
    if !answer.header("content-type").is_some_and(|it| it.ends_with("/json")) {
        return format!("{} {}", answer.status, answer.text);
    }
    let mut body = answer.json();
    match &*operation.path {
        "/v1/agenda" => body["at"] = Value::Null,
        // Of what has passed, no list is kept of who came before.
        "/v1/waiting-list/{id}" => body["queue_position"] = Value::Null,
        _ => {}
    }
    format!("{} {body}", answer.status)
}

/// The items of an answer, where it has any.
fn items(answer: &Value) -> usize {
    answer["items"].as_array().map_or(0, Vec::len)
}

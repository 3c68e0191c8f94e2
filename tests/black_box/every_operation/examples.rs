//! The examples of the document: each request is made, and the answer is the one that the document has.
//!
//! They are recorded by this very test (`cargo xtask examples`), in a house of its own. Ids, days and whatever else is new each
//! time are written as the examples have them.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::house::{Asked, House};
use super::{head, operations, request};
use crate::clients::repository;
use crate::harness::{Answer, Server, date};

/// The Monday on which things are in the examples, and when they were made.
const MONDAY: &str = "2027-03-01";
const NOW: &str = "2027-02-01T09:00:00Z";

/// Answers that say how the program is at that moment, or in which what is due at once comes by its id: only what they have is
/// compared.
const OF_THE_MOMENT: [&str; 7] = [
    "GET /v1/appointments/{id}/links",
    "GET /v1/keys",
    "GET /v1/reminders",
    "GET /readyz",
    "GET /v1/programs",
    "GET /v1/projections",
    "POST /v1/projections/{name}/rebuild",
];

/// So many items of a list are shown.
const SHOWN: usize = 2;

fn file() -> PathBuf {
    repository().join("api/src/openapi/examples.json")
}

/// Writes what is new each time as the examples have it.
#[derive(Clone)]
struct AsWritten {
    tenant: String,
    now: DateTime<Utc>,
    ids: BTreeMap<String, String>,
}

impl AsWritten {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().take(SHOWN).map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| {
                    let value = match (&**name, value) {
                        ("next_cursor" | "cursor", Value::String(_)) => json!("eyJhZnRlciI6MTd9"),
                        ("secret", Value::String(_)) => json!("whsec_{secret}"),
                        ("path", Value::String(path)) if path.starts_with("/calendars/") => {
                            json!("/calendars/{secret}.ics")
                        }
                        // How long ago it was booked depends on the day of the test.
                        ("mean_lead_minutes" | "median_lead_minutes", Value::Number(_)) => {
                            json!(40320.0)
                        }
                        // The program may have reminded somebody meanwhile.
                        ("events_behind", Value::Number(_)) => json!(0),
                        // How far it is worked out depends on the day of the week.
                        ("worked_out_to", Value::String(_)) => json!("2027-05-04"),
                        _ => self.value(value),
                    };
                    (self.text(name), value)
                });
                Value::Object(members.collect())
            }
            other => other.clone(),
        }
    }

    /// A text, word by word.
    fn text(&mut self, text: &str) -> String {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "-:.+_".contains(c);
        let mut written = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let of_word = is_word(first);
            let end = rest.find(|c: char| is_word(c) != of_word).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            if of_word {
                written += &self.word(part);
            } else {
                written += part;
            }
            rest = after;
        }
        written
    }

    fn word(&mut self, word: &str) -> String {
        if word.starts_with("daybook_") {
            return "daybook_{id}_{secret}_{checksum}".to_owned();
        }
        if word == self.tenant {
            return "clinic".to_owned();
        }
        // Of what is written anew each time.
        if word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return "0f".repeat(32);
        }
        if let Some((name, key)) = word.split_once(':')
            && name == "key"
        {
            return format!("key:{}", self.id(key));
        }
        if uuid::Uuid::try_parse(word).is_ok() {
            return self.id(word);
        }
        if let Ok(instant) = DateTime::parse_from_rfc3339(word) {
            return self.instant(instant.to_utc(), word);
        }
        for between in [':', '.'] {
            if word.contains(between) {
                let parts: Vec<_> = word.split(between).map(|part| self.word(part)).collect();
                return parts.join(&between.to_string());
            }
        }
        // `YYYY-MM-DD`, perhaps with a local time, and as calendars have it.
        for (length, format) in [(10, "%Y-%m-%d"), (8, "%Y%m%d")] {
            let day =
                word.get(..length).and_then(|day| NaiveDate::parse_from_str(day, format).ok());
            if let Some(day) = day
                && word[length..].chars().next().is_none_or(|c| c == 'T')
                && day >= date(0) - Days::new(7)
            {
                return format!("{}{}", moved(day).format(format), &word[length..]);
            }
        }
        word.to_owned()
    }

    /// Ids are counted, in the order in which they are seen.
    fn id(&mut self, id: &str) -> String {
        let count = self.ids.len() + 1;
        let id = self.ids.entry(id.to_owned());
        id.or_insert_with(|| format!("0192f0c1-2d2f-7c51-9f0a-{count:012}")).clone()
    }

    /// What is to come is moved with its Monday; what is of now is of then.
    fn instant(&self, instant: DateTime<Utc>, word: &str) -> String {
        if instant.date_naive() >= date(0) - Days::new(7) {
            return format!("{}{}", moved(instant.date_naive()), &word[10..]);
        }
        let minutes = (instant - self.now).num_seconds().div_euclid(60);
        // What was made since the test began was made at once.
        let minutes = (minutes + 2).div_euclid(5) * 5;
        let now: DateTime<Utc> = NOW.parse().unwrap();
        let then = now + TimeDelta::minutes(minutes);
        then.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }
}

fn moved(day: NaiveDate) -> NaiveDate {
    let monday: NaiveDate = MONDAY.parse().unwrap();
    monday + (day - date(0))
}

/// What was asked and answered, as the examples have it.
fn exchange(written: &mut AsWritten, template: &str, asked: &Asked, answer: &Answer) -> Value {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let mut parameters = Map::new();
    for (name, value) in template.split('/').zip(path.split('/')) {
        if let Some(name) = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            parameters.insert(name.to_owned(), json!(written.text(value)));
        }
    }
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        parameters.insert(name.to_owned(), json!(written.text(value)));
    }
    let mut exchange = json!({"parameters": parameters});
    match (&asked.body, &asked.calendar) {
        (Some(body), _) => exchange["body"] = whole(written, body),
        (None, Some(calendar)) => exchange["body"] = json!(written.text(calendar)),
        (None, None) => {}
    }
    exchange["status"] = json!(answer.status);
    let content = answer.header("content-type").unwrap_or_default();
    let media_type = content.split(';').next().unwrap();
    exchange["media_type"] = json!(media_type);
    exchange["answer"] = if media_type == "application/json" {
        written.value(&answer.json())
    } else if media_type == "text/event-stream" {
        last_event(&answer.text)
    } else {
        let lines: Vec<&str> = answer.text.split_inclusive('\n').take(SHOWN).collect();
        json!(written.text(&lines.concat()))
    };
    exchange
}

/// The last event of a stream, by its fields.
fn last_event(stream: &str) -> Value {
    let event = stream.trim_end().rsplit("\n\n").next().unwrap();
    let fields = event.lines().filter_map(|line| line.split_once(": "));
    let fields = fields.map(|(name, value)| {
        // When to come back is drawn by lot.
        let value = if name == "retry" { json!(1500) } else { json!(value) };
        (name.to_owned(), value)
    });
    Value::Object(fields.collect())
}

/// A request's body is shown with all its items.
fn whole(written: &mut AsWritten, body: &Value) -> Value {
    match body {
        Value::Array(items) => items.iter().map(|item| whole(written, item)).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), whole(written, value)));
            Value::Object(members.collect())
        }
        other => written.value(other),
    }
}

/// Asks all that can be asked, and first whatever changes nothing.
fn recorded() -> BTreeMap<String, Value> {
    let house = House::new();
    let mut written = AsWritten {
        tenant: house.practice.tenant.clone(),
        now: SystemTime::now().into(),
        ids: BTreeMap::new(),
    };
    let mut operations = operations();
    operations.sort_by_key(|operation| !operation.is_get());
    // Lists show all that the house has.
    let made = head(&house).to_string();
    let exchanges = operations.iter().map(|operation| {
        let asked = house.asked(&operation.method, &operation.path);
        let request = request(&house, operation, "");
        let answer = request.header("daybook-min-position", &made).send();
        assert!([200, 201, 202].contains(&answer.status), "{answer:#?}");
        let name = format!("{} {}", operation.method, operation.path);
        // What it shows of the moment has no say in how the ids of others are written.
        let mut of_the_moment = OF_THE_MOMENT.contains(&&*name).then(|| written.clone());
        let written = of_the_moment.as_mut().unwrap_or(&mut written);
        let exchange = exchange(written, &operation.path, &asked, &answer);
        (name, exchange)
    });
    exchanges.collect()
}

/// What a value has, without what that is; and without how far a build is, and when a key was used, of which more is known
/// later.
fn shape(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(name, _)| !["build", "last_used_at"].contains(&&***name))
                .map(|(name, value)| (name.clone(), shape(value)))
                .collect(),
        ),
        Value::String(_) => json!("a string"),
        Value::Number(_) => json!(0),
        other => other.clone(),
    }
}

#[test]
fn each_example_of_the_document_is_asked_and_answered_so() {
    let recorded = recorded();
    if env::var("DAYBOOK_EXAMPLES").is_ok_and(|what| what == "write") {
        fs::write(file(), serde_json::to_string_pretty(&recorded).unwrap() + "\n").unwrap();
        return;
    }
    let text = fs::read_to_string(file()).unwrap();
    let examples: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let names = |all: &BTreeMap<String, Value>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&recorded), names(&examples), "`cargo xtask examples` writes them anew");
    for (operation, is) in &recorded {
        let (mut is, mut example) = (is.clone(), examples[operation].clone());
        if OF_THE_MOMENT.contains(&&**operation) {
            (is, example) = (shape(&is), shape(&example));
        }
        assert_eq!(is, example, "{operation}: `cargo xtask examples` writes the examples anew");
    }
}

#[test]
fn the_document_has_an_example_of_each_request_and_answer() {
    let document = Server::shared().api(None).get("/openapi.json").send().is(200);
    let text = fs::read_to_string(file()).unwrap();
    let examples: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    for operation in operations() {
        let name = format!("{} {}", operation.method, operation.path);
        let example = &examples[&name];
        let described = &document["paths"][&operation.path][operation.method.to_lowercase()];
        let of = |content: &Value| {
            let all = content["content"].as_object().into_iter().flatten();
            all.map(|(_, media_type)| media_type["example"].clone()).find(|it| !it.is_null())
        };
        let status = example["status"].to_string();
        assert_eq!(of(&described["responses"][&status]), Some(example["answer"].clone()), "{name}");
        let body = example.get("body").cloned();
        assert_eq!(of(&described["requestBody"]), body, "{name}");
        for (parameter, value) in example["parameters"].as_object().unwrap() {
            let mut all = described["parameters"].as_array().unwrap().iter();
            let said = all.find(|it| it["name"] == *parameter).unwrap();
            let value = match said["schema"]["type"].as_str() {
                Some("integer") => json!(value.as_str().unwrap().parse::<u64>().unwrap()),
                Some("array") => json!([value]),
                _ => value.clone(),
            };
            assert_eq!(said["example"], value, "{name} {parameter}");
        }
    }
}

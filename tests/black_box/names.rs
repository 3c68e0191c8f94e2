//! One thing has one name: what the table in `docs/api.md` says, and what follows from the types.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chrono::DateTime;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::events::a_full_history;
use crate::harness::{Database, Server, a_practice, eventually, id_of, monday, utc};

/// Names that are those of a standard: of a problem (RFC 9457) and of a CloudEvent.
const OF_STANDARDS: [&str; 3] = ["type", "time", "sequence"];

/// Words that are those of a standard: of JOSE (RFC 7518, RFC 8037) and of media types (RFC 9068).
const WORDS_OF_STANDARDS: [&str; 6] = ["RS256", "PS256", "ES256", "EdDSA", "at+jwt", "JWT"];

/// What is a length or an instant in a query, and no member of a thing.
const IN_QUERIES: [&str; 4] = ["tz", "from", "to", "as_of"];

/// The names that the table says nothing is called by.
fn never() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("| name | what it is | never called |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names: BTreeSet<String> = rows
        .filter_map(|row| row.trim_end_matches('|').rsplit('|').next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    names
}

/// What is wrong with a name.
fn fault(name: &str, never: &BTreeSet<String>) -> Option<&'static str> {
    let fits = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if never.contains(name) && !OF_STANDARDS.contains(&name) {
        Some("it has another name")
    } else if !fits {
        Some("it is not snake_case")
    } else {
        None
    }
}

/// What is wrong with the name of something of this form.
fn fault_of_form(name: &str, form: &str) -> Option<&'static str> {
    let is = |one: &str, suffix: &str| name == one || name.ends_with(suffix);
    match form {
        "date-time" if !is("at", "_at") && !OF_STANDARDS.contains(&name) => {
            Some("it is an instant: it ends in _at")
        }
        "uuid" if !is("id", "_id") => Some("it is an id: it ends in _id"),
        _ if is("at", "_at") && form != "date-time" => Some("it ends in _at and is no instant"),
        _ => None,
    }
}

/// Looks at every member of every schema.
fn look(at: &str, schema: &Value, never: &BTreeSet<String>, faults: &mut Vec<String>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let form = member["format"].as_str().unwrap_or_default();
        let found = [fault(name, never), fault_of_form(name, form)];
        faults.extend(found.into_iter().flatten().map(|why| format!("{at}.{name}: {why}")));
    }
    for word in schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !word.chars().all(is_kebab) && !WORDS_OF_STANDARDS.contains(&word) {
            faults.push(format!("{at}: {word:?} is not kebab-case"));
        }
    }
    match schema {
        Value::Object(parts) => {
            for (name, part) in parts {
                look(&format!("{at}/{name}"), part, never, faults);
            }
        }
        Value::Array(parts) => parts.iter().for_each(|part| look(at, part, never, faults)),
        _ => {}
    }
}

#[test]
fn every_member_and_parameter_of_the_documents_has_the_one_name_of_its_thing() {
    let [document, feed] = ["/openapi.json", "/asyncapi.json"]
        .map(|path| Server::shared().api(None).get(path).send().is(200));
    let (never, mut faults) = (never(), Vec::new());
    for document in [&document, &feed] {
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            look(name, schema, &never, &mut faults);
        }
    }
    let mut parameters = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                parameters += 1;
                let name = parameter["name"].as_str().unwrap();
                if parameter["in"] == "header" || IN_QUERIES.contains(&name) {
                    continue;
                }
                let why = fault(name, &never);
                faults.extend(why.map(|why| format!("{method} {path}?{name}: {why}")));
            }
        }
    }
    assert!(parameters > 100);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_column_of_the_views_for_analysts_has_the_one_name_of_its_thing() {
    let database = Database::fresh();
    let _server = Server::start(&database);
    let mut sql = database.sql();
    let columns = "SELECT v.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod)
                     FROM pg_class v
                     JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0
                    WHERE v.relnamespace = to_regnamespace('analytics') AND v.relkind = 'v' AND $1 <> ''";
    let rows = eventually("the views are published", || {
        let rows = sql.rows(columns, "any");
        (rows.len() > 40).then_some(rows)
    });
    let never = never();
    let mut faults = Vec::new();
    for row in rows {
        let (view, column, kind): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let form = match &*kind {
            "uuid" => "uuid",
            "timestamp with time zone" => "date-time",
            _ => "",
        };
        let found = [fault(&column, &never), fault_of_form(&column, form)];
        faults.extend(found.into_iter().flatten().map(|why| format!("{view}.{column}: {why}")));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_member_of_an_event_and_column_of_an_export_has_the_one_name_of_its_thing() {
    let practice = a_full_history();
    let never = never();
    let mut faults: BTreeMap<String, &'static str> = BTreeMap::new();
    let lines = practice.api.get("/v1/events/export?format=ndjson").send();
    let events: Vec<Value> =
        lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.len() > 20);
    for event in &events {
        members(event["type"].as_str().unwrap(), &event["data"], &mut |at, name, value| {
            let text = value.as_str().unwrap_or_default();
            let instant = DateTime::parse_from_rfc3339(text).is_ok();
            let form = if instant { "date-time" } else { "" };
            let found = [fault(name, &never), fault_of_form(name, form)];
            faults.extend(found.into_iter().flatten().map(|why| (format!("{at}.{name}"), why)));
            if value.is_null() {
                faults.insert(format!("{at}.{name}"), "it is null, and not left out");
            }
        });
    }
    let table = practice.api.get("/v1/events/export?format=csv").send();
    for name in table.text.lines().next().unwrap().split(',') {
        faults.extend(fault(name, &never).map(|why| (format!("csv {name}"), why)));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Every member of a value, whatever it is in.
fn members(at: &str, value: &Value, look: &mut impl FnMut(&str, &str, &Value)) {
    match value {
        Value::Object(all) => {
            for (name, member) in all {
                look(at, name, member);
                members(&format!("{at}.{name}"), member, look);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(at, item, look)),
        _ => {}
    }
}

#[test]
fn an_event_that_was_stored_with_other_names_is_read_with_todays_and_stays_as_it_was() {
    let practice = a_practice();
    let booked = practice.booked(monday(10, 0));
    let mut sql = Server::shared().database.sql();
    // As 1.0 of it was written.
    sql.change(
        r#"UPDATE events
              SET event_version = '1.0',
                  payload = replace(replace(payload::text, '"start_at"', '"start"'), '"end_at"', '"end"')::json
            WHERE tenant_id = $1 AND event_type = 'AppointmentBooked'"#,
        &practice.tenant,
    );
    let id = id_of(&booked);
    assert_eq!(practice.appointment(&id), booked);
    let told = practice.api.get(&format!("/v1/appointments/{id}/events")).send().is(200);
    let during = json!({"start_at": booked["start_at"], "end_at": booked["end_at"]});
    assert_eq!(told["items"][0]["data"]["slot"]["during"], during);
    let query = "/v1/events?event_type=AppointmentBooked";
    let told = practice.api.get(query).send().is(200);
    assert_eq!(told["items"][0]["data"]["slot"]["during"], during);
    assert_eq!(told["items"][0]["dataschema"], "urn:daybook:schema:AppointmentBooked:2.0");
    let table =
        practice.api.get("/v1/events/export?format=csv&event_type=AppointmentBooked").send();
    assert!(table.text.contains(booked["start_at"].as_str().unwrap()), "{table:#?}");
    practice.act(&booked, "reschedule", &json!({"start_at": utc(monday(12, 0))})).is(200);
    let stored = "SELECT count(*) FROM events
                   WHERE tenant_id = $1 AND event_version = '1.0' AND payload -> 'slot' -> 'during' ->> 'start' IS NOT NULL";
    assert_eq!(sql.number(stored, &practice.tenant), 1);
}

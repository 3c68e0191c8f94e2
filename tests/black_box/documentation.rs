//! `/livez`, `/readyz`, `/openapi.json` and `/docs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Answer, Api, Server, a_practice};

fn open(path: &str) -> Answer {
    Server::shared().api(None).get(path).send()
}

/// The page, wherever it has moved to.
fn page(path: &str) -> (String, Answer) {
    let answer = open(path);
    match (answer.status, answer.header("location")) {
        (301 | 302 | 303 | 307 | 308, Some(to)) => {
            let to = to.to_owned();
            let moved = open(&to);
            (to, moved)
        }
        _ => (path.to_owned(), answer),
    }
}

#[test]
fn a_server_says_that_it_lives_and_is_ready() {
    open("/livez").has_status(200);
    open("/readyz").has_status(200);
}

#[test]
fn the_root_shows_where_to_go() {
    let index = open("/").is(200);
    for at in ["documentation", "openapi", "asyncapi"] {
        open(index[at].as_str().unwrap()).has_status(200);
    }
    let accept = "text/html,application/xhtml+xml;q=0.9";
    let browser = Server::shared().api(None).get("/").header("accept", accept).send();
    assert_eq!((browser.status, browser.header("location")), (303, Some("/docs")), "{browser:#?}");
}

#[test]
fn the_document_is_openapi_3_1_and_says_which_key_each_route_takes() {
    let answer = open("/openapi.json");
    let document = answer.is(200);
    assert!(answer.header("content-type").unwrap().starts_with("application/json"));
    let version = document["openapi"].as_str().unwrap();
    assert!(version.starts_with("3.1."), "{version}");
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    assert!(schemes.values().any(|scheme| scheme["scheme"] == "bearer"), "{schemes:?}");
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let secured = operation["security"].as_array().is_some_and(|s| !s.is_empty());
            assert_eq!(secured, path.starts_with("/v1/"), "{method} {path}");
            let takes = |key: &str| {
                let keys = operation["security"].as_array().into_iter().flatten();
                keys.clone().any(|takes| takes[key].is_array())
            };
            assert_eq!(operation["x-scope"].is_string(), takes("api_key"), "{method} {path}");
            assert_eq!(secured, takes("api_key") || takes("operator_key"), "{method} {path}");
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(!summary.is_empty(), "{method} {path} has a summary");
        }
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = open("/openapi.json").is(200);
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("inside the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn each_document_is_the_one_that_the_program_prints_and_that_is_committed() {
    for name in ["openapi", "asyncapi"] {
        let served = open(&format!("/{name}.json")).is(200);
        let printed = Server::shared().database.run(&[name]).succeeded();
        assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), served);
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../api/{name}.json"));
        let committed = fs::read_to_string(committed).unwrap();
        assert!(committed == printed, "`cargo xtask openapi` writes api/{name}.json anew");
    }
}

/// What a page loads: the values of its `src`, and the `href` of its `<link>`s.
fn assets(html: &str) -> Vec<&str> {
    let elements = html.split('<').filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag));
    elements
        .filter_map(|tag| {
            let name = if tag.starts_with("link") { "href=\"" } else { "src=\"" };
            tag.split_once(name)?.1.split('"').next()
        })
        .collect()
}

#[test]
fn the_documentation_works_without_the_internet() {
    let (path, answer) = page("/docs");
    assert_eq!(answer.status, 200, "{answer:#?}");
    assert!(answer.header("content-type").unwrap().starts_with("text/html"));
    let base = path.rsplit_once('/').unwrap().0;
    for asset in assets(&answer.text) {
        assert!(!asset.starts_with("//") && !asset.contains("://"), "from outside: {asset}");
        let path = match asset.strip_prefix('/') {
            Some(_) => asset.to_owned(),
            None => format!("{base}/{}", asset.trim_start_matches("./")),
        };
        let loaded = open(&path);
        assert_eq!(loaded.status, 200, "{path}");
        let text = &loaded.text;
        for outside in ["@import url(http", "url(http", "importScripts(\"http"] {
            assert!(!text.contains(outside), "{path} loads from outside");
        }
    }
    for outside in ["src=\"http", "src='http", "@import", "fetch(\"http", "url(http"] {
        assert!(!answer.text.contains(outside), "{outside} in {}", answer.text);
    }
}

#[test]
fn assets_are_what_a_page_loads() {
    let html = r#"<link rel="stylesheet" href="./a.css"><a href="https://example.org/">x</a>
        <script src="https://example.org/b.js" charset="UTF-8"></script>"#;
    assert_eq!(assets(html), ["./a.css", "https://example.org/b.js"]);
}

/// A path of the document, as a request has it: the ids in it are of nothing.
fn filled(path: &str) -> String {
    let ids = ["{id}", "{exception_id}", "{link_id}"];
    let path = ids.iter().fold(path.to_owned(), |path, id| path.replace(id, NOTHING));
    let path = path.replace("{kind}", "reminder").replace("{language}", "nb");
    path.replace("{name}", "no-such-projection")
}

const NOTHING: &str = "01890000-0000-7000-8000-000000000000";

/// What a request is told of one parameter of its query, if anything.
fn told_of(api: &Api, method: &str, path: &str, query: &str, name: &str) -> Option<String> {
    let request = api.request(&method.to_uppercase(), &format!("{}?{query}", filled(path)));
    let request = if method == "get" { request } else { request.json(&json!({})) };
    let answer = request.send();
    let problem: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let is_of_it = problem["type"] == "urn:daybook:problem:invalid-query"
        && problem["parameter"] == name
        && answer.status == 400;
    is_of_it.then(|| problem["detail"].as_str().unwrap().to_owned())
}

/// Something that a parameter can be.
fn a_value(parameter: &Value) -> &'static str {
    match parameter["schema"]["format"].as_str() {
        Some("uuid") => NOTHING,
        Some("date") => "2027-01-01",
        _ => "2020-01-01T00:00:00Z",
    }
}

/// The operations of the API, each with its query parameters. Those of the program's health take what
/// they are given: whoever watches may add what they like.
fn operations(document: &Value) -> Vec<(&str, &str, Vec<&Value>)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.filter(|(path, _)| path.starts_with("/v1/")).flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let of_query = parameters.filter(|parameter| parameter["in"] == "query");
            (method.as_str(), path.as_str(), of_query.collect())
        })
    });
    operations.collect()
}

fn name_of(parameter: &Value) -> &str {
    parameter["name"].as_str().unwrap()
}

#[test]
fn every_parameter_that_is_documented_is_known_and_no_other_is() {
    let (practice, operator) = (a_practice(), Server::shared().keyed_operator());
    let document = open("/openapi.json").is(200);
    let operations = operations(&document);
    let all = operations.iter().flat_map(|(_, _, parameters)| parameters.iter().copied());
    let mut all: BTreeSet<&str> = all.map(name_of).collect();
    assert!(all.len() > 25, "{all:?}");
    all.insert("colour");
    for (method, path, parameters) in operations {
        // All that must be given, so that nothing else is wrong.
        let given = |but: &str| {
            let given = parameters.iter().filter(|it| it["required"] == true && it["name"] != but);
            let given = given.map(|it| format!("&{}={}", name_of(it), a_value(it)));
            // What has an end.
            let end = if path.ends_with("/stream") { "&to=2000-01-01" } else { "" };
            given.collect::<String>() + end
        };
        let told = |name: &str, query: &str| {
            let query = format!("{query}{}", given(name));
            let is_operators = document["paths"][path][method]["x-scopes"].is_null();
            let api = if is_operators { &operator } else { &practice.api };
            told_of(api, method, path, &query, name)
        };
        for name in &all {
            let at = format!("{name} of {method} {path}");
            let unknown = Some(format!("{name}: this route has no such parameter"));
            let is_told = told(name, &format!("{name}=x"));
            let Some(parameter) = parameters.iter().find(|it| it["name"] == *name) else {
                assert_eq!(is_told, unknown, "{at} is not documented");
                continue;
            };
            assert_ne!(is_told, unknown, "{at}");
            let twice = Some(format!("{name}: given more than once"));
            let is_list = parameter["schema"]["type"] == "array";
            let is_told = told(name, &format!("{name}=x&{name}=x"));
            assert_eq!(is_told == twice, !is_list, "{at}: {is_told:?}");
            let empty = format!("{name}: it is empty: give it a value, or leave it out");
            assert_eq!(told(name, &format!("{name}=")), Some(empty), "{at}");
            let missing = Some(format!("{name}: it must be given"));
            let is_told = told(name, "");
            assert_eq!(is_told == missing, parameter["required"] == true, "{at}: {is_told:?}");
        }
    }
}

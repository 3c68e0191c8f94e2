//! The document keeps what the one of the last release has promised (docs/versions.md).

use std::fs;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::comparison::breaks;
use crate::clients::repository;

fn today() -> String {
    DateTime::<Utc>::from(SystemTime::now()).date_naive().to_string()
}

fn read(path: &str) -> Value {
    let text = fs::read_to_string(repository().join(path)).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn what_the_last_release_has_promised_is_kept() {
    let broken = breaks(&read("api/openapi-v1.json"), &read("api/openapi.json"), &today());
    assert!(
        broken.is_empty(),
        "this breaks clients of the last release (docs/versions.md says what may be changed; before the first release, \
         `cargo xtask promise` takes the document as it is):\n{}",
        broken.join("\n")
    );
}

/// A document of one operation.
fn a_document() -> Value {
    json!({
        "paths": {"/v1/things": {"post": {
            "operationId": "make", "x-scope": "book", "x-scopes": ["book"],
            "parameters": [
                {"name": "kind", "in": "query", "schema": {"type": "string", "enum": ["a", "b"]}},
                {"name": "ids", "in": "query", "style": "form", "explode": true,
                 "schema": {"type": "array", "maxItems": 9, "items": {"type": "string"}}},
            ],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wish"}}}},
            "responses": {
                "201": {"headers": {"ETag": {"required": true, "schema": {"type": "string"}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "409": {"description": "No."},
            },
        }}},
        "components": {"schemas": {
            "Wish": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "maxLength": 80},
                "size": {"type": "integer", "minimum": 1},
                "at": {"oneOf": [{"type": "string", "format": "date"}, {"type": "integer"}]},
            }},
            "Thing": {"type": "object", "required": ["id", "state"], "properties": {
                "id": {"type": "string", "format": "uuid"},
                "state": {"type": "string", "enum": ["new", "old"]},
                "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
            }},
        }},
    })
}

const OPERATION: &str = "/paths/~1v1~1things/post";
const WISH: &str = "/components/schemas/Wish";
const THING: &str = "/components/schemas/Thing";

/// What is found where the document has this value at this place (none: nothing).
fn found(pointer: &str, value: Option<Value>) -> Vec<String> {
    let old = a_document();
    let mut new = old.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = new.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}"));
    match (parent, value) {
        (Value::Object(members), Some(value)) => {
            drop(members.insert(name.replace("~1", "/"), value));
        }
        (Value::Object(members), None) => {
            assert!(members.remove(&name.replace("~1", "/")).is_some());
        }
        (Value::Array(items), Some(value)) if name == "-" => items.push(value),
        (Value::Array(items), Some(value)) => items[name.parse::<usize>().unwrap()] = value,
        (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
        (other, _) => panic!("{other}"),
    }
    breaks(&old, &new, "2027-01-01")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a row for each way to break a client")]
fn whatever_breaks_a_client_is_told() {
    let (operation, wish, thing) = (OPERATION, WISH, THING);
    let at = "POST /v1/things";
    let body = format!("{at} body application/json");
    let answer = format!("{at} 201 application/json");
    let required =
        json!({"name": "why", "in": "query", "required": true, "schema": {"type": "string"}});
    let comma = json!({"name": "ids", "in": "query", "style": "form", "explode": false,
                       "schema": {"type": "array", "maxItems": 5, "items": {"type": "string"}}});
    for (pointer, value, told) in [
        (operation.to_owned(), None, vec![format!("{at}: is gone")]),
        (
            format!("{operation}/operationId"),
            Some(json!("do")),
            vec![format!("{at}: was called \"make\", is called \"do\"")],
        ),
        (
            format!("{operation}/x-scope"),
            Some(json!("manage")),
            vec![format!("{at}: needs a larger scope")],
        ),
        (
            format!("{operation}/x-scopes/-"),
            Some(json!("personal")),
            vec![format!("{at}: needs \"personal\", too")],
        ),
        (format!("{operation}/parameters/0"), None, vec![format!("{at} kind: is gone")]),
        (
            format!("{operation}/parameters/0/required"),
            Some(json!(true)),
            vec![format!("{at} kind: must be given")],
        ),
        (
            format!("{operation}/parameters/-"),
            Some(required),
            vec![format!("{at}: why must be given")],
        ),
        (
            format!("{operation}/parameters/0/schema/enum"),
            Some(json!(["a"])),
            vec![format!("{at} kind: has no \"b\"")],
        ),
        (
            format!("{operation}/parameters/0"),
            Some(repeated(&["a"])),
            vec![format!("{at} kind: has no \"b\"")],
        ),
        (
            format!("{operation}/parameters/1"),
            Some(comma),
            vec![
                format!("{at} ids: is written in another way"),
                format!("{at} ids: maxItems is narrower"),
            ],
        ),
        (
            format!("{operation}/requestBody/required"),
            Some(json!(true)),
            vec![format!("{at}: a body must be given")],
        ),
        (format!("{operation}/responses/201"), None, vec![format!("{at} 201: is gone")]),
        (
            format!("{operation}/responses/201/headers/ETag"),
            None,
            vec![format!("{at} 201 ETag: is gone")],
        ),
        (
            format!("{operation}/responses/201/headers/ETag/required"),
            Some(json!(false)),
            vec![format!("{at} 201 ETag: is no longer always there")],
        ),
        (format!("{wish}/properties/size"), None, vec![format!("{body}.size: is gone")]),
        (
            format!("{wish}/properties/size/minimum"),
            Some(json!(2)),
            vec![format!("{body}.size: minimum is narrower")],
        ),
        (
            format!("{wish}/properties/size/type"),
            Some(json!("string")),
            vec![format!("{body}.size: was of type [\"integer\"], is of type [\"string\"]")],
        ),
        (
            format!("{wish}/properties/name/maxLength"),
            Some(json!(40)),
            vec![format!("{body}.name: maxLength is narrower")],
        ),
        (
            format!("{wish}/properties/name/pattern"),
            Some(json!("^x")),
            vec![format!("{body}.name: pattern was null, is \"^x\"")],
        ),
        (
            format!("{wish}/properties/at/oneOf/0"),
            None,
            vec![format!("{body}.at: 1 of its alternatives are other ones")],
        ),
        (
            format!("{wish}/required/-"),
            Some(json!("size")),
            vec![format!("{body}: \"size\" must be given")],
        ),
        (format!("{thing}/properties/id"), None, vec![format!("{answer}.id: is gone")]),
        (
            format!("{thing}/properties/id/format"),
            None,
            vec![format!("{answer}.id: format was \"uuid\", is null")],
        ),
        (
            format!("{thing}/properties/id/type"),
            Some(json!(["string", "null"])),
            vec![format!(
                "{answer}.id: was of type [\"string\"], is of type [\"string\", \"null\"]"
            )],
        ),
        (
            format!("{thing}/required/0"),
            None,
            vec![format!("{answer}: \"id\" is no longer always there")],
        ),
        (
            format!("{thing}/properties/state/enum"),
            Some(json!(["new"])),
            vec![format!("{answer}.state: has no \"old\"")],
        ),
    ] {
        assert_eq!(found(&pointer, value), told, "{pointer}");
    }
}

/// `kind` as a parameter that can be given several times.
fn repeated(words: &[&str]) -> Value {
    json!({"name": "kind", "in": "query", "style": "form", "explode": true,
           "schema": {"type": "array", "maxItems": 3, "items": {"type": "string", "enum": words}}})
}

#[test]
fn what_breaks_no_client_may_be_changed() {
    let (operation, wish, thing) = (OPERATION, WISH, THING);
    for (pointer, value) in [
        ("/paths/~1v1~1others".to_owned(), Some(json!({"get": {"responses": {}}}))),
        (format!("{operation}/x-scope"), Some(json!("read"))),
        (format!("{operation}/x-scopes"), Some(json!([]))),
        (
            format!("{operation}/parameters/-"),
            Some(json!({"name": "new", "in": "query", "schema": {}})),
        ),
        (format!("{operation}/parameters/0/schema/enum/-"), Some(json!("c"))),
        (format!("{operation}/parameters/0"), Some(repeated(&["a", "b", "c"]))),
        (format!("{operation}/responses/409"), None),
        (format!("{operation}/responses/422"), Some(json!({"description": "No."}))),
        (format!("{wish}/properties/colour"), Some(json!({"type": "string"}))),
        (format!("{wish}/properties/size/minimum"), Some(json!(0))),
        (format!("{wish}/properties/size/type"), Some(json!("number"))),
        (format!("{wish}/properties/at/oneOf/-"), Some(json!({"type": "boolean"}))),
        (format!("{wish}/required"), Some(json!([]))),
        (format!("{thing}/properties/size"), Some(json!({"type": "string"}))),
        (format!("{thing}/properties/state/enum/-"), Some(json!("middling"))),
        (format!("{thing}/required/-"), Some(json!("parts"))),
    ] {
        assert_eq!(found(&pointer, value), Vec::<String>::new(), "{pointer}");
    }
}

#[test]
fn what_is_past_its_sunset_may_be_gone() {
    let mut old = a_document();
    old.pointer_mut(OPERATION).unwrap()["x-sunset"] = json!("2026-12-31");
    let new = json!({"paths": {}});
    assert_eq!(breaks(&old, &new, "2027-01-01"), Vec::<String>::new());
    assert_eq!(breaks(&old, &new, "2026-12-31"), ["POST /v1/things: is gone"]);
}

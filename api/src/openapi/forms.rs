//! What requests must be like, where the types do not say it to the document: texts with something in them, and bodies
//! without members that nobody knows.

use std::collections::BTreeSet;

use daybook_domain::Note;
use daybook_wording::MAX_TEMPLATE_BYTES;
use serde_json::{Value, json};

use super::finish::{each_operation, references};

/// Every text with a longest length is of one of the domain's kinds: it has something to read, and no control characters;
/// only a note, and a part of a template, has line breaks and tabs.
const LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";
const NOTE: &str = concat!(
    r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*",
    r"[^\s\u0000-\u001f\u007f-\u009f]",
    r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
);

/// How long texts are that have them.
const WITH_LINES: [u64; 2] = [Note::MAX_CHARS as u64, MAX_TEMPLATE_BYTES as u64];

pub(super) fn say_what_texts_are(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(say_what_texts_are);
            let is_free = !object.contains_key("format") && !object.contains_key("pattern");
            if let Some(max) = object.get("maxLength").and_then(Value::as_u64).filter(|_| is_free) {
                let is_of_lines = WITH_LINES.contains(&max);
                let pattern = if is_of_lines { NOTE } else { LINE };
                object.insert("minLength".to_owned(), json!(1));
                object.insert("pattern".to_owned(), json!(pattern));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(say_what_texts_are),
        _ => {}
    }
}

/// A parameter is given or left out, and never `null`.
pub(super) fn say_what_parameters_are(document: &mut Value) {
    each_operation(document, |operation| {
        let all = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in all.into_iter().flatten() {
            let Some(kind) = parameter["schema"].get_mut("type") else { continue };
            let all = kind.as_array();
            let one = all.and_then(|all| all.iter().find(|one| *one != "null")).cloned();
            if let Some(one) = one {
                *kind = one;
            }
        }
    });
}

/// A body whose members can all be left out can be left out itself, and is never `null`. What it is made of has no members
/// but those that are named.
pub(super) fn say_what_bodies_are(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let mut found = Vec::new();
    each_operation(document, |operation| {
        let Some(body) = operation.get_mut("requestBody") else { return };
        let mut required = true;
        for (media_type, content) in
            body.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten()
        {
            let Some(schema) = content.get_mut("schema").filter(|_| media_type.ends_with("json"))
            else {
                continue;
            };
            if let Some(own) = without_null(schema) {
                *schema = own;
            }
            let names = references(schema);
            required = names.iter().any(|name| has_required(&schemas[name]));
            found.extend(names);
        }
        body["required"] = json!(required);
    });
    let mut closed = BTreeSet::new();
    while let Some(name) = found.pop() {
        let schema = &mut document["components"]["schemas"][&name];
        close(schema);
        let inner = references(schema);
        if closed.insert(name) {
            found.extend(inner);
        }
    }
}

/// Of a schema with the alternative of being `null`, the other one.
fn without_null(schema: &Value) -> Option<Value> {
    let alternatives = schema["oneOf"].as_array()?;
    alternatives.iter().find(|one| one["$ref"].is_string()).cloned()
}

fn has_required(schema: &Value) -> bool {
    let required = schema["required"].as_array().is_some_and(|all| !all.is_empty());
    required || schema["oneOf"].is_array() || schema["minProperties"].is_number()
}

/// Says that an object, and each alternative that it has, has no other members.
fn close(schema: &mut Value) {
    for one in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        close(one);
    }
    if let Some(object) = schema.as_object_mut().filter(|object| object.contains_key("properties"))
    {
        object.insert("additionalProperties".to_owned(), json!(false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_needs_nothing_can_be_left_out_and_no_body_has_unknown_members() {
        let body = |schema: Value| json!({"content": {"application/json": {"schema": schema}}});
        let of = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let mut document = json!({
            "paths": {"/x": {
                "post": {"requestBody": body(json!({"oneOf": [{"type": "null"}, of("Reason")]}))},
                "put": {"requestBody": body(of("Wish"))},
            }},
            "components": {"schemas": {
                "Reason": {"type": "object", "properties": {"why": {"type": "string", "maxLength": 9}}},
                "Wish": {"oneOf": [{"type": "object", "required": ["a"], "properties": {"a": of("Part")}}]},
                "Part": {"type": "object", "properties": {}},
                "Told": {"type": "object", "properties": {}},
            }},
        });
        say_what_texts_are(&mut document);
        say_what_bodies_are(&mut document);
        let [post, put] =
            ["post", "put"].map(|method| &document["paths"]["/x"][method]["requestBody"]);
        assert_eq!(post["content"]["application/json"]["schema"], of("Reason"));
        assert_eq!((&post["required"], &put["required"]), (&json!(false), &json!(true)));
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Reason"]["properties"]["why"]["pattern"], LINE);
        for closed in [&schemas["Reason"], &schemas["Wish"]["oneOf"][0], &schemas["Part"]] {
            assert_eq!(closed["additionalProperties"], false);
        }
        assert!(schemas["Told"]["additionalProperties"].is_null(), "answers may have more one day");
    }
}

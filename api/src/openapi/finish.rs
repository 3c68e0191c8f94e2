//! What the generated document lacks, or says in a way that readers of OpenAPI do not take.

use std::collections::BTreeSet;

use daybook_domain::rights::{Scope, ScopeSet, Scopes};
use serde_json::{Map, Value, json};
use utoipa::IntoParams as _;

use super::{answers, forms};
use crate::cache;
use crate::http::audit::PurposeHeader;
use crate::http::auth::in_words;
use crate::http::deprecation::{DEPRECATED, mark};

const SCHEMAS: &str = "#/components/schemas/";

/// Finishes the document: where the API is, who may call what, schemas that code generators take, and none that nobody
/// refers to.
pub(super) fn finish(document: &mut Value) {
    document["servers"] = json!([{"url": "/", "description": "Where this document comes from."}]);
    each_operation(document, name_scopes);
    say_conditional(document);
    each_operation(document, say_purpose);
    answers::describe(document);
    // A test sees to it that the document has all of them.
    mark(document, DEPRECATED);
    say_defaults(&mut document["components"]["schemas"]);
    forms::say_what_texts_are(document);
    forms::say_what_parameters_are(document);
    let schemas = document["components"]["schemas"].clone();
    merge_all_of(document, &schemas);
    forms::say_what_bodies_are(document);
    drop_unused(document);
    leave_out_null(document);
}

/// What is absent is left out of answers, so no member of what only answers have can be `null`.
fn leave_out_null(document: &mut Value) {
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    each_operation(document, |operation| {
        for (part, value) in operation.iter() {
            let of_part = if part == "responses" { &mut answered } else { &mut asked };
            of_part.extend(references(value));
        }
        if let Some(responses) = operation.get_mut("responses") {
            without_null(responses);
        }
    });
    let schemas = &mut document["components"]["schemas"];
    let asked = reached(asked, schemas);
    for name in reached(answered, schemas).difference(&asked) {
        without_null(&mut schemas[name]);
    }
}

/// The schemas that these lead to, and they themselves.
fn reached(mut found: Vec<String>, schemas: &Value) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    while let Some(name) = found.pop() {
        if !reached.contains(&name) {
            found.extend(references(&schemas[&name]));
            reached.insert(name);
        }
    }
    reached
}

fn without_null(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|one| one != "null");
                if let [one] = &**types {
                    let one = one.clone();
                    object.insert("type".to_owned(), one);
                }
            }
            if let Some(Value::Array(forms)) = object.get_mut("oneOf") {
                forms.retain(|form| form["type"] != "null");
                if let [Value::Object(only)] = &**forms {
                    // Beside a `$ref`, a description is that of the member (OpenAPI 3.1).
                    let only = only.clone();
                    object.remove("oneOf");
                    object.extend(only.into_iter().filter(|(name, _)| name != "description"));
                }
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// What is one thing is read conditionally, and what is cached: that is the router's, and no route says it.
fn say_conditional(document: &mut Value) {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let is_conditional = |path: &str| {
        path.ends_with('}')
            || path.ends_with("/settings")
            || path.ends_with("/privacy")
            || cache::ROUTES.contains(&path)
    };
    let conditional = paths.filter(|(path, _)| is_conditional(path));
    for read in conditional.filter_map(|(_, operations)| operations.get_mut("get")) {
        let parameter = json!({
            "name": "If-None-Match", "in": "header", "required": false, "schema": {"type": "string"},
            "description": "The `ETag` of the answer that you have. If it would be the same, it is not sent again (304).",
        });
        match &mut read["parameters"] {
            Value::Array(parameters) => parameters.push(parameter),
            none => *none = json!([parameter]),
        }
        read["responses"]["304"] = json!({"description": "It is as you have it"});
    }
}

/// Whatever may be told what is personal can say why.
fn say_purpose(operation: &mut Map<String, Value>) {
    const TOLD_WITH: [&str; 3] = ["appointments", "personal", "privacy"];
    let scopes = operation.get("x-scopes").and_then(Value::as_array).into_iter().flatten();
    let is_told = scopes.filter_map(Value::as_str).any(|scope| TOLD_WITH.contains(&scope));
    if !is_told {
        return;
    }
    let header = PurposeHeader::into_params(|| None);
    let header = header.iter().filter_map(|header| serde_json::to_value(header).ok());
    match operation.entry("parameters").or_insert_with(|| json!([])) {
        Value::Array(parameters) => parameters.extend(header),
        none => *none = header.collect(),
    }
}

/// Every operation, whatever its path.
pub(super) fn each_operation(
    document: &mut Value,
    mut change: impl FnMut(&mut Map<String, Value>),
) {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    let operations = paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    operations.filter_map(Value::as_object_mut).for_each(&mut change);
}

/// Scopes in a security requirement are OAuth's; a bearer's key has none. So the scopes that are required are said in words
/// and as `x-scopes`, and the smallest named set that has them as `x-scope`.
fn name_scopes(operation: &mut Map<String, Value>) {
    let security = operation.get("security").and_then(Value::as_array).cloned().unwrap_or_default();
    let required = security.iter().filter_map(|one| one["api_key"].as_array()).flatten();
    let scopes: Scopes = required.filter_map(|scope| scope.as_str()?.parse().ok()).collect();
    let is_keys = security.iter().any(|one| one["api_key"].is_array());
    let is_operators = security.iter().any(|one| one["operator_key"].is_array());
    let keys = [
        is_keys.then(|| json!({"api_key": []})),
        is_operators.then(|| json!({"operator_key": []})),
    ];
    let keys: Vec<Value> = keys.into_iter().flatten().collect();
    operation.insert("security".to_owned(), json!(keys));
    let takes = match (is_keys, is_operators) {
        (false, false) => return,
        (false, true) => "an operator's key".to_owned(),
        (true, false) if scopes.is_empty() => "a key, whatever it is good for".to_owned(),
        (true, false) => format!("a key with {}", in_words(scopes)),
        (true, true) => format!("a key with {}, or an operator's", in_words(scopes)),
    };
    let said = operation.get("description").and_then(Value::as_str).unwrap_or_default();
    let said = format!("{said}\n\nIt takes {takes}.");
    operation.insert("description".to_owned(), json!(said.trim_start()));
    if !is_keys {
        return;
    }
    let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
    operation.insert("x-scopes".to_owned(), json!(names));
    operation.insert("x-scope".to_owned(), json!(ScopeSet::with(scopes).as_str()));
}

/// Members with a `default` are always there for some generators, also in a request: so it is said in words.
fn say_defaults(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(say_defaults);
            let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
            for property in properties.values_mut().filter_map(Value::as_object_mut) {
                let Some(default) = property.remove("default") else { continue };
                let said = property.get("description").and_then(Value::as_str).unwrap_or_default();
                let said = format!("{said} Default: `{default}`.");
                property.insert("description".to_owned(), json!(said.trim_start()));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(say_defaults),
        _ => {}
    }
}

/// `allOf` becomes one object with the members of all; with a `oneOf` in it, a `oneOf` of such objects. Generators make types
/// of these, and nothing of an `allOf` with alternatives, or of one among alternatives.
fn merge_all_of(value: &mut Value, schemas: &Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(|member| merge_all_of(member, schemas));
            let Some(Value::Array(parts)) = object.remove("allOf") else { return };
            let merged = combined(&parts, schemas);
            match <[Members; 1]>::try_from(merged) {
                Ok([one]) => object.extend(one.schema()),
                Err(several) => {
                    let several = several.into_iter().map(|one| Value::Object(one.schema()));
                    object.insert("oneOf".to_owned(), several.collect());
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| merge_all_of(item, schemas)),
        _ => {}
    }
}

/// The members of an object, and which of them it always has.
#[derive(Clone, Default)]
struct Members {
    properties: Map<String, Value>,
    required: BTreeSet<String>,
}

impl Members {
    fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.properties.extend(other.properties.clone());
        both.required.extend(other.required.clone());
        both
    }

    fn schema(self) -> Map<String, Value> {
        let Self { properties, required } = self;
        let schema = [
            ("type".to_owned(), json!("object")),
            ("properties".to_owned(), Value::Object(properties)),
            ("required".to_owned(), json!(required)),
        ];
        schema.into_iter().collect()
    }
}

/// What an object can be that is all of these: one alternative, if none of them has several.
fn combined(parts: &[Value], schemas: &Value) -> Vec<Members> {
    parts.iter().fold(vec![Members::default()], |all, part| {
        let part = alternatives(part, schemas);
        all.iter().flat_map(|one| part.iter().map(|other| one.and(other))).collect()
    })
}

/// What an object can be.
fn alternatives(schema: &Value, schemas: &Value) -> Vec<Members> {
    let name = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix(SCHEMAS));
    let schema = name.map_or(schema, |name| &schemas[name]);
    let own = Members {
        properties: schema["properties"].as_object().cloned().unwrap_or_default(),
        required: schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(ToOwned::to_owned))
            .collect(),
    };
    let all = schema["allOf"].as_array().map_or_else(|| vec![own], |all| combined(all, schemas));
    let Some(any) = schema["oneOf"].as_array() else { return all };
    let any: Vec<_> = any.iter().flat_map(|one| alternatives(one, schemas)).collect();
    all.iter().flat_map(|one| any.iter().map(|other| one.and(other))).collect()
}

/// Removes schemas that nothing leads to.
fn drop_unused(document: &mut Value) {
    let used = reached(references(&document["paths"]), &document["components"]["schemas"]);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| used.contains(name));
    }
}

/// The names of the schemas that something refers to.
pub(super) fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(object) => {
            let own = object.get("$ref").and_then(Value::as_str);
            let own = own.and_then(|reference| reference.strip_prefix(SCHEMAS));
            let own = own.map(ToOwned::to_owned);
            own.into_iter().chain(object.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_answers_are_left_out_and_never_null() {
        let reference =
            |name: &str| json!({"schema": {"$ref": format!("#/components/schemas/{name}")}});
        let nullable = || {
            json!({"type": "object", "properties": {
            "note": {"type": ["string", "null"]},
            "place": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Place", "description": "A."}],
                      "description": "Where."}}})
        };
        let mut document = json!({
            "paths": {"/x": {"post": {"requestBody": reference("Asked"), "responses": {"200": reference("Told")}}}},
            "components": {"schemas": {
                "Asked": nullable(), "Told": nullable(), "Place": {"type": "object"},
            }}
        });
        finish(&mut document);
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Asked"], nullable());
        let members = json!({"note": {"type": "string"},
            "place": {"$ref": "#/components/schemas/Place", "description": "Where."}});
        assert_eq!(schemas["Told"]["properties"], members);
    }

    #[test]
    fn alternatives_are_distributed_over_what_all_of_them_have() {
        let mut document = json!({
            "paths": {"/x": {"get": {"security": [{"api_key": ["appointments"]}], "schema": {"$ref": "#/components/schemas/A"}}}},
            "components": {"schemas": {
                "A": {"description": "An A.", "allOf": [
                    {"$ref": "#/components/schemas/B"},
                    {"type": "object", "required": ["id"],
                     "properties": {"id": {"type": "string", "default": "x", "description": "Which."}}}]},
                "B": {"oneOf": [
                    {"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}}},
                    {"type": "object", "required": ["y"], "properties": {"y": {"type": "string"}}}]},
            }}
        });
        finish(&mut document);
        let schemas = &document["components"]["schemas"];
        let object = |member: &str| {
            json!({"type": "object", "required": ["id", member],
                   "properties": {"id": {"type": "string", "description": "Which. Default: `\"x\"`."},
                                  member: {"type": "string"}}})
        };
        assert_eq!(schemas["A"]["oneOf"], json!([object("x"), object("y")]));
        assert_eq!(schemas["A"]["description"], "An A.");
        assert!(schemas.get("B").is_none(), "nothing leads to it any more");
        let operation = &document["paths"]["/x"]["get"];
        assert_eq!(operation["x-scope"], "read");
        assert_eq!(operation["security"], json!([{"api_key": []}]));
        assert_eq!(operation["x-scopes"], json!(["appointments"]));
        assert_eq!(operation["description"], "It takes a key with the scope `appointments`.");
    }
}

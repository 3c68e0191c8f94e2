//! The AsyncAPI document (3.0): the stream of events, made of the OpenAPI document and of the events of the domain.

use std::collections::BTreeMap;

use daybook_domain::EVENT_SCHEMAS;
use daybook_store::feed::CloudEvent;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const STREAM: &str = "/v1/events/stream";

/// What the events of the domain say.
#[derive(Deserialize)]
struct Forms {
    events: BTreeMap<String, Form>,
    schemas: Map<String, Value>,
}

/// What one of them says.
#[derive(Deserialize)]
struct Form {
    version: String,
    schema: Value,
}

/// The document of the feed of the API that this document is of.
///
/// # Errors
/// When what events say is not described as JSON.
pub(super) fn document(openapi: &Value) -> serde_json::Result<Value> {
    let stream = &openapi["paths"][STREAM]["get"];
    let Forms { events, mut schemas } = serde_json::from_str(EVENT_SCHEMAS)?;
    let mut messages = Map::new();
    for (name, Form { version, schema }) in events {
        let said = format!("{name}-{version}");
        messages.insert(name.clone(), message(&name, &version, &said));
        schemas.insert(said, schema);
    }
    schemas.insert("CloudEvent".to_owned(), openapi["components"]["schemas"]["CloudEvent"].clone());
    messages.insert("end".to_owned(), end());
    let refer =
        |name: &String| (name.clone(), json!({"$ref": format!("#/components/messages/{name}")}));
    let in_channel: Map<String, Value> = messages.keys().map(refer).collect();
    Ok(json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "daybook: the feed",
            "version": openapi["info"]["version"],
            "description": "All that happens, as it is recorded: CloudEvents as Server-Sent Events. The same events come in \
                            pages from `GET /v1/events`; `/openapi.json` describes that and the rest of the API.",
            "license": {"name": openapi["info"]["license"]["name"]},
            "contact": openapi["info"]["contact"],
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {"here": {
            "host": "{host}", "protocol": "http",
            "description": "Where this document comes from.",
            "variables": {"host": {"default": "127.0.0.1:8080", "description": "Host and port."}},
            "security": [{"$ref": "#/components/securitySchemes/api_key"}],
        }},
        "channels": {"events": {
            "address": STREAM,
            "title": stream["summary"],
            "description": stream["description"],
            "messages": in_channel,
        }},
        "operations": {"streamEvents": {
            "action": "send",
            "channel": {"$ref": "#/channels/events"},
            "summary": stream["summary"],
            "description": "The program sends what a reader has asked for with a GET.",
            "bindings": {"http": {"method": "GET", "query": query(stream), "bindingVersion": "0.3.0"}},
        }},
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {"api_key": openapi["components"]["securitySchemes"]["api_key"]},
        },
    }))
}

/// One type of event, in the one version in which it is told; `said` is the schema of what it says.
fn message(name: &str, version: &str, said: &str) -> Value {
    let kind = format!("{}{name}", CloudEvent::TYPE_PREFIX);
    json!({
        "name": kind,
        "title": name,
        "contentType": "application/cloudevents+json",
        "headers": sse_fields(&json!({"id": {"type": "string", "description": "Its position."}})),
        "payload": {"allOf": [
            {"$ref": "#/components/schemas/CloudEvent"},
            {"type": "object", "properties": {
                "type": {"const": kind},
                "dataschema": {"const": CloudEvent::schema_of(name, version)},
                "data": {"$ref": format!("#/components/schemas/{said}")},
            }},
        ]},
    })
}

/// The last event of a stream that the server ends.
fn end() -> Value {
    let reasons = ["to", "stopping", "slow", "unavailable", "key-ended"];
    json!({
        "name": "end",
        "title": "The end of the stream",
        "contentType": "application/json",
        "headers": sse_fields(&json!({
            "event": {"const": "end"},
            "retry": {"type": "integer", "description": "In how many milliseconds to come back."},
        })),
        "payload": {
            "type": "object", "required": ["reason", "resume_after"],
            "properties": {
                "reason": {"type": "string", "enum": reasons},
                "resume_after": {"type": "string", "description": "What to ask for with `after`."},
            },
        },
    })
}

/// The fields of a Server-Sent Event beside its `data`.
fn sse_fields(properties: &Value) -> Value {
    json!({"type": "object", "properties": properties})
}

/// The parameters of the query, as one schema.
fn query(stream: &Value) -> Value {
    let all = stream["parameters"].as_array().into_iter().flatten();
    let all = all.filter(|parameter| parameter["in"] == "query");
    let properties: Map<String, Value> = all
        .map(|parameter| {
            let mut schema = parameter["schema"].clone();
            schema["description"] = parameter["description"].clone();
            (parameter["name"].as_str().unwrap_or_default().to_owned(), schema)
        })
        .collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

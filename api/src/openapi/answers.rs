//! What every answer has that no route says: its headers, and the problems of a body. They follow from what an operation
//! is, so a new one has them by itself; a test compares them with what the program answers.

use serde_json::{Map, Value, json};

use crate::cache;

/// Routes whose answers are of no position: they are not of the tenant's log, or say with each event where it is.
const WITHOUT_A_POSITION: [&str; 28] = [
    "/v1/appointments/{id}/links",
    "/v1/appointments/{id}/links/{link_id}/revoke",
    "/v1/browser-sessions",
    "/v1/browser-sessions/{id}",
    "/v1/calendar-feeds",
    "/v1/calendar-feeds/{id}",
    "/v1/calendar-feeds/{id}/rotate",
    "/v1/issuers",
    "/v1/issuers/{id}",
    "/v1/keys",
    "/v1/keys/{id}",
    "/v1/keys/{id}/revoke",
    "/v1/keys/{id}/rotate",
    "/v1/programs",
    "/v1/projections",
    "/v1/projections/{name}/rebuild",
    "/v1/templates",
    "/v1/templates/preview",
    "/v1/templates/{kind}/{language}",
    "/v1/tenant/settings",
    "/v1/events/stream",
    "/v1/audit",
    "/v1/audit/export",
    "/v1/webhooks",
    "/v1/webhooks/{id}",
    "/v1/webhooks/{id}/deliveries",
    "/v1/webhooks/{id}/replay",
    "/v1/webhooks/{id}/rotate-secret",
];

/// A header of answers, described once for all.
struct Header {
    name: &'static str,
    description: &'static str,
    schema: fn() -> Value,
}

const REQUEST_ID: Header = Header {
    name: "X-Request-Id",
    description: "The request's own `X-Request-Id`, where that is a word of at most 128 visible ASCII characters; else a \
                  new one. The program's log has it.",
    schema: || json!({"type": "string", "pattern": "^[!-~]{1,128}$"}),
};
const POSITION: Header = Header {
    name: "Daybook-Position",
    description: "A position of the tenant's log: of a command, that of its last event; of what was read, the one up to \
                  which it was read at least.",
    schema: || json!({"type": "integer", "format": "int64", "minimum": 0}),
};
const ETAG: Header = Header {
    name: "ETag",
    description: "What the answer is known by (RFC 9110, section 8.8.3); of a thing with a version, it begins with that. \
                  It is what `If-Match` and `If-None-Match` take.",
    schema: || json!({"type": "string", "pattern": "^\"[0-9a-z-]+\"$"}),
};
const LOCATION: Header = Header {
    name: "Location",
    description: "The path of what was made.",
    schema: || json!({"type": "string", "pattern": "^/v1/"}),
};
const REPLAYED: Header = Header {
    name: "Idempotent-Replayed",
    description: "`true`: it is the first answer to a request with this `Idempotency-Key`, given again.",
    schema: || json!({"type": "string", "const": "true"}),
};
const NEXT: Header = Header {
    name: "Link",
    description: "The next page, where there is one: `<...>; rel=\"next\"` (RFC 8288).",
    schema: || json!({"type": "string"}),
};
const RETRY_AFTER: Header = Header {
    name: "Retry-After",
    description: "In how many seconds to ask again (RFC 9110, section 10.2.3).",
    schema: || json!({"type": "integer", "minimum": 1}),
};
const RATE_LIMIT: Header = Header {
    name: "RateLimit",
    description: "What is left: `\"key\";r=19;t=1`, requests and the seconds until there is one more \
                  (draft-ietf-httpapi-ratelimit-headers-10). It is there where whoever runs the program bounds what a key may send.",
    schema: || json!({"type": "string", "pattern": "^\"[a-z]+\";r=[0-9]+;t=[0-9]+$"}),
};
const RATE_LIMIT_POLICY: Header = Header {
    name: "RateLimit-Policy",
    description: "How much may be sent: `\"key\";q=20;w=1`, requests in so many seconds; `key`: of this key, `address`: from this \
                  address without a good key.",
    schema: || json!({"type": "string", "pattern": "^\"[a-z]+\";q=[0-9]+;w=[0-9]+$"}),
};
const CHALLENGE: Header = Header {
    name: "WWW-Authenticate",
    description: "How to say who asks (RFC 9110, section 11.6.1).",
    schema: || json!({"type": "string", "const": "Bearer"}),
};
const ACCEPT_PATCH: Header = Header {
    name: "Accept-Patch",
    description: "The types that a patch can be of (RFC 5789, section 3.1).",
    schema: || json!({"type": "string"}),
};

/// A header, and whether each such answer has it.
type Said = (&'static Header, bool);

/// All of them, each with the name that references have.
const ALL: [(&str, &Header, bool); 15] = [
    ("RequestId", &REQUEST_ID, true),
    ("Position", &POSITION, true),
    ("PositionUnlessTried", &POSITION, false),
    ("Version", &ETAG, true),
    ("VersionUnlessTried", &ETAG, false),
    ("Location", &LOCATION, true),
    ("Replayed", &REPLAYED, false),
    ("NextPage", &NEXT, false),
    ("RetryAfter", &RETRY_AFTER, true),
    ("RateLimit", &RATE_LIMIT, true),
    ("RateLimitPolicy", &RATE_LIMIT_POLICY, true),
    ("RateLimitWhereBounded", &RATE_LIMIT, false),
    ("RateLimitPolicyWhereBounded", &RATE_LIMIT_POLICY, false),
    ("Challenge", &CHALLENGE, true),
    ("PatchTypes", &ACCEPT_PATCH, true),
];

/// Adds to every operation what its answers have.
pub(super) fn describe(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            if operation["requestBody"].is_object() {
                add_problems_of_a_body(&mut operation["responses"]);
            }
            let described = Operation { path, method, described: operation, schemas: &schemas };
            for (status, headers) in described.headers_of_all() {
                let response = &mut operation["responses"][status];
                for header in headers {
                    add(response, header);
                }
            }
        }
    }
    let headers = ALL.iter().map(|(name, header, required)| {
        let Header { description, schema, .. } = header;
        let said = json!({"description": description, "required": required, "schema": schema()});
        ((*name).to_owned(), said)
    });
    document["components"]["headers"] = Value::Object(headers.collect());
}

/// What can be wrong with a body, where the route says nothing of it itself.
const OF_A_BODY: [(&str, &str); 3] = [
    ("413", "The body is too large: `body-too-large`."),
    (
        "415",
        "The body is of another type than those that the route takes: `unsupported-media-type`.",
    ),
    ("422", "The body is not what the route takes: `invalid-body`."),
];

fn add_problems_of_a_body(responses: &mut Value) {
    let Some(responses) = responses.as_object_mut() else { return };
    for (status, description) in OF_A_BODY {
        responses.entry(status).or_insert_with(|| {
            json!({"description": description, "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}})
        });
    }
}

/// An operation as the document has it.
struct Operation<'d> {
    path: &'d str,
    method: &'d str,
    described: &'d Value,
    schemas: &'d Value,
}

impl Operation<'_> {
    /// The headers of its answers, by status.
    fn headers_of_all(&self) -> Vec<(String, Vec<Said>)> {
        let responses = self.described["responses"].as_object().into_iter().flatten();
        let of_each = responses.map(|(status, response)| {
            (status.clone(), self.headers(status, self.is_page(response)))
        });
        of_each.collect()
    }

    fn headers(&self, status: &str, is_page: bool) -> Vec<Said> {
        let mut headers: Vec<Said> = vec![(&REQUEST_ID, true)];
        let makes = self.described["responses"]["201"].is_object();
        if self.described["responses"]["429"].is_object()
            && (status.starts_with('2') || status == "304")
        {
            headers.extend([(&RATE_LIMIT, false), (&RATE_LIMIT_POLICY, false)]);
        }
        match status {
            "401" => headers.push((&CHALLENGE, true)),
            "415" if self.method == "patch" => headers.push((&ACCEPT_PATCH, true)),
            "503" => headers.push((&RETRY_AFTER, true)),
            "429" => headers.extend([
                (&RETRY_AFTER, true),
                (&RATE_LIMIT, true),
                (&RATE_LIMIT_POLICY, true),
            ]),
            // What was only tried, where what is done has another status.
            "200" if makes => {}
            _ if status.starts_with('2') || status == "304" => {
                let done = makes || !self.takes("dry_run");
                headers.extend(self.has_position().then_some((&POSITION, done)));
                let is_known = done && !(self.is_cached() && status == "200");
                headers.extend(self.has_version(makes).then_some((&ETAG, is_known)));
                headers.extend((status == "201").then_some((&LOCATION, true)));
                headers.extend(self.takes("Idempotency-Key").then_some((&REPLAYED, false)));
                headers.extend(is_page.then_some((&NEXT, false)));
            }
            _ => {}
        }
        headers
    }

    fn takes(&self, parameter: &str) -> bool {
        let mut all = self.described["parameters"].as_array().into_iter().flatten();
        all.any(|described| described["name"] == parameter)
    }

    fn has_position(&self) -> bool {
        self.described["x-scope"].is_string() && !WITHOUT_A_POSITION.contains(&self.path)
    }

    /// Whether it is of one thing: it reads one, changes one or makes one.
    fn has_version(&self, makes: bool) -> bool {
        let reads = self.described["responses"]["304"].is_object();
        reads || makes || self.takes("If-Match")
    }

    /// Whether its answers are cached where they can be, and have a tag only then.
    fn is_cached(&self) -> bool {
        self.method == "get" && cache::ROUTES.contains(&self.path)
    }

    /// Whether an answer is a page of a list.
    fn is_page(&self, response: &Value) -> bool {
        let schema = &response["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        let schema = name.map_or(schema, |name| &self.schemas[name]);
        schema["properties"]["next_cursor"].is_object()
    }
}

/// Refers to a header, unless the route has described it itself.
fn add(response: &mut Value, (header, required): Said) {
    let of_name =
        |(_, other, is): &&(&str, &Header, bool)| other.name == header.name && *is == required;
    let Some((reference, ..)) = ALL.iter().find(of_name) else { return };
    let Some(response) = response.as_object_mut() else { return };
    let headers = response.entry("headers").or_insert_with(|| Map::new().into());
    if let Some(headers) = headers.as_object_mut() {
        let reference = json!({"$ref": format!("#/components/headers/{reference}")});
        headers.entry(header.name).or_insert(reference);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_follow_from_what_an_operation_is() {
        let key = json!({"x-scope": "book", "parameters": [{"name": "dry_run"}, {"name": "If-Match"}],
                         "requestBody": {}, "responses": {"200": {}, "401": {}, "503": {}}});
        let makes = json!({"x-scope": "book", "parameters": [{"name": "dry_run"}],
                           "responses": {"200": {}, "201": {}}});
        let one = json!({"x-scope": "read", "responses": {"200": {}, "304": {}}});
        let page = json!({"x-scope": "read", "responses": {"200": {"content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/Page"}}}}}});
        let mut document = json!({
            "paths": {"/v1/things/{id}/move": {"post": key}, "/v1/things": {"get": page, "post": makes},
                      "/v1/things/{id}": {"get": one}},
            "components": {"schemas": {"Page": {"properties": {"next_cursor": {"type": "string"}}}}},
        });
        describe(&mut document);
        let names = |path: &str, method: &str, status: &str| {
            let response = &document["paths"][path][method]["responses"][status];
            let headers = response["headers"].as_object().unwrap().iter();
            let headers = headers.map(|(name, header)| {
                let header = header["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
                assert!(document["components"]["headers"][header].is_object(), "{header}");
                format!("{name}: {header}")
            });
            headers.collect::<Vec<_>>().join(", ")
        };
        let id = "X-Request-Id: RequestId";
        for (path, method, status, has) in [
            (
                "/v1/things/{id}/move",
                "post",
                "200",
                "Daybook-Position: PositionUnlessTried, ETag: VersionUnlessTried, ",
            ),
            ("/v1/things/{id}/move", "post", "401", "WWW-Authenticate: Challenge, "),
            ("/v1/things/{id}/move", "post", "413", ""),
            ("/v1/things/{id}/move", "post", "503", "Retry-After: RetryAfter, "),
            ("/v1/things", "post", "200", ""),
            (
                "/v1/things",
                "post",
                "201",
                "Daybook-Position: Position, ETag: Version, Location: Location, ",
            ),
            ("/v1/things", "get", "200", "Daybook-Position: Position, Link: NextPage, "),
            ("/v1/things/{id}", "get", "304", "Daybook-Position: Position, ETag: Version, "),
        ] {
            assert_eq!(
                names(path, method, status),
                format!("{has}{id}"),
                "{method} {path} {status}"
            );
        }
    }
}

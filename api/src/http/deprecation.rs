//! What is on its way out. It is declared here, once: answers then have `Deprecation` (RFC 9745) and `Sunset` (RFC 8594),
//! and the document says `deprecated`. How long it stays is said in docs/versions.md.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{NaiveDate, NaiveTime};
use serde_json::{Value, json};

/// All that is deprecated: nothing, so far.
pub(crate) const DEPRECATED: Deprecations = &[];

/// Several that are deprecated.
pub(crate) type Deprecations = &'static [Deprecated];

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Where it is said what to use instead: the page that shows the document.
const LINK: &str = "</docs>; rel=\"deprecation\"; type=\"text/html\"";

/// A route, or a parameter of one, that clients are to leave.
pub(crate) struct Deprecated {
    /// The route's, in capitals.
    pub(crate) method: &'static str,
    /// The route's, as the document has it.
    pub(crate) path: &'static str,
    /// Of its query; `None`: the route itself.
    pub(crate) parameter: Option<&'static str>,
    pub(crate) since: NaiveDate,
    /// It works until this day, and perhaps longer.
    pub(crate) sunset: NaiveDate,
    /// What to use, in a sentence.
    pub(crate) instead: &'static str,
}

impl Deprecated {
    /// Whether a request uses it.
    fn is_used_by(&self, request: &Request) -> bool {
        let method = match request.method().as_str() {
            "HEAD" => "GET",
            other => other,
        };
        let path = request.extensions().get::<MatchedPath>();
        let is_route = method == self.method && path.is_some_and(|path| path.as_str() == self.path);
        is_route && self.parameter.is_none_or(|name| names(request).any(|given| given == name))
    }

    fn said(&self) -> String {
        let Self { since, sunset, instead, .. } = self;
        format!("Deprecated since {since}; it works until {sunset} at least. {instead}")
    }
}

/// The names of a query's parameters, as they are written: those of this program need no escapes.
fn names(request: &Request) -> impl Iterator<Item = &str> {
    let pairs = request.uri().query().unwrap_or_default().split('&');
    pairs.map(|pair| pair.split('=').next().unwrap_or_default())
}

/// Tells whoever uses something that is deprecated.
pub(crate) async fn tell(
    State(all): State<Deprecations>,
    request: Request,
    next: Next,
) -> Response {
    let used: Vec<&Deprecated> = all.iter().filter(|one| one.is_used_by(&request)).collect();
    let mut response = next.run(request).await;
    let since = used.iter().map(|one| one.since).min();
    let sunset = used.iter().map(|one| one.sunset).min();
    if let Some((since, sunset)) = since.zip(sunset) {
        let since = since.and_time(NaiveTime::MIN).and_utc().timestamp();
        let sunset = sunset.format("%a, %d %b %Y 00:00:00 GMT").to_string();
        let headers = response.headers_mut();
        for (name, value) in [(DEPRECATION, format!("@{since}")), (SUNSET, sunset)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        headers.append(header::LINK, HeaderValue::from_static(LINK));
    }
    response
}

/// Says it in the document; what the document does not have is returned.
pub(crate) fn mark(document: &mut Value, all: Deprecations) -> Vec<&'static Deprecated> {
    all.iter().filter(|one| !is_marked(document, one)).collect()
}

fn is_marked(document: &mut Value, one: &Deprecated) -> bool {
    let path = document["paths"].get_mut(one.path);
    let Some(operation) = path.and_then(|path| path.get_mut(one.method.to_lowercase())) else {
        return false;
    };
    let Some(name) = one.parameter else {
        mark_one(operation, one);
        say_headers(operation);
        return true;
    };
    let mut all =
        operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten();
    let parameter = all.find(|it| it["name"] == name && it["in"] == "query");
    parameter.map(|parameter| mark_one(parameter, one)).is_some()
}

fn mark_one(thing: &mut Value, one: &Deprecated) {
    let said = thing["description"].as_str().unwrap_or_default();
    let said = format!("{said}\n\n{}", one.said());
    thing["description"] = json!(said.trim_start());
    thing["deprecated"] = json!(true);
    thing["x-sunset"] = json!(one.sunset);
}

fn say_headers(operation: &mut Value) {
    let responses = operation["responses"].as_object_mut();
    for response in responses.into_iter().flat_map(|all| all.values_mut()) {
        response["headers"]["Deprecation"] = json!({
            "description": "Since when it is deprecated, as `@` and seconds since 1970 (RFC 9745).",
            "schema": {"type": "string", "pattern": "^@[0-9]+$"}});
        response["headers"]["Sunset"] = json!({
            "description": "Until when it works at least (RFC 8594).",
            "schema": {"type": "string"}});
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::HeaderMap;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use chrono::Months;
    use tower::ServiceExt as _;

    use super::*;

    const fn day(year: i32, month: u32) -> NaiveDate {
        match NaiveDate::from_ymd_opt(year, month, 1) {
            Some(day) => day,
            None => NaiveDate::MIN,
        }
    }

    const TABLE: Deprecations = &[
        Deprecated {
            method: "GET",
            path: "/v1/old/{id}",
            parameter: None,
            since: day(2027, 3),
            sunset: day(2028, 4),
            instead: "Use `/v1/new/{id}`.",
        },
        Deprecated {
            method: "GET",
            path: "/v1/new/{id}",
            parameter: Some("colour"),
            since: day(2027, 1),
            sunset: day(2029, 1),
            instead: "Use `tint`.",
        },
    ];

    async fn asked(uri: &str) -> HeaderMap {
        let router = Router::new()
            .route("/v1/old/{id}", get(async || [("link", "</x>; rel=\"next\"")]).post(async || ()))
            .route("/v1/new/{id}", get(async || ()))
            .layer(from_fn_with_state(TABLE, tell));
        let request = axum::http::Request::get(uri).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().headers().clone()
    }

    #[tokio::test]
    async fn whoever_uses_what_is_deprecated_is_told_since_when_and_until_when() {
        let told = asked("/v1/old/7?tint=red").await;
        assert_eq!(told[DEPRECATION], "@1803859200");
        assert_eq!(told[SUNSET], "Sat, 01 Apr 2028 00:00:00 GMT");
        let links: Vec<_> = told.get_all(header::LINK).iter().collect();
        assert_eq!(links, ["</x>; rel=\"next\"", LINK]);
        assert_eq!(asked("/v1/new/7?tint=1&colour=red").await[DEPRECATION], "@1798761600");
        for not in ["/v1/new/7", "/v1/new/7?colours=red", "/v1/new/7?tint=colour"] {
            assert!(!asked(not).await.contains_key(DEPRECATION), "{not}");
        }
    }

    #[test]
    fn the_document_says_what_is_deprecated_and_what_to_use_instead() {
        let mut document = json!({"paths": {
            "/v1/old/{id}": {"get": {"description": "An old one.", "responses": {"200": {}}}},
            "/v1/new/{id}": {"get": {"parameters": [{"name": "colour", "in": "query"}]}},
        }});
        assert!(mark(&mut document, TABLE).is_empty());
        let old = &document["paths"]["/v1/old/{id}"]["get"];
        assert_eq!((&old["deprecated"], &old["x-sunset"]), (&json!(true), &json!("2028-04-01")));
        let said = "An old one.\n\nDeprecated since 2027-03-01; it works until 2028-04-01 at least. \
                    Use `/v1/new/{id}`.";
        assert_eq!(old["description"], said);
        assert!(old["responses"]["200"]["headers"]["Sunset"].is_object());
        let new = &document["paths"]["/v1/new/{id}"]["get"];
        assert!(new["deprecated"].is_null());
        assert_eq!(new["parameters"][0]["deprecated"], true);
        let mut without = json!({"paths": {}});
        assert_eq!(mark(&mut without, TABLE).len(), 2, "neither is there");
    }

    #[test]
    fn what_is_deprecated_is_in_the_document_and_stays_for_a_year() {
        let mut document = serde_json::from_str(&crate::document().unwrap()).unwrap();
        assert_eq!(mark(&mut document, DEPRECATED).len(), 0);
        for Deprecated { path, since, sunset, .. } in DEPRECATED.iter().chain(TABLE) {
            assert!(*sunset >= *since + Months::new(12), "{path}");
        }
    }
}

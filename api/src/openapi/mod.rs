//! The OpenAPI document, and the AsyncAPI document of the feed: generated from the routes, committed, compared in CI.

mod answers;
mod examples;
mod feed;
mod finish;
mod forms;

use axum::Router;
use serde_json::Value;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::http::Problem;
use crate::operations::probes;
use crate::readiness::Readiness;
use crate::{App, routes};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "daybook",
        description = "An event-sourced scheduling engine.\n\n\
            Every answer to a command has a `Daybook-Position`, and so has every answer that is read from the log; a \
            list that is asked for with that as `min_position`, or as the header `Daybook-Min-Position`, shows what \
            the command did, or what was read.",
        contact(name = "The maintainers of daybook"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(Problem)),
    modifiers(&ApiKey),
    tags(
        (name = "services", description = "What can be booked."),
        (name = "resources", description = "Who or what provides it."),
        (name = "clients", description = "Who books."),
        (name = "appointments", description = "What was booked."),
        (name = "availability", description = "When something can be booked."),
        (name = "agenda", description = "What is on a resource's calendar."),
        (name = "sessions", description = "Starts of a service that several clients share."),
        (name = "holds", description = "Time that is kept free until it is confirmed."),
        (name = "series", description = "Appointments that recur by a rule."),
        (name = "waiting-list", description = "Clients who wait for a place."),
        (name = "reminders", description = "What clients are reminded of, and what has become of it."),
        (name = "figures", description = "How much of what is offered is booked."),
        (name = "imports", description = "Calendars of other programs, booked."),
        (name = "events", description = "The log: all that has happened, in order."),
        (name = "keys", description = "Who may call, and for what."),
        (name = "webhooks", description = "Endpoints of yours that are told what happens."),
        (name = "templates", description = "What you write to clients in your own words."),
        (name = "calendar-feeds", description = "Calendars that programs follow by an address."),
        (name = "audit", description = "Who did or was told what."),
        (name = "operation", description = "Whether the program lives and is ready."),
    )
)]
pub(crate) struct Document;

struct ApiKey;

impl Modify for ApiKey {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An API key of a tenant, or an access token (RFC 9068) of an issuer that it trusts. Which scopes it must have for an operation is said with that, and in \
                 `x-scopes`; `x-scope` is the smallest of the sets read, book, manage and admin that has them.",
            ))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
        let operators = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A key of whoever runs daybook, for what is of all tenants. It opens no tenant's log."))
            .build();
        components.add_security_scheme("operator_key", SecurityScheme::Http(operators));
    }
}

/// The routes, the probes, and the document of both.
pub(crate) fn documented() -> (Router<App>, Router<Readiness>, serde_json::Result<Value>) {
    let (routes, mut document) = routes::all().split_for_parts();
    let (probes, described) = probes().split_for_parts();
    document.merge(described);
    describe_dry_runs(&mut document);
    let document = serde_json::to_value(document).and_then(|mut document| {
        finish::finish(&mut document);
        examples::add(&mut document)?;
        Ok(document)
    });
    (routes, probes, document)
}

/// What makes something answers a dry run with 200, and with what it would answer else.
fn describe_dry_runs(document: &mut utoipa::openapi::OpenApi) {
    let operations = document.paths.paths.values_mut().filter_map(|path| path.post.as_mut());
    for operation in operations {
        let parameters = operation.parameters.as_deref().unwrap_or_default();
        let tries = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == "dry_run");
        if !parameters.iter().any(tries) {
            continue;
        }
        let responses = &mut operation.responses.responses;
        if let (Some(RefOr::T(made)), None) = (responses.get("201"), responses.get("200")) {
            let answer = ResponseBuilder::from(made.clone());
            let answer = answer.description("With `dry_run`: what it would be").build();
            responses.insert("200".to_owned(), RefOr::T(answer));
        }
    }
}

/// The document as pretty-printed JSON, ending in a line break.
///
/// # Errors
/// When it cannot be serialised.
pub fn document() -> Result<String, serde_json::Error> {
    let (_, _, document) = documented();
    Ok(serde_json::to_string_pretty(&document?)? + "\n")
}

/// The AsyncAPI document of the feed of events, in the same way.
///
/// # Errors
/// When it cannot be serialised.
pub fn feed_document() -> Result<String, serde_json::Error> {
    let (_, _, document) = documented();
    Ok(serde_json::to_string_pretty(&feed_of(&document?)?)? + "\n")
}

/// The AsyncAPI document of the API that this document is of.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn feed_of(openapi: &Value) -> serde_json::Result<Value> {
    feed::document(openapi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_a_route_asks_for_is_described() {
        let document: Value = serde_json::from_str(&document().unwrap()).unwrap();
        let described = document["components"]["securitySchemes"].as_object().unwrap();
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
        let asked = operations.filter_map(|operation| operation["security"].as_array()).flatten();
        let asked: Vec<&String> = asked.flat_map(|one| one.as_object().unwrap().keys()).collect();
        assert!(asked.len() > 10);
        for key in asked {
            assert!(described.contains_key(key), "{key}");
        }
    }
}

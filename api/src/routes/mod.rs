//! The routes, by what they are about.

mod agenda;
mod appointments;
mod as_of;
mod audit;
mod availability;
#[cfg(test)]
mod bounds;
mod browser_sessions;
pub(crate) mod cached;
pub(crate) mod calendar_feeds;
mod calendars;
mod catalogue;
mod clients;
mod commands;
mod conflicts;
pub(crate) mod dav;
pub(crate) mod docs;
pub(crate) mod events;
mod expanding;
pub mod fuzzing;
mod holds;
mod imports;
mod issuers;
mod kept;
mod keys;
pub(crate) mod listing;
mod problems;
mod programs;
mod projections;
mod reminders;
mod resources;
mod retention;
mod series;
mod services;
mod sessions;
mod templates;
pub(crate) mod tenant;
mod utilisation;
mod waiting_list;
mod webhooks;

use axum::http::StatusCode;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::App;
use crate::http::Problem;
use crate::openapi::Document;

/// Every documented route but the probes.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(services::routes())
        .merge(resources::routes())
        .merge(clients::routes())
        .merge(appointments::routes())
        .merge(agenda::routes())
        .merge(conflicts::routes())
        .merge(sessions::routes())
        .merge(holds::routes())
        .merge(series::routes())
        .merge(availability::routes())
        .merge(waiting_list::routes())
        .merge(reminders::routes())
        .merge(programs::routes())
        .merge(projections::routes())
        .merge(utilisation::routes())
        .merge(events::routes())
        .merge(imports::routes())
        .merge(tenant::routes())
        .merge(retention::routes())
        .merge(keys::routes())
        .merge(audit::routes())
        .merge(issuers::routes())
        .merge(webhooks::routes())
        .merge(templates::routes())
        .merge(calendar_feeds::routes())
        .merge(browser_sessions::routes())
}

pub(crate) async fn no_such_route() -> Problem {
    Problem::not_found("route")
}

pub(crate) async fn no_such_method() -> Problem {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let title = "The route does not have this method";
    Problem::new(status, "method-not-allowed", title, "see /docs for what it has")
}

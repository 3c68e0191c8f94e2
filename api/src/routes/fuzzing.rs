//! What `fuzz/` feeds: bodies, queries and cookies as they come, before anything is known of who sends them.

use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::appointments::accept_conflict::AcceptBody;
use super::appointments::batch::BatchBody;
use super::appointments::cancel::CancelBody;
use super::appointments::list::AppointmentParams;
use super::appointments::reassign::ReassignBody;
use super::appointments::reschedule::RescheduleBody;
use super::audit::AuditParams;
use super::availability::request::AvailabilityParams;
use super::clients::ClientBody;
use super::clients::history::HistoryParams;
use super::events::export::ExportParams;
use super::resources::ResourceBody;
use super::resources::exceptions::ExceptionBody;
use super::resources::holidays::HolidaysBody;
use super::series::change::{SeriesCancelBody, SeriesRescheduleBody};
use super::services::ServiceBody;
use super::sessions::change::{CancelSessionBody, RescheduleSessionBody};
use super::sessions::schedule::SessionBody;
use super::utilisation::UtilisationParams;
use super::waiting_list::join::JoinBody;
use crate::bodies::{BookingBody, HoldBody, PlaceBody, PlaceHoldBody, SeriesBody};
use crate::http::query::{ParameterSet, read};
use crate::http::{body, command, cookie};

/// Reads a body in one form; whether it has that.
type BodyReader = fn(&[u8]) -> bool;

/// The same of a query.
type QueryReader = fn(&str) -> bool;

/// The forms of commands. What one has read means the same when it is written and read again, for by that it is known whether
/// a command is sent a second time.
pub const BODIES: &[BodyReader] = &[
    is_body::<BookingBody>,
    is_body::<HoldBody>,
    is_body::<PlaceBody>,
    is_body::<PlaceHoldBody>,
    is_body::<SeriesBody>,
    is_body::<BatchBody>,
    is_body::<RescheduleBody>,
    is_body::<CancelBody>,
    is_body::<ReassignBody>,
    is_body::<AcceptBody>,
    is_body::<SeriesRescheduleBody>,
    is_body::<SeriesCancelBody>,
    is_body::<SessionBody>,
    is_body::<RescheduleSessionBody>,
    is_body::<CancelSessionBody>,
    is_body::<JoinBody>,
    is_body::<ServiceBody>,
    is_body::<ResourceBody>,
    is_body::<ExceptionBody>,
    is_body::<HolidaysBody>,
    is_body::<ClientBody>,
];

/// The queries that have days, moments, cursors or filters.
pub const QUERIES: &[QueryReader] = &[
    is_query::<AppointmentParams>,
    is_query::<AvailabilityParams>,
    is_query::<HistoryParams>,
    is_query::<UtilisationParams>,
    is_query::<ExportParams>,
    is_query::<AuditParams>,
];

fn is_body<T: DeserializeOwned + Serialize>(text: &[u8]) -> bool {
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
    let read = |text: &[u8]| -> Option<Value> {
        let body = body::parse::<T>(&headers, text, body::JSON).ok()?;
        command::meant(&body).ok()
    };
    let Some(meaning) = read(text) else { return false };
    let again = read(meaning.to_string().as_bytes());
    assert_eq!(again.as_ref(), Some(&meaning), "it means something else when it is read again");
    true
}

fn is_query<T: ParameterSet>(query: &str) -> bool {
    let Ok(uri) = Uri::builder().path_and_query(format!("/?{query}")).build() else { return false };
    read::<T>(&uri, &HeaderMap::new()).is_ok()
}

/// Whether a browser's headers have a cookie of ours, and come from a page that may use it.
///
/// # Panics
/// When it is taken of another site.
#[must_use]
pub fn is_cookie(value: &[u8], origin: &[u8]) -> bool {
    let (Ok(value), Ok(origin)) = (HeaderValue::from_bytes(value), HeaderValue::from_bytes(origin))
    else {
        return false;
    };
    let host = HeaderValue::from_static("daybook.example.org");
    let headers = HeaderMap::from_iter([
        (header::COOKIE, value),
        (header::ORIGIN, origin.clone()),
        (header::HOST, host.clone()),
    ]);
    let is_own = cookie::refuse_other_sites(&Method::POST, &headers).is_ok();
    assert!(!is_own || origin.as_bytes().ends_with(host.as_bytes()), "of another site: {origin:?}");
    is_own && cookie::sent(&headers).is_ok_and(|cookie| cookie.is_some())
}

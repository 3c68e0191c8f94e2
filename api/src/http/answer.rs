//! Answers to commands, and single things.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daybook_store::Position;
use daybook_store::log::Moment;
use serde::Serialize;

/// The header that says where a command's last event is in the log; of what was read, up to where at least.
pub(crate) const POSITION_HEADER: &str = "daybook-position";

/// The header that says of which position an answer is, where one was asked for.
pub(crate) fn as_of(moment: Option<Moment>) -> Option<[(&'static str, String); 1]> {
    moment.map(|moment| [(POSITION_HEADER, moment.position.to_string())])
}

/// One thing at a version: it has an `ETag`, and after a command a `Daybook-Position`.
pub(crate) struct Answer<T> {
    pub(crate) version: u64,
    pub(crate) position: Option<Position>,
    pub(crate) body: T,
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        let headers = response.headers_mut();
        if let Ok(etag) = HeaderValue::try_from(format!("\"{}\"", self.version)) {
            headers.insert(header::ETAG, etag);
        }
        if let Some(position) = self.position {
            headers.insert(POSITION_HEADER, position.get().into());
        }
        response
    }
}

/// Something that was made: 201, and where it is.
pub(crate) struct Created<T> {
    pub(crate) location: String,
    pub(crate) answer: Answer<T>,
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::CREATED, self.answer).into_response();
        if let Ok(location) = HeaderValue::try_from(self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

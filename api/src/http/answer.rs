//! Answers to commands, and single things.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daybook_store::Position;
use serde::Serialize;

/// The header that every answer has to a command, or of the log: where the command's last event is; of what was read, up
/// to where at least.
const POSITION_HEADER: &str = "daybook-position";

/// An answer that is of a position of the log, or of a later one.
pub(crate) struct At<T>(pub(crate) Position, pub(crate) T);

impl<T: IntoResponse> IntoResponse for At<T> {
    fn into_response(self) -> Response {
        let Self(position, answer) = self;
        let mut response = answer.into_response();
        response.headers_mut().insert(POSITION_HEADER, position.get().into());
        response
    }
}

/// One thing at a version: it has an `ETag`.
pub(crate) struct Answer<T> {
    /// `None`: nothing is at it, for the command was only tried.
    version: Option<u64>,
    position: Option<Position>,
    pub(crate) body: T,
}

impl<T> Answer<T> {
    /// What was read, up to a position at least.
    pub(crate) fn read(version: u64, position: Position, body: T) -> Self {
        Self { version: Some(version), position: Some(position), body }
    }

    /// What a command has led to; without a position: what it would lead to.
    pub(crate) fn of_command(version: u64, position: Option<Position>, body: T) -> Self {
        Self { version: position.map(|_| version), position, body }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let Self { version, position, body } = self;
        let mut response = match position {
            Some(position) => At(position, Json(body)).into_response(),
            None => Json(body).into_response(),
        };
        let etag = version.map(|version| HeaderValue::try_from(format!("\"{version}\"")));
        if let Some(Ok(etag)) = etag {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}

/// Something that was made: 201, and where it is; 200, where that was only tried.
pub(crate) struct Created<T> {
    pub(crate) location: String,
    pub(crate) answer: Answer<T>,
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        if self.answer.version.is_none() {
            return self.answer.into_response();
        }
        let mut response = (StatusCode::CREATED, self.answer).into_response();
        if let Ok(location) = HeaderValue::try_from(self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

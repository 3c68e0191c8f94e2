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
    /// `None`: nothing is at it, for the command was only tried.
    version: Option<u64>,
    position: Option<Position>,
    pub(crate) body: T,
}

impl<T> Answer<T> {
    /// What was read, of a moment where one was asked for.
    pub(crate) fn read(version: u64, moment: Option<Moment>, body: T) -> Self {
        Self { version: Some(version), position: moment.map(|moment| moment.position), body }
    }

    /// What a command has led to; without a position: what it would lead to.
    pub(crate) fn of_command(version: u64, position: Option<Position>, body: T) -> Self {
        Self { version: position.map(|_| version), position, body }
    }

    /// The same, otherwise shown.
    pub(crate) fn map<U>(self, show: impl FnOnce(T) -> U) -> Answer<U> {
        let Self { version, position, body } = self;
        Answer { version, position, body: show(body) }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        let headers = response.headers_mut();
        let etag = self.version.map(|version| HeaderValue::try_from(format!("\"{version}\"")));
        if let Some(Ok(etag)) = etag {
            headers.insert(header::ETAG, etag);
        }
        if let Some(position) = self.position {
            headers.insert(POSITION_HEADER, position.get().into());
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

//! Answers to commands, and single things.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daybook_store::Position;
use serde::Serialize;

use super::etag::Etag;
use super::{Caller, Personal, Problem};

/// The header that every answer has to a command, or of the log: where the command's last event is; of what was read, up
/// to where at least.
pub(crate) const POSITION_HEADER: &str = "daybook-position";

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

/// One thing: it has an `ETag`.
pub(crate) struct Answer<T> {
    known_by: KnownBy,
    position: Option<Position>,
    pub(crate) body: T,
}

/// What an answer is known by.
#[derive(Clone, Copy)]
enum KnownBy {
    /// Nothing: nothing is at it, for the command was only tried.
    Nothing,
    /// All of it follows from the version.
    Version(u64),
    /// It shows more than that, or has no version.
    Body(Option<u64>),
}

impl<T> Answer<T> {
    /// What was read, up to a position at least. All that is shown follows from the version.
    pub(crate) fn read(version: u64, position: Position, body: T) -> Self {
        Self { known_by: KnownBy::Version(version), position: Some(position), body }
    }

    /// What was read, up to a position at least, of a thing that changes in other ways than by its version, too; or has
    /// none.
    pub(crate) fn seen(version: Option<u64>, position: Option<Position>, body: T) -> Self {
        Self { known_by: KnownBy::Body(version), position, body }
    }

    /// As this caller is told it: without what is personal, if they are not told that. Then it does not follow from the
    /// version alone.
    pub(crate) fn told_to<S>(self, caller: &Caller<S>, withheld: impl FnOnce(T) -> T) -> Self {
        if caller.has::<Personal>() {
            return self;
        }
        let version = match self.known_by {
            KnownBy::Version(version) => Some(version),
            KnownBy::Body(version) => version,
            KnownBy::Nothing => None,
        };
        Self { known_by: KnownBy::Body(version), body: withheld(self.body), ..self }
    }

    /// What would be so.
    pub(crate) fn tried(body: T) -> Self {
        Self { known_by: KnownBy::Nothing, position: None, body }
    }

    /// What a command has led to; without a position: what it would lead to.
    pub(crate) fn of_command(version: u64, position: Option<Position>, body: T) -> Self {
        let known_by = position.map_or(KnownBy::Nothing, |_| KnownBy::Version(version));
        Self { known_by, position, body }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let Self { known_by, position, body } = self;
        let (etag, mut response) = match known_by {
            KnownBy::Nothing => (None, Json(body).into_response()),
            KnownBy::Version(version) => {
                (Some(Etag::of_version(version)), Json(body).into_response())
            }
            KnownBy::Body(version) => match serde_json::to_vec(&body) {
                Ok(text) => {
                    let json = HeaderValue::from_static("application/json");
                    let etag = Etag::of_body(version, &text);
                    (Some(etag), ([(header::CONTENT_TYPE, json)], text).into_response())
                }
                Err(error) => return Problem::internal().because(&error).into_response(),
            },
        };
        if let Some(etag) = etag.and_then(Etag::header) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        match position {
            Some(position) => At(position, response).into_response(),
            None => response,
        }
    }
}

/// Something that was made: 201, and where it is; 200, where that was only tried.
pub(crate) struct Created<T> {
    pub(crate) location: String,
    pub(crate) answer: Answer<T>,
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        if matches!(self.answer.known_by, KnownBy::Nothing) {
            return self.answer.into_response();
        }
        let mut response = (StatusCode::CREATED, self.answer).into_response();
        if let Ok(location) = HeaderValue::try_from(self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

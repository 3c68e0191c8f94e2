//! An answer that is cached: a page as it is sent.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use daybook_store::Position;
use serde::Serialize;

use super::Key;
use crate::http::etag::Etag;
use crate::http::{At, Problem, link};

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachedPage {
    /// Of which position it is.
    position: Position,
    /// `None`: it rests on nothing that it could be known by.
    etag: Option<Etag>,
    next_cursor: Option<String>,
    body: Bytes,
}

impl CachedPage {
    /// This page, which rests on what `key` says; or else is of this position at least, and not cached.
    pub(crate) fn of<T: Serialize>(
        page: &T,
        next_cursor: Option<String>,
        key: Option<&Key>,
        position: Position,
    ) -> Result<Self, Problem> {
        let body = serde_json::to_vec(page);
        let body = body.map_err(|error| Problem::internal().because(&error))?.into();
        let position = key.map_or(position, Key::position);
        Ok(Self { position, etag: key.map(Key::etag), next_cursor, body })
    }

    /// What was found under this key, elsewhere than in this program's memory.
    pub(super) const fn found(key: &Key, next_cursor: Option<String>, body: Bytes) -> Self {
        Self { position: key.position(), etag: Some(key.etag()), next_cursor, body }
    }

    pub(super) fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// How much it takes.
    pub(super) fn bytes(&self) -> usize {
        self.body.len() + self.next_cursor.as_ref().map_or(0, String::len)
    }

    /// The answer to a request with this URI.
    pub(crate) fn answer(&self, uri: &Uri) -> Response {
        let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut response = ([json], self.body.clone()).into_response();
        let headers = response.headers_mut();
        if let Some(etag) = self.etag.and_then(Etag::header) {
            headers.insert(header::ETAG, etag);
        }
        if let Some(next) = self.next_cursor.as_deref().and_then(|cursor| link(uri, cursor)) {
            headers.insert(header::LINK, next);
        }
        At(self.position, response).into_response()
    }
}

/// The answer to whoever has it already, without working it out.
pub(crate) fn if_known(key: &Key, headers: &HeaderMap) -> Option<Response> {
    let same = key.etag().known_by(headers)?;
    let answer = (StatusCode::NOT_MODIFIED, [(header::ETAG, same)]);
    Some(At(key.position(), answer).into_response())
}

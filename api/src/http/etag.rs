//! `ETag`s, and requests that are conditional on them (RFC 9110 section 13).
//!
//! The tag of a thing begins with its version, and `If-Match` asks for that alone. Where an answer shows more than what
//! follows from the version (whether a hold has lapsed by now, how many places are free), a digest of the answer follows, so
//! that `If-None-Match` tells the two apart; and how it was encoded, for other bytes have another tag (section 8.8.3.3).

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use utoipa::IntoParams;

use super::Problem;

/// What an answer is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Etag {
    version: Option<u64>,
    digest: Option<u64>,
}

impl Etag {
    /// Of what follows from the version of a thing.
    pub(crate) const fn of_version(version: u64) -> Self {
        Self { version: Some(version), digest: None }
    }

    /// Of what shows more than the thing at its version, or has none.
    pub(crate) fn of_body(version: Option<u64>, body: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        Self { version, digest: Some(hasher.finish()) }
    }

    /// Of what follows from a key that says all of it.
    pub(crate) fn of_key(key: &[u8; 32]) -> Self {
        let digest = key.first_chunk().map(|first| u64::from_be_bytes(*first));
        Self { version: None, digest }
    }

    /// The one of the tags that a caller says to have that is the same, if there is.
    pub(crate) fn known_by(self, headers: &HeaderMap) -> Option<HeaderValue> {
        let known: Vec<HeaderValue> =
            headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect();
        one_of(&known, &self.header()?)
    }

    /// As a header.
    pub(crate) fn header(self) -> Option<HeaderValue> {
        HeaderValue::try_from(self.to_string()).ok()
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.version, self.digest) {
            (Some(version), None) => write!(f, "\"{version}\""),
            (Some(version), Some(digest)) => write!(f, "\"{version}-{digest:016x}\""),
            (None, digest) => write!(f, "\"x{:016x}\"", digest.unwrap_or_default()),
        }
    }
}

/// The version of an `If-Match`. `*` asks only that it exists, which every command does.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let version = tag.map(|tag| tag.split_once('-').map_or(tag, |(version, _)| version));
    let version = version.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    version.and_then(|version| version.parse().ok()).map(Some).ok_or_else(invalid)
}

fn invalid() -> Problem {
    let detail = "If-Match takes one ETag as it was given, like \"3\", or *";
    let title = "The If-Match header is not valid";
    Problem::new(StatusCode::BAD_REQUEST, "invalid-if-match", title, detail)
}

/// What is to be changed is no longer as it was seen: of what has no versions.
pub(crate) fn outdated() -> Problem {
    let (title, detail) = ("It has changed", "it is not what the ETag of If-Match was of");
    Problem::new(StatusCode::PRECONDITION_FAILED, "stale-version", title, detail)
}

/// The header of a change of what has no versions, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by `SeenTag`; this is how it is documented")]
pub(crate) struct IfMatchTag {
    /// The `ETag` that you have seen. If it is no longer the present one, nothing is done (412).
    #[param(
        rename = "If-Match",
        min_length = 1,
        max_length = 64,
        pattern = r#"^("[0-9a-z-]{1,40}"|\*)$"#
    )]
    if_match: Option<String>,
}

/// What an `If-Match` has seen of what has no versions; `None`: anything will do.
pub(crate) struct SeenTag(Option<String>);

impl<S: Sync> FromRequestParts<S> for SeenTag {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let tag = tag.filter(|tag| !tag.contains('"')).ok_or_else(invalid)?;
        let plain = ENCODINGS.iter().find_map(|encoding| tag.strip_suffix(encoding));
        Ok(Self(Some(format!("\"{}\"", plain.unwrap_or(tag)))))
    }
}

impl SeenTag {
    /// Whether it was this.
    pub(crate) fn is_of<T: Serialize>(&self, present: &T) -> bool {
        let Some(seen) = &self.0 else { return true };
        let present = serde_json::to_vec(present);
        present.is_ok_and(|present| *seen == Etag::of_body(None, &present).to_string())
    }
}

/// Answers 304 where the caller has said that it has the answer already: to whatever reads, and has a tag.
pub(crate) async fn not_modified(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known: Vec<HeaderValue> = request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter(|_| reads)
        .cloned()
        .collect();
    let response = next.run(request).await;
    if known.is_empty() || response.status() != StatusCode::OK {
        return response;
    }
    let same = response.headers().get(header::ETAG).and_then(|tag| one_of(&known, tag));
    let Some(same) = same else { return response };
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.insert(header::ETAG, same);
    for of_a_body in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(of_a_body);
    }
    Response::from_parts(parts, Body::empty())
}

/// The one of these that is the same as the tag, however it was encoded: the comparison is weak (section 13.1.2).
fn one_of(known: &[HeaderValue], tag: &HeaderValue) -> Option<HeaderValue> {
    let tag = tag.to_str().ok()?;
    let mut all =
        known.iter().filter_map(|header| header.to_str().ok()).flat_map(|it| it.split(','));
    let same = all.find_map(|one| {
        let one = one.trim();
        if one == "*" {
            return Some(tag);
        }
        let strong = one.strip_prefix("W/").unwrap_or(one);
        let plain = ENCODINGS.iter().find_map(|name| strong.strip_suffix('"')?.strip_suffix(name));
        let same = plain.map_or(strong == tag, |plain| tag.strip_suffix('"') == Some(plain));
        same.then_some(strong)
    })?;
    HeaderValue::from_str(same).ok()
}

/// How a tag ends whose answer is encoded so.
const ENCODINGS: [&str; 2] = ["-br", "-gzip"];

/// Gives the tag of an answer that has been encoded its own end.
pub(crate) async fn of_encoding(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
    if let (Some(encoding), Some(tag)) = (text(header::CONTENT_ENCODING), text(header::ETAG))
        && let Some(tag) = tag.strip_suffix('"')
        && let Ok(tag) = HeaderValue::try_from(format!("{tag}-{encoding}\""))
    {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(value))])
    }

    #[test]
    fn an_etag_is_taken_as_it_was_given() {
        for (text, version) in [
            ("\"3\"", Some(3)),
            ("\"3-00000000000000ff\"", Some(3)),
            ("\"3-gzip\"", Some(3)),
            ("\"3-00000000000000ff-br\"", Some(3)),
            ("*", None),
        ] {
            assert_eq!(if_match(&headers(text)).unwrap(), version, "{text}");
        }
        for bad in
            ["3", "\"x\"", "\"x00000000000000ff\"", "\"+3\"", "\"-3\"", "W/\"3\"", "\"1\", \"2\""]
        {
            assert!(if_match(&headers(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_answer_is_known_by_its_version_or_by_what_it_shows() {
        assert_eq!(Etag::of_version(3).to_string(), "\"3\"");
        let of = |body: &[u8]| Etag::of_body(Some(3), body).to_string();
        assert_eq!(of(b"{}"), of(b"{}"));
        assert_ne!(of(b"{}"), of(b"{ }"));
        assert!(of(b"{}").starts_with("\"3-"), "{}", of(b"{}"));
    }

    #[test]
    fn what_is_known_is_found_among_others_weakly_and_however_encoded() {
        let tag = HeaderValue::from_static("\"3-ff\"");
        let found = |known: &'static str| {
            one_of(&[HeaderValue::from_static(known)], &tag)
                .map(|it| it.to_str().unwrap().to_owned())
        };
        for (known, same) in [
            ("\"3-ff\"", "\"3-ff\""),
            ("W/\"3-ff\"", "\"3-ff\""),
            ("\"1\", \"3-ff-gzip\"", "\"3-ff-gzip\""),
            ("\"3-ff-br\",\"2\"", "\"3-ff-br\""),
            ("*", "\"3-ff\""),
        ] {
            assert_eq!(found(known).as_deref(), Some(same), "{known}");
        }
        for other in ["\"3\"", "\"3-fe\"", "3-ff", "\"3-ff-zstd\"", ""] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}

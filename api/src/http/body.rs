//! JSON bodies, strictly.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use daybook_store::json::Json;
use serde::de::DeserializeOwned;

use super::Problem;
use super::in_flight::Place;
use super::json::Strict;
use super::query::{Pairs, Taken};
use crate::App;

/// The largest body of a request, but for routes that say otherwise.
pub(crate) const MAX_BODY_BYTES: usize = 256 * 1024;

/// The largest body of a route that takes larger ones, as an extension of its requests. It goes with
/// a `DefaultBodyLimit` of the same size.
#[derive(Clone, Copy)]
pub(crate) struct MaxBytes(pub(crate) usize);

/// Reads the body, up to [`MAX_BODY_BYTES`], or to what the route says. Where the route has taken no
/// parameters there must be none: a misspelt `dry_run` must not be the real thing.
pub(crate) async fn read(request: Request) -> Result<Bytes, Problem> {
    if request.extensions().get::<Taken>().is_none() {
        Pairs::none_in(request.uri().query())?;
    }
    let max_bytes = request.extensions().get().map_or(MAX_BODY_BYTES, |MaxBytes(max)| *max);
    // It may take as much memory as several others.
    if let Some(place) = request.extensions().get::<Arc<Place>>() {
        place.grow((max_bytes / MAX_BODY_BYTES).saturating_sub(1))?;
    }
    Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(max_bytes),
        status => Problem::new(status, "unreadable-body", "The body ended early", "send it again"),
    })
}

pub(crate) fn too_large(max_bytes: usize) -> Problem {
    let detail = format!("a body has at most {max_bytes} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large", detail)
}

/// What a body is.
pub(crate) const JSON: &[&str] = &["application/json"];

/// What a patch is (RFC 7396). Whoever says only that it is JSON means the same.
pub(crate) const MERGE_PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

/// Parses a body of one of these types; none at all is the same as `{}`.
pub(crate) fn parse<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
    types: &[&str],
) -> Result<T, Problem> {
    let body = if body.is_empty() {
        b"{}"
    } else {
        is_of(headers, types)?;
        body
    };
    let json: Json = serde_json::from_slice(body).map_err(|error| not_json(&error))?;
    T::deserialize(Strict(&json)).map_err(|misfit| match misfit.member() {
        None => Problem::bad_body(misfit.to_string()),
        Some(member) => Problem::bad_body(format!("{member}: {misfit}")).with("member", member),
    })
}

fn not_json(error: &serde_json::Error) -> Problem {
    let status = StatusCode::BAD_REQUEST;
    Problem::new(status, "invalid-json", "The body is not JSON", error.to_string())
}

fn is_of(headers: &HeaderMap, types: &[&str]) -> Result<(), Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    if types.iter().any(|accepted| essence.eq_ignore_ascii_case(accepted)) && parts.all(is_utf_8) {
        return Ok(());
    }
    let detail = format!("send `Content-Type: {}`, in UTF-8", types.join("` or `"));
    let problem = unsupported(detail);
    // RFC 5789 section 2.2.
    Err(if types == MERGE_PATCH { problem.of_a_patch() } else { problem })
}

/// A body of a type that the route does not take.
pub(crate) fn unsupported(detail: impl Into<String>) -> Problem {
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Problem::new(status, "unsupported-media-type", "The body is of another type", detail)
}

/// Whether a parameter of a media type says nothing else but that it is UTF-8: JSON is nothing else (RFC 8259 section
/// 8.1), and whoever says that it is will have written it so.
pub(crate) fn is_utf_8(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return true };
    !name.trim().eq_ignore_ascii_case("charset")
        || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
}

/// The body of a request that is no command.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let bytes = read(request).await?;
        parse(&headers, &bytes, JSON).map(Self)
    }
}

/// One that must be there although nothing has to be in it: what is left out of it is set as well.
pub(crate) struct GivenBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for GivenBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let bytes = read(request).await?;
        if bytes.is_empty() {
            let detail = "there is no body: send `{}` where nothing is to be said";
            return Err(Problem::bad_body(detail));
        }
        parse(&headers, &bytes, JSON).map(Self)
    }
}

/// The body of a command that needs none: `{}`, or nothing.
#[derive(serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmptyBody {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<(), Problem> {
        sent_as("application/json; charset=utf-8", body)
    }

    fn sent_as(content_type: &str, body: &str) -> Result<(), Problem> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
        parse::<EmptyBody>(&headers, body.as_bytes(), JSON).map(|EmptyBody {}| ())
    }

    #[test]
    fn a_body_is_one_object_with_known_fields() {
        assert!(parsed("").is_ok());
        assert!(parsed(" {} ").is_ok());
        for (body, problem) in [
            ("{", "invalid-json"),
            ("{} {}", "invalid-json"),
            (" []", "invalid-body"),
            ("null", "invalid-body"),
            (r#"{"a": 1}"#, "invalid-body"),
        ] {
            let kind = parsed(body).unwrap_err().kind().to_owned();
            assert_eq!(kind, format!("urn:daybook:problem:{problem}"), "{body}");
        }
    }

    #[test]
    fn a_body_is_in_utf_8() {
        for good in [
            "application/json",
            "Application/JSON;charset=\"UTF-8\"",
            "application/json; odata=verbose; charset=utf-8",
        ] {
            assert!(sent_as(good, "{}").is_ok(), "{good}");
        }
        for bad in [
            "application/json; charset=iso-8859-1",
            "application/json;Charset = utf-16",
            "text/plain; charset=utf-8",
            "",
        ] {
            let kind = sent_as(bad, "{}").unwrap_err().kind().to_owned();
            assert_eq!(kind, "urn:daybook:problem:unsupported-media-type", "{bad}");
        }
    }
}

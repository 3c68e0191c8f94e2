//! Which other origins' pages may call (the CORS protocol of the Fetch standard): none, unless a setting names them.

use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::answer::POSITION_HEADER;
use super::audit::PURPOSE;
use super::rate::{RATE_LIMIT, RATE_LIMIT_POLICY};
use super::trace::{REPLAYED, REQUEST_ID, TRACE_PARENT};

/// For how long a browser need not ask again: the most that one keeps to.
const MAX_AGE: Duration = Duration::from_hours(2);

/// An origin whose pages may call, or any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigin {
    /// `*`: any. A page still needs a key, which no browser sends by itself.
    Any,
    /// One, like `https://desk.example`.
    Origin(HeaderValue),
}

/// A text that is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is a scheme and a host, with a port where it is not the usual one, like https://desk.example; or *"
)]
pub struct InvalidOrigin;

impl FromStr for CorsOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidOrigin)?;
        let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or(InvalidOrigin)?;
        // As a browser writes it: without a path, a user, or capitals.
        let origin = format!("{scheme}://{authority}");
        let fits = matches!(scheme, "http" | "https")
            && origin == text
            && !authority.as_str().contains(['@', '*'])
            && !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let value = HeaderValue::try_from(origin).ok().filter(|_| fits);
        value.map(Self::Origin).ok_or(InvalidOrigin)
    }
}

/// Lets pages of these origins call. `None`: there are none.
pub(crate) fn layer(origins: &[CorsOrigin]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let named = origins.iter().map(|origin| match origin {
        CorsOrigin::Any => None,
        CorsOrigin::Origin(origin) => Some(origin.clone()),
    });
    let allowed = match named.collect::<Option<Vec<_>>>() {
        Some(named) => AllowOrigin::list(named),
        None => AllowOrigin::any(),
    };
    let name = HeaderName::from_static;
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            name("idempotency-key"),
            PURPOSE,
            name("daybook-min-position"),
            name("last-event-id"),
            REQUEST_ID,
            TRACE_PARENT,
        ])
        .expose_headers([
            header::ETAG,
            header::LINK,
            header::LOCATION,
            header::RETRY_AFTER,
            header::CONTENT_DISPOSITION,
            name(POSITION_HEADER),
            RATE_LIMIT,
            RATE_LIMIT_POLICY,
            REPLAYED,
            REQUEST_ID,
        ])
        .max_age(MAX_AGE);
    Some(layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_as_a_browser_writes_it() {
        for good in ["*", "https://desk.example", "http://localhost:5173", "https://10.0.0.1:8443"]
        {
            assert!(good.parse::<CorsOrigin>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "desk.example",
            "https://",
            "https://desk.example/",
            "https://Desk.example",
            "https://*.example",
            "ftp://desk.example",
            "https://user@desk.example",
            "https://desk.example?x",
            "null",
        ] {
            assert_eq!(bad.parse::<CorsOrigin>(), Err(InvalidOrigin), "{bad}");
        }
    }
}

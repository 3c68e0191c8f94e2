//! Answers are compressed for whoever takes that (RFC 9110 section 12.5.3): gzip and brotli.

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// What is smaller fits a packet as it is.
pub(crate) const MIN_BYTES: u64 = 1_024;

/// An answer that is not compressed, for its tag stands elsewhere, too, and is to be the same there. It is an extension of the
/// answer.
#[derive(Clone, Copy)]
pub(crate) struct AsItIs;

/// Compresses what is large enough and not compressed already. Streams of events are sent as they come, and a
/// Parquet file has its own compression.
pub(crate) fn layer() -> CompressionLayer<impl Predicate> {
    let worth_it = SizeAbove::new(MIN_BYTES)
        .and(NotForContentType::SSE)
        .and(NotForContentType::const_new("application/vnd.apache.parquet"))
        .and(|_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions| {
            extensions.get::<AsItIs>().is_none()
        });
    // More takes several times as long, and saves a tenth.
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth_it)
}

/// An answer goes out as it is where no encoding is acceptable: a command has been done by then, and 406 would say that it
/// was not.
pub(crate) async fn never_refused(mut request: Request, next: Next) -> Response {
    if refuses(request.headers()) {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    next.run(request).await
}

/// Whether something is said not to be acceptable. What is then left over is not looked for.
fn refuses(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING).iter();
    all.filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|one| {
            let quality = one.split(';').nth(1).map(|quality| quality.trim().to_ascii_lowercase());
            let quality = quality.as_deref().and_then(|quality| quality.strip_prefix("q="));
            quality.and_then(|quality| quality.parse::<f64>().ok()).is_some_and(|q| q <= 0.0)
        })
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn what_is_not_acceptable_is_seen() {
        let refuses = |value: &'static str| {
            refuses(&HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static(value),
            )]))
        };
        assert!(refuses("identity;q=0") && refuses("gzip, *; q=0.0") && refuses("br;Q=0,gzip"));
        assert!(!refuses("gzip, br") && !refuses("gzip;q=0.5, *;q=0.1") && !refuses(""));
    }
}

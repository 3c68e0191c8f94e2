//! Where the next page is, as a header (RFC 8288).

use axum::http::{HeaderValue, Uri};

/// Where the next page of what was asked for is.
pub(crate) fn link(uri: &Uri, cursor: &str) -> Option<HeaderValue> {
    let query = uri.query().unwrap_or_default();
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
    let kept = pairs.iter().filter(|(name, _)| name != "cursor");
    let pairs: Vec<(&str, &str)> = kept
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain([("cursor", cursor)])
        .collect();
    let query = serde_urlencoded::to_string(pairs).ok()?;
    format!("<{}?{query}>; rel=\"next\"", uri.path()).try_into().ok()
}

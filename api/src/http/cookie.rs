//! The cookie by which a browser's session is known, and from which pages it is taken.
//!
//! A browser sends a cookie with whatever is asked of its host, also where another site's page has it asked. So a request by
//! cookie must come of a page of the same origin, as browsers say themselves (Fetch Metadata, `Sec-Fetch-Site`), or of the
//! user alone, where it only reads.

use axum::http::{HeaderMap, Method, StatusCode, header};

use super::Problem;

/// Browsers take one of this name only by TLS, for this host alone and for all its paths (RFC 6265bis, section 4.1.3.2).
/// Some take it of
/// `localhost` without TLS as well.
const NAME: &str = "__Host-daybook";

const SITE: &str = "sec-fetch-site";

/// What a new session's cookie is, for so many seconds.
pub(crate) fn set(text: &str, seconds: i64) -> String {
    format!("{NAME}={text}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
}

/// That there is none any more.
pub(crate) fn unset() -> String {
    set("", 0)
}

/// What a browser has sent; `None`: it has none.
pub(crate) fn sent(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    // What is no text has a cookie of somebody else.
    let all = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let pairs = all.flat_map(|all| all.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(name, _)| *name == NAME).map(|(_, text)| text);
    let first = ours.next().filter(|text| !text.is_empty());
    if ours.next().is_some() {
        let detail = format!("the cookie {NAME} is there twice: remove it and sign in");
        let title = "A header is given twice";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "repeated-header", title, detail)
            .with("header", "cookie"));
    }
    Ok(first)
}

/// Refuses what another site's page has a browser ask for.
pub(crate) fn refuse_other_sites(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|it| it.to_str().unwrap_or_default());
    let only_reads = matches!(*method, Method::GET | Method::HEAD);
    let is_own = match (text(SITE), text("origin")) {
        (Some("same-origin"), _) => true,
        // The user has typed it, or has it as a bookmark; or it is an old browser, which says nothing.
        (Some("none"), _) | (None, None) => only_reads,
        (Some(_), _) => false,
        // An old browser. Its scheme is left out, for before a proxy it is another.
        (None, Some(origin)) => {
            let from = origin.split_once("://").map(|(_, authority)| authority);
            from.is_some() && from == text("host")
        }
    };
    if is_own {
        return Ok(());
    }
    let title = "The request is another site's";
    let detail = "a session's cookie is good for requests of this site's own pages; programs send a key or a token as \
                  `Authorization: Bearer ...`";
    Err(Problem::new(StatusCode::FORBIDDEN, "cross-site", title, detail))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        for (pairs, found) in [
            (&[("cookie", "a=b; __Host-daybook=text; c=d")][..], Some("text")),
            (&[("cookie", "a=b"), ("cookie", "__Host-daybook=text")], Some("text")),
            (&[("cookie", "__Host-daybook=")], None),
            (&[("cookie", "daybook=text; x__Host-daybook=text; __host-daybook=text")], None),
            (&[("cookie", "__Host-daybook")], None),
            (&[], None),
        ] {
            assert_eq!(sent(&headers(pairs)).unwrap(), found, "{pairs:?}");
        }
        let twice = headers(&[("cookie", "__Host-daybook=a; __Host-daybook=b")]);
        assert_eq!(sent(&twice).unwrap_err().name(), "repeated-header");
    }

    #[test]
    fn a_request_by_cookie_comes_of_an_own_page() {
        let here = ("host", "desk.example:8443");
        let own = ("origin", "https://desk.example:8443");
        for (pairs, reads, changes) in [
            (&[("sec-fetch-site", "same-origin")][..], true, true),
            (&[("sec-fetch-site", "none")], true, false),
            (&[("sec-fetch-site", "same-site")], false, false),
            (&[("sec-fetch-site", "cross-site")], false, false),
            (&[("sec-fetch-site", "cross-site"), here, own], false, false),
            (&[("sec-fetch-site", "SAME-ORIGIN")], false, false),
            (&[("sec-fetch-site", "")], false, false),
            (&[here, own], true, true),
            (&[here, ("origin", "https://desk.example")], false, false),
            (&[here, ("origin", "https://evil.example")], false, false),
            (&[here, ("origin", "null")], false, false),
            (&[own], false, false),
            (&[here], true, false),
        ] {
            let headers = headers(pairs);
            for method in [Method::GET, Method::HEAD] {
                assert_eq!(refuse_other_sites(&method, &headers).is_ok(), reads, "{pairs:?}");
            }
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_eq!(refuse_other_sites(&method, &headers).is_ok(), changes, "{pairs:?}");
            }
        }
    }
}

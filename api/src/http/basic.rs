//! Who asks as calendar programs do: by a name and a password (RFC 7617). The password is an API key; the name is whatever the
//! program wants one to be. It is asked for where nobody on the way can read it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::auth::{Credential, forbidden, heard_out, key, unauthorized};
use super::{Appointments, Caller, Problem, Within};
use crate::App;

/// Where calendar programs ask, and nobody else.
pub(crate) const ROOT: &str = "/dav/";

/// Whether it is theirs.
pub(crate) fn is_of_programs(path: &str) -> bool {
    path.starts_with(ROOT) || ROOT.strip_suffix('/') == Some(path)
}

/// How whoever sends none is asked for a password.
pub(crate) const CHALLENGE: &str = "Basic realm=\"daybook\", charset=\"UTF-8\"";

/// Somebody of a tenant who reads appointments, by their password.
pub(crate) struct ByPassword(pub(crate) Caller<Within<Appointments>>);

impl FromRequestParts<App> for ByPassword {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if !app.peers.is_private(parts) {
            return Err(in_the_open());
        }
        let credential = heard_out(parts, app, by_password(parts, app)).await?;
        Caller::of(credential, parts).map(Self)
    }
}

/// Not 401: nobody is to send a password here.
fn in_the_open() -> Problem {
    let title = "It is not encrypted";
    let detail = "anybody on the way could read your password: ask by https://, or on the server's own machine";
    forbidden("tls-needed", title, detail)
}

async fn by_password(parts: &Parts, app: &App) -> Result<Credential, Problem> {
    let Some(password) = password(&parts.headers) else {
        return Err(unauthorized("missing-key", "send an API key as the password"));
    };
    key(&password, app).await
}

/// The password that is sent.
pub(super) fn password(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = header.split_once(' ')?;
    // RFC 9110 section 11.1: the scheme's name is not case-sensitive.
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (_, password) = credentials.split_once(':')?;
    Some(password.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_password_is_what_follows_the_first_colon() {
        let of = |text: &str| {
            let value = HeaderValue::try_from(text).unwrap();
            password(&HeaderMap::from_iter([(header::AUTHORIZATION, value)]))
        };
        let basic = |text: &str| of(&format!("basic {}", BASE64_STANDARD.encode(text)));
        assert_eq!(basic("ada:a:b").as_deref(), Some("a:b"));
        assert_eq!(basic(":key").as_deref(), Some("key"));
        assert_eq!(basic("key"), None);
        for bad in ["Basic", "Basic !", "Bearer a2V5OmE=", ""] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}

//! How an issuer and an audience are written. A token's are compared with them letter by letter (RFC 7519, section 2;
//! OpenID Connect Core 1.0, section 2): nothing is made equal that is not.

use serde::{Deserialize, Serialize};

use crate::checked_text::checked_text;

/// The longest of either, in characters.
const MAX_LENGTH: usize = 255;

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Who signs tokens: an https URL without query and fragment, as the provider writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IssuerUrl(String);

/// A text that is no issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an issuer is an https URL of at most {MAX_LENGTH} characters, as its provider writes it: a host in lower case, perhaps \
     a port and a path, and nothing else"
)]
pub struct InvalidIssuer;

impl IssuerUrl {
    /// # Errors
    /// When it is none.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidIssuer> {
        let text = text.into();
        let is_one = text.len() <= MAX_LENGTH && is_issuer(&text).is_some();
        if is_one { Ok(Self(text)) } else { Err(InvalidIssuer) }
    }

    /// Whether it is one of this machine, without TLS: for whoever tries daybook, and for tests.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.0.starts_with("http:")
    }

    /// Where it says what its keys are (OpenID Connect Discovery 1.0, section 4).
    pub(super) fn discovery(&self) -> String {
        format!("{}{DISCOVERY}", self.0.trim_end_matches('/'))
    }
}

/// `None`: it is no issuer.
fn is_issuer(text: &str) -> Option<()> {
    let (is_secure, rest) = match text.split_once("://")? {
        ("https", rest) => (true, rest),
        ("http", rest) => (false, rest),
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let is_port = |port: &str| {
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
        is_number && port.parse::<u16>().is_ok()
    };
    let is_label = |label: &str| {
        let is_letter =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_segment = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let is_here = ["127.0.0.1", "localhost"].contains(&host);
    let is_one = (is_secure || is_here)
        && host.split('.').all(is_label)
        && port.is_none_or(is_port)
        && path.bytes().all(is_segment)
        && !path.contains("//");
    is_one.then_some(())
}

checked_text!(IssuerUrl, InvalidIssuer);

/// For whom a token is: how the provider calls this tenant's daybook.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Audience(String);

/// A text that is no audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an audience is 1 to {MAX_LENGTH} visible ASCII characters")]
pub struct InvalidAudience;

impl Audience {
    /// # Errors
    /// When it is none.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidAudience> {
        let text = text.into();
        let fits = (1..=MAX_LENGTH).contains(&text.len());
        let is_one = fits && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_one { Ok(Self(text)) } else { Err(InvalidAudience) }
    }
}

checked_text!(Audience, InvalidAudience);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_a_plain_https_url() {
        for good in [
            "https://login.example.org",
            "https://login.example.org/",
            "https://login.example.org:8443/realms/Front_Desk",
            "https://xn--bcher-kva.example/a.b~c",
            "http://127.0.0.1:9000",
            "http://localhost/realms/one",
        ] {
            assert_eq!(IssuerUrl::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "https://",
            "https:///path",
            "http://login.example.org",
            "http://127.0.0.1.example.org",
            "https://user@login.example.org",
            "https://login.example.org?tenant=one",
            "https://login.example.org/#a",
            "https://login.example.org/%2e%2e",
            "https://login.example.org//a",
            "https://Login.example.org",
            "https://login..example.org",
            "https://-a.example.org",
            "https://[::1]/",
            "https://login.example.org:0",
            "https://login.example.org:65536",
            "https://login.example.org:",
            "https://login.example.org:+1",
            "https://login.example.org /",
            "https://b\u{fc}cher.example",
            "file:///etc/passwd",
            &format!("https://login.example.org/{}", "a".repeat(255)),
        ] {
            assert_eq!(IssuerUrl::new(bad), Err(InvalidIssuer), "{bad}");
        }
    }

    #[test]
    fn its_keys_are_found_below_it() {
        for url in ["https://login.example.org/realms/one", "https://login.example.org/realms/one/"]
        {
            let found = IssuerUrl::new(url).unwrap().discovery();
            assert_eq!(
                found,
                "https://login.example.org/realms/one/.well-known/openid-configuration"
            );
        }
    }

    #[test]
    fn an_audience_is_visible() {
        assert!(Audience::new("https://daybook.example.org/").is_ok());
        for bad in ["", "a b", "a\n", "\u{e9}", &"a".repeat(256)] {
            assert_eq!(Audience::new(bad), Err(InvalidAudience), "{bad}");
        }
    }
}

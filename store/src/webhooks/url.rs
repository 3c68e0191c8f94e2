//! Where an endpoint is.

use serde::{Deserialize, Serialize};

use crate::checked_text::checked_text;

/// The longest, in characters.
const MAX_LENGTH: usize = 1_000;

/// An https URL without a user and without a fragment. Whether it may be asked is decided when it is: by where its name leads then.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(String);

/// A text that is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an endpoint is an https URL of at most {MAX_LENGTH} characters, without a user or a fragment: \
     https://example.org/daybook"
)]
pub struct InvalidWebhookUrl;

impl WebhookUrl {
    /// What it looks like.
    pub const PATTERN: &str = r"^https?://[A-Za-z0-9.:\[\]-]+([/?][!-~]*)?$";
    pub const MAX_LENGTH: usize = MAX_LENGTH;

    /// # Errors
    /// When it is none.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidWebhookUrl> {
        let text = text.into();
        if text.len() <= MAX_LENGTH && is_url(&text) {
            Ok(Self(text))
        } else {
            Err(InvalidWebhookUrl)
        }
    }

    /// Whether it is without TLS: for whoever tries daybook, and for tests.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.0.starts_with("http:")
    }
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let is_of_a_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    !authority.is_empty()
        && !authority.starts_with(':')
        && authority.bytes().all(is_of_a_host)
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

checked_text!(WebhookUrl, InvalidWebhookUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_of_the_web_that_names_nobody() {
        for good in [
            "https://example.org",
            "https://example.org/hooks?of=daybook",
            "https://example.org:8443/",
            "https://[2a00::1]/",
            "http://127.0.0.1:9000/hook",
        ] {
            assert_eq!(WebhookUrl::new(good).map(|url| url.to_string()).as_deref(), Ok(good));
        }
        let long = format!("https://example.org/{}", "a".repeat(MAX_LENGTH));
        for bad in [
            "",
            "example.org",
            "ftp://example.org/",
            "https://",
            "https:///hook",
            "https://:443/",
            "https://user:secret@example.org/",
            "https://example.org/#here",
            "https://example.org/with space",
            "https://exämple.org/",
            &long,
        ] {
            assert_eq!(WebhookUrl::new(bad), Err(InvalidWebhookUrl), "{bad}");
        }
    }
}

//! What the server answered.

use std::fmt;

use serde_json::Value;
use ureq::http;

/// What the server answered.
#[derive(Clone)]
pub(crate) struct Answer {
    /// What it is the answer to, for the message of a test that fails.
    asked: String,
    pub(crate) status: u16,
    headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(super) fn read(
        asked: String,
        response: http::Response<ureq::Body>,
    ) -> Result<Self, ureq::Error> {
        let (head, mut body) = response.into_parts();
        // An image is no text, and nobody looks at its bytes.
        let text = String::from_utf8_lossy(&body.read_to_vec()?).into_owned();
        Ok(Self { asked, status: head.status.as_u16(), headers: head.headers, text })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body, whatever the status.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }

    /// The body of an answer that has this status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        self.json()
    }

    /// Whatever its body is.
    #[track_caller]
    pub(crate) fn has_status(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
    }

    /// The position in the log that a command's answer carries.
    #[track_caller]
    pub(crate) fn position(&self) -> u64 {
        let position = self.header("daybook-position");
        let position = position.unwrap_or_else(|| panic!("no Daybook-Position in {self:#?}"));
        position.parse().unwrap()
    }

    /// The problem of type `slug` that an answer is; RFC 9457 says how it looks.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, slug: &str) -> Value {
        assert_eq!((self.status, &*self.slug()), (status, slug), "{self:#?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:#?}");
        let problem = self.json();
        assert_eq!(problem["status"], status, "{self:#?}");
        let title = problem["title"].as_str().unwrap_or_default();
        assert!(!title.is_empty(), "a problem has a title: {self:#?}");
        problem
    }

    /// Whether it says that it cannot be done now and when to ask again.
    #[track_caller]
    pub(crate) fn says_come_back(&self) -> bool {
        if self.status != 503 {
            return false;
        }
        let slug = self.slug();
        assert!(["unavailable", "overloaded"].contains(&&*slug), "{self:#?}");
        self.is_refused(503, &slug);
        let seconds = self.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
        assert!(seconds.is_some_and(|seconds| seconds < 60), "{self:?}");
        true
    }

    /// The name at the end of the problem's type; empty where it is no problem of ours.
    pub(crate) fn slug(&self) -> String {
        let problem: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let slug = problem["type"].as_str().and_then(|t| t.strip_prefix("urn:daybook:problem:"));
        slug.unwrap_or_default().to_owned()
    }
}

/// What a test that fails shows.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| text.chars().take(2_000).collect::<String>();
        writeln!(f, "\n{}\n-> {}", shown(&self.asked), self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        writeln!(f, "\n{}", shown(&self.text))
    }
}

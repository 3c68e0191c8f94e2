//! Templates of mail to clients: what a tenant writes in its own words. What stands in them is for whoever writes; here they
//! are kept, by what messages are for and in which language.
//!
//! * [`Templates`]: putting, listing and removing them, and which one is for a client.

mod rows;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use daybook_domain::sending::Kind;
use daybook_domain::{Language, TextError};

pub use rows::{TemplateError, Templates};

/// The most templates of a tenant.
pub const MAX_TEMPLATES: i64 = 100;

/// What the language of a template is called that is for whoever has none in theirs.
const DEFAULT: &str = "default";

/// For whom a template is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateLanguage {
    /// For clients who are written to in this one.
    Of(Language),
    /// For whoever has none in theirs.
    Default,
}

impl TemplateLanguage {
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Of(language) => language.as_str(),
            Self::Default => DEFAULT,
        }
    }
}

impl fmt::Display for TemplateLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TemplateLanguage {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        // No language is called so: the first part of a tag has three letters at most.
        if text == DEFAULT { Ok(Self::Default) } else { Language::new(text).map(Self::Of) }
    }
}

/// Which template it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateKey {
    pub kind: Kind,
    pub language: TemplateLanguage,
}

impl fmt::Display for TemplateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template {} {}", self.kind, self.language)
    }
}

/// What stands in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateText {
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
}

/// A template that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTemplate {
    pub key: TemplateKey,
    pub text: TemplateText,
    pub changed: Changed,
}

/// A template, without what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateHead {
    pub key: TemplateKey,
    pub changed: Changed,
}

/// The last change of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Who did, as the log calls them.
    pub by: String,
    pub at: DateTime<Utc>,
}

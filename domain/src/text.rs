//! Text with a limit: every text that enters an event is of one of these types.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::legible::{Illegible, legible};

/// A text that does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("{what} must not be empty")]
    Empty {
        /// The type of text, as a noun.
        what: &'static str,
    },
    /// Longer than its type allows, in Unicode characters.
    #[error("{what} has at most {max_chars} characters, got {chars}")]
    TooLong {
        /// The type of text, as a noun.
        what: &'static str,
        /// The limit.
        max_chars: usize,
        /// What was given.
        chars: usize,
    },
    /// A control character (Unicode `Cc`); only a note may hold line breaks and tabs.
    #[error("{what} must not contain control characters")]
    ControlCharacter {
        /// The type of text, as a noun.
        what: &'static str,
    },
    /// Nobody can read it as it is written.
    #[error("{what}: {why}")]
    Illegible {
        /// The type of text, as a noun.
        what: &'static str,
        why: Illegible,
    },
    /// An e-mail address without a local part, an `@` and a domain.
    #[error("not an e-mail address")]
    NotAnEmail,
    /// A telephone number of other than digits, spaces and `+-().`.
    #[error("a phone number has digits, spaces and +-()., and at least 3 digits")]
    NotAPhone,
    /// A language tag of other than letters, digits and hyphens.
    #[error("a language is a tag like `nb` or `pt-BR` (BCP 47)")]
    NotALanguage,
    /// More pairs than one thing can carry.
    #[error("at most {} pairs of metadata", crate::Metadata::MAX)]
    TooManyPairs,
    /// Longer pairs than one thing can carry.
    #[error("at most {} bytes of metadata, keys and values together", crate::Metadata::MAX_BYTES)]
    TooMuchMetadata,
    /// More tags than one thing can carry.
    #[error("at most {} tags", Tags::MAX)]
    TooManyTags,
}

fn checked(
    what: &'static str,
    max_chars: usize,
    allowed_controls: &[char],
    text: &str,
) -> Result<String, TextError> {
    let text = text.trim();
    let chars = text.chars().count();
    if text.is_empty() {
        return Err(TextError::Empty { what });
    }
    if chars > max_chars {
        return Err(TextError::TooLong { what, max_chars, chars });
    }
    if text.chars().any(|c| c.is_control() && !allowed_controls.contains(&c)) {
        return Err(TextError::ControlCharacter { what });
    }
    Ok(text.to_owned())
}

fn email(text: String) -> Result<String, TextError> {
    let well_formed = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    let spaceless = !text.contains(char::is_whitespace);
    if well_formed && spaceless { Ok(text) } else { Err(TextError::NotAnEmail) }
}

fn phone(text: String) -> Result<String, TextError> {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let allowed = |c: char| c.is_ascii_digit() || " +-().".contains(c);
    if digits >= 3 && text.chars().all(allowed) { Ok(text) } else { Err(TextError::NotAPhone) }
}

/// In lower case, for tags are compared so (RFC 5646 section 2.1.1).
#[expect(clippy::needless_pass_by_value, reason = "as each form of a text is checked")]
fn language(text: String) -> Result<String, TextError> {
    let mut parts = text.split('-');
    let letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let first = parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && letters(part));
    let others = parts.all(|part| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    if first && others { Ok(text.to_ascii_lowercase()) } else { Err(TextError::NotALanguage) }
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal
        $(, controls: [$($control:literal),+])? $(, form: $form:expr)?) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("maxLength" = $max)))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The longest text, in Unicode characters.
            pub const MAX_CHARS: usize = $max;

            /// Checks and trims a text that somebody has written just now.
            ///
            /// # Errors
            /// When it is empty, too long, not to be read, or holds what this type does not allow.
            pub fn new(text: &str) -> Result<Self, TextError> {
                legible(text).map_err(|why| TextError::Illegible { what: $what, why })?;
                Self::stored(text)
            }

            /// A text that may be of before it was asked whether people can read it: an event's.
            fn stored(text: &str) -> Result<Self, TextError> {
                let text = checked($what, Self::MAX_CHARS, &[$($($control),+)?], text)?;
                $(let text = $form(text)?;)?
                Ok(Self(text))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            /// As events have it: whoever takes it from elsewhere asks whether it is [`legible`] before.
            fn try_from(text: String) -> Result<Self, TextError> {
                Self::stored(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// The name of a service, a resource or a client.
    Name, "a name", 200
);
impl Name {
    /// What somebody is called of whom nothing is known any more.
    #[must_use]
    pub fn erased() -> Self {
        Self(String::from("erased"))
    }

    /// What somebody is called where it is not told who they are.
    #[must_use]
    pub fn withheld() -> Self {
        Self(String::from("withheld"))
    }
}

text!(
    /// What an appointment is called. Whether that is personal is for its tenant to say.
    Title, "a title", 300
);
impl Title {
    /// What something is called of whose title nobody knows any more.
    #[must_use]
    pub fn erased() -> Self {
        Self(String::from("erased"))
    }

    /// What it is called where that is not told.
    #[must_use]
    pub fn withheld() -> Self {
        Self(String::from("withheld"))
    }
}

text!(
    /// What kind of appointment it is; found however it is spelt ([`folded`](crate::folded)).
    Category, "a category", 80
);
text!(
    /// One label; found however it is spelt ([`folded`](crate::folded)).
    Tag, "a tag", 50
);
text!(
    /// What a service needs a resource for; compared letter for letter.
    RoleName, "a role", 80
);
text!(
    /// Why something was done.
    Reason, "a reason", 500
);
impl Reason {
    /// What is said where it is not told, or nobody knows it any more.
    #[must_use]
    pub fn withheld() -> Self {
        Self(String::from("withheld"))
    }
}

text!(
    /// Free text about a client or an appointment; it may have line breaks.
    Note, "a note", 16_000, controls: ['\n', '\r', '\t']
);
text!(
    /// How something recurs: the value of an RRULE (RFC 5545 section 3.3.10), not looked into yet.
    RuleText, "a recurrence rule", 500
);
text!(
    /// Where something takes place: a place, or the address of an online meeting (LOCATION, RFC 5545 section 3.8.1.7).
    /// It is shown and exported like a public title: no place for personal data.
    Location, "a location", 500
);
text!(
    /// What a caller's own system calls something; compared letter for letter.
    Reference, "a reference", 200
);
text!(
    /// The name of a value that a caller keeps with something; compared letter for letter.
    MetadataKey, "a metadata key", 40
);
text!(
    /// A value that a caller keeps with something; compared letter for letter.
    MetadataValue, "a metadata value", 500
);
text!(
    /// An e-mail address (RFC 5321 limits it to 254 octets), checked for its shape only.
    Email, "an e-mail address", 254, form: email
);
text!(
    /// A language (BCP 47), checked for its shape only, in lower case.
    Language, "a language", 35, form: language
);
text!(
    /// A telephone number as people write it.
    Phone, "a phone number", 40, form: phone
);

/// A name always fits a title.
impl From<&Name> for Title {
    fn from(name: &Name) -> Self {
        const { assert!(Name::MAX_CHARS <= Title::MAX_CHARS) };
        Self(name.0.clone())
    }
}

/// A set of at most [`Tags::MAX`] tags, in alphabetical order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "BTreeSet<Tag>", into = "BTreeSet<Tag>")]
pub struct Tags(BTreeSet<Tag>);

impl Tags {
    /// How many tags one thing can carry.
    pub const MAX: usize = 20;

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn contains(&self, tag: &Tag) -> bool {
        self.0.contains(tag)
    }

    /// The tags in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.0.iter()
    }
}

impl TryFrom<BTreeSet<Tag>> for Tags {
    type Error = TextError;

    fn try_from(tags: BTreeSet<Tag>) -> Result<Self, TextError> {
        if tags.len() > Self::MAX { Err(TextError::TooManyTags) } else { Ok(Self(tags)) }
    }
}

impl From<Tags> for BTreeSet<Tag> {
    fn from(tags: Tags) -> Self {
        tags.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_bounded() {
        assert_eq!(Name::new("  Ada ").map(String::from), Ok("Ada".to_owned()));
        assert_eq!(Name::new(" "), Err(TextError::Empty { what: "a name" }));
        assert!(matches!(Name::new(&"x".repeat(201)), Err(TextError::TooLong { chars: 201, .. })));
        assert!(Name::new(&"å".repeat(200)).is_ok());
    }

    #[test]
    fn what_nobody_can_read_is_not_written_any_more_and_is_still_read() {
        for text in ["\u{200B}", "Ada \u{202E}ecalevoL"] {
            assert!(matches!(Name::new(text), Err(TextError::Illegible { .. })), "{text:?}");
            let stored: Name = serde_json::from_value(text.into()).unwrap();
            assert_eq!(stored.as_str(), text);
        }
    }

    #[test]
    fn only_a_note_may_hold_line_breaks() {
        assert!(matches!(Name::new("a\nb"), Err(TextError::ControlCharacter { .. })));
        assert!(Note::new("a\nb").is_ok());
        assert!(matches!(Note::new("a\u{0}b"), Err(TextError::ControlCharacter { .. })));
    }

    #[test]
    fn contact_details_have_a_shape() {
        assert!(Email::new("someone@example.org").is_ok());
        for bad in ["someone", "@example.org", "a@", "a@b@c", "a b@c"] {
            assert_eq!(Email::new(bad), Err(TextError::NotAnEmail), "{bad}");
        }
        assert!(Phone::new("+47 22 00 00 00").is_ok());
        assert_eq!(Phone::new("call me"), Err(TextError::NotAPhone));
        assert_eq!(Language::new("pt-BR").map(String::from), Ok("pt-br".to_owned()));
        for bad in ["n", "norwegian", "nb_NO", "nb-", "1a", "nb-a1b2c3d4e"] {
            assert_eq!(Language::new(bad), Err(TextError::NotALanguage), "{bad}");
        }
    }

    #[test]
    fn a_thing_carries_a_bounded_number_of_tags() {
        let tags = |n: usize| -> BTreeSet<Tag> {
            (0..n).map(|i| Tag::new(&format!("t{i}")).unwrap()).collect()
        };
        assert!(Tags::try_from(tags(Tags::MAX)).is_ok());
        assert_eq!(Tags::try_from(tags(Tags::MAX + 1)), Err(TextError::TooManyTags));
    }
}

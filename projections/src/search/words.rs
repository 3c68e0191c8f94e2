//! The words of titles.
//!
//! A word is a run of letters and digits, in lower case. They are found here and not by
//! PostgreSQL, whose idea of a letter depends on the locale of the cluster.

use std::collections::BTreeSet;

use daybook_domain::{TenantId, Title};

/// The beginnings of words, all of which a title must have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TitleWords(BTreeSet<String>);

/// A text that asks for too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TitleWordsError {
    /// Too long.
    #[error("at most {max} characters, got {chars}", max = TitleWords::MAX_CHARS)]
    TooLong {
        /// What was given.
        chars: usize,
    },
    /// Too many words.
    #[error("at most {max} different words, got {words}", max = TitleWords::MAX_WORDS)]
    TooMany {
        /// What was given.
        words: usize,
    },
}

impl TitleWords {
    /// The longest text, in Unicode characters.
    pub const MAX_CHARS: usize = 200;
    /// The most words.
    pub const MAX_WORDS: usize = 8;

    /// Splits a text as people type it. Whatever is neither letter nor digit only separates.
    ///
    /// # Errors
    /// When it is too long or has too many words.
    pub fn parse(text: &str) -> Result<Self, TitleWordsError> {
        let chars = text.chars().count();
        if chars > Self::MAX_CHARS {
            return Err(TitleWordsError::TooLong { chars });
        }
        let words = split(text);
        if words.len() > Self::MAX_WORDS {
            return Err(TitleWordsError::TooMany { words: words.len() });
        }
        Ok(Self(words))
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Each as a `tsquery`. No word has a quote or a backslash, nor has a tenant's name.
    pub(super) fn tsqueries(&self, tenant: &TenantId) -> Vec<String> {
        self.0.iter().map(|word| format!("'{tenant}/{word}':*")).collect()
    }
}

/// What a title is found by: its words, each with its tenant, so that the words of one tenant are
/// not searched among those of all.
pub(super) fn lexemes(tenant: &TenantId, title: &Title) -> Vec<String> {
    split(title.as_str()).into_iter().map(|word| format!("{tenant}/{word}")).collect()
}

pub(super) fn split(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_letter_or_digit_only_separates() {
        let tenant: TenantId = "north".parse().unwrap();
        let words = TitleWords::parse(" Årlig check-up (O'Hara) \\ ' & | ! :* ").unwrap();
        assert_eq!(words.iter().collect::<Vec<_>>(), ["check", "hara", "o", "up", "årlig"]);
        assert_eq!(
            TitleWords::parse("A b").unwrap().tsqueries(&tenant),
            ["'north/a':*", "'north/b':*"]
        );
        assert!(TitleWords::parse("?! --").unwrap().is_empty());
    }

    #[test]
    fn a_search_for_words_is_bounded() {
        assert_eq!(
            TitleWords::parse(&"x".repeat(201)),
            Err(TitleWordsError::TooLong { chars: 201 })
        );
        assert_eq!(
            TitleWords::parse("a b c d e f g h i"),
            Err(TitleWordsError::TooMany { words: 9 })
        );
        assert!(TitleWords::parse("a a a a a a a a a").is_ok());
    }
}

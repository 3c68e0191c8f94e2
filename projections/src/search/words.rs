//! The words of titles, and categories and tags, as they are found: folded ([`folded`]), so that it does not matter how
//! they are spelt.
//!
//! Words are found by [`words`] and not by PostgreSQL, whose idea of a letter and of its case depends on the locale of the
//! cluster.

use std::collections::BTreeSet;

use daybook_domain::{FreeTitle, folded, words};

use super::row::FoundAppointment;

/// The words that an appointment is found by.
pub(crate) struct Words {
    pub(crate) category: String,
    pub(crate) tags: Vec<String>,
    pub(super) title: BTreeSet<String>,
}

impl Words {
    pub(crate) fn of(appointment: &FoundAppointment) -> Self {
        Self {
            category: folded(appointment.category.as_str()),
            tags: appointment.tags.iter().map(|tag| folded(tag.as_str())).collect(),
            title: public_words(&appointment.title),
        }
    }

    /// The words of the title in one text, each after a space: one that begins with something is where a space
    /// and that is.
    pub(crate) fn line(&self) -> String {
        line(&self.title)
    }
}

/// A personal title has none here: it is found by tokens.
fn public_words(title: &FreeTitle) -> BTreeSet<String> {
    match title {
        FreeTitle::Public(title) => words(title.as_str()),
        FreeTitle::Personal(_) => BTreeSet::new(),
    }
}

/// The beginnings of words, all of which a title must have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TitleWords(BTreeSet<String>);

/// A text that asks for too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TitleWordsError {
    /// There is nothing to look for: every title has that.
    #[error("it has neither a letter nor a digit")]
    NoWord,
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

    /// Splits a text as people type it, however it is spelt.
    ///
    /// # Errors
    /// When it is too long, or has too many words or none.
    pub fn parse(text: &str) -> Result<Self, TitleWordsError> {
        let chars = text.chars().count();
        if chars > Self::MAX_CHARS {
            return Err(TitleWordsError::TooLong { chars });
        }
        let words = words(text);
        if words.is_empty() {
            return Err(TitleWordsError::NoWord);
        }
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

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Each as it is in the [`line`] of a title that has it.
    pub(super) fn in_lines(&self) -> Vec<String> {
        self.0.iter().map(|word| format!(" {word}")).collect()
    }
}

fn line(words: &BTreeSet<String>) -> String {
    words.iter().flat_map(|word| [" ", word]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_letter_or_digit_only_separates() {
        let words = TitleWords::parse(" Årlig check-up (O'Hara) \\ ' & | ! :* ").unwrap();
        assert_eq!(words.iter().collect::<Vec<_>>(), ["arlig", "check", "hara", "o", "up"]);
        assert_eq!(TitleWords::parse("?! --"), Err(TitleWordsError::NoWord));
    }

    #[test]
    fn the_line_of_a_title_has_the_beginnings_of_its_words() {
        let line = line(&words("Årlig check-up"));
        assert_eq!(line, " arlig check up");
        let has = |text| {
            let words = TitleWords::parse(text).unwrap().in_lines();
            words.iter().all(|word| line.contains(word))
        };
        assert!(has("UP år"));
        assert!(!has("heck"));
        assert!(!has("upp"));
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

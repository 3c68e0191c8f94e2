//! What kind of event it is: by its CATEGORIES, or by a rule that the caller names. Never by itself by a
//! person's words, which whoever reads statistics would see.

use std::str::FromStr;

use thiserror::Error;

/// From where the kind of an event comes that has no CATEGORIES.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CategoryFrom {
    /// The words in parentheses that end its SUMMARY: `Workshop` of `Building teams (Workshop)`.
    SummaryParentheses,
}

/// The name of no such rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a category comes from: summary-parentheses")]
pub struct NoSuchRule;

impl FromStr for CategoryFrom {
    type Err = NoSuchRule;

    fn from_str(text: &str) -> Result<Self, NoSuchRule> {
        match text {
            "summary-parentheses" => Ok(Self::SummaryParentheses),
            _ => Err(NoSuchRule),
        }
    }
}

/// The words in parentheses that end a summary: `Workshop` of `Testing with care (Workshop)`.
///
/// They must stand apart from the word before them, so that `Intro to f(x)` names none.
pub(super) fn at_end_of(summary: &str) -> Option<&str> {
    let inside = summary.trim_end().strip_suffix(')')?;
    let mut closed = 0_usize;
    for (at, character) in inside.char_indices().rev() {
        match character {
            ')' => closed += 1,
            '(' if closed > 0 => closed -= 1,
            '(' => {
                let (before, category) = (&inside[..at], inside[at + 1..].trim());
                let apart = before.is_empty() || before.ends_with(char::is_whitespace);
                return (apart && !category.is_empty()).then_some(category);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_in_parentheses_are_the_category() {
        assert_eq!(at_end_of("Building teams (Workshop)"), Some("Workshop"));
        assert_eq!(at_end_of("Access (when in a hurry) (General)"), Some("General"));
        assert_eq!(at_end_of("Opening (Main (and only) Events) "), Some("Main (and only) Events"));
    }

    #[test]
    fn a_summary_that_does_not_end_so_has_no_category() {
        for summary in ["", "Lunch", "Lunch ()", "Lunch ( )", "(Workshop) again", "f(x)", "Lunch)"]
        {
            assert_eq!(at_end_of(summary), None, "{summary:?}");
        }
    }
}

//! What kind of event it is, by its CATEGORIES or by the end of its SUMMARY.

/// The words in parentheses that end a summary: `Workshop` of `Testing with care (Workshop)`.
///
/// They must stand apart from the word before them, so that `Intro to f(x)` names none.
pub(super) fn at_end_of(summary: &str) -> Option<&str> {
    split(summary).map(|(_, category)| category)
}

/// The summary without the category that ends it. The whole summary if it does not end so, or if
/// nothing would be left.
pub(super) fn strip<'s>(summary: &'s str, category: &str) -> &'s str {
    match split(summary) {
        Some((title, found)) if found == category && !title.is_empty() => title,
        _ => summary,
    }
}

fn split(summary: &str) -> Option<(&str, &str)> {
    let inside = summary.trim_end().strip_suffix(')')?;
    let mut closed = 0_usize;
    for (at, character) in inside.char_indices().rev() {
        match character {
            ')' => closed += 1,
            '(' if closed > 0 => closed -= 1,
            '(' => {
                let (before, category) = (&inside[..at], inside[at + 1..].trim());
                let apart = before.is_empty() || before.ends_with(char::is_whitespace);
                return (apart && !category.is_empty()).then_some((before.trim(), category));
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

    #[test]
    fn the_title_is_the_summary_without_its_category() {
        assert_eq!(strip("Building teams (Workshop)", "Workshop"), "Building teams");
        assert_eq!(strip("Building teams (Workshop)", "Talk"), "Building teams (Workshop)");
        assert_eq!(strip("(Workshop)", "Workshop"), "(Workshop)");
    }
}

//! Texts: their limits, their spaces, and what of them is safe to show.

use super::error::RefusalReason;

/// The longest UID, in characters. RFC 7986 §5.3 asks that none be longer than 255 octets.
pub const MAX_UID_CHARS: usize = 255;
/// The longest SUMMARY, in characters.
pub const MAX_SUMMARY_CHARS: usize = 500;
/// The longest LOCATION, in characters.
pub const MAX_LOCATION_CHARS: usize = 255;
/// The longest category, in characters.
pub const MAX_CATEGORY_CHARS: usize = 100;
/// The longest DESCRIPTION, in characters.
pub const MAX_DESCRIPTION_CHARS: usize = 10_000;
/// The most CATEGORIES after the first, which is the category; these are the tags.
pub const MAX_TAGS: usize = 50;

const EXCERPT_CHARS: usize = 80;

/// A text of one line: each run of white space is one space, and there is none at either end. A
/// location is often an address in several lines. None if nothing is left.
pub(super) fn one_line(
    property: &'static str,
    text: &str,
    max_chars: usize,
) -> Result<Option<String>, RefusalReason> {
    let words: Vec<&str> = text.split_whitespace().collect();
    bounded(property, words.join(" "), max_chars)
}

/// A text of any number of lines. None if nothing is left without the white space around it.
pub(super) fn many_lines(
    property: &'static str,
    text: &str,
    max_chars: usize,
) -> Result<Option<String>, RefusalReason> {
    bounded(property, text.trim().to_owned(), max_chars)
}

fn bounded(
    property: &'static str,
    text: String,
    max_chars: usize,
) -> Result<Option<String>, RefusalReason> {
    if text.chars().nth(max_chars).is_some() {
        return Err(RefusalReason::TooLong { property, max_chars });
    }
    Ok((!text.is_empty()).then_some(text))
}

/// Whether a content line's text has a character that no text may have (RFC 5545 §3.3.11 allows the
/// tab only; a line break is written as an escape).
pub(super) fn has_control_character(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && c != '\t')
}

/// The beginning of a text that came from outside, to be shown to a person: short, on one line, and
/// without anything that a terminal would act on.
pub(super) fn excerpt(text: &str) -> String {
    let safe = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(EXCERPT_CHARS).map(safe).collect();
    if text.chars().nth(EXCERPT_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_within_a_line_is_one_space() {
        assert_eq!(
            one_line("LOCATION", "  Hall 3\n 1 High St\t", 50),
            Ok(Some("Hall 3 1 High St".to_owned()))
        );
        assert_eq!(one_line("LOCATION", " \n ", 50), Ok(None));
    }

    #[test]
    fn a_text_is_refused_at_one_character_over_its_limit() {
        assert_eq!(many_lines("SUMMARY", "äöü", 3), Ok(Some("äöü".to_owned())));
        assert_eq!(
            many_lines("SUMMARY", "äöü.", 3),
            Err(RefusalReason::TooLong { property: "SUMMARY", max_chars: 3 })
        );
    }

    #[test]
    fn an_excerpt_is_short_and_has_no_control_characters() {
        assert_eq!(excerpt("a\u{1b}[31m\nb"), "a [31m b");
        assert_eq!(excerpt(&"x".repeat(500)).chars().count(), EXCERPT_CHARS + 1);
    }
}

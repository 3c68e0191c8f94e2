//! Whether people can read a text, and read it as it is written.
//!
//! It is asked of what a request or a file says. What events say already is read as it is: texts that were written
//! before this was asked stay what they are.

use crate::spelling::is_default_ignorable;

/// Why a text is not taken that has the right length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Illegible {
    /// It would be shown as nothing: whoever looks for it, or has to choose it from a list, cannot.
    #[error("nothing of it can be seen")]
    Invisible,
    /// What is behind such a character is shown before what is in front of it, so that a text is taken for another one
    /// (CVE-2021-42574). Letters have a direction of their own and need none.
    #[error(
        "it has characters that turn the direction of writing (U+202A to U+202E, U+2066 to U+2069)"
    )]
    Turned,
}

/// Whether a text is one that can be read; one that is empty is for its type to refuse.
///
/// # Errors
/// Why it cannot.
pub fn legible(text: &str) -> Result<(), Illegible> {
    if text.is_ascii() {
        return Ok(());
    }
    if text.contains(turns) {
        return Err(Illegible::Turned);
    }
    let has_something = !text.trim().is_empty();
    if has_something && text.chars().all(|character| character.is_whitespace() || hides(character))
    {
        return Err(Illegible::Invisible);
    }
    Ok(())
}

/// The formatting characters of the bidirectional algorithm that begin or end an embedding, an override or an isolate
/// (UAX #9, section 2).
const fn turns(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Characters that are shown as nothing: what can be ignored by default, and the blank of Braille.
const fn hides(character: char) -> bool {
    is_default_ignorable(character) || character == '\u{2800}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_which_nothing_is_shown_cannot_be_read() {
        for text in ["\u{200B}", "\u{FEFF} \u{2060}", "\u{3164}", "\u{2800}", "\u{AD}\u{200D}"] {
            assert_eq!(legible(text), Err(Illegible::Invisible), "{}", text.escape_unicode());
        }
        // A family is joined by characters that are not shown, Persian needs them, and so does a flag.
        for text in ["", " ", "\u{3000}", "👩\u{200D}👧", "می\u{200C}خواهم", "🏳\u{FE0F}", "Ada"]
        {
            assert_eq!(legible(text), Ok(()), "{}", text.escape_unicode());
        }
    }

    #[test]
    fn a_text_that_turns_the_direction_of_writing_cannot_be_read_as_it_is_written() {
        for turned in ["\u{202A}", "\u{202E}", "\u{2066}", "\u{2069}"] {
            let text = format!("invoice {turned}fdp.exe");
            assert_eq!(legible(&text), Err(Illegible::Turned), "{}", text.escape_unicode());
        }
        for text in ["שלום", "مرحبا", "a \u{200E}(b)", "\u{202F}1\u{2065}"] {
            assert_eq!(legible(text), Ok(()), "{}", text.escape_unicode());
        }
    }
}

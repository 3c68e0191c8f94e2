//! Texts: their escapes (RFC 5545 §3.3.11), and what of them is safe to keep and to show.

use std::borrow::Cow;

const EXCERPT_CHARS: usize = 80;

/// What Windows-1252 has from 0x80 to 0x9F, where Latin 1 has control characters; so do the five that are not assigned.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Bytes as text: UTF-8 (RFC 5545 §3.1.4), and what is not is Windows-1252, which programs of before the RFC wrote, and
/// Thunderbird reads so.
pub(crate) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let of_byte = |byte: &u8| match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        other => char::from(*other),
    };
    let characters = bytes
        .utf8_chunks()
        .flat_map(|chunk| chunk.valid().chars().chain(chunk.invalid().iter().map(of_byte)));
    Cow::Owned(characters.collect())
}

/// A text as its writer meant it: the escapes undone. A backslash before any other character stands
/// for itself.
#[must_use]
pub fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('n' | 'N') => text.push('\n'),
            Some(escaped @ ('\\' | ',' | ';' | ':' | '"')) => text.push(escaped),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}

/// A text as it is written. Control characters other than the tab have no form in a calendar: a line
/// break is an escape, the others are left out.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut value = String::with_capacity(text.len() + 8);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' | ',' | ';' => value.extend(['\\', character]),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' => value.push_str("\\n"),
            control if control.is_control() && control != '\t' => {}
            other => value.push(other),
        }
    }
    value
}

/// The items of a list of texts, not yet unescaped. A comma separates them, unless it is escaped.
pub fn list(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut escaped = false;
        let comma = text.char_indices().find(|(_, character)| match character {
            _ if escaped => {
                escaped = false;
                false
            }
            '\\' => {
                escaped = true;
                false
            }
            other => *other == ',',
        });
        let (item, after) = match comma {
            Some((at, _)) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(item)
    })
}

/// A text without control characters, and without those that turn the direction of writing (UAX #9): letters have one of
/// their own, and with these a text is shown as another one. What breaks a line (a word processor's soft break, a
/// page) is a line break; the tab stays; the others mean nothing to anybody.
#[must_use]
pub fn clean(text: &str) -> String {
    let kept = |character: char| match character {
        '\n' | '\t' => Some(character),
        '\u{b}' | '\u{c}' | '\u{85}' => Some('\n'),
        control if control.is_control() => None,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        other => Some(other),
    };
    // A carriage return is a line break, and with a line feed they are one.
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    lines.chars().filter_map(kept).collect()
}

/// A text of one line: each run of white space is one space, and there is none at either end.
#[must_use]
pub fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The beginning of a text that came from outside, to be shown to a person: short, on one line, and
/// without anything that a terminal would act on.
#[must_use]
pub fn excerpt(text: &str) -> String {
    let safe = |character: char| if character.is_control() { ' ' } else { character };
    let mut shown: String = text.chars().take(EXCERPT_CHARS).map(safe).collect();
    if text.chars().nth(EXCERPT_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_utf_8_is_windows_1252() {
        assert_eq!(decoded("Caf\u{e9} \u{1f600}".as_bytes()), "Caf\u{e9} \u{1f600}");
        assert_eq!(decoded(b"Caf\xe9, 5 \x80 \x96 \xc3\xbcber\x81"), "Caf\u{e9}, 5 € – über\u{81}");
        assert_eq!(clean(&decoded(b"cut \xe2\x82")), "cut â‚");
    }

    #[test]
    fn escapes_of_a_text_are_undone_and_other_backslashes_stay() {
        assert_eq!(unescape(r"Rack 'em\, stack\; a\\b\nc\Nd"), "Rack 'em, stack; a\\b\nc\nd");
        assert_eq!(unescape(r"C:\temp\"), r"C:\temp\");
    }

    #[test]
    fn only_an_unescaped_comma_separates_the_items_of_a_list() {
        let items: Vec<_> = list(r"Talk\, long,Ruby\\,,Web").map(unescape).collect();
        assert_eq!(items, ["Talk, long", "Ruby\\", "", "Web"]);
    }

    #[test]
    fn control_characters_are_line_breaks_or_nothing() {
        assert_eq!(
            clean("soft\u{b}break\r\nnext\rline\tend\u{7}\u{0}"),
            "soft\nbreak\nnext\nline\tend"
        );
        assert_eq!(one_line("  Hall 3\n 1 High St\t"), "Hall 3 1 High St");
        assert_eq!(one_line(" \u{1} \n "), "");
        assert_eq!(clean("\u{202b}\u{5e9}\u{5dc}\u{202c} \u{2066}1\u{2069}"), "\u{5e9}\u{5dc} 1");
    }

    #[test]
    fn an_excerpt_is_short_and_has_no_control_characters() {
        assert_eq!(excerpt("a\u{1b}[31m\nb"), "a [31m b");
        assert_eq!(excerpt(&"x".repeat(500)).chars().count(), EXCERPT_CHARS + 1);
    }

    proptest! {
        #[test]
        fn a_text_comes_back_as_it_was_written(text in "[a-zA-Z,;:\\\\\"\n\t ü日]{0,60}") {
            prop_assert_eq!(unescape(&escape(&text)), text);
        }
    }
}

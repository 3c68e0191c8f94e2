//! Content lines: a component's lines with their folding undone (RFC 5545 §3.1).
//!
//! Unfolding works on bytes and comes before UTF-8 is checked, since the RFC allows a fold between
//! the bytes of one character.

use std::borrow::Cow;

/// One content line, unfolded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Where it begins in the file, counted from 1.
    pub(crate) number: u32,
    /// The line without its line ending.
    pub(crate) bytes: Cow<'a, [u8]>,
}

impl Line<'_> {
    /// The property's name in capitals, and what follows it from its `:` or `;` on. `None`: it has
    /// no name.
    pub(crate) fn name(&self) -> Option<(String, usize)> {
        let end = self.bytes.iter().position(|byte| matches!(byte, b':' | b';'))?;
        let name = std::str::from_utf8(&self.bytes[..end]).ok()?.trim();
        let fits = !name.is_empty()
            && name.len() <= MAX_NAME
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        fits.then(|| (name.to_ascii_uppercase(), end))
    }
}

/// Longer than any name in use.
const MAX_NAME: usize = 200;

/// The content lines of some bytes; blank ones are passed over.
pub(crate) struct Lines<'a> {
    rest: &'a [u8],
    next_number: u32,
}

impl<'a> Lines<'a> {
    /// The lines of bytes that begin on this line of their file.
    pub(crate) fn from(bytes: &'a [u8], first_number: u32) -> Self {
        Self { rest: bytes, next_number: first_number }
    }

    /// One line as it stands, without its ending.
    fn physical_line(&mut self) -> &'a [u8] {
        self.next_number = self.next_number.saturating_add(1);
        let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') else {
            return std::mem::take(&mut self.rest);
        };
        let (line, rest) = self.rest.split_at(end);
        self.rest = &rest[1..];
        line.strip_suffix(b"\r").unwrap_or(line)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        while !self.rest.is_empty() {
            let number = self.next_number;
            let mut bytes = Cow::Borrowed(self.physical_line());
            while matches!(self.rest.first(), Some(b' ' | b'\t')) {
                let folded = self.physical_line();
                bytes.to_mut().extend_from_slice(&folded[1..]);
            }
            if !bytes.trim_ascii().is_empty() {
                return Some(Line { number, bytes });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(u32, String)> {
        let text = |line: Line| (line.number, String::from_utf8(line.bytes.into_owned()).unwrap());
        Lines::from(bytes, 1).map(text).collect()
    }

    #[test]
    fn folded_lines_are_joined_and_keep_the_number_of_their_first() {
        assert_eq!(
            lines(b"A:one\r\n  two\r\n\tthree\r\n\r\nB:four\n"),
            [(1, "A:one twothree".to_owned()), (5, "B:four".to_owned())]
        );
    }

    #[test]
    fn a_fold_may_stand_between_the_bytes_of_a_character() {
        assert_eq!(lines(b"A:caf\xC3\r\n \xA9\r\n"), [(1, "A:caf\u{e9}".to_owned())]);
    }

    #[test]
    fn a_name_is_letters_digits_and_hyphens() {
        let name = |text: &str| {
            Line { number: 1, bytes: Cow::Borrowed(text.as_bytes()) }.name().map(|(name, _)| name)
        };
        assert_eq!(name("dtStart;X=1:2"), Some("DTSTART".to_owned()));
        assert_eq!(name("X-WR-CALNAME:a"), Some("X-WR-CALNAME".to_owned()));
        for none in ["and so on", ":a", "A B:c", ""] {
            assert_eq!(name(none), None, "{none:?}");
        }
    }
}

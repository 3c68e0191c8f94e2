//! Content lines: the file's lines with their folding undone (RFC 5545 §3.1).
//!
//! Unfolding works on bytes and comes before UTF-8 is checked, since the RFC allows a fold between
//! the bytes of one character.

use std::borrow::Cow;

use super::error::ReadError;

/// One content line, unfolded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Where it begins in the file, counted from 1.
    pub(super) number: usize,
    /// The line without its line ending.
    pub(super) text: Cow<'a, str>,
    /// Whether a line ending follows it. Without one the file may have been cut within this line.
    pub(super) terminated: bool,
}

impl Line<'_> {
    /// The property's name, and what follows it from its `:` or `;` on. None without either.
    pub(super) fn split_name(&self) -> Option<(&str, &str)> {
        self.text.find([':', ';']).map(|at| self.text.split_at(at))
    }
}

/// The content lines of a file; blank ones are passed over.
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    next_number: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(file: &'a [u8]) -> Self {
        let without_byte_order_mark = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
        Self { rest: without_byte_order_mark, next_number: 1 }
    }

    /// One line of the file as it stands: its bytes, and whether a line ending followed.
    fn physical_line(&mut self) -> (&'a [u8], bool) {
        self.next_number += 1;
        let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') else {
            return (std::mem::take(&mut self.rest), false);
        };
        let (line, rest) = self.rest.split_at(end);
        self.rest = &rest[1..];
        (line.strip_suffix(b"\r").unwrap_or(line), true)
    }

    fn continues(&self) -> bool {
        matches!(self.rest.first(), Some(b' ' | b'\t'))
    }

    fn content_line(&mut self) -> Result<Line<'a>, ReadError> {
        let number = self.next_number;
        let (first, mut terminated) = self.physical_line();
        let mut bytes = Cow::Borrowed(first);
        while terminated && self.continues() {
            let (folded, ended) = self.physical_line();
            bytes.to_mut().extend_from_slice(&folded[1..]);
            terminated = ended;
        }
        let text = match bytes {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        };
        let text = text.ok_or(ReadError::NotUtf8 { line: number })?;
        Ok(Line { number, text, terminated })
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Line<'a>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            match self.content_line() {
                Ok(line) if line.text.trim().is_empty() => {}
                line_or_error => return Some(line_or_error),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(file: &[u8]) -> Vec<(usize, String, bool)> {
        Lines::of(file)
            .map(|line| line.map(|line| (line.number, line.text.into_owned(), line.terminated)))
            .collect::<Result<_, _>>()
            .expect("the file is UTF-8")
    }

    fn line(number: usize, text: &str, terminated: bool) -> (usize, String, bool) {
        (number, text.to_owned(), terminated)
    }

    #[test]
    fn folded_lines_are_joined_and_keep_the_number_of_their_first() {
        assert_eq!(
            lines(b"A:one\r\n  two\r\n\tthree\r\n\r\nB:four\n"),
            [line(1, "A:one twothree", true), line(5, "B:four", true)]
        );
    }

    #[test]
    fn a_fold_may_stand_between_the_bytes_of_a_character() {
        assert_eq!(lines(b"A:caf\xC3\r\n \xA9\r\n"), [line(1, "A:caf\u{e9}", true)]);
    }

    #[test]
    fn a_last_line_without_an_ending_says_so() {
        assert_eq!(lines(b"\xEF\xBB\xBFA:1\nB:2"), [line(1, "A:1", true), line(2, "B:2", false)]);
    }

    #[test]
    fn a_line_that_is_not_utf8_is_an_error_with_its_number() {
        let error = Lines::of(b"A:1\nB:\xFF\n").find_map(Result::err);
        assert_eq!(error, Some(ReadError::NotUtf8 { line: 2 }));
    }
}

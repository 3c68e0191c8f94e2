//! A VEVENT's own content lines: those that a booking is made from, and no more.
//!
//! The lines are chosen while the file is gone through, so that a large file of lines that nobody
//! reads (attendees, attachments, whatever a hostile hand repeats) does not take many times its size.

use super::{error::RefusalReason, lines::Line};

/// Far more than any event has: nine properties, and its categories.
const MAX_LINES: usize = 1000;
/// A description of the greatest length, each of its characters escaped, and parameters besides.
const MAX_LINE_BYTES: usize = 128 * 1024;

/// What is read, by the number of times it may be there (RFC 5545 §3.6.1).
const ONCE: [&str; 9] = [
    "UID",
    "RECURRENCE-ID",
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "STATUS",
    "DTSTART",
    "DTEND",
    "DURATION",
];
const OFTEN: [&str; 1] = ["CATEGORIES"];
/// What makes an event a series, whatever its value.
pub(super) const RECURRENCE: [&str; 4] = ["RRULE", "RDATE", "EXDATE", "EXRULE"];

/// The lines of one VEVENT, without those of the components inside it (alarms).
#[derive(Debug)]
pub(super) struct RawEvent<'a> {
    /// Where its `BEGIN` is.
    pub(super) line: usize,
    /// The lines that are read, each with the name of its property.
    pub(super) lines: Vec<(&'static str, Line<'a>)>,
    /// The first thing that was wrong with its lines.
    pub(super) fault: Option<RefusalReason>,
}

impl<'a> RawEvent<'a> {
    pub(super) fn begun_on(line: usize) -> Self {
        Self { line, lines: Vec::new(), fault: None }
    }

    pub(super) fn add(&mut self, line: Line<'a>) {
        let malformed = RefusalReason::Malformed { line: line.number };
        let Some((found, _)) = line.split_name() else {
            self.fault.get_or_insert(malformed);
            return;
        };
        let known = |name: &&str| name.eq_ignore_ascii_case(found);
        let Some(property) = ONCE.into_iter().chain(OFTEN).chain(RECURRENCE).find(known) else {
            if !is_name(found) {
                self.fault.get_or_insert(malformed);
            }
            return;
        };
        let repeated =
            ONCE.contains(&property) && self.lines.iter().any(|(name, _)| *name == property);
        if repeated {
            self.fault.get_or_insert(RefusalReason::Repeated { property });
        } else if self.lines.len() == MAX_LINES {
            self.fault.get_or_insert(RefusalReason::TooManyLines { max: MAX_LINES });
        } else if line.text.len() > MAX_LINE_BYTES {
            let max_bytes = MAX_LINE_BYTES;
            self.fault.get_or_insert(RefusalReason::LineTooLong { property, max_bytes });
        } else {
            self.lines.push((property, line));
        }
    }
}

/// RFC 5545 §3.1: letters, digits and `-`.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn with(texts: &[&str]) -> (Vec<&'static str>, Option<RefusalReason>) {
        let mut event = RawEvent::begun_on(1);
        for (text, number) in texts.iter().zip(2..) {
            let text = Cow::Owned((*text).to_owned());
            event.add(Line { number, text, terminated: true });
        }
        (event.lines.iter().map(|(property, _)| *property).collect(), event.fault)
    }

    #[test]
    fn only_lines_that_are_read_are_kept() {
        let texts = ["ATTENDEE;CN=A:b", "uid:a", "X-1:2", "Categories:c", "RRULE:d", "UIDX:e"];
        assert_eq!(with(&texts), (vec!["UID", "CATEGORIES", "RRULE"], None));
    }

    #[test]
    fn the_first_fault_is_kept_and_the_good_lines_with_it() {
        let malformed = RefusalReason::Malformed { line: 2 };
        assert_eq!(with(&["and so on", "UID:a", "UID:b"]), (vec!["UID"], Some(malformed)));
        let repeated = RefusalReason::Repeated { property: "UID" };
        assert_eq!(with(&["UID:a", "uid:b", ":c"]), (vec!["UID"], Some(repeated)));
    }

    #[test]
    fn lines_beyond_the_limits_are_not_kept() {
        let (kept, fault) = with(&["CATEGORIES:a"; MAX_LINES + 1]);
        assert_eq!(kept.len(), MAX_LINES);
        assert_eq!(fault, Some(RefusalReason::TooManyLines { max: MAX_LINES }));

        let long = format!("UID:{}", "u".repeat(MAX_LINE_BYTES));
        let max_bytes = MAX_LINE_BYTES;
        let too_long = RefusalReason::LineTooLong { property: "UID", max_bytes };
        assert_eq!(with(&[&long]), (Vec::new(), Some(too_long)));
    }
}

//! The envelope of a file: which components it has, where they are, and whether they are complete.
//!
//! A file is pushed in pieces and never held whole: what comes of it is an index of its events by
//! where they are, with what holds for all of them. Everything that must be so for the file to be trusted
//! is checked here, before any event is read. Nesting is a bounded list of its own, never on the
//! program's stack.

mod index;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::component::{Component, MAX_DEPTH, mark};
use crate::fault::FileError;
use crate::lines::Lines;
use crate::property::Property;
use crate::text::{excerpt, one_line};

pub use index::{Calendar, Index, Method, Place};

/// The most events of one file.
pub const MAX_EVENTS: usize = 500_000;
/// The largest file.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024 * 1024;

/// Calendars of one file that differ in what holds for all their events.
const MAX_CALENDARS: usize = 10_000;
/// As much of a line is kept as is looked at here: a UID, a calendar's name.
const KEPT: usize = 8 * 1024;
/// All definitions of zones together.
const MAX_ZONE_BYTES: usize = 8 * 1024 * 1024;

/// How much is read of one file.
#[derive(Debug, Clone, Copy)]
struct Limits {
    bytes: u64,
    events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: MAX_FILE_BYTES, events: MAX_EVENTS }
    }
}

/// Reads the envelope of a file that is pushed in pieces.
#[derive(Debug, Default)]
pub struct Scanner {
    limits: Limits,
    /// The line that is being read, as far as it is kept.
    line: Vec<u8>,
    /// How long it is.
    length: usize,
    /// Where it begins.
    begun: u64,
    number: u32,
    /// Its line ending was read: what follows is a continuation, or the next line.
    ended: bool,
    /// The next byte.
    at: u64,
    next_number: u32,
    open: Vec<Open>,
    /// The calendar that is being read, and where its events begin in the index.
    calendar: Calendar,
    first_event: usize,
    uid_hash: Option<u64>,
    /// The definition of a zone that is being read, and those that were.
    zone: Vec<u8>,
    zone_bytes: usize,
    seen_zones: HashSet<u64>,
    index: Index,
    seen_calendar: bool,
}

#[derive(Debug)]
struct Open {
    component: String,
    begun: u64,
    line: u32,
}

/// Reads a file that is there whole.
///
/// # Errors
/// When it cannot be trusted.
pub fn scan(file: &[u8]) -> Result<Index, FileError> {
    let mut scanner = Scanner::default();
    scanner.push(file)?;
    scanner.finish()
}

impl Scanner {
    /// Reads the next bytes of the file.
    ///
    /// # Errors
    /// When the file cannot be trusted. Nothing of it is to be used then.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), FileError> {
        let max_bytes = self.limits.bytes;
        if self.at + bytes.len() as u64 > max_bytes {
            return Err(FileError::TooLarge { max_bytes });
        }
        while let Some(first) = bytes.first() {
            let mut skipped = 0;
            if self.ended {
                // A fold is a line ending and one space.
                if matches!(first, b' ' | b'\t') {
                    skipped = 1;
                } else {
                    self.content_line(true)?;
                }
                self.ended = false;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = &bytes[skipped..end.unwrap_or(bytes.len()).max(skipped)];
            let kept = part.len().min(KEPT.saturating_sub(self.line.len()));
            self.line.extend_from_slice(&part[..kept]);
            self.length += part.len();
            let read = end.map_or(bytes.len(), |end| end + 1);
            self.at += read as u64;
            bytes = &bytes[read..];
            if end.is_some() {
                if self.line.last() == Some(&b'\r') && self.length == self.line.len() {
                    self.line.pop();
                    self.length -= 1;
                }
                self.next_number = self.next_number.saturating_add(1);
                self.ended = true;
            }
        }
        Ok(())
    }

    /// The file ends here.
    ///
    /// # Errors
    /// When it is not complete.
    pub fn finish(mut self) -> Result<Index, FileError> {
        let terminated = self.ended;
        self.content_line(terminated)?;
        match self.open.pop() {
            Some(Open { component, line, .. }) => Err(FileError::Truncated { component, line }),
            None if self.seen_calendar => Ok(self.index),
            None => Err(FileError::Empty),
        }
    }

    /// A line is complete. Without a line ending the file may have been cut within it.
    fn content_line(&mut self, terminated: bool) -> Result<(), FileError> {
        let bytes = std::mem::take(&mut self.line);
        let line = if self.begun == 0 { bytes.strip_prefix(BYTE_ORDER_MARK) } else { None };
        let line = line.unwrap_or(&bytes);
        let done = if self.begun == 0 && UTF_16.iter().any(|mark| line.starts_with(mark)) {
            Err(FileError::Utf16)
        } else if self.begun == 0 && begins_with(line.trim_ascii_end(), b"BEGIN:VCALENDAR\r") {
            Err(FileError::OnlyCr)
        } else if line.trim_ascii().is_empty() {
            Ok(())
        } else {
            self.understood(line, self.number + 1, terminated)
        };
        self.line = bytes;
        self.line.clear();
        self.length = 0;
        (self.begun, self.number) = (self.at, self.next_number);
        done
    }

    fn understood(&mut self, line: &[u8], number: u32, terminated: bool) -> Result<(), FileError> {
        match Mark::of(line) {
            Some(Mark::Begin) => self.begin(mark(line), number)?,
            Some(Mark::End) => return self.end(line, number, terminated),
            None => self.content(line, number)?,
        }
        self.keep_zone(line);
        Ok(())
    }

    fn begin(&mut self, component: String, line: u32) -> Result<(), FileError> {
        let inside = self.open.last().map(|open| open.component.as_str());
        match (component.as_str(), inside) {
            ("VCALENDAR", None) => {
                self.seen_calendar = true;
                self.calendar = Calendar::default();
                self.first_event = self.index.events.len();
            }
            (_, None) => return Err(self.outside(line)),
            ("VEVENT", Some("VCALENDAR")) => {
                let max = self.limits.events;
                if self.index.events.len() == max {
                    return Err(FileError::TooManyEvents { max });
                }
                self.uid_hash = None;
            }
            ("VCALENDAR" | "VEVENT", Some(inside)) => {
                let inside = inside.to_owned();
                return Err(FileError::Misplaced { line, component, inside });
            }
            _ if self.open.len() >= MAX_DEPTH => {
                return Err(FileError::TooDeep { line, max: MAX_DEPTH });
            }
            _ => {}
        }
        self.open.push(Open { component, begun: self.begun, line });
        Ok(())
    }

    fn end(&mut self, line: &[u8], number: u32, terminated: bool) -> Result<(), FileError> {
        let component = mark(line);
        let Some(last) = self.open.pop() else { return Err(self.outside(number)) };
        if last.component != component {
            let cut = !terminated && last.component.starts_with(&component);
            return Err(if cut {
                FileError::Truncated { component: last.component, line: last.line }
            } else {
                FileError::WrongEnd { line: number, found: component, open: last.component }
            });
        }
        match (component.as_str(), self.open.len()) {
            ("VEVENT", 1) => {
                let no_uid = || hash(&(self.at, "no UID"));
                self.index.events.push(Place {
                    start: last.begun,
                    end: self.at,
                    line: last.line,
                    calendar: 0,
                    uid_hash: self.uid_hash.unwrap_or_else(no_uid),
                });
            }
            ("VTIMEZONE", 1) => self.end_zone(last.line),
            ("VCALENDAR", 0) => return self.end_calendar(),
            _ => self.keep_zone(line),
        }
        Ok(())
    }

    /// Many files repeat the same definitions for each event.
    fn end_zone(&mut self, line: u32) {
        let zone = std::mem::take(&mut self.zone);
        if self.seen_zones.insert(hash(&zone)) {
            self.index.zones.define(&Component::whole(&zone, line));
        } else {
            self.zone_bytes = self.zone_bytes.saturating_sub(zone.len());
        }
    }

    /// What a calendar says of itself may stand behind its events.
    fn end_calendar(&mut self) -> Result<(), FileError> {
        let calendars = &mut self.index.calendars;
        if calendars.last() != Some(&self.calendar) {
            if calendars.len() == MAX_CALENDARS {
                return Err(FileError::TooManyCalendars { max: MAX_CALENDARS });
            }
            calendars.push(self.calendar.clone());
        }
        let which = u32::try_from(calendars.len() - 1).unwrap_or(u32::MAX);
        for event in &mut self.index.events[self.first_event..] {
            event.calendar = which;
        }
        Ok(())
    }

    fn content(&mut self, line: &[u8], number: u32) -> Result<(), FileError> {
        let Some(open) = self.open.last() else { return Err(self.outside(number)) };
        match (open.component.as_str(), self.open.len()) {
            ("VCALENDAR", 1) => self.calendar_property(line, number),
            ("VEVENT", 2) => {
                if self.uid_hash.is_none() && begins_with(line, b"UID") {
                    self.uid_hash = property(line, number)
                        .filter(|property| property.name == "UID")
                        .map(|uid| hash(uid.text().trim()));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn calendar_property(&mut self, line: &[u8], number: u32) -> Result<(), FileError> {
        let Some(property) = property(line, number) else { return Ok(()) };
        let text = || Some(one_line(&property.text())).filter(|text| !text.is_empty());
        let value = property.value.trim();
        let unsupported =
            |property| FileError::Unsupported { line: number, property, value: excerpt(value) };
        match property.name.as_str() {
            "PRODID" => self.calendar.product = text(),
            "X-WR-CALNAME" => self.calendar.name = text(),
            "NAME" if self.calendar.name.is_none() => self.calendar.name = text(),
            "X-WR-TIMEZONE" => self.calendar.time_zone = text(),
            "VERSION" if !value.is_empty() && !value.split(';').any(|version| version == "2.0") => {
                return Err(unsupported("VERSION"));
            }
            "CALSCALE" if !value.is_empty() && !value.eq_ignore_ascii_case("GREGORIAN") => {
                return Err(unsupported("CALSCALE"));
            }
            "METHOD" => {
                self.calendar.method = match value.to_ascii_uppercase().as_str() {
                    "" | "PUBLISH" | "ADD" => Method::Publish,
                    "REQUEST" => Method::Request,
                    "CANCEL" => Method::Cancel,
                    _ => return Err(unsupported("METHOD")),
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Keeps the text of a zone's definition, within a bound: one that is cut off defines nothing.
    fn keep_zone(&mut self, line: &[u8]) {
        if self.open.get(1).is_none_or(|open| open.component != "VTIMEZONE") {
            return;
        }
        self.zone_bytes += line.len() + 1;
        if self.zone_bytes > MAX_ZONE_BYTES {
            self.zone.clear();
        } else {
            self.zone.extend_from_slice(line);
            self.zone.push(b'\n');
        }
    }

    /// What a line outside every component means depends on whether a calendar came before it.
    fn outside(&self, line: u32) -> FileError {
        if self.seen_calendar {
            FileError::TextAfterEnd { line }
        } else {
            FileError::NotICalendar { line }
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// What it is in UTF-16.
const UTF_16: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

enum Mark {
    Begin,
    End,
}

impl Mark {
    fn of(line: &[u8]) -> Option<Self> {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = line[..colon].trim_ascii();
        if name.eq_ignore_ascii_case(b"BEGIN") {
            Some(Self::Begin)
        } else {
            name.eq_ignore_ascii_case(b"END").then_some(Self::End)
        }
    }
}

fn begins_with(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

/// A line is unfolded already; it may be cut.
fn property(line: &[u8], number: u32) -> Option<Property> {
    Lines::from(line, number).next().as_ref().and_then(Property::of)
}

fn hash(of: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(limits: Limits, file: &str) -> Result<Index, FileError> {
        let mut scanner = Scanner { limits, ..Scanner::default() };
        for piece in file.as_bytes().chunks(7) {
            scanner.push(piece)?;
        }
        scanner.finish()
    }

    #[test]
    fn a_file_beyond_the_limits_is_not_read() {
        let file = |events| {
            let events = "BEGIN:VEVENT\nEND:VEVENT\n".repeat(events);
            format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n")
        };
        let limits = Limits { events: 3, ..Limits::default() };
        assert_eq!(within(limits, &file(3)).unwrap().events.len(), 3);
        let too_many = FileError::TooManyEvents { max: 3 };
        assert_eq!(within(limits, &file(4)).unwrap_err(), too_many);

        let max_bytes = file(3).len() as u64;
        let limits = Limits { bytes: max_bytes, ..Limits::default() };
        assert!(within(limits, &file(3)).is_ok());
        let longer = file(3) + "\n";
        assert_eq!(within(limits, &longer).unwrap_err(), FileError::TooLarge { max_bytes });
    }
}

//! The envelope of a file: which components it has, and whether they are complete.
//!
//! Everything that must hold for the file to be trusted is checked here, before any event is read. Nesting is a bounded list of its own, never on the program's stack.

use std::collections::BTreeSet;

use super::{
    error::ReadError,
    lines::{Line, Lines},
    raw_event::RawEvent,
    text::excerpt,
};

/// A VALARM in a VEVENT in a VCALENDAR is three deep; extensions (RFC 9073) reach four or five.
const MAX_DEPTH: usize = 16;

/// A sound file: one or more iCalendar objects after each other (RFC 5545 §3.4).
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    pub(super) objects: Vec<Object<'a>>,
    pub(super) event_count: usize,
}

/// One VCALENDAR.
#[derive(Debug, Default)]
pub(super) struct Object<'a> {
    /// The name in `X-WR-TIMEZONE`, a widespread extension: the zone of times that name none.
    pub(super) default_zone: Option<String>,
    /// The TZIDs of its VTIMEZONEs.
    pub(super) own_zones: BTreeSet<String>,
    pub(super) events: Vec<RawEvent<'a>>,
}

#[derive(Debug)]
struct Open {
    component: String,
    line: usize,
}

impl<'a> Envelope<'a> {
    pub(super) fn read(file: &'a [u8], max_events: usize) -> Result<Self, ReadError> {
        let mut envelope = Self::default();
        let mut open: Vec<Open> = Vec::new();
        for line in Lines::of(file) {
            let line = line?;
            match Mark::of(&line) {
                Some(Mark::Begin(component)) => {
                    envelope.begin(component, line.number, &mut open, max_events)?;
                }
                Some(Mark::End(component)) => envelope.end(&component, &line, &mut open)?,
                None => envelope.content(line, open.last())?,
            }
        }
        match open.pop() {
            Some(Open { component, line }) => Err(ReadError::Truncated { component, line }),
            None if envelope.objects.is_empty() => Err(ReadError::Empty),
            None => Ok(envelope),
        }
    }

    fn begin(
        &mut self,
        component: String,
        line: usize,
        open: &mut Vec<Open>,
        max_events: usize,
    ) -> Result<(), ReadError> {
        let inside = open.last().map(|open| open.component.as_str());
        match (component.as_str(), inside) {
            ("VCALENDAR", None) => self.objects.push(Object::default()),
            (_, None) => return Err(self.outside(line)),
            ("VEVENT", Some("VCALENDAR")) => {
                if self.event_count == max_events {
                    return Err(ReadError::TooManyEvents { max: max_events });
                }
                self.event_count += 1;
                if let Some(object) = self.objects.last_mut() {
                    object.events.push(RawEvent::begun_on(line));
                }
            }
            ("VCALENDAR" | "VEVENT", Some(inside)) => {
                let inside = inside.to_owned();
                return Err(ReadError::Misplaced { line, component, inside });
            }
            _ if open.len() >= MAX_DEPTH => {
                return Err(ReadError::TooDeep { line, max: MAX_DEPTH });
            }
            _ => {}
        }
        open.push(Open { component, line });
        Ok(())
    }

    fn end(&self, component: &str, line: &Line, open: &mut Vec<Open>) -> Result<(), ReadError> {
        let Some(last) = open.pop() else {
            return Err(self.outside(line.number));
        };
        if last.component == component {
            return Ok(());
        }
        if !line.terminated && last.component.starts_with(component) {
            return Err(ReadError::Truncated { component: last.component, line: last.line });
        }
        Err(ReadError::WrongEnd {
            line: line.number,
            found: component.to_owned(),
            open: last.component,
        })
    }

    fn content(&mut self, line: Line<'a>, open: Option<&Open>) -> Result<(), ReadError> {
        let (Some(open), Some(object)) = (open, self.objects.last_mut()) else {
            return Err(self.outside(line.number));
        };
        match open.component.as_str() {
            "VCALENDAR" => object.calendar_property(&line)?,
            "VTIMEZONE" => {
                object.own_zones.extend(value_of(&line, "TZID").map(str::to_owned));
            }
            "VEVENT" => {
                if let Some(event) = object.events.last_mut() {
                    event.add(line);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What a line outside every component means depends on whether a calendar came before it.
    fn outside(&self, line: usize) -> ReadError {
        if self.objects.is_empty() {
            ReadError::NotICalendar { line }
        } else {
            ReadError::TextAfterEnd { line }
        }
    }
}

impl Object<'_> {
    fn calendar_property(&mut self, line: &Line) -> Result<(), ReadError> {
        if let Some(zone) = value_of(line, "X-WR-TIMEZONE") {
            self.default_zone = (!zone.is_empty()).then(|| zone.to_owned());
        }
        let supported: [(&'static str, &[&str]); 3] = [
            ("VERSION", &["2.0"]),
            ("CALSCALE", &["GREGORIAN"]),
            ("METHOD", &["PUBLISH", "REQUEST", "ADD"]),
        ];
        for (property, values) in supported {
            if let Some(value) = value_of(line, property)
                && !values.iter().any(|known| known.eq_ignore_ascii_case(value))
            {
                let value = excerpt(value);
                return Err(ReadError::Unsupported { line: line.number, property, value });
            }
        }
        Ok(())
    }
}

/// `BEGIN:component` or `END:component`, with the component's name in capitals.
enum Mark {
    Begin(String),
    End(String),
}

impl Mark {
    fn of(line: &Line) -> Option<Self> {
        let (name, rest) = line.split_name()?;
        let component = excerpt(&rest.strip_prefix(':')?.trim().to_ascii_uppercase());
        if name.eq_ignore_ascii_case("BEGIN") {
            Some(Self::Begin(component))
        } else if name.eq_ignore_ascii_case("END") {
            Some(Self::End(component))
        } else {
            None
        }
    }
}

/// The value of a line that has this name. None of the properties asked for has an escape in any
/// value that is accepted, so the value is taken as it stands.
fn value_of<'l>(line: &'l Line, name: &str) -> Option<&'l str> {
    let (found, rest) = line.split_name()?;
    if !found.eq_ignore_ascii_case(name) {
        return None;
    }
    rest.split_once(':').map(|(_, value)| value.trim())
}

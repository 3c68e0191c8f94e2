//! What a client's calendar reads of a message: an appointment as iTIP has it (RFC 5546), in mail (RFC 6047).
//!
//! It is one event, of which daybook is the organizer. The client has booked it: it is as they have agreed, and no answer is asked
//! for, for nobody would read it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_ical::{Span, Writer, write_zone};

use super::{CalendarPart, Mailbox};

/// What a calendar is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Keep it, as it is now.
    Request,
    /// Take it away.
    Cancel,
}

impl Method {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// An appointment, for its client's calendar. It does not show itself: it is somebody's.
pub struct Invitation<'a> {
    pub method: Method,
    /// The same for as long as there is the appointment, wherever it is told.
    pub uid: &'a str,
    /// It rises with each change.
    pub sequence: u32,
    /// When this is written.
    pub stamp: DateTime<Utc>,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub zone: Tz,
    pub summary: &'a str,
    pub location: Option<&'a str>,
    /// From whom the message is.
    pub organizer: &'a Mailbox,
    /// The client's name and address.
    pub attendee: (&'a str, &'a str),
}

impl Invitation<'_> {
    #[must_use]
    pub fn write(&self) -> CalendarPart {
        let mut writer = Writer::new();
        writer.begin("VCALENDAR");
        writer.raw("VERSION", &[], "2.0").text("PRODID", "-//daybook//mail//EN");
        writer.raw("CALSCALE", &[], "GREGORIAN").raw("METHOD", &[], self.method.as_str());
        let span = Span { start: self.start, end: self.end, zone: self.zone };
        if span.is_local() {
            write_zone(&mut writer, self.zone, (self.start, self.end));
        }
        writer.begin("VEVENT").text("UID", self.uid);
        writer.raw("SEQUENCE", &[], &self.sequence.to_string()).utc("DTSTAMP", self.stamp);
        span.write(&mut writer);
        writer.text("SUMMARY", self.summary);
        if let Some(location) = self.location {
            writer.text("LOCATION", location);
        }
        let status = match self.method {
            Method::Request => "CONFIRMED",
            Method::Cancel => "CANCELLED",
        };
        writer.raw("STATUS", &[], status).raw("TRANSP", &[], "OPAQUE");
        self.people(&mut writer);
        CalendarPart { method: self.method, text: writer.finish() }
    }

    fn people(&self, writer: &mut Writer) {
        let organizer = mailto(self.organizer.email.as_ref());
        match &self.organizer.name {
            Some(name) => writer.raw("ORGANIZER", &[("CN", name)], &organizer),
            None => writer.raw("ORGANIZER", &[], &organizer),
        };
        let (name, address) = self.attendee;
        let named = (!name.is_empty()).then_some(("CN", name));
        let others = [
            ("CUTYPE", "INDIVIDUAL"),
            ("ROLE", "REQ-PARTICIPANT"),
            ("PARTSTAT", "ACCEPTED"),
            ("RSVP", "FALSE"),
        ];
        let parameters: Vec<_> = named.into_iter().chain(others).collect();
        writer.raw("ATTENDEE", &parameters, &mailto(address));
    }
}

/// An address as a URI (RFC 6068 section 2): what would end it there is escaped.
fn mailto(address: &str) -> String {
    let address = address.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("mailto:{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn written(method: Method, zone: Tz, start: &str) -> String {
        let invitation = Invitation {
            method,
            uid: "01890000-0000-7000-8000-000000000000",
            sequence: 3,
            stamp: at("2027-03-01T08:00:00Z"),
            start: at(start),
            end: at(start) + chrono::TimeDelta::minutes(30),
            zone,
            summary: "Kontroll; hos tannlegen, på ettermiddagen og ganske lenge, så ta med noe å lese",
            location: Some("Havnegata 12, 5003 Bergen"),
            organizer: &"The practice <post@practice.example>".parse().unwrap(),
            attendee: ("Åse; \"A\"", "c.lient@example.org"),
        };
        invitation.write().text
    }

    #[test]
    fn it_is_one_event_with_what_calendars_go_by() {
        let text = written(Method::Cancel, Tz::Europe__Oslo, "2027-03-28T07:00:00Z");
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
        let unfolded = text.replace("\r\n ", "");
        for line in [
            "METHOD:CANCEL",
            "UID:01890000-0000-7000-8000-000000000000",
            "SEQUENCE:3",
            "DTSTAMP:20270301T080000Z",
            "DTSTART;TZID=Europe/Oslo:20270328T090000",
            "DTEND;TZID=Europe/Oslo:20270328T093000",
            "SUMMARY:Kontroll\\; hos tannlegen\\, på ettermiddagen og ganske lenge\\, så ta med noe å lese",
            "LOCATION:Havnegata 12\\, 5003 Bergen",
            "STATUS:CANCELLED",
            "ORGANIZER;CN=The practice:mailto:post@practice.example",
            "ATTENDEE;CN=\"Åse; ^'A^'\";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:c.lient@example.org",
        ] {
            assert!(unfolded.split("\r\n").any(|it| it == line), "{line}\n{unfolded}");
        }
        assert_eq!(unfolded.matches("BEGIN:VTIMEZONE").count(), 1);
    }

    #[test]
    fn an_address_ends_where_it_ends() {
        assert_eq!(mailto("a+b@example.org"), "mailto:a+b@example.org");
        assert_eq!(mailto("a?cc=b%40c#@example.org"), "mailto:a%3Fcc=b%2540c%23@example.org");
    }

    #[test]
    fn the_second_of_two_hours_that_clocks_show_is_told_in_utc() {
        let first = written(Method::Request, Tz::Europe__Oslo, "2027-10-31T00:15:00Z");
        assert!(first.contains("DTSTART;TZID=Europe/Oslo:20271031T021500"), "{first}");
        let second = written(Method::Request, Tz::Europe__Oslo, "2027-10-31T01:15:00Z");
        assert!(second.contains("DTSTART:20271031T011500Z"), "{second}");
        assert!(!second.contains("VTIMEZONE"), "{second}");
        let utc = written(Method::Request, Tz::UTC, "2027-10-31T01:15:00Z");
        assert!(utc.contains("DTSTART:20271031T011500Z") && !utc.contains("TZID"), "{utc}");
    }
}

//! From when to when something is, in the zone of the place: its local time, or UTC where that does not tell it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::{Writer, Zone};

/// From when to when something is, in a zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub zone: Tz,
}

impl Span {
    /// Whether what clocks show tells when it is: an hour that occurs twice is read as the first (RFC 5545 section 3.3.5). Nor
    /// is UTC a zone that is defined.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let zone = Zone::Iana(self.zone);
        let is_told = |at: DateTime<Utc>| zone.instant(zone.local(at)) == at;
        self.zone != Tz::UTC && is_told(self.start) && is_told(self.end)
    }

    /// Writes DTSTART and DTEND. A local time names its zone, which is to be defined beside it.
    pub fn write(&self, writer: &mut Writer) {
        let is_local = self.is_local();
        for (name, at) in [("DTSTART", self.start), ("DTEND", self.end)] {
            if is_local {
                writer.local(name, self.zone.name(), at.with_timezone(&self.zone).naive_local());
            } else {
                writer.utc(name, at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn written(zone: Tz, start: &str) -> String {
        let start: DateTime<Utc> = start.parse().unwrap();
        let mut writer = Writer::new();
        Span { start, end: start + TimeDelta::minutes(30), zone }.write(&mut writer);
        writer.finish()
    }

    #[test]
    fn it_is_told_by_the_clocks_of_the_place() {
        assert_eq!(
            written(Tz::Europe__Oslo, "2027-03-28T07:00:00Z"),
            "DTSTART;TZID=Europe/Oslo:20270328T090000\r\nDTEND;TZID=Europe/Oslo:20270328T093000\r\n"
        );
    }

    #[test]
    fn what_clocks_do_not_tell_is_told_in_utc() {
        let first = written(Tz::Europe__Oslo, "2027-10-31T00:15:00Z");
        assert!(first.starts_with("DTSTART;TZID=Europe/Oslo:20271031T021500\r\n"), "{first}");
        for (zone, start) in
            [(Tz::Europe__Oslo, "2027-10-31T01:15:00Z"), (Tz::UTC, "2027-10-31T01:15:00Z")]
        {
            let told = written(zone, start);
            assert_eq!(told, "DTSTART:20271031T011500Z\r\nDTEND:20271031T014500Z\r\n");
        }
        // It begins in the hour that is shown once more before it ends.
        let over = written(Tz::Europe__Oslo, "2027-10-31T00:45:00Z");
        assert_eq!(over, "DTSTART:20271031T004500Z\r\nDTEND:20271031T011500Z\r\n");
    }
}

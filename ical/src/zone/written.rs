//! A zone of the IANA database, written for whoever does not know it (VTIMEZONE, RFC 5545 §3.6.5).
//!
//! What clocks do in the years to come is not known, and rules that describe it are read differently; so each change of the
//! clocks around what is told is written by itself, and none by a rule.

use chrono::{DateTime, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::{OffsetComponents as _, OffsetName as _, Tz, TzOffset};

use crate::Writer;

/// So long before and after, changes of the clocks are written.
const AROUND: TimeDelta = TimeDelta::days(366);
/// Clocks that change twice within this are not known.
const STEP: TimeDelta = TimeDelta::days(1);

/// Writes what the clocks of a zone show from a year before the first of two instants to a year after the second.
pub fn write_zone(writer: &mut Writer, zone: Tz, (from, to): (DateTime<Utc>, DateTime<Utc>)) {
    writer.begin("VTIMEZONE").text("TZID", zone.name());
    let mut at = (from - AROUND).naive_utc();
    let end = (to + AROUND).naive_utc();
    let mut offset = zone.offset_from_utc_datetime(&at);
    observe(writer, at, &offset, &offset);
    while at < end {
        let next = at + STEP;
        let after = zone.offset_from_utc_datetime(&next);
        if differs(&offset, &after) {
            observe(writer, change(zone, at, next), &offset, &after);
        }
        (at, offset) = (next, after);
    }
    writer.end();
}

/// What clocks show from then on.
fn observe(writer: &mut Writer, at: NaiveDateTime, before: &TzOffset, after: &TzOffset) {
    let is_summer = !after.dst_offset().is_zero();
    writer.begin(if is_summer { "DAYLIGHT" } else { "STANDARD" });
    // As the clocks showed it that were put forward or back.
    let local = at + TimeDelta::seconds(seconds(before));
    writer.raw("DTSTART", &[], &local.format("%Y%m%dT%H%M%S").to_string());
    writer.raw("TZOFFSETFROM", &[], &shown(before)).raw("TZOFFSETTO", &[], &shown(after));
    if let Some(name) = after.abbreviation() {
        writer.text("TZNAME", name);
    }
    writer.end();
}

fn differs(before: &TzOffset, after: &TzOffset) -> bool {
    seconds(before) != seconds(after) || before.dst_offset() != after.dst_offset()
}

fn seconds(offset: &TzOffset) -> i64 {
    offset.fix().local_minus_utc().into()
}

/// The second in which clocks are put forward or back, between two instants.
fn change(zone: Tz, mut before: NaiveDateTime, mut after: NaiveDateTime) -> NaiveDateTime {
    let old = zone.offset_from_utc_datetime(&before);
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        let is_old = !differs(&old, &zone.offset_from_utc_datetime(&middle));
        if is_old { before = middle } else { after = middle }
    }
    after
}

fn shown(offset: &TzOffset) -> String {
    let seconds = offset.fix().local_minus_utc();
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if rest == 0 {
        format!("{sign}{hours:02}{minutes:02}")
    } else {
        format!("{sign}{hours:02}{minutes:02}{rest:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::Component;
    use crate::zone::own::OwnZone;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn written(zone: Tz, from: &str, to: &str) -> String {
        let mut writer = Writer::new();
        write_zone(&mut writer, zone, (at(from), at(to)));
        writer.finish()
    }

    #[test]
    fn the_clocks_of_oslo_are_put_forward_and_back() {
        let text = written(Tz::Europe__Oslo, "2027-06-01T07:00:00Z", "2027-06-01T08:00:00Z");
        for part in [
            "BEGIN:DAYLIGHT\r\nDTSTART:20270328T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST\r\n",
            "BEGIN:STANDARD\r\nDTSTART:20271031T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\n",
        ] {
            assert!(text.contains(part), "{text}");
        }
        // A zone without changes has one observance, for there must be one.
        let kolkata = written(Tz::Asia__Kolkata, "2027-06-01T07:00:00Z", "2027-06-01T08:00:00Z");
        assert_eq!(kolkata.matches("BEGIN:STANDARD").count(), 1, "{kolkata}");
        assert!(kolkata.contains("TZOFFSETTO:+0530"), "{kolkata}");
    }

    /// Of every zone that there is: what is written is read as what its clocks show, at each hour around.
    #[test]
    fn what_is_written_is_read_as_what_clocks_show() {
        let (from, to) = (at("2027-03-28T07:00:00Z"), at("2027-03-28T08:00:00Z"));
        for zone in chrono_tz::TZ_VARIANTS {
            let mut writer = Writer::new();
            write_zone(&mut writer, zone, (from, to));
            let definition = Component::whole(writer.finish().as_bytes(), 1);
            let own = OwnZone::read(&definition, &mut 0).unwrap();
            let mut hour = (from - TimeDelta::days(365)).naive_utc();
            while hour < (to + TimeDelta::days(365)).naive_utc() {
                let shown = zone.offset_from_utc_datetime(&hour);
                assert_eq!(own.offset_at(hour).num_seconds(), seconds(&shown), "{zone} {hour}");
                hour += TimeDelta::hours(5);
            }
        }
    }
}

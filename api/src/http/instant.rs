//! Instants in bodies.

use chrono::{DateTime, Datelike as _, Offset as _, SecondsFormat, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize};

/// An RFC 3339 instant from 1970 to 2199, to the microsecond: what the log can keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Instant(pub(crate) DateTime<Utc>);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        parse(&text).map(Self).ok_or_else(|| {
            serde::de::Error::custom(
                "an instant is RFC 3339 with an offset, like 2026-12-01T10:00:00+01:00, \
                 from 1970 to 2199",
            )
        })
    }
}

/// An instant, as [`Instant`] reads it.
pub(crate) fn parse(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    // By way of microseconds, a leap second becomes the one after it.
    let at = DateTime::from_timestamp_micros(at.timestamp_micros())?;
    (0..MAX_SECONDS).contains(&at.timestamp()).then_some(at)
}

/// Writes instants as chrono does, in a fraction of the time: for answers with thousands of them, of which many are on
/// one day.
#[derive(Default)]
pub(crate) struct Writer {
    /// As clocks show them there, with their offset. `None`: in UTC.
    zone: Option<Tz>,
    /// The day that was written last, in days from 1970, as text up to the `T`.
    day: Option<(i64, [u8; 11])>,
}

impl Writer {
    pub(crate) fn in_zone(zone: Tz) -> Self {
        Self { zone: Some(zone), day: None }
    }

    /// Adds it to JSON, with its quotes.
    pub(crate) fn write(&mut self, at: DateTime<Utc>, json: &mut Vec<u8>) {
        json.push(b'"');
        self.write_text(at, json);
        json.push(b'"');
    }

    /// Adds it without quotes.
    pub(crate) fn write_text(&mut self, at: DateTime<Utc>, text: &mut Vec<u8>) {
        let offset = self.zone.map_or(0, |zone| {
            let offset = zone.offset_from_utc_datetime(&at.naive_utc());
            offset.fix().local_minus_utc().into()
        });
        let shown = at.timestamp() + offset;
        // What clocks show has no fraction, and of an offset RFC 3339 has no seconds: chrono knows what to do then.
        let is_whole = at.timestamp_subsec_nanos() == 0 && offset % 60 == 0;
        let Some(date) = self.text_of(shown.div_euclid(DAY)).filter(|_| is_whole) else {
            let rare = match self.zone {
                None => at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
                Some(zone) => at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false),
            };
            text.extend_from_slice(rare.as_bytes());
            return;
        };
        let second = shown.rem_euclid(DAY);
        let [hour, minute, second] = [second / 3_600, second / 60 % 60, second % 60].map(digits);
        text.extend_from_slice(&date);
        text.extend_from_slice(&[hour[0], hour[1], b':', minute[0], minute[1], b':']);
        text.extend_from_slice(&second);
        if self.zone.is_none() {
            text.push(b'Z');
            return;
        }
        let minutes = offset.abs() / 60;
        let [hour, minute] = [minutes / 60, minutes % 60].map(digits);
        let sign = if offset < 0 { b'-' } else { b'+' };
        text.extend_from_slice(&[sign, hour[0], hour[1], b':', minute[0], minute[1]]);
    }

    /// `None`: its year has not four digits.
    fn text_of(&mut self, day: i64) -> Option<[u8; 11]> {
        if let Some((known, text)) = self.day
            && known == day
        {
            return Some(text);
        }
        let date = DateTime::from_timestamp(day * DAY, 0)?.date_naive();
        let year = i64::from(date.year());
        if !(1_000..10_000).contains(&year) {
            return None;
        }
        let mut text = *b"0000-00-00T";
        let numbers = [year / 100, year % 100, date.month().into(), date.day().into()];
        for (place, two_digits) in [0, 2, 5, 8].into_iter().zip(numbers) {
            text[place..place + 2].copy_from_slice(&digits(two_digits));
        }
        self.day = Some((day, text));
        Some(text)
    }
}

/// In seconds.
const DAY: i64 = 24 * 60 * 60;

/// Of a number below a hundred.
fn digits(number: i64) -> [u8; 2] {
    let digit = |digit: i64| b'0' + u8::try_from(digit).unwrap_or_default();
    [digit(number / 10), digit(number % 10)]
}

/// 2200-01-01T00:00:00Z
const MAX_SECONDS: i64 = 7_258_118_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_as_chrono_writes_it() {
        let mut writer = Writer::default();
        for text in [
            "2026-12-01T09:08:07Z",
            "2026-12-01T23:59:59Z",
            "2026-12-02T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-12-01T09:08:07.000001Z",
            "+12026-12-01T09:08:07Z",
        ] {
            let at: DateTime<Utc> = text.parse().unwrap();
            let mut written = Vec::new();
            writer.write(at, &mut written);
            assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(&at).unwrap());
        }
    }

    #[test]
    fn a_local_time_is_written_as_chrono_writes_it() {
        let zones =
            ["UTC", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Monrovia"];
        for zone in zones.map(|zone| zone.parse::<Tz>().unwrap()) {
            let mut writer = Writer::in_zone(zone);
            // Monrovia's offset had seconds until 1972; the clocks of others change.
            for from in
                ["1971-12-31T00:00:00Z", "2026-12-31T00:00:00.000001Z", "2027-01-01T00:00:00Z"]
            {
                let from: DateTime<Utc> = from.parse().unwrap();
                for step in 0..1_000 {
                    let at = from + chrono::TimeDelta::seconds(step * 31_607);
                    let mut written = Vec::new();
                    writer.write_text(at, &mut written);
                    let expected = at.with_timezone(&zone).to_rfc3339();
                    assert_eq!(String::from_utf8(written).unwrap(), expected);
                }
            }
        }
    }

    #[test]
    fn an_instant_has_an_offset() {
        let at = parse("2026-12-01T10:00:00+01:00").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-12-01T09:00:00+00:00");
        for bad in [
            "2026-12-01T10:00:00",
            "2026-12-01",
            "2026-02-30T10:00:00Z",
            "1969-12-31T23:59:59Z",
            "2200-01-01T00:00:00Z",
            "soon",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert!(parse("2199-12-31T23:59:59Z").is_some());
    }
}

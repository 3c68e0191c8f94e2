//! Instants in bodies.

use chrono::{DateTime, Datelike as _, SecondsFormat, Utc};
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

/// Writes instants into JSON as chrono does, in a fraction of the time: for answers with thousands of
/// them, of which many are on one day.
#[derive(Default)]
pub(crate) struct Writer {
    /// The day that was written last, in days from 1970, as text up to the `T`.
    day: Option<(i64, [u8; 11])>,
}

impl Writer {
    /// Adds it, with its quotes.
    pub(crate) fn write(&mut self, at: DateTime<Utc>, json: &mut Vec<u8>) {
        const DAY: i64 = 24 * 60 * 60;
        let (day, second) = (at.timestamp().div_euclid(DAY), at.timestamp().rem_euclid(DAY));
        json.push(b'"');
        if let Some(date) = self.text_of(day, at).filter(|_| at.timestamp_subsec_nanos() == 0) {
            json.extend_from_slice(&date);
            let [hour, minute, second] = [second / 3_600, second / 60 % 60, second % 60];
            for (two_digits, after) in [(hour, b':'), (minute, b':'), (second, b'Z')] {
                json.extend_from_slice(&digits(two_digits));
                json.push(after);
            }
        } else {
            let text = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            json.extend_from_slice(text.as_bytes());
        }
        json.push(b'"');
    }

    /// `None`: its year has not four digits.
    fn text_of(&mut self, day: i64, at: DateTime<Utc>) -> Option<[u8; 11]> {
        if let Some((known, text)) = self.day
            && known == day
        {
            return Some(text);
        }
        let date = at.date_naive();
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

//! Instants in bodies.

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

/// An RFC 3339 instant from 1970 to 2199, to the microsecond: what the log can keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Writes an instant as chrono does, in a fraction of the time where it is a whole second: for answers
/// with thousands of them.
pub(crate) fn write<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    let (date, time) = (at.date_naive(), at.time());
    let year = u32::try_from(date.year()).unwrap_or_default();
    if time.nanosecond() != 0 || !(1_000..10_000).contains(&year) {
        return at.serialize(to);
    }
    let mut text = *b"0000-00-00T00:00:00Z";
    let pairs = [
        (0, year / 100),
        (2, year % 100),
        (5, date.month()),
        (8, date.day()),
        (11, time.hour()),
        (14, time.minute()),
        (17, time.second()),
    ];
    for (place, two_digits) in pairs {
        let digit = |digit: u32| b'0' + u8::try_from(digit).unwrap_or_default();
        text[place] = digit(two_digits / 10);
        text[place + 1] = digit(two_digits % 10);
    }
    to.serialize_str(std::str::from_utf8(&text).map_err(serde::ser::Error::custom)?)
}

/// 2200-01-01T00:00:00Z
const MAX_SECONDS: i64 = 7_258_118_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_as_chrono_writes_it() {
        for text in ["2026-12-01T09:08:07Z", "1999-01-31T23:59:59Z", "2026-12-01T09:08:07.000001Z"]
        {
            let at: DateTime<Utc> = text.parse().unwrap();
            let mut written = Vec::new();
            write(&at, &mut serde_json::Serializer::new(&mut written)).unwrap();
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

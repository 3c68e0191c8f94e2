//! Instants in bodies.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};

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

/// 2200-01-01T00:00:00Z
const MAX_SECONDS: i64 = 7_258_118_400;

#[cfg(test)]
mod tests {
    use super::*;

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

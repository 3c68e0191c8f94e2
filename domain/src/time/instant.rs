//! Reading instants.

use std::fmt;

use chrono::{DateTime, FixedOffset, Utc};
use serde::de::{Deserializer, Error, Visitor};

/// As chrono's own does, which takes other forms, too, and far longer for that of RFC 3339.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<DateTime<Utc>, D::Error> {
    deserializer.deserialize_str(Instant)
}

struct Instant;

impl Visitor<'_> for Instant {
    type Value = DateTime<Utc>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an instant as RFC 3339 has it")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DateTime<Utc>, E> {
        let instant = DateTime::parse_from_rfc3339(text)
            .or_else(|_| text.parse::<DateTime<FixedOffset>>())
            .map_err(E::custom)?;
        Ok(instant.to_utc())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Ours(#[serde(deserialize_with = "deserialize")] DateTime<Utc>);

    #[test]
    fn whatever_chrono_reads_is_read_alike() {
        for text in [
            "2026-05-04T09:00:00Z",
            "2026-05-04T09:00:00.123456Z",
            "2026-05-04T09:00:00.123456789+05:30",
            "2026-05-04t09:00:00z",
            "2026-05-04 09:00:00 -03:00",
            "2026-06-30T23:59:60Z",
            "+12026-05-04T09:00:00Z",
            "2026-5-4T9:00:00Z",
            "2026-05-04T09:00:00",
            "2026-02-30T09:00:00Z",
            "",
        ] {
            let json = serde_json::to_string(text).unwrap();
            let theirs: Result<DateTime<Utc>, _> = serde_json::from_str(&json);
            let ours: Result<Ours, _> = serde_json::from_str(&json);
            assert_eq!(ours.ok().map(|it| it.0), theirs.ok(), "{text}");
        }
    }
}

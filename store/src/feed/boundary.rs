//! From when until when it was recorded, and where in the log that is.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_domain::time::resolve_local;
use sqlx::PgPool;

use crate::Position;
use crate::log::position_at;

/// A bound of recorded time: an instant, or a whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// RFC 3339, with an offset.
    Instant(DateTime<Utc>),
    /// `YYYY-MM-DD`, in a zone that is said elsewhere.
    Day(NaiveDate),
}

/// A text that is neither an instant nor a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an instant like 2026-12-01T10:00:00+01:00 or a date like 2026-12-01, from 1970 to 2199")]
pub struct UnknownBoundary;

impl Boundary {
    /// As the beginning of a range.
    #[must_use]
    pub fn from(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Instant(at) => at,
            Self::Day(day) => midnight(zone, day),
        }
    }

    /// As the end of a range, which is not part of it; of a day, all is.
    #[must_use]
    pub fn to(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Instant(at) => at,
            // Its year has four digits.
            Self::Day(day) => midnight(zone, day.succ_opt().unwrap_or(day)),
        }
    }
}

/// When a day begins. One that the zone skipped ends when it begins: nothing was recorded on it.
fn midnight(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    resolve_local(zone, day.and_time(NaiveTime::MIN))
}

impl FromStr for Boundary {
    type Err = UnknownBoundary;

    fn from_str(text: &str) -> Result<Self, UnknownBoundary> {
        let boundary = if text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        {
            Self::Day(text.parse().map_err(|_| UnknownBoundary)?)
        } else {
            let at = DateTime::parse_from_rfc3339(text).map_err(|_| UnknownBoundary)?;
            // By way of microseconds, a leap second becomes the one after it.
            let at = DateTime::from_timestamp_micros(at.timestamp_micros());
            Self::Instant(at.ok_or(UnknownBoundary)?)
        };
        let year = match boundary {
            Self::Instant(at) => at.date_naive(),
            Self::Day(day) => day,
        };
        let year = year.format("%Y").to_string();
        if ("1970"..="2199").contains(&&*year) { Ok(boundary) } else { Err(UnknownBoundary) }
    }
}

/// The end of a log.
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) recorded_at: DateTime<Utc>,
}

pub(super) async fn head(pool: &PgPool, tenant: &TenantId) -> Result<Head, sqlx::Error> {
    let row: Option<(i64, DateTime<Utc>)> =
        sqlx::query_as("SELECT position, recorded_at FROM log_heads WHERE tenant_id = $1")
            .bind(tenant.as_str())
            .fetch_optional(pool)
            .await?;
    let (position, recorded_at) = row.unwrap_or_default();
    Ok(Head { position: Position::from_i64(position), recorded_at })
}

/// The last position that was recorded before an instant.
pub(super) async fn last_before(
    pool: &PgPool,
    tenant: &TenantId,
    at: DateTime<Utc>,
) -> Result<Position, sqlx::Error> {
    // The log keeps microseconds.
    position_at(pool, tenant, at - TimeDelta::microseconds(1)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_whole_and_an_instant_is_itself() {
        let zone = Tz::Europe__Oslo;
        let day: Boundary = "2026-12-01".parse().unwrap();
        let utc = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(day.from(zone), utc("2026-11-30T23:00:00Z"));
        assert_eq!(day.to(zone), utc("2026-12-01T23:00:00Z"));
        let instant: Boundary = "2026-12-01T10:00:00+01:00".parse().unwrap();
        assert_eq!(
            (instant.from(zone), instant.to(zone)),
            (utc("2026-12-01T09:00:00Z"), instant.from(zone))
        );
    }

    #[test]
    fn nothing_is_on_a_day_that_its_zone_skipped() {
        let (zone, skipped) = (Tz::Pacific__Apia, "2011-12-30".parse::<Boundary>().unwrap());
        assert_eq!(skipped.from(zone), skipped.to(zone));
        assert_eq!(skipped.to(zone), "2011-12-30T10:00:00Z".parse::<DateTime<Utc>>().unwrap());
    }

    #[test]
    fn what_no_log_can_have_is_refused() {
        for bad in [
            "",
            "today",
            "2026-02-30",
            "2026-12-01T10:00",
            "1969-12-31",
            "2200-01-01",
            "12026-01-01T00:00:00Z",
        ] {
            assert!(bad.parse::<Boundary>().is_err(), "{bad}");
        }
    }
}

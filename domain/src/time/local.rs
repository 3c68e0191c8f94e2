//! Local time made absolute, right at daylight-saving changes.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta};
use chrono::{TimeZone, Utc};
use chrono_tz::Tz;

use super::Interval;

/// No gap of any zone is longer than a day (Pacific/Apia skipped 2011-12-30 whole).
const LONGEST_GAP_QUARTERS: i32 = 4 * 26;

/// The instant that a zone's clocks call `local`, by the rule of RFC 5545 section 3.3.5: a local
/// time that occurs twice is its first occurrence, and one that does not occur is read with the
/// offset in force before the gap.
#[must_use]
pub fn resolve_local(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
        LocalResult::None => before_the_gap(zone, local),
    }
}

fn before_the_gap(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    (1..=LONGEST_GAP_QUARTERS)
        .find_map(|quarters| {
            let earlier = local - TimeDelta::minutes(15) * quarters;
            let offset = zone.from_local_datetime(&earlier).latest()?.offset().fix();
            Some((local - offset).and_utc())
        })
        .unwrap_or_else(|| local.and_utc())
}

/// The first instant of `first` to the first instant after `last`, in `zone`.
///
/// `None` when `last` is before `first`, or at the end of the calendar.
#[must_use]
pub fn day_bounds(zone: Tz, first: NaiveDate, last: NaiveDate) -> Option<Interval> {
    let after = last.checked_add_days(Days::new(1))?;
    let midnight = |date: NaiveDate| resolve_local(zone, date.and_time(NaiveTime::MIN));
    Interval::new(midnight(first), midnight(after)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(zone: Tz, local: &str) -> String {
        resolve_local(zone, local.parse().unwrap()).to_rfc3339()
    }

    #[test]
    fn a_time_that_occurs_twice_is_the_first() {
        assert_eq!(utc(Tz::Europe__Oslo, "2027-10-31T02:30:00"), "2027-10-31T00:30:00+00:00");
    }

    #[test]
    fn a_time_that_does_not_occur_has_the_offset_before_the_gap() {
        assert_eq!(utc(Tz::Europe__Oslo, "2027-03-28T02:30:00"), "2027-03-28T01:30:00+00:00");
        assert_eq!(utc(Tz::Pacific__Apia, "2011-12-30T12:00:00"), "2011-12-30T22:00:00+00:00");
    }

    #[test]
    fn a_day_without_midnight_starts_at_its_first_instant() {
        let day = "2027-09-05".parse().unwrap();
        let bounds = day_bounds(Tz::America__Santiago, day, day).unwrap();
        assert_eq!(bounds.start().to_rfc3339(), "2027-09-05T04:00:00+00:00");
        assert_eq!(bounds.length(), TimeDelta::hours(23));
    }

    #[test]
    fn days_in_the_wrong_order_are_no_interval() {
        let day = |text: &str| text.parse().unwrap();
        assert_eq!(day_bounds(Tz::UTC, day("2027-01-02"), day("2027-01-01")), None);
    }
}

//! Local time made absolute, right at daylight-saving changes.

use chrono::{
    DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc,
};
use chrono_tz::{GapInfo, Tz};

use super::Interval;

/// The instant that a zone's clocks call `local`, by the rule of RFC 5545 section 3.3.5: a local
/// time that occurs twice is its first occurrence, and one that does not occur is read with the
/// offset in force before the gap (so 02:30 in a gap from 02:00 to 03:00 is what clocks show as
/// 03:30).
#[must_use]
pub fn resolve_local(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
        LocalResult::None => {
            let before = GapInfo::new(&local, &zone).and_then(|gap| gap.begin);
            // A gap always has a beginning, or there was no time before it.
            before.map_or(local, |(_, offset)| local - offset.fix()).and_utc()
        }
    }
}

/// The same, but for a day that the zone skipped altogether: nothing happens on a day that was not.
pub(super) fn resolve_on_a_day(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.to_utc()),
        LocalResult::None => {
            let day = day_bounds(zone, local.date(), local.date());
            day.map(|_| resolve_local(zone, local))
        }
    }
}

/// The date that clocks in `zone` show.
#[must_use]
pub fn date_in(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The first instant of `first` to the first instant after `last`, in `zone`.
///
/// `None` when `last` is before `first`, at the end of the calendar, or where the zone skipped all of
/// these days.
#[must_use]
pub fn day_bounds(zone: Tz, first: NaiveDate, last: NaiveDate) -> Option<Interval> {
    let after = last.checked_add_days(Days::new(1))?;
    let midnight = |date: NaiveDate| resolve_local(zone, date.and_time(NaiveTime::MIN));
    Interval::new(midnight(first), midnight(after)).ok()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

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
    fn a_day_that_the_zone_skipped_has_no_length() {
        let day = "2011-12-30".parse().unwrap();
        assert_eq!(day_bounds(Tz::Pacific__Apia, day, day), None);
        let noon = "2011-12-30T12:00:00".parse().unwrap();
        assert_eq!(resolve_on_a_day(Tz::Pacific__Apia, noon), None);
        let in_a_gap = "2027-03-28T02:30:00".parse().unwrap();
        assert!(resolve_on_a_day(Tz::Europe__Oslo, in_a_gap).is_some());
    }

    #[test]
    fn days_in_the_wrong_order_are_no_interval() {
        let day = |text: &str| text.parse().unwrap();
        assert_eq!(day_bounds(Tz::UTC, day("2027-01-02"), day("2027-01-01")), None);
    }
}

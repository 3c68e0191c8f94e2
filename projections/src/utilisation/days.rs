//! Time, cut into a zone's own days.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use daybook_domain::time::{Interval, day_bounds};

/// Minutes by day.
pub(super) type Minutes = BTreeMap<NaiveDate, i64>;

/// The day that it is in the zone.
pub(super) fn local_day(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The minutes of an interval on each day that it touches; together they are all of it.
pub(super) fn minutes_by_day(zone: Tz, interval: &Interval) -> Minutes {
    let mut minutes = Minutes::new();
    for day in local_day(zone, interval.start()).iter_days() {
        let Some(bounds) = day_bounds(zone, day, day) else { continue };
        if bounds.start() >= interval.end() {
            break;
        }
        // Whole minutes since its start, so that what is cut off of one day is the next one's.
        let since = |at: DateTime<Utc>| {
            (at.clamp(interval.start(), interval.end()) - interval.start()).num_minutes()
        };
        minutes.insert(day, since(bounds.end()) - since(bounds.start()));
    }
    minutes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(zone: Tz, start: &str, end: &str) -> Vec<(String, i64)> {
        let interval = Interval::new(start.parse().unwrap(), end.parse().unwrap()).unwrap();
        let days = minutes_by_day(zone, &interval);
        days.into_iter().map(|(day, minutes)| (day.to_string(), minutes)).collect()
    }

    #[test]
    fn what_is_over_midnight_is_on_each_day_what_lies_in_it() {
        let on = |day: &str, minutes| (day.to_owned(), minutes);
        let night = cut(Tz::Europe__Oslo, "2027-01-01T22:30:20Z", "2027-01-02T00:00:20Z");
        assert_eq!(night, [on("2027-01-01", 29), on("2027-01-02", 61)]);
        let ends_at_midnight = cut(Tz::UTC, "2027-01-01T23:00:00Z", "2027-01-02T00:00:00Z");
        assert_eq!(ends_at_midnight, [on("2027-01-01", 60)]);
        let clocks_go_forward = cut(Tz::UTC, "2027-03-27T12:00:00Z", "2027-03-29T12:00:00Z");
        assert_eq!(clocks_go_forward.iter().map(|(_, minutes)| minutes).sum::<i64>(), 48 * 60);
        let in_oslo = cut(Tz::Europe__Oslo, "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z");
        assert_eq!(in_oslo, [on("2027-03-28", 23 * 60)]);
    }
}

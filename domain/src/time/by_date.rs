//! Time, cut where a zone's dates change.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::{Interval, date_in, day_bounds};

/// Minutes by date.
pub type MinutesByDate = BTreeMap<NaiveDate, i64>;

/// The minutes of an interval on each date that it touches in `zone`; together they are all of it.
#[must_use]
pub fn minutes_by_date(zone: Tz, interval: &Interval) -> MinutesByDate {
    let mut minutes = MinutesByDate::new();
    for day in date_in(zone, interval.start()).iter_days() {
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
        let days = minutes_by_date(zone, &interval);
        days.into_iter().map(|(day, minutes)| (day.to_string(), minutes)).collect()
    }

    #[test]
    fn what_is_over_midnight_is_on_each_date_what_lies_in_it() {
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

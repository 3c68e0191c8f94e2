//! Hours on ordinary days, on the days that break others, and on any day at all.

mod clock_changes;
mod layers;
mod properties;

use super::*;

const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Hours as the API takes them: `"sat,sun 22:00-06:00"`.
fn weekly(windows: &[&str]) -> OpeningHours {
    let windows = windows.iter().map(|window| {
        let (days, times) = window.split_once(' ').unwrap();
        let days: Vec<&str> = if days == "daily" { WEEK.into() } else { days.split(',').collect() };
        let (from, to) = times.split_once('-').unwrap();
        serde_json::json!({"days": days, "from": from, "to": to})
    });
    let windows = serde_json::Value::Array(windows.collect());
    OpeningHours::from(serde_json::from_value::<WeeklyHours>(windows).unwrap())
}

/// From `from` to `to`, in UTC and to the minute: `"2027-09-05T04:00"`.
fn between(from: &str, to: &str) -> Interval {
    let at = |text: &str| format!("{text}:00Z").parse().unwrap();
    Interval::new(at(from), at(to)).unwrap()
}

/// The days from `first` to `last` in that zone.
fn days(zone: Tz, first: &str, last: &str) -> Interval {
    day_bounds(zone, first.parse().unwrap(), last.parse().unwrap()).unwrap()
}

/// The intervals as [`between`] takes them.
fn shown(intervals: &[Interval]) -> Vec<(String, String)> {
    let minute = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M").to_string();
    intervals.iter().map(|one| (minute(one.start()), minute(one.end()))).collect()
}

/// When `hours` are open on these days is exactly `expected`, and `cover` agrees.
#[track_caller]
fn opens(hours: &OpeningHours, zone: Tz, range: Interval, expected: &[(&str, &str)]) {
    let open = hours.open(zone, range);
    let expected: Vec<_> =
        expected.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    assert_eq!(shown(&open), expected, "{zone}");
    for interval in open {
        assert!(hours.cover(zone, &interval));
        let minute = chrono::TimeDelta::minutes(1);
        let longer = interval.widened(minute, minute);
        assert!(!hours.cover(zone, &longer) || !range.contains(&longer));
    }
}

/// With one more exception: `("time-off", r#""days":{...}"#)`.
fn with(mut hours: OpeningHours, kind: &str, span: &str) -> OpeningHours {
    let id = uuid::Uuid::from_u128(hours.exceptions.iter().count() as u128);
    let exception = format!(r#"{{"id":"{id}","kind":"{kind}",{span}}}"#);
    hours.exceptions.add(serde_json::from_str(&exception).unwrap());
    hours
}

fn on_days(first: &str, last: &str) -> String {
    format!(r#""days":{{"first":"{first}","last":"{last}"}}"#)
}

fn in_hours(from: &str, to: &str) -> String {
    format!(r#""hours":{{"from":"{from}","to":"{to}"}}"#)
}

fn with_holiday(mut hours: OpeningHours, date: &str) -> OpeningHours {
    let id = crate::HolidayId::of(date);
    let list = format!(r#"[{{"id":"{id}","date":"{date}","name":"A holiday"}}]"#);
    let holidays: Holidays = serde_json::from_str(&list).unwrap();
    hours.holidays = hours.holidays.with(&holidays).unwrap();
    hours
}

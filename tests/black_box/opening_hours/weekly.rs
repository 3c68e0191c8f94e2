//! Weekly hours: several windows a day, over midnight, and for a time.

use chrono::TimeDelta;
use serde_json::json;

use super::{Place, weekly};
use crate::harness::{date, monday};

#[test]
fn a_day_has_several_windows() {
    let place = Place::in_zone("UTC", &["mon 09:00-12:00", "mon 13:00-17:00"]);
    place.is_open(monday(11, 30));
    place.is_closed(monday(11, 45));
    place.is_closed(monday(12, 30));
    place.is_open(monday(13, 0));
    let day = date(0).to_string();
    let stretch = |from, to| format!("{day}T{from}:00:00Z/{day}T{to}:00:00Z");
    let utc: Vec<String> = place.open(&day, &day).into_iter().map(|(_, utc)| utc).collect();
    assert_eq!(utc, [stretch("09", "12"), stretch("13", "17")]);
}

#[test]
fn a_window_that_crosses_midnight_is_open_on_the_day_after() {
    let place = Place::in_zone("UTC", &["mon 22:00-06:00"]);
    let resource = place.resource();
    assert_eq!(resource["weekly_hours"], weekly(&["mon 22:00-06:00"]), "as it was given");
    let midnight = monday(0, 0) + TimeDelta::days(1);
    place.is_open(midnight - TimeDelta::minutes(15));
    place.is_open(midnight + TimeDelta::minutes(330));
    place.is_closed(midnight + TimeDelta::minutes(345));
    place.is_closed(monday(21, 45));
    // It opens on Mondays, and not on Sundays.
    place.is_closed(monday(1, 0));
}

#[test]
fn a_window_is_open_from_the_first_day_of_its_validity_to_the_last() {
    let place = Place::in_zone("UTC", &[]);
    let hours = json!({"weekly_hours": [
        {"days": ["mon"], "from": "09:00", "to": "12:00", "valid_until": date(6)},
        {"days": ["mon"], "from": "13:00", "to": "17:00", "valid_from": date(7)},
        {"days": ["mon"], "from": "20:00", "to": "02:00",
         "valid_from": date(7), "valid_until": date(7)},
    ]});
    let changed = place.practice.api.patch(&place.path(""), &hours).send().is(200);
    assert_eq!(changed["weekly_hours"], hours["weekly_hours"]);
    for (week, morning, afternoon, night) in
        [(0, true, false, false), (1, false, true, true), (2, false, true, false)]
    {
        let start = |hour: i64| monday(0, 0) + TimeDelta::days(7 * week) + TimeDelta::hours(hour);
        for (hour, open) in [(9, morning), (13, afternoon), (22, night), (25, night)] {
            if open { place.is_open(start(hour)) } else { place.is_closed(start(hour)) }
        }
    }
}

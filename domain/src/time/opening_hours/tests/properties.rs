//! Any zone, any day, any hours: free, busy and closed time make up that day, and each minute is what a
//! plain reading of the hours says.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::TZ_VARIANTS;
use proptest::prelude::*;

use super::*;
use crate::time::intervals::{union, without};
use crate::time::{LocalDate, resolve_local};

/// A weekly window: a bit for each day, minutes of the day, and on which days around the one looked at
/// it is valid.
#[derive(Debug, Clone)]
struct Window {
    days: u8,
    from: u16,
    to: u16,
    valid: (Option<i64>, Option<i64>),
}

/// An exception: whether it opens, and when; in days and minutes from the day looked at.
#[derive(Debug, Clone)]
struct Exception {
    opens: bool,
    whole_days: bool,
    from: (i64, u32),
    to: (i64, u32),
}

#[derive(Debug, Clone)]
struct World {
    zone: Tz,
    day: NaiveDate,
    windows: Vec<Window>,
    exceptions: Vec<Exception>,
    holidays: Vec<i64>,
    busy: Vec<(i64, i64)>,
}

fn window() -> impl Strategy<Value = Window> {
    let validity = || proptest::option::weighted(0.2, -3..4_i64);
    let window = (1..128_u8, 0..1_440_u16, 0..=1_440_u16, validity(), validity());
    window.prop_filter_map("it has a length", |(days, from, to, first, last)| {
        let never = first.zip(last).is_some_and(|(first, last)| last < first);
        (from != to && !never).then_some(Window { days, from, to, valid: (first, last) })
    })
}

fn exception() -> impl Strategy<Value = Exception> {
    let time = || (-2..3_i64, 0..1_440_u32);
    (any::<bool>(), any::<bool>(), time(), time()).prop_filter_map(
        "it has a length",
        |(opens, whole_days, from, to)| {
            let fits = if whole_days { from.0 <= to.0 } else { from < to };
            fits.then_some(Exception { opens, whole_days, from, to })
        },
    )
}

fn world() -> impl Strategy<Value = World> {
    let first = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap();
    let days = NaiveDate::from_ymd_opt(2037, 12, 31).unwrap() - first;
    let day = (0..TZ_VARIANTS.len(), 0..=days.num_days().unsigned_abs(), any::<bool>());
    let day = day.prop_map(move |(zone, day, at_a_change)| {
        let zone = TZ_VARIANTS[zone];
        let day = first + Days::new(day);
        // Clocks change on few days, and those are the ones to look at.
        let changed = || day.iter_days().take(200).find(|day| length(zone, *day) != 24 * 60);
        (zone, at_a_change.then(changed).flatten().unwrap_or(day))
    });
    let hours = (
        prop::collection::vec(window(), 0..6),
        prop::collection::vec(exception(), 0..5),
        prop::collection::vec(-1..2_i64, 0..2),
        prop::collection::vec((-100..1_600_i64, 1..300_i64), 0..6),
    );
    (day, hours).prop_map(|((zone, day), (windows, exceptions, holidays, busy))| World {
        zone,
        day,
        windows,
        exceptions,
        holidays,
        busy,
    })
}

/// In minutes.
fn length(zone: Tz, day: NaiveDate) -> i64 {
    day_bounds(zone, day, day).map_or(0, |day| day.length().num_minutes())
}

impl World {
    fn date(&self, offset: i64) -> NaiveDate {
        self.day + TimeDelta::days(offset)
    }

    fn text(&self, (day, minute): (i64, u32)) -> String {
        format!("{}T{:02}:{:02}", self.date(day), minute / 60, minute % 60)
    }

    fn hours(&self) -> OpeningHours {
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let windows = self.windows.iter().map(|window| {
            let days: Vec<_> =
                (0..7).filter(|n| window.days & (1 << n) != 0).map(|n| WEEK[n]).collect();
            let valid = |day: Option<i64>| day.map(|day| self.date(day).to_string());
            serde_json::json!({
                "days": days, "from": time(window.from), "to": time(window.to),
                "valid_from": valid(window.valid.0), "valid_until": valid(window.valid.1),
            })
        });
        let windows = serde_json::Value::Array(windows.collect());
        let hours = OpeningHours::from(serde_json::from_value::<WeeklyHours>(windows).unwrap());
        let hours = self.exceptions.iter().fold(hours, |hours, exception| {
            let kind = if exception.opens { "extra-hours" } else { "time-off" };
            let (from, to) = (exception.from, exception.to);
            let span = if exception.whole_days {
                on_days(&self.date(from.0).to_string(), &self.date(to.0).to_string())
            } else {
                in_hours(&self.text(from), &self.text(to))
            };
            with(hours, kind, &span)
        });
        self.holidays.iter().fold(hours, |hours, day| {
            with_holiday(hours, &LocalDate::try_from(self.date(*day)).unwrap().to_string())
        })
    }

    fn busy(&self, day: &Interval) -> Vec<Interval> {
        let busy = self.busy.iter().map(|(start, minutes)| {
            let start = day.start() + TimeDelta::minutes(*start);
            Interval::new(start, start + TimeDelta::minutes(*minutes)).unwrap()
        });
        union(busy.filter_map(|busy| busy.intersection(day)).collect())
    }
}

/// The hours read one rule after the other, each as intervals of UTC, without a thought for speed.
struct Plain {
    weekly: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    holidays: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    extra: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    off: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Plain {
    fn of(world: &World) -> Self {
        let zone = world.zone;
        let midnight = |date: NaiveDate| resolve_local(zone, date.and_time(NaiveTime::MIN));
        let is_a_day = |date: NaiveDate| midnight(date) != midnight(date.succ_opt().unwrap());
        let at = |(day, minute): (i64, u32)| {
            let date = world.date(day);
            let local = date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minute.into());
            if is_a_day(date) { resolve_local(zone, local) } else { midnight(date) }
        };
        let mut plain = Self { weekly: vec![], holidays: vec![], extra: vec![], off: vec![] };
        for (window, day) in world.windows.iter().flat_map(|w| (-5..6_i64).map(move |d| (w, d))) {
            let date = world.date(day);
            let on = window.days & (1 << date.weekday().num_days_from_monday()) != 0;
            let valid = window.valid.0.is_none_or(|first| first <= day)
                && window.valid.1.is_none_or(|last| day <= last);
            if on && valid && is_a_day(date) {
                let over_night = if window.to < window.from { 1_440 } else { 0 };
                let local =
                    |minute: i64| date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minute);
                let opens = resolve_local(zone, local(window.from.into()));
                let closes = resolve_local(zone, local(i64::from(window.to) + over_night));
                plain.weekly.push((opens, closes));
            }
        }
        for day in &world.holidays {
            let date = world.date(*day);
            plain.holidays.push((midnight(date), midnight(date.succ_opt().unwrap())));
        }
        for exception in &world.exceptions {
            let span = if exception.whole_days {
                let last = world.date(exception.to.0).succ_opt().unwrap();
                (midnight(world.date(exception.from.0)), midnight(last))
            } else {
                (at(exception.from), at(exception.to))
            };
            if exception.opens { plain.extra.push(span) } else { plain.off.push(span) }
        }
        plain
    }

    fn is_open(&self, at: DateTime<Utc>) -> bool {
        let within = |spans: &[(DateTime<Utc>, DateTime<Utc>)]| {
            spans.iter().any(|(from, to)| *from <= at && at < *to)
        };
        !within(&self.off)
            && (within(&self.extra) || within(&self.weekly) && !within(&self.holidays))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Free,
    Busy,
    Closed,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn free_and_busy_and_closed_are_exactly_that_day(world in world()) {
        let (zone, hours) = (world.zone, world.hours());
        let Some(day) = day_bounds(zone, world.day, world.day) else {
            // Skipped altogether: there is nothing to divide.
            prop_assert_eq!(length(zone, world.day), 0);
            return Ok(());
        };
        let open = hours.open(zone, day);
        for pair in open.windows(2) {
            prop_assert!(pair[0].end() < pair[1].start(), "{:?} touch", pair);
        }
        let closed = without(vec![day], &open);
        let free = without(open.clone(), &world.busy(&day));
        let busy = without(open, &free);
        let parts = [(Part::Free, free), (Part::Busy, busy), (Part::Closed, closed)];
        let mut parts: Vec<(Interval, Part)> =
            parts.into_iter().flat_map(|(part, all)| all.into_iter().map(move |i| (i, part))).collect();
        parts.sort_by_key(|(interval, _)| interval.start());

        // They follow on each other from the first instant of the day to its last.
        let mut reached = day.start();
        for (interval, _) in &parts {
            prop_assert_eq!(interval.start(), reached);
            reached = interval.end();
        }
        prop_assert_eq!(reached, day.end());

        // And each minute is what it should be.
        let (plain, taken) = (Plain::of(&world), world.busy(&day));
        for (interval, part) in &parts {
            for minute in 0..interval.length().num_minutes() {
                let at = interval.start() + TimeDelta::minutes(minute);
                let is_taken = taken.iter().any(|busy| busy.start() <= at && at < busy.end());
                let expected = match (plain.is_open(at), is_taken) {
                    (false, _) => Part::Closed,
                    (true, true) => Part::Busy,
                    (true, false) => Part::Free,
                };
                prop_assert_eq!(*part, expected, "at {} in {}", at, zone);
            }
        }
    }
}

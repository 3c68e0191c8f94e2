//! What holds of every rule: its occurrences are those of a naive model, which asks of each day in
//! turn whether it is one; and whatever it is, it is answered.

use std::fmt::Write as _;

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Timelike as _, Weekday};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

use super::recurrence_tests::recurrence;
use super::*;

const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// A rule as the model reads it.
#[derive(Debug, Clone)]
struct Model {
    frequency: &'static str,
    interval: i64,
    week_start: u32,
    months: Vec<u32>,
    month_days: Vec<i64>,
    /// Weekday from Monday, and which of them.
    days: Vec<(u32, Option<i64>)>,
    ends: Ends,
}

#[derive(Debug, Clone, Copy)]
enum Ends {
    Count(usize),
    /// So many days after the start.
    After(u64),
}

impl Model {
    fn rule(&self, start: NaiveDate) -> String {
        let mut rule = format!("FREQ={};INTERVAL={}", self.frequency, self.interval);
        let list = |name: &str, items: Vec<String>| {
            if items.is_empty() { String::new() } else { format!(";{name}={}", items.join(",")) }
        };
        let day = |(day, number): &(u32, Option<i64>)| {
            let number = number.map(|n| n.to_string()).unwrap_or_default();
            format!("{number}{}", WEEKDAYS[*day as usize])
        };
        rule += &list("BYMONTH", self.months.iter().map(ToString::to_string).collect());
        rule += &list("BYMONTHDAY", self.month_days.iter().map(ToString::to_string).collect());
        rule += &list("BYDAY", self.days.iter().map(day).collect());
        write!(rule, ";WKST={}", WEEKDAYS[self.week_start as usize]).unwrap();
        match self.ends {
            Ends::Count(count) => write!(rule, ";COUNT={count}").unwrap(),
            Ends::After(days) => {
                let until = (start + Days::new(days)).format("%Y%m%d");
                write!(rule, ";UNTIL={until}").unwrap();
            }
        }
        rule
    }

    /// Asks each day in turn.
    fn days(&self, start: NaiveDate) -> Vec<NaiveDate> {
        let last = match self.ends {
            Ends::Count(_) => start + Days::new(20_000),
            Ends::After(days) => start + Days::new(days),
        };
        let all = start.iter_days().take_while(|date| *date <= last);
        let fit = all.filter(|date| self.is(start, *date));
        match self.ends {
            Ends::Count(count) => fit.take(count).collect(),
            Ends::After(_) => fit.collect(),
        }
    }

    fn is(&self, start: NaiveDate, date: NaiveDate) -> bool {
        let month_of = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
        let week_of = |date: NaiveDate| {
            let into = (date.weekday().num_days_from_monday() + 7 - self.week_start) % 7;
            i64::from((date - TimeDelta::days(into.into())).num_days_from_ce()) / 7
        };
        let period = match self.frequency {
            "DAILY" => (date - start).num_days(),
            "WEEKLY" => week_of(date) - week_of(start),
            "MONTHLY" => month_of(date) - month_of(start),
            _ => i64::from(date.year() - start.year()),
        };
        period % self.interval == 0 && self.is_in_months(start, date) && self.is_day(start, date)
    }

    fn is_in_months(&self, start: NaiveDate, date: NaiveDate) -> bool {
        let nothing_says = self.month_days.is_empty() && self.days.is_empty();
        if self.months.is_empty() && self.frequency == "YEARLY" && nothing_says {
            return date.month() == start.month();
        }
        self.months.is_empty() || self.months.contains(&date.month())
    }

    fn is_day(&self, start: NaiveDate, date: NaiveDate) -> bool {
        if self.month_days.is_empty() && self.days.is_empty() {
            return match self.frequency {
                "DAILY" => true,
                "WEEKLY" => date.weekday() == start.weekday(),
                _ => date.day() == start.day(),
            };
        }
        let length = i64::from(days_of_month(date));
        let day = i64::from(date.day());
        let month_day = self.month_days.is_empty()
            || self.month_days.iter().any(|n| *n == day || *n == day - length - 1);
        month_day && (self.days.is_empty() || self.days.iter().any(|one| self.is_the(*one, date)))
    }

    fn is_the(&self, (weekday, number): (u32, Option<i64>), date: NaiveDate) -> bool {
        let of_month = self.frequency == "MONTHLY" || !self.months.is_empty();
        let (day, length) = if of_month {
            (i64::from(date.day()), i64::from(days_of_month(date)))
        } else {
            let leap = NaiveDate::from_ymd_opt(date.year(), 2, 29).is_some();
            (i64::from(date.ordinal()), if leap { 366 } else { 365 })
        };
        let from_start = (day - 1) / 7 + 1;
        let from_end = -((length - day) / 7 + 1);
        date.weekday().num_days_from_monday() == weekday
            && number.is_none_or(|n| n == from_start || n == from_end)
    }
}

fn days_of_month(date: NaiveDate) -> u32 {
    (28..=31).rev().find(|day| date.with_day(*day).is_some()).unwrap()
}

fn model() -> impl Strategy<Value = Model> {
    let frequency = prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let some = |max: u32| prop::collection::vec(1..=max, 0..3);
    let either_end = |max: i64| (1..=max).prop_flat_map(|n| prop_oneof![Just(n), Just(-n)]);
    let ends =
        prop_oneof![(1usize..=60).prop_map(Ends::Count), (0u64..3_000).prop_map(Ends::After)];
    let days = prop::collection::vec((0u32..7, prop::option::of(either_end(5))), 0..4);
    let month_days = prop::collection::vec(either_end(31), 0..3);
    (frequency, 1i64..5, 0u32..7, some(12), month_days, days, ends).prop_map(
        |(frequency, interval, week_start, months, month_days, mut days, ends)| {
            // The expansion does not know the fifth from the end of a month.
            for (_, number) in &mut days {
                let numbered = matches!(frequency, "MONTHLY" | "YEARLY");
                *number = number.filter(|n| numbered && *n != -5);
            }
            let month_days = if frequency == "WEEKLY" { Vec::new() } else { month_days };
            Model { frequency, interval, week_start, months, month_days, days, ends }
        },
    )
}

fn date() -> impl Strategy<Value = NaiveDate> {
    (0u64..30_000).prop_map(|days| NaiveDate::from_ymd_opt(1990, 1, 1).unwrap() + Days::new(days))
}

fn time() -> impl Strategy<Value = NaiveTime> {
    (0u32..1_440).prop_map(|m| NaiveTime::from_hms_opt(m / 60, m % 60, 0).unwrap())
}

fn zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(TZ_VARIANTS.to_vec())
}

/// Anything that looks like a rule.
fn rule_like() -> impl Strategy<Value = String> {
    let number = || (-400i32..400).prop_map(|n| n.to_string());
    let list = || prop::collection::vec(number(), 1..5).prop_map(|list| list.join(","));
    let day = (prop::option::of(-53i32..=53), prop::sample::select(WEEKDAYS.to_vec()))
        .prop_map(|(n, day)| format!("{}{day}", n.map(|n| n.to_string()).unwrap_or_default()));
    let small = || {
        prop::collection::vec((1u32..=31).prop_map(|n| n.to_string()), 1..5)
            .prop_map(|list| list.join(","))
    };
    let part = prop_oneof![
        list().prop_map(|list| format!("BYSETPOS={list}")),
        list().prop_map(|list| format!("BYYEARDAY={list}")),
        small().prop_map(|list| format!("BYMONTHDAY={list}")),
        small().prop_map(|list| format!("BYWEEKNO={list}")),
        small().prop_map(|list| format!("BYHOUR={list}")),
        small().prop_map(|list| format!("BYMINUTE={list}")),
        (1u32..=12).prop_map(|month| format!("BYMONTH={month}")),
        (0u32..2_000).prop_map(|n| format!("INTERVAL={n}")),
        prop::collection::vec(day, 1..4).prop_map(|days| format!("BYDAY={}", days.join(","))),
        prop::sample::select(WEEKDAYS.to_vec()).prop_map(|day| format!("WKST={day}")),
    ];
    let frequency = prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    (frequency, prop::collection::vec(part, 0..4), 1u32..1_000).prop_map(
        |(frequency, parts, count)| {
            format!("FREQ={frequency};COUNT={count};{}", parts.join(";"))
                .trim_end_matches(';')
                .to_owned()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_rule_occurs_on_the_days_of_the_naive_model(model in model(), from in date(), time in time()) {
        // From the model's own first day on: a start is one of them.
        let Some(start) = Model { ends: Ends::Count(1), ..model.clone() }.days(from).first().copied()
        else { return Ok(()) };
        let wanted = model.days(start);
        prop_assume!(wanted.first() == Some(&start));
        let rule = model.rule(start);
        let local = start.and_time(time).format("%Y-%m-%dT%H:%M").to_string();
        let found = recurrence(&local, Tz::UTC, &rule).occurrences();
        if wanted.len() > MAX_OCCURRENCES {
            let too_many = SeriesRefusal::TooManyOccurrences { max: MAX_OCCURRENCES };
            prop_assert_eq!(found, Err(too_many));
        } else if let Ends::Count(count) = model.ends && wanted.len() < count {
            // Too rare for the model.
        } else {
            let found = found.map_err(|error| TestCaseError::fail(format!("{rule} {local}: {error}")))?;
            let days: Vec<_> = found.iter().map(|id| id.local().date_time().date()).collect();
            prop_assert_eq!(days, wanted, "{} {}", rule, local);
            prop_assert!(found.iter().all(|id| id.local().date_time().time() == time));
        }
    }

    #[test]
    fn clocks_show_the_local_time_of_every_occurrence_that_has_one(
        zone in zone(), from in date(), time in time(), weeks in 1u32..60,
    ) {
        let local = from.and_time(time).format("%Y-%m-%dT%H:%M").to_string();
        let weekly = recurrence(&local, zone, &format!("FREQ=WEEKLY;COUNT={weeks}"));
        let found = weekly.occurrences().unwrap();
        prop_assert_eq!(found.len(), weeks as usize);
        for id in found {
            let shown = weekly.at(id).with_timezone(&zone).naive_local();
            let asked = id.local().date_time();
            prop_assert_eq!(asked.time(), time);
            // Else it was left out by a change of the clocks, and is after it.
            let left_out = chrono::TimeZone::from_local_datetime(&zone, &asked).earliest().is_none();
            prop_assert!(shown == asked || left_out && shown > asked, "{} {}", id, shown);
            prop_assert!(shown.second() == 0 || zone != Tz::UTC);
        }
    }

    #[test]
    fn whatever_a_rule_says_it_is_answered(rule in rule_like(), from in date(), time in time()) {
        let local = from.and_time(time).format("%Y-%m-%dT%H:%M").to_string();
        if let Ok(found) = recurrence(&local, Tz::Europe__Oslo, &rule).occurrences() {
            prop_assert!((1..=MAX_OCCURRENCES).contains(&found.len()));
            prop_assert!(found.is_sorted_by(|a, b| a < b), "{:?}", found);
        }
    }

    #[test]
    fn whatever_is_no_rule_is_refused(text in "[A-Z=;,0-9+-]{1,60}") {
        let refused = recurrence("2027-01-04T09:00", Tz::UTC, &text).occurrences();
        prop_assert!(matches!(refused, Err(SeriesRefusal::InvalidRrule(_))), "{:?}", refused);
    }
}

#[test]
fn the_model_knows_its_weekdays() {
    let monday = NaiveDate::from_ymd_opt(2027, 1, 4).unwrap();
    assert_eq!(monday.weekday(), Weekday::Mon);
    assert_eq!(WEEKDAYS[monday.weekday().num_days_from_monday() as usize], "MO");
}

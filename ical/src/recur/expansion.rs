//! The occurrences of a rule, one period after the other.

use std::collections::VecDeque;

use chrono::{
    Datelike, Days as DaysLater, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike,
};
use thiserror::Error;

use super::days::Days;
use super::{By, Frequency, Rule};

/// How many days and times are looked at for one rule.
const MAX_STEPS: u32 = 1_000_000;

/// A rule names so much, or so little, that it is not followed to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the rule takes more work than is done for one")]
pub struct TooMuchWork;

/// The occurrences of a rule, in order. After an error there are none.
#[derive(Debug, Clone)]
pub struct Expansion {
    frequency: Frequency,
    interval: i64,
    by: By,
    days: Days,
    start: NaiveDateTime,
    /// Past the last that is asked for.
    end: NaiveDateTime,
    /// How many the rule has left.
    left: u32,
    /// Which period is next, from 0.
    period: i64,
    found: VecDeque<NaiveDateTime>,
    steps: u32,
    over: bool,
}

/// What became of a period.
enum Period {
    /// Its occurrences were found.
    Done,
    /// It is past the end.
    Past,
    /// Nothing is allowed before then: periods up to it can be passed over.
    NotBefore(NaiveDateTime),
}

impl Expansion {
    pub(super) fn new(rule: &Rule, start: NaiveDateTime, end: NaiveDateTime) -> Self {
        let mut by = rule.by.clone();
        for list in [&mut by.seconds, &mut by.minutes, &mut by.hours] {
            list.sort_unstable();
        }
        Self {
            frequency: rule.frequency,
            interval: i64::from(rule.interval),
            days: Days::new(rule, start.date()),
            by,
            start,
            end,
            left: rule.count.unwrap_or(u32::MAX),
            period: 0,
            found: VecDeque::new(),
            steps: 0,
            over: false,
        }
    }

    /// How many days and times have been looked at so far.
    pub(crate) const fn steps(&self) -> u32 {
        self.steps
    }

    fn work(&mut self, steps: usize) -> Result<(), TooMuchWork> {
        self.steps = self.steps.saturating_add(u32::try_from(steps).unwrap_or(u32::MAX));
        if self.steps > MAX_STEPS { Err(TooMuchWork) } else { Ok(()) }
    }

    /// Goes on to a period that has occurrences. `false`: there is none.
    fn advance(&mut self) -> Result<bool, TooMuchWork> {
        while self.found.is_empty() {
            self.work(1)?;
            let period = match self.frequency {
                Frequency::Yearly => self.year()?,
                Frequency::Monthly => self.month()?,
                Frequency::Weekly => self.week()?,
                Frequency::Daily => self.day()?,
                Frequency::Hourly => self.within_a_day(3600)?,
                Frequency::Minutely => self.within_a_day(60)?,
                Frequency::Secondly => self.within_a_day(1)?,
            };
            match period {
                Period::Past => return Ok(false),
                Period::Done => self.period += 1,
                Period::NotBefore(then) => self.skip_to(then),
            }
        }
        Ok(true)
    }

    fn year(&mut self) -> Result<Period, TooMuchWork> {
        let year = i64::from(self.start.year()) + self.period * self.interval;
        let first = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, 1, 1));
        let Some(first) = first.filter(|first| self.is_in_time(*first)) else {
            return Ok(Period::Past);
        };
        let months: Vec<u32> = match self.days.months() {
            [] => (1..=12).collect(),
            some => some.to_vec(),
        };
        let mut days = Vec::new();
        for month in months {
            days.extend(first.with_month(month).into_iter().flat_map(of_month));
        }
        self.take_days(days)
    }

    fn month(&mut self) -> Result<Period, TooMuchWork> {
        let months = u32::try_from(self.period * self.interval).ok().map(Months::new);
        let first = self.start.date().with_day(1);
        let first = first.zip(months).and_then(|(first, months)| first.checked_add_months(months));
        let Some(first) = first.filter(|first| self.is_in_time(*first)) else {
            return Ok(Period::Past);
        };
        let months = self.days.months();
        if !months.is_empty() && !months.contains(&first.month()) {
            return Ok(Period::Done);
        }
        self.take_days(of_month(first).collect())
    }

    fn week(&mut self) -> Result<Period, TooMuchWork> {
        let start = self.start.date();
        let into_week = start.weekday().days_since(self.days.week_start());
        let first = start.checked_sub_days(DaysLater::new(into_week.into()));
        let first = first.and_then(|first| later(first, self.period * self.interval * 7));
        let Some(first) = first.filter(|first| self.is_in_time(*first)) else {
            return Ok(Period::Past);
        };
        self.take_days(first.iter_days().take(7).collect())
    }

    fn day(&mut self) -> Result<Period, TooMuchWork> {
        let day = later(self.start.date(), self.period * self.interval);
        match day.filter(|day| self.is_in_time(*day)) {
            Some(day) => self.take_days(vec![day]),
            None => Ok(Period::Past),
        }
    }

    fn is_in_time(&self, first: NaiveDate) -> bool {
        first <= self.end.date()
    }

    /// Takes what is allowed of these days, with the times of day that the rule names.
    fn take_days(&mut self, mut days: Vec<NaiveDate>) -> Result<Period, TooMuchWork> {
        self.work(days.len())?;
        days.retain(|day| self.days.allow(*day));
        let or = |list: &[u32], start: u32| match list {
            [] => vec![start],
            some => some.to_vec(),
        };
        let time = self.start.time();
        let hours = or(&self.by.hours, time.hour());
        let minutes = or(&self.by.minutes, time.minute());
        let seconds = or(&self.by.seconds, time.second());
        self.work(days.len() * hours.len() * minutes.len() * seconds.len())?;
        let mut all = Vec::new();
        for day in days {
            for hour in &hours {
                for minute in &minutes {
                    let at = seconds.iter().filter_map(|second| {
                        NaiveTime::from_hms_opt(*hour, *minute, *second).map(|at| day.and_time(at))
                    });
                    all.extend(at);
                }
            }
        }
        self.take(all);
        Ok(Period::Done)
    }

    /// A period shorter than a day: of an hour, a minute or a second.
    fn within_a_day(&mut self, seconds: i64) -> Result<Period, TooMuchWork> {
        let begun = floor(self.start, seconds);
        let after = self.period.checked_mul(self.interval).and_then(|n| n.checked_mul(seconds));
        let at = after.and_then(TimeDelta::try_seconds);
        let at = at.and_then(|after| begun.checked_add_signed(after));
        let Some(at) = at.filter(|at| *at < self.end) else { return Ok(Period::Past) };
        if !self.days.allow(at.date()) {
            let next = later(at.date(), 1).map(|next| next.and_time(NaiveTime::MIN));
            return Ok(next.map_or(Period::Past, Period::NotBefore));
        }
        let is_out = |list: &[u32], of: u32| !list.is_empty() && !list.contains(&of);
        if is_out(&self.by.hours, at.hour()) {
            return Ok(Period::NotBefore(floor(at, 3600) + TimeDelta::hours(1)));
        }
        if seconds < 3600 && is_out(&self.by.minutes, at.minute()) {
            return Ok(Period::NotBefore(floor(at, 60) + TimeDelta::minutes(1)));
        }
        if seconds == 1 && is_out(&self.by.seconds, at.second()) {
            return Ok(Period::Done);
        }
        let or = |within: bool, list: &[u32], start: u32| match list {
            _ if !within => vec![start],
            [] => vec![start],
            some => some.to_vec(),
        };
        let minute = if seconds == 3600 { self.start.minute() } else { at.minute() };
        let second = if seconds == 1 { at.second() } else { self.start.second() };
        let minutes = or(seconds == 3600, &self.by.minutes, minute);
        let of_minute = or(seconds > 1, &self.by.seconds, second);
        self.work(minutes.len() * of_minute.len())?;
        let mut all = Vec::new();
        for minute in minutes {
            let times = of_minute.iter().filter_map(|second| {
                let time = NaiveTime::from_hms_opt(at.hour(), minute, *second)?;
                Some(at.date().and_time(time))
            });
            all.extend(times);
        }
        self.take(all);
        Ok(Period::Done)
    }

    /// Passes over the periods that begin before `then`.
    fn skip_to(&mut self, then: NaiveDateTime) {
        let unit = match self.frequency {
            Frequency::Hourly => 3600,
            Frequency::Minutely => 60,
            _ => 1,
        };
        let step = unit * self.interval;
        let away = (then - floor(self.start, unit)).num_seconds();
        let next = away.div_euclid(step) + i64::from(away.rem_euclid(step) != 0);
        self.period = next.max(self.period + 1);
    }

    /// Keeps of a period's occurrences, which are in order, those of the positions that the rule
    /// names, from the start on.
    fn take(&mut self, all: Vec<NaiveDateTime>) {
        let picked = if self.by.positions.is_empty() {
            all
        } else {
            let mut picked: Vec<NaiveDateTime> = Vec::new();
            for position in &self.by.positions {
                let nth = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
                let at =
                    if *position > 0 { nth.checked_sub(1) } else { all.len().checked_sub(nth) };
                picked.extend(at.and_then(|at| all.get(at)));
            }
            picked.sort_unstable();
            picked.dedup();
            picked
        };
        self.found.extend(picked.into_iter().filter(|at| *at >= self.start));
    }
}

impl Iterator for Expansion {
    type Item = Result<NaiveDateTime, TooMuchWork>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over || self.left == 0 {
            return None;
        }
        match self.advance() {
            Ok(true) => {}
            Ok(false) => {
                self.over = true;
                return None;
            }
            Err(error) => {
                self.over = true;
                return Some(Err(error));
            }
        }
        let next = self.found.pop_front().filter(|at| *at < self.end);
        self.over = next.is_none();
        self.left -= 1;
        next.map(Ok)
    }
}

fn later(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    u64::try_from(days).ok().and_then(|days| date.checked_add_days(DaysLater::new(days)))
}

/// The days of the month that begins on `first`.
fn of_month(first: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take_while(move |day| day.month() == first.month())
}

/// The beginning of the hour, minute or second.
fn floor(at: NaiveDateTime, seconds: i64) -> NaiveDateTime {
    let into = i64::from(at.num_seconds_from_midnight()) % seconds;
    at - TimeDelta::seconds(into)
}

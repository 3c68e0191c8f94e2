//! Which days a rule names: those that all of its parts allow.

use chrono::{Datelike, NaiveDate, Weekday};

use super::{By, Frequency, Rule};

/// The parts of a rule that are about days, with what it leaves out taken from the start.
#[derive(Debug, Clone)]
pub(super) struct Days {
    by: By,
    /// Whether ordinals of weekdays count within the month, not the year.
    of_month: bool,
    /// Whether they count at all.
    ordinals: bool,
    week_start: Weekday,
}

impl Days {
    pub(super) fn new(rule: &Rule, start: NaiveDate) -> Self {
        use Frequency::{Monthly, Weekly, Yearly};
        let mut by = rule.by.clone();
        let weekday = super::Day { ordinal: 0, weekday: start.weekday() };
        let no_day = by.days.is_empty() && by.month_days.is_empty() && by.year_days.is_empty();
        if no_day {
            match rule.frequency {
                // A week has seven days: the start says which.
                Yearly if !by.weeks.is_empty() => by.days = vec![weekday],
                Yearly => {
                    if by.months.is_empty() {
                        by.months = vec![start.month()];
                    }
                    by.month_days = vec![start.day().cast_signed()];
                }
                Monthly => by.month_days = vec![start.day().cast_signed()],
                Weekly => by.days = vec![weekday],
                _ => {}
            }
        }
        Self {
            of_month: rule.frequency == Monthly || !rule.by.months.is_empty(),
            ordinals: rule.frequency >= Monthly,
            by,
            week_start: rule.week_start,
        }
    }

    pub(super) const fn week_start(&self) -> Weekday {
        self.week_start
    }

    /// The months that it names; none: all of them.
    pub(super) fn months(&self) -> &[u32] {
        &self.by.months
    }

    pub(super) fn allow(&self, date: NaiveDate) -> bool {
        let By { days, month_days, year_days, weeks, months, .. } = &self.by;
        (months.is_empty() || months.contains(&date.month()))
            && (month_days.is_empty() || one_of(month_days, day_of_month(date)))
            && (year_days.is_empty() || one_of(year_days, day_of_year(date)))
            && (weeks.is_empty() || one_of(weeks, week(date, self.week_start)))
            && (days.is_empty() || days.iter().any(|day| self.is(*day, date)))
    }

    fn is(&self, day: super::Day, date: NaiveDate) -> bool {
        if date.weekday() != day.weekday {
            return false;
        }
        if day.ordinal == 0 || !self.ordinals {
            return true;
        }
        let (nth, of) = if self.of_month { day_of_month(date) } else { day_of_year(date) };
        if day.ordinal > 0 {
            (nth - 1) / 7 + 1 == day.ordinal
        } else {
            (of - nth) / 7 + 1 == -day.ordinal
        }
    }
}

/// Whether the list has this number, which is the `nth` of so many, from its start or its end.
fn one_of(list: &[i32], (nth, of): (i32, i32)) -> bool {
    list.contains(&nth) || list.contains(&(nth - of - 1))
}

fn day_of_month(date: NaiveDate) -> (i32, i32) {
    (date.day().cast_signed(), days_in_month(date.year(), date.month()))
}

fn day_of_year(date: NaiveDate) -> (i32, i32) {
    (date.ordinal().cast_signed(), days_in_year(date.year()))
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_year(year: i32) -> i32 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_in_month(year: i32, month: u32) -> i32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The number of the day's week, and how many weeks its year has: the first is the first of which
/// four days or more are in the year.
fn week(date: NaiveDate, week_start: Weekday) -> (i32, i32) {
    let into_week = |date: NaiveDate| date.weekday().days_since(week_start).cast_signed();
    // The day in the middle of a week says which year it belongs to.
    let middle = date.num_days_from_ce() - into_week(date) + 3;
    let Some(middle) = NaiveDate::from_num_days_from_ce_opt(middle) else { return (0, 0) };
    let number = (middle.ordinal().cast_signed() - 1) / 7 + 1;
    let last = NaiveDate::from_ymd_opt(middle.year(), 12, 28).map_or(52, |last| {
        // The 28th of December is always in the last week.
        let middle = last.ordinal().cast_signed() - into_week(last) + 3;
        (middle - 1) / 7 + 1
    });
    (number, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_numbered_as_iso_does_where_they_begin_on_monday() {
        let first = NaiveDate::from_ymd_opt(1998, 1, 1).unwrap();
        for date in first.iter_days().take(20 * 366) {
            let (number, of) = week(date, Weekday::Mon);
            let iso = date.iso_week();
            assert_eq!(number, iso.week().cast_signed(), "{date}");
            let last = NaiveDate::from_ymd_opt(iso.year(), 12, 28).unwrap().iso_week().week();
            assert_eq!(of, last.cast_signed(), "{date}");
        }
    }

    #[test]
    fn weeks_can_begin_on_any_day() {
        let date = NaiveDate::from_ymd_opt(2028, 1, 1).unwrap();
        // A Saturday: of a week from Saturday on all days are in 2028, of one from Sunday only one.
        assert_eq!(week(date, Weekday::Sat), (1, 52));
        assert_eq!(week(date, Weekday::Sun), (52, 52));
    }
}

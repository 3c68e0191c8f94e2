//! Holidays that recur: the days of a yearly rule (RFC 5545 §3.3.10) in a bounded number of years.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate, NaiveTime};
use daybook_ical::{Event, Fault, Moment};

use super::super::error::RefusalReason;
use super::out_of_range;

/// The first day of each instance, and a text that says which instance it is. That is the number in
/// its year, not the date: so a rule that is corrected moves its days.
pub(super) fn occurrences(
    event: &Event,
    start: NaiveDate,
    years: &RangeInclusive<i32>,
) -> Result<Vec<(NaiveDate, String)>, RefusalReason> {
    let recurrence = &event.recurrence;
    if !recurrence.dates.is_empty() {
        return Err(RefusalReason::Recurring { property: "RDATE" });
    }
    if !recurrence.left_out_by_rule.is_empty() {
        return Err(RefusalReason::Recurring { property: "EXRULE" });
    }
    let rule = match recurrence.rules.as_slice() {
        [] => return Ok(vec![(start, String::new())]),
        [rule] if rule.is_yearly() && rule.is_of_days() => rule,
        [_] => return Err(RefusalReason::NotYearly),
        _ => return Err(RefusalReason::Recurring { property: "RRULE" }),
    };
    if !(1900..=2199).contains(&start.year()) {
        return Err(out_of_range(start));
    }
    let left_out: Vec<NaiveDate> = recurrence.left_out.iter().map(Moment::date).collect();
    let after = NaiveDate::from_ymd_opt(years.end() + 1, 1, 1).unwrap_or(NaiveDate::MAX);
    let mut found: Vec<(NaiveDate, String)> = Vec::new();
    let (mut year, mut number) = (0, 0);
    for local in rule.expand(start.and_time(NaiveTime::MIN), after.and_time(NaiveTime::MIN)) {
        let local =
            local.map_err(|error| Fault::EndlessRule { property: "RRULE".to_owned(), error })?;
        if !rule.reaches(local, None) {
            break;
        }
        let date = local.date();
        number = if date.year() == year { number + 1 } else { 0 };
        year = date.year();
        if years.contains(&year) && !left_out.contains(&date) {
            found.push((date, format!("{year} {number}")));
        }
    }
    Ok(found)
}

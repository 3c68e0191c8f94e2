//! Reading a calendar of public holidays: whole days, each with a name, some of them every year.
//!
//! As with bookings, a file is read all or nothing, and each event of a valid file is independent. What would have to be guessed (a time of day, a rule other than a yearly one, a day of a
//! series that was moved) is refused.

mod yearly;

use std::collections::HashMap;
use std::ops::RangeInclusive;

use chrono::{Days, NaiveDate};
use daybook_domain::time::{Holiday, Holidays, LocalDate};
use daybook_domain::{HolidayId, Name};

use super::{
    MAX_EVENTS, MAX_UID_CHARS,
    duration::CalendarDuration,
    envelope::Envelope,
    error::{EventRefusal, ReadError, RefusalReason},
    properties::{Properties, Value},
    raw_event::RawEvent,
    sized,
    text::{excerpt, many_lines, one_line},
    time,
};

/// The most days of one event: no holiday is longer than a year.
const MAX_DAYS: u64 = 366;

/// What a file of holidays holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolidayCalendar {
    /// The days of all events that can be read.
    pub holidays: Holidays,
    pub refused: Vec<EventRefusal>,
}

/// Reads a file of holidays. Those that recur are taken in each of these `years`; the others in
/// whichever year they are.
///
/// A holiday's id is made from the event's UID and from which of its days it is: a file in which a
/// day has moved moves the holiday.
///
/// # Errors
/// When the file as a whole cannot be trusted, or has more holidays than can be stored.
pub fn read_holidays(
    bytes: &[u8],
    years: &RangeInclusive<i32>,
) -> Result<HolidayCalendar, ReadError> {
    let envelope = Envelope::read(sized(bytes)?, MAX_EVENTS)?;
    let (mut holidays, mut refused) = (Vec::new(), Vec::new());
    let mut first_lines = HashMap::new();
    for event in envelope.objects.iter().flat_map(|object| &object.events) {
        let properties = Properties::of(event);
        match days_of(event, &properties, years, &mut first_lines) {
            Ok(days) => holidays.extend(days),
            Err(reason) => refused.push(EventRefusal {
                line: event.line,
                uid: properties.shown("UID"),
                summary: properties.shown("SUMMARY"),
                reason,
            }),
        }
        if holidays.len() > Holidays::MAX {
            return Err(ReadError::TooManyHolidays { max: Holidays::MAX });
        }
    }
    // Each id is of another UID, year or day, so only their number could be wrong.
    let holidays = Holidays::try_from(holidays)
        .map_err(|_| ReadError::TooManyHolidays { max: Holidays::MAX })?;
    Ok(HolidayCalendar { holidays, refused })
}

fn days_of(
    event: &RawEvent,
    properties: &Properties,
    years: &RangeInclusive<i32>,
    first_lines: &mut HashMap<String, usize>,
) -> Result<Vec<Holiday>, RefusalReason> {
    if let Some(fault) = &properties.fault {
        return Err(fault.clone());
    }
    let uid = text(properties, "UID", |uid| many_lines("UID", uid, MAX_UID_CHARS))?;
    let uid = uid.ok_or(RefusalReason::NoUid)?;
    if properties.get("RECURRENCE-ID").is_some() {
        return Err(RefusalReason::MovedInstance);
    }
    if let Some(&first_line) = first_lines.get(&uid) {
        return Err(RefusalReason::Duplicate { first_line });
    }
    first_lines.insert(uid.clone(), event.line);
    if properties.get("STATUS").is_some_and(|s| s.text.trim().eq_ignore_ascii_case("CANCELLED")) {
        return Err(RefusalReason::Cancelled);
    }
    let name = text(properties, "SUMMARY", |text| one_line("SUMMARY", text, Name::MAX_CHARS))?;
    let name = name.and_then(|name| Name::new(&name).ok()).ok_or(RefusalReason::NoSummary)?;
    let (start, days) = span(properties)?;
    let mut holidays = Vec::new();
    for (first, which) in yearly::occurrences(properties, start, years)? {
        for day in 0..days {
            let date = first.checked_add_days(Days::new(day)).map(LocalDate::try_from);
            let date = date.and_then(Result::ok).ok_or_else(|| out_of_range("DTSTART", first))?;
            let id = HolidayId::of(&format!("{uid}\n{which}\n{day}"));
            holidays.push(Holiday { id, date, name: name.clone() });
        }
    }
    Ok(holidays)
}

fn text(
    properties: &Properties,
    property: &str,
    read: impl FnOnce(&str) -> Result<Option<String>, RefusalReason>,
) -> Result<Option<String>, RefusalReason> {
    properties.get(property).map_or(Ok(None), |value| read(&value.text))
}

/// The first day, and how many there are: one where nothing says when it ends (RFC 5545 §3.6.1).
fn span(properties: &Properties) -> Result<(NaiveDate, u64), RefusalReason> {
    let start = date("DTSTART", properties.get("DTSTART").ok_or(RefusalReason::NoStart)?)?;
    let days = match (properties.get("DTEND"), properties.get("DURATION")) {
        (None, None) => 1,
        (Some(_), Some(_)) => return Err(RefusalReason::EndAndDuration),
        (Some(end), None) => (date("DTEND", end)? - start).num_days(),
        (None, Some(duration)) => whole_days(duration)?,
    };
    match u64::try_from(days) {
        Ok(days @ 1..=MAX_DAYS) => Ok((start, days)),
        Ok(0) | Err(_) => Err(RefusalReason::EndNotAfterStart),
        Ok(_) => Err(RefusalReason::TooManyDays { max: MAX_DAYS }),
    }
}

fn whole_days(duration: &Value) -> Result<i64, RefusalReason> {
    let text = duration.text.trim();
    let days = CalendarDuration::parse(text).filter(|duration| duration.exact.is_zero());
    let days = days.map(|duration| duration.days.num_days());
    days.ok_or_else(|| RefusalReason::BadDuration { value: excerpt(text) })
}

/// A DATE (RFC 5545 §3.3.4).
fn date(property: &'static str, value: &Value) -> Result<NaiveDate, RefusalReason> {
    date_of(property, value.text.trim())
}

fn date_of(property: &'static str, text: &str) -> Result<NaiveDate, RefusalReason> {
    if text.contains('T') {
        return Err(RefusalReason::NotAllDay { property });
    }
    time::date(text).ok_or_else(|| RefusalReason::BadDate { property, value: excerpt(text) })
}

fn out_of_range(property: &'static str, date: NaiveDate) -> RefusalReason {
    RefusalReason::BadDate { property, value: date.to_string() }
}

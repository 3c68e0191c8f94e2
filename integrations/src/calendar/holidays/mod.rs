//! Reading a calendar of public holidays: whole days, each with a name, some of them every year.
//!
//! As with bookings, a file is read all or nothing, and each event of a valid file is independent. What
//! would have to be guessed (a time of day, a rule other than a yearly one, a day of a series that was
//! moved) is refused.

mod yearly;

use std::collections::HashMap;
use std::ops::RangeInclusive;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use daybook_domain::time::{Holiday, Holidays, LocalDate};
use daybook_domain::{HolidayId, Name};
use daybook_ical::event::{Length, Status};
use daybook_ical::{Event, Fault, Moment, scan};

use super::error::{ReadError, Refusal, RefusalReason, shown};
use super::texts::refused;

/// The most days of one event: no holiday is longer than a year.
const MAX_DAYS: u32 = 366;

/// What a file of holidays holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolidayCalendar {
    /// The days of all events that can be read.
    pub holidays: Holidays,
    pub refused: Vec<Refusal>,
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
    let index = scan(bytes)?;
    // A holiday has no time, and so no zone: which one is said does not matter.
    let zones = index.zones.with_default(None, Some(Tz::UTC));
    let (mut holidays, mut refused) = (Vec::new(), Vec::new());
    let mut first_lines = HashMap::new();
    for place in &index.events {
        let part = |at: u64| usize::try_from(at).unwrap_or(bytes.len()).min(bytes.len());
        let text = &bytes[part(place.start)..part(place.end)];
        let days = Event::read(text, place.line, &zones).map_err(Refusal::from);
        let days = days.and_then(|event| {
            days_of(&event, years, &mut first_lines).map_err(|reason| {
                let shown = shown(event.summary.as_deref(), event.is_private);
                Refusal { line: event.line, shown, reason }
            })
        });
        match days {
            Ok(days) => holidays.extend(days),
            Err(refusal) => refused.push(refusal),
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
    event: &Event,
    years: &RangeInclusive<i32>,
    first_lines: &mut HashMap<String, u32>,
) -> Result<Vec<Holiday>, RefusalReason> {
    let uid = event.uid.as_ref().ok_or(RefusalReason::NoUid)?;
    if event.replaces.is_some() {
        return Err(RefusalReason::MovedInstance);
    }
    if let Some(&first_line) = first_lines.get(uid) {
        return Err(RefusalReason::Duplicate { first_line });
    }
    first_lines.insert(uid.clone(), event.line);
    if event.status == Status::Cancelled {
        return Err(RefusalReason::Cancelled);
    }
    let name = event.summary.as_deref().ok_or(RefusalReason::NoSummary)?;
    let name = Name::new(name).map_err(refused("SUMMARY"))?;
    let (start, days) = span(event)?;
    let mut holidays = Vec::new();
    for (first, which) in yearly::occurrences(event, start, years)? {
        for day in 0..u64::from(days) {
            let date = first.checked_add_days(Days::new(day)).map(LocalDate::try_from);
            let date = date.and_then(Result::ok).ok_or_else(|| out_of_range(first))?;
            let id = HolidayId::of(&format!("{uid}\n{which}\n{day}"));
            holidays.push(Holiday { id, date, name: name.clone() });
        }
    }
    Ok(holidays)
}

/// The first day, and how many there are.
fn span(event: &Event) -> Result<(NaiveDate, u32), RefusalReason> {
    let start = match &event.start {
        Moment::Day(day) => *day,
        Moment::Time(_) => return Err(RefusalReason::NotAllDay { property: "DTSTART" }),
    };
    match event.length {
        Length::Days(days @ 1..=MAX_DAYS) => Ok((start, days)),
        Length::Days(_) => Err(RefusalReason::TooManyDays { max: MAX_DAYS }),
        _ => Err(RefusalReason::NotAllDay { property: "DTEND" }),
    }
}

fn out_of_range(date: NaiveDate) -> RefusalReason {
    Fault::BadTime { property: "DTSTART".to_owned(), value: date.to_string() }.into()
}

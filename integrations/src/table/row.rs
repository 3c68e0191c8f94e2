//! A row of a table: what there is to be of it.

use chrono::{Datelike, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use daybook_domain::Name;
use daybook_domain::appointment::{Copied, Takes};
use daybook_domain::time::{Interval, resolve_local};
use daybook_ical::Fault;
use daybook_ical::event::Version;
use daybook_ical::text::{clean, excerpt, one_line};

use super::columns::Column;
use super::times::{TableTime, date, date_time, minutes, time};
use crate::calendar::error::shown;
use crate::calendar::meaning::in_calendar;
use crate::calendar::{Entry, Place, Reading, RefusalReason, ToBook, Wanted, texts};

/// What a row says of an appointment that does not take place, in lower case.
const CANCELLED: [&str; 4] = ["cancelled", "canceled", "declined", "deleted"];

/// A row, with those of its fields that are not empty.
#[derive(Debug)]
pub(super) struct Row<'r> {
    line: u32,
    fields: Vec<(Column, &'r str)>,
}

impl<'r> Row<'r> {
    pub(super) const fn new(line: u32, fields: Vec<(Column, &'r str)>) -> Self {
        Self { line, fields }
    }

    /// What a person is shown of it.
    pub(super) fn name(&self) -> Option<&'r str> {
        self.get(Column::Title)
            .or_else(|| self.get(Column::Category))
            .or_else(|| self.get(Column::Id))
    }

    pub(super) fn entry(&self, reading: &Reading) -> Result<Entry, RefusalReason> {
        let to_book = self.to_book(reading)?;
        let status = self.get(Column::Status).map(str::to_lowercase);
        let is_cancelled = status.is_some_and(|status| CANCELLED.contains(&status.trim()));
        let uid = if let Some(id) = self.get(Column::Id) {
            id.to_owned()
        } else {
            let start = to_book.copied.during.start().to_rfc3339();
            let title = self.get(Column::Title).unwrap_or_default();
            ["", &start, title, to_book.place.name().as_str()].join("\u{1}")
        };
        let wanted =
            if is_cancelled { Wanted::Cancelled } else { Wanted::Booked(Box::new(to_book)) };
        Ok(Entry {
            uid,
            occurrence: None,
            line: self.line,
            shown: shown(self.name(), false),
            version: Version::default(),
            wanted,
        })
    }

    fn to_book(&self, reading: &Reading) -> Result<ToBook, RefusalReason> {
        let time_zone = self.time_zone(reading)?;
        let during = self.during(time_zone)?;
        let resource = self.get(Column::Resource).map(one_line);
        let place = resource.as_deref().and_then(|name| Name::new(name).ok());
        let (place, takes) = match place {
            Some(place) => (Place::Named(place), Takes::Place),
            None => (Place::Calendar(reading.calendar_name.clone()), Takes::PlaceOrMore),
        };
        let client: Vec<String> = self.all(Column::Client).map(one_line).collect();
        let notes: Vec<String> = self.all(Column::Notes).map(clean).collect();
        let client = client.join(", ");
        let about = std::iter::once(client.as_str()).chain(notes.iter().map(String::as_str));
        let tags: Vec<String> =
            self.all(Column::Tags).flat_map(|tags| tags.split(',')).map(one_line).collect();
        let tags = tags.iter().map(String::as_str).filter(|tag| !tag.is_empty());
        let text = |column| self.get(column).map(one_line);
        Ok(ToBook {
            title: text(Column::Title).map(|title| texts::title(&title)).transpose()?,
            category: text(Column::Category).map(|name| texts::category(&name)).transpose()?,
            tags: texts::tags(tags, false)?,
            note: texts::note(about)?,
            person: None,
            private: false,
            place,
            copied: Copied { during, takes },
            time_zone,
        })
    }

    fn time_zone(&self, reading: &Reading) -> Result<Tz, RefusalReason> {
        let Some(name) = self.get(Column::TimeZone) else { return Ok(reading.time_zone) };
        let zone = daybook_ical::Zones::default().named(name)?;
        zone.iana().ok_or_else(|| Fault::UnknownTimeZone { name: excerpt(name) }.into())
    }

    fn during(&self, zone: Tz) -> Result<Interval, RefusalReason> {
        let start = self.at(Column::Start, Column::StartDate, None)?;
        let start_at = instant(start, zone);
        let end = match self.get(Column::Duration) {
            Some(text) if self.get(Column::End).is_none() => {
                let length = minutes(text).map(|minutes| TimeDelta::minutes(minutes.into()));
                start_at + length.ok_or_else(|| wrong("duration", "a number of minutes", text))?
            }
            _ => instant(self.at(Column::End, Column::EndDate, Some(start))?, zone),
        };
        in_calendar(start_at.year())?;
        in_calendar(end.year())?;
        Interval::new(start_at, end).map_err(|_| Fault::EndNotAfterStart.into())
    }

    /// A day and a time, in one field or two; the day is the start's where no other is given.
    fn at(
        &self,
        column: Column,
        day: Column,
        start: Option<TableTime>,
    ) -> Result<TableTime, RefusalReason> {
        let name = if column == Column::Start { "start" } else { "end" };
        let text = self.get(column).unwrap_or_default();
        if let Some(at) = date_time(text) {
            return Ok(at);
        }
        let of_start = match start {
            Some(TableTime::Local(local)) => Some(local.date()),
            _ => None,
        };
        let date = match self.get(day) {
            // Some have the whole of it in the column of the day.
            Some(text) if self.get(column).is_none() => {
                return date_time(text).ok_or_else(|| wrong(name, "a day and a time", text));
            }
            Some(text) => {
                Some(date(text).ok_or_else(|| wrong("date", "a day (2027-06-01)", text))?)
            }
            None => of_start,
        };
        let time: Option<NaiveTime> = time(text);
        match date.zip(time) {
            Some((date, time)) => Ok(TableTime::Local(date.and_time(time))),
            None => Err(wrong(name, "a day and a time (2027-06-01 09:00)", text)),
        }
    }

    fn get(&self, column: Column) -> Option<&'r str> {
        self.all(column).next()
    }

    fn all(&self, column: Column) -> impl Iterator<Item = &'r str> {
        self.fields.iter().filter(move |(found, _)| *found == column).map(|(_, field)| *field)
    }
}

fn instant(at: TableTime, zone: Tz) -> chrono::DateTime<chrono::Utc> {
    match at {
        TableTime::Instant(at) => at,
        TableTime::Local(local) => resolve_local(zone, in_range(local)),
    }
}

/// Years that no zone can be asked about are not booked anyhow.
fn in_range(local: NaiveDateTime) -> NaiveDateTime {
    local.with_year(local.year().clamp(1, 9_998)).unwrap_or(local)
}

fn wrong(column: &'static str, expected: &'static str, value: &str) -> RefusalReason {
    RefusalReason::Field { column, expected, value: excerpt(value) }
}

//! One VEVENT, as a booking to be made or as the reason why not.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{
    category,
    duration::CalendarDuration,
    error::{EventRefusal, RefusalReason},
    properties::{Properties, Value},
    raw_event::RawEvent,
    text::{
        MAX_CATEGORY_CHARS, MAX_DESCRIPTION_CHARS, MAX_LOCATION_CHARS, MAX_SUMMARY_CHARS, MAX_TAGS,
        MAX_UID_CHARS, excerpt, many_lines, one_line,
    },
    time::{Moment, Zones},
};

/// An event that can be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEvent {
    /// Where its `BEGIN:VEVENT` is in the file, counted from 1.
    pub line: usize,
    /// What its maker calls it, for ever and everywhere (RFC 5545 §3.8.4.7). With `recurrence_id` it
    /// is unique in the file.
    pub uid: String,
    /// Which instance of the series `uid` it replaces, if it is one that was moved or changed: when
    /// that instance was to start. The event is booked by itself.
    pub recurrence_id: Option<DateTime<Utc>>,
    /// SUMMARY on one line, its category included.
    pub summary: Option<String>,
    /// The first of CATEGORIES, else the words in parentheses that end the summary.
    pub category: Option<String>,
    /// The other CATEGORIES, each once, in the order of the file.
    pub tags: Vec<String>,
    /// LOCATION on one line.
    pub location: Option<String>,
    /// DESCRIPTION, with its line breaks.
    pub description: Option<String>,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends; always after `start`, and not part of the event.
    pub end: DateTime<Utc>,
    /// The zone of its start. An event given in UTC has the file's default zone, else the caller's,
    /// else UTC.
    pub time_zone: Tz,
}

impl CalendarEvent {
    /// The summary without the category that ends it: `Building teams` of
    /// `Building teams (Workshop)`.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        let summary = self.summary.as_deref()?;
        Some(self.category.as_deref().map_or(summary, |found| category::strip(summary, found)))
    }
}

/// Reads the events of one file, and knows which it has read.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    first_lines: HashMap<(String, Option<DateTime<Utc>>), usize>,
}

impl EventReader {
    pub(super) fn read(
        &mut self,
        raw: &RawEvent,
        zones: &Zones,
    ) -> Result<CalendarEvent, EventRefusal> {
        let properties = Properties::of(raw);
        self.event(raw.line, &properties, zones).map_err(|reason| EventRefusal {
            line: raw.line,
            uid: properties.shown("UID"),
            summary: properties.shown("SUMMARY"),
            reason,
        })
    }

    fn event(
        &mut self,
        line: usize,
        properties: &Properties,
        zones: &Zones,
    ) -> Result<CalendarEvent, RefusalReason> {
        if let Some(fault) = &properties.fault {
            return Err(fault.clone());
        }
        let (uid, recurrence_id) = self.identity(line, properties, zones)?;
        if let Some(property) = properties.recurrence() {
            return Err(RefusalReason::Recurring { property });
        }
        let status = properties.get("STATUS").map_or("", |status| status.text.trim());
        if status.eq_ignore_ascii_case("CANCELLED") {
            return Err(RefusalReason::Cancelled);
        }
        let (start, end) = span(properties, zones)?;
        let line_of = |property: &'static str, max_chars| {
            text_of(properties, property, |text| one_line(property, text, max_chars))
        };
        let summary = line_of("SUMMARY", MAX_SUMMARY_CHARS)?;
        let location = line_of("LOCATION", MAX_LOCATION_CHARS)?;
        let description = text_of(properties, "DESCRIPTION", |text| {
            many_lines("DESCRIPTION", text, MAX_DESCRIPTION_CHARS)
        })?;
        let (category, tags) = categories(properties, summary.as_deref())?;
        Ok(CalendarEvent {
            line,
            uid,
            recurrence_id,
            summary,
            category,
            tags,
            location,
            description,
            start: start.instant,
            end,
            time_zone: start.zone,
        })
    }

    /// An event that is refused later still counts as the first of its name: which of two would have
    /// been right, this reader cannot know.
    fn identity(
        &mut self,
        line: usize,
        properties: &Properties,
        zones: &Zones,
    ) -> Result<(String, Option<DateTime<Utc>>), RefusalReason> {
        let uid = text_of(properties, "UID", |uid| many_lines("UID", uid, MAX_UID_CHARS))?
            .ok_or(RefusalReason::NoUid)?;
        let recurrence_id =
            properties.get("RECURRENCE-ID").map(|value| instance(value, zones)).transpose()?;
        let identity = (uid, recurrence_id);
        if let Some(&first_line) = self.first_lines.get(&identity) {
            return Err(RefusalReason::Duplicate { first_line });
        }
        self.first_lines.insert(identity.clone(), line);
        Ok(identity)
    }
}

fn text_of(
    properties: &Properties,
    property: &str,
    read: impl FnOnce(&str) -> Result<Option<String>, RefusalReason>,
) -> Result<Option<String>, RefusalReason> {
    properties.get(property).map_or(Ok(None), |value| read(&value.text))
}

fn instance(value: &Value, zones: &Zones) -> Result<DateTime<Utc>, RefusalReason> {
    const PROPERTY: &str = "RECURRENCE-ID";
    if value.parameter("RANGE").is_some() {
        return Err(RefusalReason::Recurring { property: PROPERTY });
    }
    Moment::read(PROPERTY, value, zones).map(|moment| moment.instant)
}

fn span(properties: &Properties, zones: &Zones) -> Result<(Moment, DateTime<Utc>), RefusalReason> {
    let start = properties.get("DTSTART").ok_or(RefusalReason::NoStart)?;
    let start = Moment::read("DTSTART", start, zones)?;
    let end = match (properties.get("DTEND"), properties.get("DURATION")) {
        (None, None) => return Err(RefusalReason::NoEnd),
        (Some(_), Some(_)) => return Err(RefusalReason::EndAndDuration),
        (Some(end), None) => Moment::read("DTEND", end, zones)?.instant,
        (None, Some(duration)) => {
            let text = duration.text.trim();
            CalendarDuration::parse(text)
                .and_then(|duration| start.after(duration))
                .ok_or_else(|| RefusalReason::BadDuration { value: excerpt(text) })?
        }
    };
    if end <= start.instant {
        return Err(RefusalReason::EndNotAfterStart);
    }
    Ok((start, end))
}

fn categories(
    properties: &Properties,
    summary: Option<&str>,
) -> Result<(Option<String>, Vec<String>), RefusalReason> {
    const PROPERTY: &str = "CATEGORIES";
    let mut found: Vec<String> = Vec::new();
    for item in properties.all(PROPERTY).flat_map(Value::list) {
        match one_line(PROPERTY, &item, MAX_CATEGORY_CHARS)? {
            Some(name) if !found.contains(&name) => found.push(name),
            _ => {}
        }
        if found.len() > MAX_TAGS + 1 {
            return Err(RefusalReason::TooManyCategories { max: MAX_TAGS + 1 });
        }
    }
    if found.is_empty() {
        let at_end = summary.and_then(category::at_end_of).map(str::to_owned);
        let fits = |name: &String| name.chars().nth(MAX_CATEGORY_CHARS).is_none();
        return Ok((at_end.filter(fits), Vec::new()));
    }
    let tags = found.split_off(1);
    Ok((found.pop(), tags))
}

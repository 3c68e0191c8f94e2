//! The locations of a calendar as rooms, with opening hours that cover their events.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDateTime, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;
use daybook_domain::resource::{Capacity, ResourceKind, ResourceProfile};
use daybook_domain::time::{Day, OpeningWindow, TimeOfDay, WeeklyHours};
use daybook_domain::{Name, Tags};
use daybook_integrations::calendar::CalendarEvent;

const END_OF_DAY: u16 = 24 * 60;

/// The rooms of a calendar, by location.
pub(super) struct Rooms(BTreeMap<String, Room>);

/// A location, and when it is needed.
pub(super) struct Room {
    location: String,
    zone: Tz,
    times: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Rooms {
    pub(super) fn of(events: &[CalendarEvent]) -> Self {
        let mut rooms: BTreeMap<String, Room> = BTreeMap::new();
        for event in events {
            let Some(location) = &event.location else { continue };
            let room = rooms.entry(location.clone()).or_insert_with(|| Room {
                location: location.clone(),
                zone: event.time_zone,
                times: Vec::new(),
            });
            room.times.push((event.start, event.end));
        }
        Self(rooms)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Room)> {
        self.0.iter().map(|(location, room)| (location.as_str(), room))
    }
}

impl Room {
    pub(super) fn profile(&self) -> anyhow::Result<ResourceProfile> {
        Ok(ResourceProfile {
            name: Name::new(&self.location)?,
            kind: ResourceKind::Room,
            tags: Tags::default(),
            time_zone: self.zone,
            opening_hours: self.hours(self.zone, &WeeklyHours::default())?.into(),
            capacity: Capacity::ONE,
        })
    }

    /// Hours that cover the events too; `None`: the present ones do.
    pub(super) fn longer_hours(
        &self,
        profile: &ResourceProfile,
    ) -> anyhow::Result<Option<WeeklyHours>> {
        let present = &profile.opening_hours.weekly_hours;
        let hours = self.hours(profile.time_zone, present)?;
        Ok((hours != *present).then_some(hours))
    }

    /// On each day of the week, from the first start to the last end.
    fn hours(&self, zone: Tz, present: &WeeklyHours) -> anyhow::Result<WeeklyHours> {
        let local = |at: &DateTime<Utc>| at.with_timezone(&zone).naive_local();
        let needed: Vec<_> = self
            .times
            .iter()
            .flat_map(|(start, end)| by_day(local(start), local(end)))
            .filter(|(day, from, to)| !covered(present, *day, *from, *to))
            .collect();
        if needed.is_empty() {
            return Ok(present.clone());
        }
        let mut spans: BTreeMap<u8, (Day, u16, u16)> = BTreeMap::new();
        for (day, from, to) in needed {
            let span = spans.entry(day as u8).or_insert((day, from, to));
            *span = (day, span.1.min(from), span.2.max(to));
        }
        let mut windows = present.windows().to_vec();
        for (day, from, to) in spans.into_values() {
            let time = |minute| TimeOfDay::from_minute(minute).unwrap_or(TimeOfDay::MIDNIGHT);
            windows.push(OpeningWindow::new(vec![day], time(from), time(to))?);
        }
        Ok(WeeklyHours::try_from(windows)?)
    }
}

fn covered(hours: &WeeklyHours, day: Day, from: u16, to: u16) -> bool {
    // Of a window over midnight neither condition can hold: it is taken for one that covers nothing.
    hours.windows().iter().filter(|window| window.is_always_valid()).any(|window| {
        window.days().contains(&day) && window.from().minute() <= from && to <= window.to().minute()
    })
}

/// The part of each day that a local time span takes, in minutes of the day.
fn by_day(start: NaiveDateTime, end: NaiveDateTime) -> Vec<(Day, u16, u16)> {
    let mut parts = Vec::new();
    let mut date = start.date();
    // A week covers every day there is.
    while date <= end.date() && parts.len() <= 7 {
        let from = if date == start.date() { minute_of(start.time(), false) } else { 0 };
        let to = if date == end.date() { minute_of(end.time(), true) } else { END_OF_DAY };
        if from < to {
            parts.push((Day::from(date.weekday()), from, to));
        }
        let Some(next) = date.checked_add_days(Days::new(1)) else { break };
        date = next;
    }
    parts
}

/// Seconds round away from the middle of the event, so that all of it is covered.
fn minute_of(time: NaiveTime, up: bool) -> u16 {
    let seconds = time.num_seconds_from_midnight();
    let minute = if up { seconds.div_ceil(60) } else { seconds / 60 };
    u16::try_from(minute).unwrap_or(END_OF_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(times: &[(&str, &str)]) -> Room {
        let at = |text: &str| text.parse().unwrap();
        let times = times.iter().map(|(start, end)| (at(start), at(end))).collect();
        Room { location: "South Ballroom".to_owned(), zone: Tz::America__Phoenix, times }
    }

    #[test]
    fn a_room_is_open_from_the_first_start_to_the_last_end_of_each_weekday() {
        let profile = room(&[
            ("2017-04-25T16:30:00Z", "2017-04-25T17:30:00Z"),
            ("2017-04-25T21:00:00Z", "2017-04-26T01:00:00Z"),
            ("2017-04-26T17:00:00Z", "2017-04-26T18:00:00Z"),
        ])
        .profile()
        .unwrap();
        let hours = serde_json::to_value(&profile.opening_hours.weekly_hours).unwrap();
        assert_eq!(
            hours,
            serde_json::json!([{"days": ["tue"], "from": "09:30", "to": "18:00"},
                               {"days": ["wed"], "from": "10:00", "to": "11:00"}])
        );
    }

    #[test]
    fn an_event_over_midnight_opens_both_days() {
        let times = [("2017-04-26T05:00:00Z", "2017-04-26T09:00:00Z")];
        let profile = room(&times).profile().unwrap();
        let hours = serde_json::to_value(&profile.opening_hours.weekly_hours).unwrap();
        assert_eq!(
            hours,
            serde_json::json!([{"days": ["tue"], "from": "22:00", "to": "24:00"},
                               {"days": ["wed"], "from": "00:00", "to": "02:00"}])
        );
    }

    #[test]
    fn a_room_that_is_open_already_stays_as_it_is() {
        let room = room(&[("2017-04-25T16:30:00Z", "2017-04-25T17:30:00Z")]);
        let profile = room.profile().unwrap();
        assert_eq!(room.longer_hours(&profile).unwrap(), None);
    }
}

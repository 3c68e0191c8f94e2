//! What a resource offers: pure, without a database.
//!
//! Each minute is offered as its resource was when that minute came: a change counts from the minute
//! in which it was recorded, and what lies before it stays (ADR 0018). There is no clock here: time is
//! what the log says, and days are worked out up to [`HORIZON_DAYS`] after its newest event.

use chrono::{DateTime, Days, DurationRound as _, NaiveDate, TimeDelta, Utc};
use daybook_domain::resource::{Resource, ResourceEvent, ResourceProfile};
use daybook_domain::time::{Interval, MinutesByDate, date_in, day_bounds, minutes_by_date};
use serde::{Deserialize, Serialize};

/// How many days after the log's newest event are worked out.
pub(super) const HORIZON_DAYS: u64 = 92;

/// The last day that is worked out of a log whose newest event was recorded then.
pub(super) fn horizon(recorded_at: DateTime<Utc>) -> NaiveDate {
    let today = recorded_at.date_naive();
    today.checked_add_days(Days::new(HORIZON_DAYS)).unwrap_or(today)
}

/// A resource since it was last changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Terms {
    pub(super) resource: Resource,
    /// The minute of the last change.
    since: DateTime<Utc>,
    /// What was offered on the day of that minute before it.
    minutes_before: i64,
}

impl Terms {
    fn profile(&self) -> Option<&ResourceProfile> {
        self.resource.profile()
    }
}

/// The days that are to be written anew: those of `minutes`, and none else from `from` on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Anew {
    pub(super) from: NaiveDate,
    pub(super) minutes: MinutesByDate,
}

/// What the resource is after the events, and its days after them up to `to`, where all days up to
/// `known` were worked out before. `None`: there is nothing to write.
pub(super) fn fold(
    before: Option<Terms>,
    events: &[(DateTime<Utc>, &ResourceEvent)],
    known: Option<NaiveDate>,
    to: NaiveDate,
) -> Option<(Terms, Anew)> {
    fold_after(before, events, known, (NaiveDate::MIN, to))
}

/// What a resource is after all its events, and what it offers from a day on, as far as days are worked out.
pub(super) fn of_days(
    events: &[(DateTime<Utc>, &ResourceEvent)],
    from: NaiveDate,
    horizon: NaiveDate,
) -> Option<(Terms, MinutesByDate)> {
    let (terms, Anew { mut minutes, .. }) = fold_after(None, events, None, (from, horizon))?;
    minutes.retain(|day, _| *day >= from);
    Some((terms, minutes))
}

/// What lies before `first` is of no interest.
fn fold_after(
    before: Option<Terms>,
    events: &[(DateTime<Utc>, &ResourceEvent)],
    known: Option<NaiveDate>,
    (first, to): (NaiveDate, NaiveDate),
) -> Option<(Terms, Anew)> {
    let mut terms = before;
    let mut from = None;
    let mut minutes = MinutesByDate::new();
    for (recorded_at, event) in events {
        let at = minute(*recorded_at);
        let changed = match terms.take() {
            None => {
                let mut resource = Resource::default();
                resource.evolve((*event).clone());
                let day = date_in(resource.profile()?.time_zone, at);
                from = Some(day);
                Terms { resource, since: at, minutes_before: 0 }
            }
            Some(mut terms) => {
                let zone = terms.profile()?.time_zone;
                let (at, today) = (at.max(terms.since), date_in(zone, at.max(terms.since)));
                let anew =
                    from.get_or_insert_with(|| after(known).map_or(today, |it| it.min(today)));
                // All that its last terms had to say: up to this minute.
                let until = offered(&terms, first.max(*anew), Some(at), today);
                let minutes_before = until.get(&today).copied().unwrap_or_default();
                minutes.extend(until);
                terms.resource.evolve((*event).clone());
                Terms { since: at, minutes_before, ..terms }
            }
        };
        terms = Some(changed);
    }
    let terms = terms?;
    let from = match from {
        Some(from) => from,
        None => after(known).filter(|first| *first <= to)?,
    };
    minutes.extend(offered(&terms, first.max(from), None, to));
    minutes.retain(|_, minutes| *minutes > 0);
    Some((terms, Anew { from, minutes }))
}

fn after(known: Option<NaiveDate>) -> Option<NaiveDate> {
    known?.checked_add_days(Days::new(1))
}

/// What is offered on these days on these terms, and before them on the day on which they began.
fn offered(
    terms: &Terms,
    first: NaiveDate,
    until: Option<DateTime<Utc>>,
    last: NaiveDate,
) -> MinutesByDate {
    let mut minutes = MinutesByDate::new();
    let Some(profile) = terms.profile() else { return minutes };
    let zone = profile.time_zone;
    let began = date_in(zone, terms.since);
    if began >= first {
        minutes.insert(began, terms.minutes_before);
    }
    let Some(days) = day_bounds(zone, first, last) else { return minutes };
    let (start, end) = (days.start().max(terms.since), until.unwrap_or_else(|| days.end()));
    let (Resource::Active(_), Ok(range)) = (&terms.resource, Interval::new(start, end)) else {
        return minutes;
    };
    let places = i64::from(profile.capacity.places());
    for open in profile.opening_hours.open(zone, range) {
        for (day, open) in minutes_by_date(zone, &open) {
            *minutes.entry(day).or_default() += open * places;
        }
    }
    minutes
}

fn minute(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(at)
}

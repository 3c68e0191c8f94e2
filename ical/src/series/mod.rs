//! All events of one UID, as the occurrences that they make together (RFC 5545 §3.8.4.4, §3.8.5).

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use crate::event::{Event, Extra, Length, Recurrence, Status, last_day};
use crate::fault::Fault;
use crate::recur::{Rule, TooMuchWork};
use crate::time::{Moment, Time};
use crate::zone::Zone;

/// The most that is looked at for the rules of one event, in the steps of [`Occurrences::steps`]: as much again as for
/// one rule.
pub const MAX_STEPS: u64 = 2_000_000;

/// The most occurrences of one event.
pub const MAX_OCCURRENCES: usize = 25_000;

/// From this year on no occurrence is told, whatever the horizon is.
const END_YEAR: i32 = 2201;

/// Which occurrence of a series: when it was to be before anybody moved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OccurrenceId {
    Day(NaiveDate),
    At(DateTime<Utc>),
}

/// When an occurrence is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Whole days, both included, in whatever zone the calendar is.
    Days { first: NaiveDate, last: NaiveDate },
    /// From an instant to before another, or no time at all where they are the same.
    Time { start: DateTime<Utc>, end: DateTime<Utc>, zone: Zone },
}

/// One occurrence, as the event has it that says the most about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence<'e> {
    pub event: &'e Event,
    /// `None`: the event does not recur.
    pub id: Option<OccurrenceId>,
    /// `None`: it does not take place, and it is not known when it would have.
    pub span: Option<Span>,
    /// Whether it was cancelled.
    pub is_cancelled: bool,
}

/// The occurrences of a UID, and whether there are more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Occurrences<'e> {
    pub all: Vec<Occurrence<'e>>,
    /// Whether a rule goes on after the horizon.
    pub goes_on: bool,
    /// How many days and times were looked at for its rules.
    pub steps: u64,
}

/// From when to when rules are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// No occurrence before this day is told.
    pub first: NaiveDate,
    /// Rules are followed to before this instant. What is named by itself is told wherever it is.
    pub horizon: DateTime<Utc>,
}

/// The occurrences of all events of one UID. Of events for the same occurrence, the latest
/// [`version`](crate::event::Version) counts; of equal ones, the last.
///
/// # Errors
/// When a rule cannot be followed. The event itself is sound.
pub fn occurrences<'e>(events: &[&'e Event], window: Window) -> Result<Occurrences<'e>, Fault> {
    let parts = Parts::of(events);
    let Some(master) = parts.master else {
        return Ok(Occurrences { all: parts.alone(), ..Occurrences::default() });
    };
    if master.recurrence.is_none() && parts.changed.is_empty() && parts.from.is_empty() {
        let is_cancelled = master.status == Status::Cancelled;
        let span = span(&master.start, master.length);
        let only = Occurrence { event: master, id: None, span, is_cancelled };
        return Ok(Occurrences { all: vec![only], ..Occurrences::default() });
    }
    let set = Set::of(master, window)?;
    let mut all = Vec::with_capacity(set.starts.len());
    let mut changed = parts.changed;
    let all_cancelled = master.status == Status::Cancelled;
    for (id, start) in &set.starts {
        let own = changed.remove(id);
        let occurrence = match own {
            Some(event) => one(event, *id),
            None => parts.from.range(..=*id).next_back().map_or_else(
                || of_master(master, *id, start),
                |(from, event)| shifted(event, *from, *id, start),
            ),
        };
        all.push(occurrence);
    }
    // Those that no rule names, and nobody left out, are there all the same.
    all.extend(
        changed.into_iter().filter(|(id, _)| !set.leaves_out(*id)).map(|(id, e)| one(e, id)),
    );
    for occurrence in &mut all {
        occurrence.is_cancelled |= all_cancelled;
    }
    Ok(Occurrences { all, goes_on: set.goes_on, steps: set.steps })
}

/// The events that count, by what they are about.
struct Parts<'e> {
    master: Option<&'e Event>,
    changed: BTreeMap<OccurrenceId, &'e Event>,
    /// Those for an occurrence and all after it.
    from: BTreeMap<OccurrenceId, &'e Event>,
}

impl<'e> Parts<'e> {
    fn of(events: &[&'e Event]) -> Self {
        let mut parts = Self { master: None, changed: BTreeMap::new(), from: BTreeMap::new() };
        let newest = |known: Option<&&'e Event>, event: &Event| {
            known.is_none_or(|known| known.version <= event.version)
        };
        for event in events {
            match &event.replaces {
                None if newest(parts.master.as_ref(), event) => parts.master = Some(event),
                None => {}
                Some(replaces) => {
                    let id = id_of(&replaces.at);
                    let map =
                        if replaces.and_future { &mut parts.from } else { &mut parts.changed };
                    if newest(map.get(&id), event) {
                        map.insert(id, event);
                    }
                }
            }
        }
        parts.by_the_masters_measure();
        parts
    }

    /// An occurrence of whole days may be named by a time, and one at a time by its day.
    fn by_the_masters_measure(&mut self) {
        let Some(master) = self.master else { return };
        let by_measure = |of: &mut BTreeMap<OccurrenceId, &'e Event>| {
            let all = std::mem::take(of).into_iter();
            *of = all
                .map(|(id, event)| {
                    let at = event.replaces.as_ref().map(|replaces| &replaces.at);
                    (at.map_or(id, |at| measured(at, &master.start)), event)
                })
                .collect();
        };
        by_measure(&mut self.changed);
        by_measure(&mut self.from);
    }

    /// Without the series that they were taken from, each is by itself.
    fn alone(self) -> Vec<Occurrence<'e>> {
        self.changed.into_iter().chain(self.from).map(|(id, event)| one(event, id)).collect()
    }
}

fn id_of(at: &Moment) -> OccurrenceId {
    match at {
        Moment::Day(day) => OccurrenceId::Day(*day),
        Moment::Time(time) => OccurrenceId::At(time.instant),
    }
}

fn local_and_utc(at: &Moment) -> (NaiveDateTime, Option<NaiveDateTime>) {
    match at {
        Moment::Day(day) => (day.and_time(NaiveTime::MIN), None),
        Moment::Time(time) => (time.local, Some(time.instant.naive_utc())),
    }
}

/// What `at` names in a series that begins at `start`.
fn measured(at: &Moment, start: &Moment) -> OccurrenceId {
    match (at, start) {
        (Moment::Time(time), Moment::Day(_)) => OccurrenceId::Day(time.local.date()),
        (Moment::Day(day), Moment::Time(start)) => {
            OccurrenceId::At(start.zone.instant(day.and_time(start.local.time())))
        }
        _ => id_of(at),
    }
}

/// When something of that length that begins then is. `None`: past the end of all calendars.
fn span(start: &Moment, length: Length) -> Option<Span> {
    match (start, length) {
        (Moment::Day(first), Length::Days(days)) => {
            Some(Span::Days { first: *first, last: last_day(*first, days)? })
        }
        (Moment::Day(first), _) => Some(Span::Days { first: *first, last: *first }),
        (Moment::Time(start), length) => {
            let instant = start.instant;
            let end = match length {
                Length::None => instant,
                Length::Exact(length) => instant.checked_add_signed(length)?,
                Length::Days(days) => {
                    let local = start.local.checked_add_days(Days::new(days.into()))?;
                    start.zone.instant(local)
                }
                Length::Calendar(duration) => {
                    let local = start.local.checked_add_signed(duration.days)?;
                    start.zone.instant(local).checked_add_signed(duration.exact)?
                }
            };
            Some(Span::Time { start: instant, end, zone: start.zone.clone() })
        }
    }
}

/// An occurrence that has an event of its own.
fn one(event: &Event, id: OccurrenceId) -> Occurrence<'_> {
    let is_cancelled = event.status == Status::Cancelled;
    Occurrence { event, id: Some(id), span: span(&event.start, event.length), is_cancelled }
}

fn of_master<'e>(master: &'e Event, id: OccurrenceId, start: &Extra) -> Occurrence<'e> {
    let span = span(&start.start, start.length.unwrap_or(master.length));
    let is_cancelled = master.status == Status::Cancelled;
    Occurrence { event: master, id: Some(id), span, is_cancelled }
}

/// An occurrence that is moved as far as the one was from which on all are.
fn shifted<'e>(
    event: &'e Event,
    from: OccurrenceId,
    id: OccurrenceId,
    start: &Extra,
) -> Occurrence<'e> {
    let moved = match (&event.start, from, &start.start) {
        (Moment::Day(to), OccurrenceId::Day(from), Moment::Day(day)) => {
            day.checked_add_signed(*to - from).map(Moment::Day)
        }
        (Moment::Time(to), OccurrenceId::At(from), Moment::Time(time)) => {
            // In local time: what is at nine in winter is at nine in summer.
            let by = to.local - to.zone.local(from);
            let at = to.zone.local(time.instant).checked_add_signed(by);
            at.map(|at| Moment::Time(Time::at(at, &to.zone)))
        }
        // From days to times or back: on the day that it was.
        (Moment::Time(to), _, start) => {
            Some(Moment::Time(Time::at(start.date().and_time(to.local.time()), &to.zone)))
        }
        (Moment::Day(_), _, start) => Some(Moment::Day(start.date())),
    };
    let span = moved.and_then(|moved| span(&moved, event.length));
    let is_cancelled = event.status == Status::Cancelled;
    Occurrence { event, id: Some(id), span, is_cancelled }
}

/// The recurrence set of a series, before anybody moved an occurrence.
struct Set<'e> {
    master: &'e Event,
    starts: BTreeMap<OccurrenceId, Extra>,
    left_out: BTreeSet<OccurrenceId>,
    /// Days of which whatever is on them is left out.
    days_left_out: BTreeSet<NaiveDate>,
    goes_on: bool,
    steps: u64,
}

impl<'e> Set<'e> {
    fn of(master: &'e Event, window: Window) -> Result<Self, Fault> {
        let mut set = Self {
            master,
            starts: BTreeMap::new(),
            left_out: BTreeSet::new(),
            days_left_out: BTreeSet::new(),
            goes_on: false,
            steps: 0,
        };
        let Recurrence { rules, left_out_by_rule, dates, left_out } = &master.recurrence;
        for left_out in left_out {
            set.leave_out(left_out);
        }
        // Of a series that ended before it began there is nothing.
        let (local, utc) = local_and_utc(&master.start);
        if rules.is_empty() || rules.iter().any(|rule| rule.reaches(local, utc)) {
            let start = Extra { start: master.start.clone(), length: None };
            set.starts.insert(id_of(&master.start), start);
        }
        for extra in dates {
            let start = match (&extra.start, &master.start) {
                (Moment::Day(day), Moment::Time(start)) => {
                    Moment::Time(Time::at(day.and_time(start.local.time()), &start.zone))
                }
                (Moment::Time(time), Moment::Day(_)) => Moment::Day(time.local.date()),
                _ => extra.start.clone(),
            };
            set.starts.insert(id_of(&start), Extra { start, length: extra.length });
        }
        for rule in rules {
            set.goes_on |= set.follow(rule, "RRULE", window, |set, start| {
                set.starts.entry(id_of(&start)).or_insert(Extra { start, length: None });
                set.starts.len() <= MAX_OCCURRENCES
            })?;
        }
        for rule in left_out_by_rule {
            set.follow(rule, "EXRULE", window, |set, start| {
                set.leave_out(&start);
                set.left_out.len() <= MAX_OCCURRENCES
            })?;
        }
        let starts = std::mem::take(&mut set.starts);
        let told = |start: &Extra| start.start.date() >= window.first;
        set.starts =
            starts.into_iter().filter(|(id, start)| told(start) && !set.leaves_out(*id)).collect();
        Ok(set)
    }

    /// Takes the occurrences of a rule up to the horizon. Whether it goes on after that.
    fn follow(
        &mut self,
        rule: &Rule,
        name: &str,
        window: Window,
        mut take: impl FnMut(&mut Self, Moment) -> bool,
    ) -> Result<bool, Fault> {
        if self.steps > MAX_STEPS / 2 {
            return Err(Fault::EndlessRule { property: name.to_owned(), error: TooMuchWork });
        }
        let (start, _) = local_and_utc(&self.master.start);
        let end = match &self.master.start {
            Moment::Day(_) => window.horizon.naive_utc(),
            Moment::Time(start) => start.zone.local(window.horizon),
        };
        let last = NaiveDate::from_ymd_opt(END_YEAR, 1, 1).unwrap_or(NaiveDate::MAX);
        let mut expansion = rule.expand(start, last.and_time(NaiveTime::MIN));
        let goes_on = loop {
            let local = match expansion.next() {
                Some(Ok(local)) => local,
                Some(Err(error)) => {
                    break Err(Fault::EndlessRule { property: name.to_owned(), error });
                }
                None => break Ok(false),
            };
            let moment = self.moment(local);
            let (_, utc) = local_and_utc(&moment);
            if !rule.reaches(local, utc) {
                break Ok(false);
            }
            if local >= end {
                break Ok(true);
            }
            if local.date() >= window.first && !take(self, moment) {
                break Err(Fault::TooManyOccurrences { max: MAX_OCCURRENCES });
            }
        };
        self.steps += u64::from(expansion.steps());
        goes_on
    }

    fn moment(&self, local: NaiveDateTime) -> Moment {
        match &self.master.start {
            Moment::Day(_) => Moment::Day(local.date()),
            Moment::Time(start) => Moment::Time(Time::at(local, &start.zone)),
        }
    }

    fn leave_out(&mut self, at: &Moment) {
        match (at, &self.master.start) {
            // A day leaves out whatever is on it.
            (Moment::Day(day), Moment::Time(_)) => {
                self.days_left_out.insert(*day);
            }
            (at, start) => {
                self.left_out.insert(measured(at, start));
            }
        }
    }

    fn leaves_out(&self, id: OccurrenceId) -> bool {
        let day = || match (id, &self.master.start) {
            (OccurrenceId::At(at), Moment::Time(start)) => Some(start.zone.local(at).date()),
            _ => None,
        };
        self.left_out.contains(&id)
            || !self.days_left_out.is_empty()
                && day().is_some_and(|d| self.days_left_out.contains(&d))
    }
}

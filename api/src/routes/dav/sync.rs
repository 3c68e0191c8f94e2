//! What has changed in a calendar since a program was told last (RFC 6578).
//!
//! It is read from the log, so its cost is that of what has happened since. What is told is what is so now: first what was not told at all
//! yet, then what comes and goes as days pass, then what events were about. Too much is told sooner than too little: whoever knows the tag of
//! what has not changed passes over it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use daybook_domain::ExceptionId;
use daybook_domain::resource::ResourceEvent;
use daybook_domain::time::{ExceptionKind, Interval};
use daybook_store::{AnyEvent, Position};
use uuid::Uuid;

use super::calendar::{Calendar, Member, Opened};
use super::multistatus::{MultiStatus, Refused};
use super::place::Place;
use super::properties::Thing;
use super::propfind::Asked;
use super::token::Token;
use super::xml::{DAV, Element};
use crate::http::Problem;
use crate::routes::calendars::events::{DAYS_AHEAD, DAYS_BEHIND, MAX_EVENTS, Part, days};

/// How many events are read at once, and how often for one answer: whoever asks on from there gets the rest.
const EVENTS: u32 = 1_000;
const MAX_READS: usize = 20;
#[cfg(test)]
pub(in crate::routes) const MAX_EVENTS_READ: usize = EVENTS as usize * MAX_READS;

pub(super) async fn answer(
    opened: &Opened<'_>,
    calendar: &Calendar,
    asked: &Asked,
    report: &Element,
) -> Result<MultiStatus, Refused> {
    let text = |name| report.child(DAV, name).map(|child| child.text.trim());
    let token = match text("sync-token") {
        None | Some("") => Token::start(opened, calendar),
        Some(text) => Token::read(text, opened, calendar).ok_or_else(no_token)?,
    };
    let head = opened.app.engine.log().head(&opened.caller.tenant).await?;
    // Clocks of those that answer may differ by a moment, and that may be midnight.
    let tomorrow = opened.now.date_naive().succ_opt().unwrap_or(NaiveDate::MAX);
    if token.position > head.unwrap_or_default() || token.day > tomorrow {
        return Err(no_token());
    }
    let limit = report.child(DAV, "limit").and_then(|limit| limit.child(DAV, "nresults"));
    let limit = limit.map(|limit| limit.text.trim().parse::<NonZeroUsize>());
    let limit = limit.transpose().map_err(|_| bad_limit())?.map(NonZeroUsize::get);
    let members = opened.members(calendar, None).await?;
    if members.len() >= MAX_EVENTS && token.listed.is_none() {
        // What is in it depends on what else is.
        return Err(no_token());
    }
    let members: BTreeMap<Uuid, Member> =
        members.into_iter().map(|member| (member.id, member)).collect();
    let mut by_what = BTreeMap::<Uuid, Vec<Uuid>>::new();
    for member in members.values() {
        by_what.entry(member.told_by).or_default().push(member.id);
    }
    let told = Told::within(limit);
    let mut walk = Walk { opened, calendar, members, by_what, token, told };
    let is_all = walk.is_all().await?;
    let mut told = MultiStatus::new();
    for id in &walk.told.ids {
        let place = opened.place_of(calendar.id, *id);
        match walk.members.get(id) {
            Some(member) => asked.tell(&mut told, opened, &place, &Thing::Member(member)),
            None => told.nothing_at(&place.path()),
        }
    }
    if !is_all {
        told.more_of(&Place::Calendar { who: opened.who, id: calendar.id }.path());
    }
    told.up_to(&walk.token.to_string());
    Ok(told)
}

/// What is told, as far as there is room.
struct Told {
    ids: Vec<Uuid>,
    seen: BTreeSet<Uuid>,
    limit: usize,
}

impl Told {
    fn within(limit: Option<usize>) -> Self {
        Self { ids: Vec::new(), seen: BTreeSet::new(), limit: limit.unwrap_or(usize::MAX) }
    }

    /// Whether there is room for it.
    fn add(&mut self, id: Uuid) -> bool {
        if self.seen.contains(&id) {
            return true;
        }
        let has_room = self.ids.len() < self.limit;
        if has_room {
            self.ids.push(id);
            self.seen.insert(id);
        }
        has_room
    }
}

/// The way from a token to now.
struct Walk<'a> {
    opened: &'a Opened<'a>,
    calendar: &'a Calendar,
    members: BTreeMap<Uuid, Member>,
    /// The ids of these, in order, by what else they are told by.
    by_what: BTreeMap<Uuid, Vec<Uuid>>,
    /// How far it has come.
    token: Token,
    told: Told,
}

impl Walk<'_> {
    /// Goes as far as there is room, and says whether that is all the way.
    async fn is_all(&mut self) -> Result<bool, Refused> {
        Ok(self.list() && self.pass_days().await? && self.read_log().await?)
    }

    /// What is in the calendar, to whom it was not told yet.
    fn list(&mut self) -> bool {
        let Some(after) = self.token.listed else { return true };
        for id in self.members.keys().copied().filter(|id| *id > after) {
            if !self.told.add(id) {
                return false;
            }
            self.token.listed = Some(id);
        }
        self.token.listed = None;
        true
    }

    /// What has come into the calendar, and what is no longer in it, as days have passed.
    async fn pass_days(&mut self) -> Result<bool, Refused> {
        let today = self.opened.now.date_naive();
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let (before, now) = (days(midnight(self.token.day)), days(midnight(today)));
        let (Some(before), Some(now)) = (before, now) else { return Ok(true) };
        let gone = Interval::new(before.start(), now.start());
        let come = Interval::new(before.end(), now.end());
        let mut all = BTreeSet::new();
        for during in [gone, come].into_iter().flatten() {
            let found = self.opened.taking_place(self.calendar, Part::all(during)).await?;
            if found.len() >= MAX_EVENTS {
                // There may be more, which would never be told.
                return Err(no_token());
            }
            let both = |it: &Member| [(goes(it.old_by), it.id), (comes(it.start), it.id)];
            let passing = found.iter().flat_map(both);
            // Time off may reach beyond these days, and comes or goes on others then.
            all.extend(passing.filter(|(day, _)| *day > self.token.day && *day <= today));
        }
        for (day, id) in all {
            let next = self.token.day.succ_opt();
            if next == Some(day) && self.token.of_day.is_some_and(|told| id <= told) {
                continue;
            }
            if !self.told.add(id) {
                return Ok(false);
            }
            (self.token.day, self.token.of_day) = (day.pred_opt().unwrap_or(day), Some(id));
        }
        (self.token.day, self.token.of_day) = (today, None);
        Ok(true)
    }

    /// What events were about.
    async fn read_log(&mut self) -> Result<bool, Refused> {
        let up_to = self.calendar.position;
        let (log, tenant) = (self.opened.app.engine.log(), &self.opened.caller.tenant);
        // The one that was told in part is read again.
        let parts = u64::from(self.token.of_event.is_some());
        let mut after = self.token.position.minus(parts);
        for _ in 0..MAX_READS {
            if after >= up_to {
                return Ok(true);
            }
            let events = log.read(tenant, after, EVENTS).await?;
            let mut read = Vec::with_capacity(events.len());
            for event in events {
                let event = event.map_err(|error| Problem::internal().because(&error))?;
                if event.position <= up_to {
                    read.push((event.position, event.event));
                }
            }
            let Some((last, _)) = read.last() else { return Ok(true) };
            after = *last;
            if !self.tell(&read).await? {
                return Ok(false);
            }
        }
        Ok(after >= up_to)
    }

    /// What some events were about, as far as there is room.
    async fn tell(&mut self, events: &[(Position, AnyEvent)]) -> Result<bool, Refused> {
        let ids = events.iter().filter(|(_, event)| is_of_itself(event));
        let ids = ids.map(|(_, event)| event.aggregate_id()).collect();
        let (tenant, own) = (&self.opened.caller.tenant, self.calendar.id);
        let ever = self.opened.app.history.ever_of(tenant, &ids, own).await?;
        for (position, event) in events {
            let id = event.aggregate_id();
            let about: Vec<Uuid> = match event {
                _ if is_of_itself(event) => ever.get(&id).copied().into_iter().collect(),
                AnyEvent::Client(..) | AnyEvent::Service(..) => {
                    self.by_what.get(&id).cloned().unwrap_or_default()
                }
                AnyEvent::Resource(_, event) if id == own => time_off(event).collect(),
                _ => Vec::new(),
            };
            let mut told = self.token.of_event.filter(|_| *position == self.token.position);
            for id in about {
                if told.is_some_and(|told| id <= told) {
                    continue;
                }
                if !self.told.add(id) {
                    let parts = u64::from(told.is_none());
                    (self.token.position, self.token.of_event) = (position.minus(parts), told);
                    return Ok(false);
                }
                told = Some(id);
            }
            (self.token.position, self.token.of_event) = (*position, None);
        }
        Ok(true)
    }
}

/// Whether it is about what is in calendars under its own id.
const fn is_of_itself(event: &AnyEvent) -> bool {
    matches!(event, AnyEvent::Appointment(..) | AnyEvent::Session(..))
}

/// The time off that an event of a resource is about. Of what was removed, nobody knows any more whether it was that.
fn time_off(event: &ResourceEvent) -> impl Iterator<Item = Uuid> {
    let id = match event {
        ResourceEvent::ResourceExceptionAdded(added) => {
            let is_off = added.exception.kind == ExceptionKind::TimeOff;
            is_off.then_some(added.exception.id)
        }
        ResourceEvent::ResourceExceptionRemoved(removed) => Some(removed.exception_id),
        _ => None,
    };
    id.map(ExceptionId::uuid).into_iter()
}

/// The first day on which what is old by then is in the calendar no longer.
fn goes(old_by: DateTime<Utc>) -> NaiveDate {
    (old_by + DAYS_BEHIND).date_naive().succ_opt().unwrap_or(NaiveDate::MAX)
}

/// The first day on which what starts then is in the calendar.
fn comes(start: DateTime<Utc>) -> NaiveDate {
    (start - DAYS_AHEAD).date_naive().succ_opt().unwrap_or(NaiveDate::MAX)
}

fn no_token() -> Refused {
    Refused::condition(DAV, "valid-sync-token")
}

fn bad_limit() -> Refused {
    Refused::not_xml("nresults is a number, from 1 on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_on_which_something_comes_or_goes_is_the_first_that_it_is_so() {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let has = |day: NaiveDate, start: DateTime<Utc>| {
            let days = days(midnight(day)).unwrap();
            days.start() <= start && start < days.end()
        };
        for start in ["2027-03-28T00:00:00Z", "2027-03-28T09:30:00Z", "2027-03-28T23:59:59Z"] {
            let start: DateTime<Utc> = start.parse().unwrap();
            let (comes, goes) = (comes(start), goes(start));
            assert!(has(comes, start) && !has(comes.pred_opt().unwrap(), start), "{start}");
            assert!(!has(goes, start) && has(goes.pred_opt().unwrap(), start), "{start}");
        }
    }

    #[test]
    fn time_off_goes_on_the_first_day_whose_calendar_has_no_part_of_it() {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let has = |day: NaiveDate, end: DateTime<Utc>| end > days(midnight(day)).unwrap().start();
        for end in ["2027-03-28T00:00:00Z", "2027-03-28T00:01:00Z", "2027-03-28T23:59:00Z"] {
            let end: DateTime<Utc> = end.parse().unwrap();
            let goes = goes(end - chrono::TimeDelta::seconds(1));
            assert!(!has(goes, end) && has(goes.pred_opt().unwrap(), end), "{end}");
        }
    }

    #[test]
    fn there_is_room_for_so_many_and_what_is_told_needs_none() {
        let mut told = Told::within(Some(1));
        let [one, other] = [(); 2].map(|()| Uuid::now_v7());
        assert!(told.add(one) && told.add(one) && !told.add(other));
        assert_eq!(told.ids, [one]);
    }
}

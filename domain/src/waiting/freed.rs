//! What has become available, and whose wishes it can be for.
//!
//! Whoever was looked at and offered nothing need not be looked at again before something is different that they wait
//! for, and then only at the time that it is about. What is said here may be too much, never too little.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{Joined, OpeningSearch};
use crate::service::{Service, ServiceTerms};
use crate::time::{Interval, day_bounds};
use crate::{ClientId, Directory, ResourceId, ServiceId, WaitingEntryId};

/// So many times of one thing are kept apart; where there are more, it is all that lies between them.
const MAX_TIMES: usize = 64;

/// What has become available since a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Freed {
    /// Nobody knows what: anything, at any time.
    anything: bool,
    resources: HashMap<ResourceId, Times>,
    /// In sessions, or by what the service is.
    services: HashMap<ServiceId, Times>,
    /// They can have more than they could.
    clients: HashSet<ClientId>,
    /// Nobody has looked at these.
    entries: HashSet<WaitingEntryId>,
    /// The clock went from the first to the second: days have come within horizons.
    passed: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Times {
    These(Vec<Interval>),
    Any,
}

impl Times {
    fn add(&mut self, time: Interval) {
        let Self::These(times) = self else { return };
        if times.len() < MAX_TIMES {
            times.push(time);
        } else {
            let all = times.iter().fold(time, |all, time| all.hull(time));
            *times = vec![all];
        }
    }
}

/// When a place for an entry can have become available.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Never.
    Nowhere,
    /// All of the appointment lies in one of these: they are in order, and apart from each other.
    Within(Vec<Interval>),
    /// At any time.
    Everywhere,
}

impl Freed {
    /// Anything, at any time.
    #[must_use]
    pub fn anything() -> Self {
        Self { anything: true, ..Self::default() }
    }

    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub fn add_anything(&mut self) {
        self.anything = true;
    }

    /// A resource may have room that it had not.
    pub fn add_resource(&mut self, id: ResourceId, time: Option<Interval>) {
        add(&mut self.resources, id, time);
    }

    /// A service may have room in its sessions, or other rules.
    pub fn add_service(&mut self, id: ServiceId, time: Option<Interval>) {
        add(&mut self.services, id, time);
    }

    /// A client may have what would have been too much before.
    pub fn add_client(&mut self, id: ClientId) {
        self.clients.insert(id);
    }

    pub fn add_entry(&mut self, id: WaitingEntryId) {
        self.entries.insert(id);
    }

    /// Time has passed.
    pub fn add_passed(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) {
        self.passed = Some((from, to));
    }

    /// When an entry is to be looked at.
    #[must_use]
    pub fn look(
        &self,
        (id, entry): (WaitingEntryId, &Joined),
        service: &Service,
        directory: &Directory,
    ) -> Look {
        let wishes = &entry.wishes;
        if self.anything || self.entries.contains(&id) || self.clients.contains(&entry.client_id) {
            return Look::Everywhere;
        }
        let Service::Offered(terms) = service else { return Look::Nowhere };
        let Some(days) = wishes.days.bounds() else { return Look::Nowhere };
        let mut times = Vec::new();
        match self.services.get(&wishes.service_id) {
            Some(Times::Any) => return Look::Everywhere,
            Some(Times::These(these)) => times.extend(these),
            None => {}
        }
        let search = OpeningSearch::of(wishes, service, directory);
        let reach = search.as_ref().map_or(TimeDelta::zero(), OpeningSearch::reach);
        for id in search.iter().flat_map(|search| &search.resources) {
            match self.resources.get(id) {
                Some(Times::Any) => return Look::Everywhere,
                Some(Times::These(these)) => {
                    times.extend(these.iter().map(|time| time.widened(reach, reach)));
                }
                None => {}
            }
        }
        times.extend(self.new_days(terms));
        Look::within(times.iter().filter_map(|time| time.intersection(&days)).collect())
    }

    /// The days that have come within the horizon of a service: as they are anywhere, so a day more on both sides.
    fn new_days(&self, terms: &ServiceTerms) -> Option<Interval> {
        let ((from, to), horizon) = self.passed.zip(terms.rules.horizon)?;
        let last = |now| horizon.last_date(Tz::UTC, now);
        let first = last(from).checked_sub_days(Days::new(1))?;
        day_bounds(Tz::UTC, first, last(to).checked_add_days(Days::new(2))?)
    }
}

fn add<Id: std::hash::Hash + Eq>(all: &mut HashMap<Id, Times>, id: Id, time: Option<Interval>) {
    match time {
        Some(time) => all.entry(id).or_insert(Times::These(Vec::new())).add(time),
        None => drop(all.insert(id, Times::Any)),
    }
}

impl Look {
    /// Within these, in any order.
    fn within(mut times: Vec<Interval>) -> Self {
        times.sort_unstable_by_key(Interval::start);
        let mut apart: Vec<Interval> = Vec::with_capacity(times.len());
        for time in times {
            match apart.last_mut() {
                Some(last) if time.start() <= last.end() => *last = last.hull(&time),
                _ => apart.push(time),
            }
        }
        if apart.is_empty() { Self::Nowhere } else { Self::Within(apart) }
    }

    /// Whenever one of both says.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everywhere, _) | (_, Self::Everywhere) => Self::Everywhere,
            (Self::Nowhere, look) | (look, Self::Nowhere) => look,
            (Self::Within(mut times), Self::Within(others)) => {
                times.extend(others);
                Self::within(times)
            }
        }
    }

    /// What of these times is to be looked at.
    #[must_use]
    pub fn of(&self, times: Vec<Interval>) -> Vec<Interval> {
        match self {
            Self::Nowhere => Vec::new(),
            Self::Everywhere => times,
            Self::Within(within) => {
                let parts = |time: Interval| {
                    within.iter().filter_map(move |within| within.intersection(&time))
                };
                times.into_iter().flat_map(parts).collect()
            }
        }
    }
}

//! The openings that fit wishes.

use std::iter::successors;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{Look, Wishes};
use crate::availability::{Calendar, Candidates, Effort, FreeStart, INSTANT, Requirements};
use crate::service::Service;
use crate::service::rules::{BookingRules, Grid, Proposal};
use crate::session::{Session, SessionStatus};
use crate::time::{Interval, date_in};
use crate::{Directory, ResourceId, ResourceIds, SessionId};

const WEEK: TimeDelta = TimeDelta::weeks(1);

/// A search for openings on behalf of a waiting client, and at which resources.
#[derive(Debug, Clone)]
pub struct OpeningSearch {
    /// The resources whose free time is asked for.
    pub resources: Vec<ResourceId>,
    /// In which time.
    pub during: Interval,
    /// The appointment lies in one of these, all of it.
    times: Vec<Interval>,
    requirements: Requirements,
}

/// A free place that can be held for a waiting client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub start: DateTime<Utc>,
    /// The wished resources that it is on. `None`: none was wished for.
    pub resource_ids: Option<ResourceIds>,
    /// The session that it is in, where the service is given in sessions.
    pub session_id: Option<SessionId>,
    /// The local date of the resource on which it starts: what a limit per day counts by.
    pub date: NaiveDate,
}

impl Opening {
    /// A place in this session, if it fits and the rules let anybody join it at `now`; whether one is
    /// free is not asked.
    #[must_use]
    pub fn in_session(
        wishes: &Wishes,
        session_id: SessionId,
        session: &Session,
        (rules, now): (&BookingRules, DateTime<Utc>),
    ) -> Option<Self> {
        let Session::Made { plan, status: SessionStatus::Scheduled, .. } = session else {
            return None;
        };
        let during = plan.slot.during;
        let proposal = Proposal { during, now, zones: &[plan.time_zone] };
        let given_by = |ids: &ResourceIds| {
            ids.iter().any(|id| plan.slot.resource_ids.as_slice().contains(&id))
        };
        let fits = plan.service_id == wishes.service_id
            && wishes.duration.is_none_or(|length| length == plan.duration)
            && wishes.resource_ids.as_ref().is_none_or(given_by)
            && during.start() >= now
            && rules.broken_by_joining(&proposal).next().is_none()
            && wishes.has_time().iter().any(|time| time.contains(&during));
        fits.then(|| Self {
            start: during.start(),
            resource_ids: None,
            session_id: Some(session_id),
            date: date_in(plan.time_zone, during.start()),
        })
    }
}

impl OpeningSearch {
    /// On how many dates places are found: enough that some are on days on which the client does not
    /// have as much as a limit allows.
    pub const MAX_DATES: usize = 32;

    /// What to look for; `None`: nothing fits, whatever is free. It is so when the service is retired
    /// or has changed its durations, or when none of the wished resources is left.
    #[must_use]
    pub fn of(wishes: &Wishes, service: &Service, directory: &Directory) -> Option<Self> {
        let Service::Offered(terms) = service else { return None };
        // Its places are in sessions.
        if terms.session_places.is_some() {
            return None;
        }
        let length = wishes.duration.unwrap_or(terms.duration);
        if terms.rules.durations.broken_by(terms.duration, length).is_some() {
            return None;
        }
        let named = wishes.resource_ids.as_ref().map(ResourceIds::as_slice);
        let left: Vec<ResourceId> = named.unwrap_or_default().to_vec();
        let left: Vec<_> = left.into_iter().filter(|id| directory.get(*id).is_some()).collect();
        if left.is_empty() && (named.is_some() || terms.needs.is_empty()) {
            return None;
        }
        let Candidates { resources, roles } =
            Candidates::new(&terms.needs, &left, directory).ok()?;
        let within = wishes.days.bounds()?;
        let buffers = (terms.buffer_before, terms.buffer_after);
        let requirements = Requirements { length, buffers, rules: terms.rules.clone(), roles };
        let during = requirements.reach(within);
        Some(Self { resources, during, times: wishes.has_time(), requirements })
    }

    /// The same search, where a look is enough; `None`: it is none.
    #[must_use]
    pub fn where_told(self, look: &Look) -> Option<Self> {
        let times = look.of(self.times);
        let all = times.iter().copied().reduce(|all, time| all.hull(&time))?;
        Some(Self { during: self.requirements.reach(all), times, ..self })
    }

    /// How far the appointment and its buffers reach.
    pub(super) fn reach(&self) -> TimeDelta {
        let (before, after) = self.requirements.buffers;
        self.requirements.length.delta() + before.delta() + after.delta()
    }

    /// The places that fit on the first [`MAX_DATES`](Self::MAX_DATES) dates that have any, the
    /// earliest first; fewer, where finding them takes more than one search may look at.
    #[must_use]
    pub fn openings(
        &self,
        wishes: &Wishes,
        calendars: &[Calendar<'_>],
        now: DateTime<Utc>,
    ) -> Vec<Opening> {
        let mut openings: Vec<Opening> = Vec::new();
        let mut dates = 0;
        let mut effort = Effort::new(Effort::OF_A_SEARCH, &|| true);
        // Where much is free, the first weeks are enough.
        for within in self.times.iter().flat_map(|time| self.starts_in(*time)) {
            let query = self.requirements.query(Grid::default(), within, now);
            let found = self.requirements.free_starts(calendars, &query, usize::MAX, &mut effort);
            let Ok(found) = found else { return openings };
            for found in found.starts {
                let opening = opening(wishes, calendars, &found);
                if openings.last().is_none_or(|last| last.date != opening.date) {
                    dates += 1;
                }
                if dates > Self::MAX_DATES {
                    return openings;
                }
                openings.push(opening);
            }
        }
        openings
    }

    /// When an appointment that lies in `time` can start, week by week.
    fn starts_in(&self, time: Interval) -> impl Iterator<Item = Interval> {
        // It may end when the time does.
        let end = time.end() - self.requirements.length.delta() + INSTANT;
        let each = successors(Some(time.start()), |start| Some(*start + WEEK));
        each.map_while(move |start| Interval::new(start, end.min(start + WEEK)).ok())
    }
}

fn opening(wishes: &Wishes, calendars: &[Calendar<'_>], found: &FreeStart) -> Opening {
    let filled_by = || found.filled_by.iter().map(|n| &calendars[*n]);
    let asked_for = |id: &ResourceId| {
        wishes.resource_ids.as_ref().is_some_and(|ids| ids.as_slice().contains(id))
    };
    let named: Vec<_> = filled_by().map(|calendar| calendar.resource).filter(asked_for).collect();
    let zone = filled_by().next().map_or(wishes.days.time_zone(), |first| first.zone);
    Opening {
        start: found.start,
        resource_ids: ResourceIds::try_from(named).ok(),
        session_id: None,
        date: date_in(zone, found.start),
    }
}

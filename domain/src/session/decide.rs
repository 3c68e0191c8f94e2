//! What may be done with a session.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{
    ClosedPlaces, Scheduling, Session, SessionCancelled, SessionCommand, SessionEvent,
    SessionRefusal, SessionRescheduled, SessionScheduled, SessionStatus,
};
use crate::appointment::allocation::{Allocation, Needed, Span};
use crate::appointment::checks::{closed, not_past, offered, zones};
use crate::appointment::overriding::{Breach, allowed};
use crate::appointment::{AppointmentRefusal, Overridden};
use crate::claim::ClaimQuery;
use crate::service::ServiceTerms;
use crate::time::Interval;
use crate::{Decide, Facts, FreeTitle, Needs, Personal, Reason, Refusal, ResourceIds, SessionId};

impl Decide for Session {
    fn decide(&self, command: SessionCommand, facts: &Facts) -> Result<SessionEvent, Refusal> {
        use SessionCommand::{CancelSession, RescheduleSession, ScheduleSession};
        match (self, command) {
            (Self::Unmade, ScheduleSession { scheduling, overriding }) => {
                let plan = scheduled(scheduling, overriding, facts)?;
                Ok(SessionEvent::SessionScheduled(plan))
            }
            (Self::Made { .. }, ScheduleSession { .. }) => {
                Err(SessionRefusal::SessionExists.into())
            }
            (Self::Made { status: SessionStatus::Cancelled, .. }, _) => {
                Err(SessionRefusal::SessionIsCancelled.into())
            }
            (
                Self::Made { plan, .. },
                RescheduleSession { session_id, start, resource_ids, overriding, taken },
            ) => {
                not_past(plan.slot.during.start(), facts.now)?;
                not_past(start, facts.now)?;
                let span = Span::moved(&plan.slot, start);
                let allocation = moving(span, resource_ids.as_ref(), overriding.as_ref(), facts)?;
                let allocated = allocation.allocate(facts)?;
                let time_zone = allocated.zones.first().copied().unwrap_or(plan.time_zone);
                let overridden = overridden(None, span, overriding, facts);
                let places_during = next_places_during(plan, span.during);
                let left = left_behind(&plan.places_during, &places_during);
                Ok(SessionEvent::SessionRescheduled(SessionRescheduled {
                    slot: span.slot(allocated),
                    places_during,
                    time_zone,
                    closed: other_places(session_id, plan, left, &taken),
                    overridden,
                }))
            }
            (Self::Made { plan, .. }, CancelSession { session_id, reason, taken }) => {
                not_past(plan.slot.during.start(), facts.now)?;
                let closed = other_places(session_id, plan, plan.places_during, &taken);
                Ok(SessionEvent::SessionCancelled(SessionCancelled { reason, closed }))
            }
            (Self::Unmade, _) => Err(SessionRefusal::SessionNotFound.into()),
        }
    }

    fn needs(&self, command: &SessionCommand) -> Needs {
        match (self, command) {
            (_, SessionCommand::ScheduleSession { scheduling, .. }) => Needs {
                service: Some(scheduling.service_id),
                resources: scheduling.resource_ids.clone().map(Into::into).unwrap_or_default(),
                ..Needs::default()
            },
            (Self::Made { plan, .. }, SessionCommand::RescheduleSession { resource_ids, .. }) => {
                let resources = resource_ids.as_ref().unwrap_or(&plan.slot.resource_ids).clone();
                Needs {
                    service: Some(plan.service_id),
                    resources: resources.into(),
                    ..Needs::default()
                }
            }
            _ => Needs::default(),
        }
    }

    fn gives_title(command: &SessionCommand) -> bool {
        let SessionCommand::ScheduleSession { scheduling, .. } = command else { return false };
        scheduling.title.is_some()
    }

    fn chooses(&self, command: &SessionCommand, facts: &Facts) -> bool {
        let named = match command {
            SessionCommand::ScheduleSession { scheduling, .. } => &scheduling.resource_ids,
            SessionCommand::RescheduleSession { resource_ids: named @ Some(_), .. } => named,
            _ => return false,
        };
        let named = named.as_ref().map_or(0, crate::ResourceIds::count);
        facts.service.terms().is_some_and(|terms| terms.needs.places().count() > named)
    }

    fn claim_queries(&self, command: &SessionCommand, facts: &Facts) -> Vec<ClaimQuery> {
        use SessionCommand::{RescheduleSession, ScheduleSession};
        match (self, command) {
            (Self::Unmade, ScheduleSession { scheduling, overriding }) => {
                let allocation = allocation(scheduling, overriding.as_ref(), facts);
                allocation.map(|(_, _, allocation)| allocation.claim_queries()).unwrap_or_default()
            }
            (
                Self::Made { plan, .. },
                RescheduleSession { start, resource_ids, overriding, .. },
            ) => {
                let span = Span::moved(&plan.slot, *start);
                let allocation = moving(span, resource_ids.as_ref(), overriding.as_ref(), facts);
                allocation.map(|allocation| allocation.claim_queries()).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}

fn scheduled(
    scheduling: Scheduling,
    overriding: Option<Personal<Reason>>,
    facts: &Facts,
) -> Result<SessionScheduled, Refusal> {
    let (terms, span, allocation) = allocation(&scheduling, overriding.as_ref(), facts)?;
    let service_id = scheduling.service_id;
    let usual = terms.session_places.ok_or(SessionRefusal::NotInSessions { service_id })?;
    let allocated = allocation.allocate(facts)?;
    let too_long = length(terms, &scheduling);
    let time_zone = allocated.zones.first().copied().ok_or(AppointmentRefusal::NoResources)?;
    Ok(SessionScheduled {
        service_id,
        slot: span.slot(allocated),
        duration: scheduling.duration.unwrap_or(terms.duration),
        places_during: span.during,
        time_zone,
        places: scheduling.places.unwrap_or(usual),
        title: facts.called(scheduling.title, || FreeTitle::from(&terms.name)),
        category: scheduling.category.unwrap_or_else(|| terms.category.clone()),
        tags: scheduling.tags.unwrap_or_else(|| terms.tags.clone()),
        overridden: overridden(too_long, span, overriding, facts),
    })
}

/// Where it is to be. The caller who schedules a session says when it starts: notice, horizon and grid
/// are for those who book.
fn allocation<'a>(
    scheduling: &Scheduling,
    overriding: Option<&Personal<Reason>>,
    facts: &'a Facts,
) -> Result<(&'a ServiceTerms, Span, Allocation<'a>), Refusal> {
    let terms = offered(scheduling.service_id, &facts.service)?;
    not_past(scheduling.start, facts.now)?;
    let during = Interval::lasting(scheduling.start, scheduling.duration.unwrap_or(terms.duration));
    let span = Span::of(terms, during);
    allowed(length(terms, scheduling).into_iter(), overriding)?;
    Ok((terms, span, placed_by(Some(terms), span, overriding, facts)?))
}

/// The breach, if the service is not offered for as long as it is to be.
fn length(terms: &ServiceTerms, scheduling: &Scheduling) -> Option<Breach> {
    let found = scheduling.duration.unwrap_or(terms.duration);
    terms.rules.durations.broken_by(terms.duration, found).map(Breach::Service)
}

/// Resources that stay may do what the service asked for when it was scheduled.
fn moving<'a>(
    span: Span,
    named: Option<&ResourceIds>,
    overriding: Option<&Personal<Reason>>,
    facts: &'a Facts,
) -> Result<Allocation<'a>, AppointmentRefusal> {
    placed_by(named.and(facts.service.terms()), span, overriding, facts)
}

fn placed_by<'a>(
    terms: Option<&'a ServiceTerms>,
    span: Span,
    overriding: Option<&Personal<Reason>>,
    facts: &'a Facts,
) -> Result<Allocation<'a>, AppointmentRefusal> {
    // All that were named can be booked at all.
    zones(facts)?;
    allowed(closed(span.during, facts), overriding)?;
    Allocation::new(span, terms.map(Needed::whenever), facts)
}

fn overridden(
    length: Option<Breach>,
    span: Span,
    overriding: Option<Personal<Reason>>,
    facts: &Facts,
) -> Option<Overridden> {
    let breaches = length.into_iter().chain(closed(span.during, facts));
    overriding.map(|reason| Overridden::all(breaches, reason))
}

/// For when its places are claimed once it has moved: its time, but ending a microsecond earlier each
/// time. So there always is a part of the old time that is not in the new one.
fn next_places_during(plan: &SessionScheduled, during: Interval) -> Interval {
    let shorter = plan.slot.during.end() - plan.places_during.end() + TimeDelta::microseconds(1);
    // The shortest session has 60 million microseconds.
    Interval::new(during.start(), during.end() - shorter).unwrap_or(during)
}

/// The part of the old time that is not in the new one.
fn left_behind(old: &Interval, new: &Interval) -> Interval {
    let (from, to) = if new.start() <= old.start() {
        (old.start().max(new.end()), old.end())
    } else {
        (old.start(), old.end().min(new.start()))
    };
    Interval::new(from, to).unwrap_or(*old)
}

/// All places but these, to be closed for this time.
fn other_places(
    session_id: SessionId,
    plan: &SessionScheduled,
    during: Interval,
    taken: &BTreeSet<u16>,
) -> ClosedPlaces {
    let numbers = (0..plan.places.get()).filter(|number| !taken.contains(number)).collect();
    ClosedPlaces { session_id, during, numbers }
}

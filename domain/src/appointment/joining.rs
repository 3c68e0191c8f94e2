//! A place in a session, and going where the session goes.

use chrono::NaiveDate;

use super::checks::{not_past, offered};
use super::decide::Hold;
use super::overriding::{Breach, allowed};
use super::placing::{Judge, Limit};
use super::{Agreed, AppointmentRefusal, Booking, Counted, CountedRule, Details, Overridden, Slot};
use crate::claim::ClaimQuery;
use crate::client::Client;
use crate::service::ServiceTerms;
use crate::service::rules::Rule;
use crate::session::{Session, SessionScheduled, SessionStatus};
use crate::time::date_in;
use crate::{Facts, SessionId};

/// What a booking of a place comes to, but for the place.
pub(super) struct Joining<'a> {
    session_id: SessionId,
    plan: &'a SessionScheduled,
    terms: &'a ServiceTerms,
    judge: Judge<'a>,
    limits: Vec<Limit>,
}

impl<'a> Joining<'a> {
    /// When the session starts is for those who scheduled it to say; how long before that a place is
    /// booked is for the service's rules.
    pub(super) fn new(
        booking: &Booking,
        session_id: SessionId,
        hold: Option<Hold>,
        facts: &'a Facts,
    ) -> Result<Self, AppointmentRefusal> {
        let plan = match facts.session.as_ref() {
            Session::Made { plan, status: SessionStatus::Scheduled, .. } => plan,
            Session::Made { status: SessionStatus::Cancelled, .. } => {
                return Err(AppointmentRefusal::SessionCancelled { session_id });
            }
            Session::Unmade => return Err(AppointmentRefusal::UnknownSession { session_id }),
        };
        let (client_id, service_id) = (booking.client_id, plan.service_id);
        if booking.service_id != service_id {
            return Err(AppointmentRefusal::UnknownSession { session_id });
        }
        let terms = offered(service_id, &facts.service)?;
        if *facts.client == Client::Unregistered {
            return Err(AppointmentRefusal::UnknownClient { client_id });
        }
        not_past(plan.slot.during.start(), facts.now)?;
        let judge = Judge::of_move(Some(terms), plan.slot.during, facts.now);
        let joining = Self { session_id, plan, terms, judge, limits: Vec::new() };
        allowed(joining.breaches(), booking.overriding.as_ref())?;
        let (during, at_most) = (plan.places_during, plan.places.get());
        let place = Limit::SessionPlace { session_id, during, at_most };
        let a_day = terms.limit_per_client_per_day;
        let a_day =
            a_day.map(|limit| Limit::ClientDay { client_id, service_id, at_most: limit.get() });
        let holds = hold.map(|hold| hold.limit(client_id, facts.now)).transpose()?;
        let limits = [Some(place), a_day, holds].into_iter().flatten().collect();
        Ok(Self { limits, ..joining })
    }

    fn breaches(&self) -> impl Iterator<Item = Breach> + use<> {
        let broken = self.judge.broken(&[self.plan.time_zone]).into_iter();
        broken.filter(|broken| broken.rule() != Rule::StartGrid).map(Breach::Service)
    }

    pub(super) fn claim_queries(&self) -> Vec<ClaimQuery> {
        let dates = [date(self.plan)].into();
        self.limits.iter().flat_map(|limit| limit.claim_queries(&dates)).collect()
    }

    /// Chooses a place.
    pub(super) fn settle(
        self,
        booking: Booking,
        facts: &Facts,
    ) -> Result<Details, AppointmentRefusal> {
        let take = |limit: &Limit| limit.take(date(self.plan), &facts.claims, facts.skip);
        let counted = self.limits.iter().map(take).collect::<Result<Vec<_>, _>>()?;
        let breaches = self.breaches();
        let Self { session_id, plan, terms, .. } = self;
        let overridden = booking.overriding.map(|reason| Overridden::all(breaches, reason));
        Ok(Details {
            service_id: plan.service_id,
            client_id: booking.client_id,
            slot: in_session(session_id, plan, counted),
            title: booking.title.unwrap_or_else(|| plan.title.clone()),
            category: booking.category.unwrap_or_else(|| plan.category.clone()),
            tags: booking.tags.unwrap_or_else(|| plan.tags.clone()),
            note: booking.note,
            imported: false,
            agreed: Agreed::by(terms, plan.duration),
            overridden: with_session(overridden, plan),
            series: booking.series,
        })
    }
}

/// Where an appointment is once its session is there: it keeps its place.
pub(super) fn followed(
    details: &Details,
    plan: &SessionScheduled,
    facts: &Facts,
) -> Result<(Slot, Option<Overridden>), AppointmentRefusal> {
    let slot = &details.slot;
    let session_id = slot.session_id.ok_or(AppointmentRefusal::NotInSession)?;
    let counted = slot.counted.iter().filter_map(|counted| match counted.rule {
        CountedRule::SessionPlace => {
            Some(Counted { during: plan.places_during, ..counted.clone() })
        }
        CountedRule::ClientHolds => Some(counted.clone()),
        CountedRule::ClientDay => match on_another_day(details, counted, plan) {
            None => Some(counted.clone()),
            // The client did not choose this day: if it has room for no more, this one is not counted.
            Some(limit) => limit.take(date(plan), &facts.claims, facts.skip).ok(),
        },
    });
    let slot = in_session(session_id, plan, counted.collect());
    Ok((slot, with_session(None, plan)))
}

/// Whether a place is one of its session as that is now. If not, the session went on without it: the
/// hold had lapsed by the clock of whoever moved or cancelled it, if not by everybody's.
pub(super) fn is_with_its_session(slot: &Slot, session: &Session) -> bool {
    let Some(_) = slot.session_id else { return true };
    let Session::Made { plan, status: SessionStatus::Scheduled, .. } = session else {
        return false;
    };
    let mut places = slot.counted.iter().filter(|one| one.rule == CountedRule::SessionPlace);
    places.all(|place| place.during == plan.places_during)
}

/// What has to be looked at: the limits of the day, where it is another.
pub(super) fn queries_of_day(details: &Details, plan: &SessionScheduled) -> Vec<ClaimQuery> {
    let counted = details.slot.counted.iter();
    let limits = counted.filter_map(|counted| on_another_day(details, counted, plan));
    limits.flat_map(|limit| limit.claim_queries(&[date(plan)].into())).collect()
}

/// The limit of a day, if the session is on another one than it is counted for.
fn on_another_day(details: &Details, counted: &Counted, plan: &SessionScheduled) -> Option<Limit> {
    let Details { client_id, service_id, .. } = *details;
    let limit = Limit::ClientDay { client_id, service_id, at_most: counted.at_most };
    let counts = counted.rule == CountedRule::ClientDay;
    (counts && !limit.is_counted_by(counted, date(plan))).then_some(limit)
}

fn in_session(session_id: SessionId, plan: &SessionScheduled, counted: Vec<Counted>) -> Slot {
    let Slot { resource_ids, during, buffer_before, buffer_after, .. } = plan.slot.clone();
    Slot {
        resource_ids,
        during,
        buffer_before,
        buffer_after,
        seats: plan.slot.seats.clone(),
        counted,
        session_id: Some(session_id),
    }
}

/// Where the session's resources are closed, that was overridden for all who are in it.
fn with_session(own: Option<Overridden>, plan: &SessionScheduled) -> Option<Overridden> {
    match (own, plan.overridden.clone()) {
        (Some(own), Some(session)) => {
            let rules = own.rules.union(&session.rules).copied().collect();
            Some(Overridden { rules, closed: session.closed, ..own })
        }
        (own, session) => own.or(session),
    }
}

fn date(plan: &SessionScheduled) -> NaiveDate {
    date_in(plan.time_zone, plan.slot.during.start())
}

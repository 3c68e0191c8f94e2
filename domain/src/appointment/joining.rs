//! A place in a session, and going where the session goes.

use chrono::NaiveDate;

use super::allocation::Quota;
use super::booking::are_told;
use super::checks::{not_past, offered};
use super::hold::Hold;
use super::overriding::{Breach, allowed};
use super::{
    Agreed, AppointmentRefusal, AppointmentRescheduled, AppointmentState, Booking, Details,
    MovedBy, Overridden, Slot,
};
use crate::claim::ClaimQuery;
use crate::service::ServiceTerms;
use crate::service::rules::{Broken, Proposal};
use crate::session::{Session, SessionScheduled, SessionStatus};
use crate::time::date_in;
use crate::{Facts, QuotaRule, QuotaSlot, SessionId};

/// A booking of a place that the rules allow, before the place is allocated.
pub(super) struct Joining<'a> {
    session_id: SessionId,
    plan: &'a SessionScheduled,
    terms: &'a ServiceTerms,
    /// Every rule that it breaks; none, unless they are overridden.
    broken: Vec<Broken>,
    quotas: Vec<Quota>,
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
        facts.client.may_book(client_id)?;
        not_past(plan.slot.during.start(), facts.now)?;
        let zones = [plan.time_zone];
        let proposal = Proposal { during: plan.slot.during, now: facts.now, zones: &zones };
        let broken: Vec<Broken> = terms.rules.broken_by_joining(&proposal).collect();
        allowed(broken.iter().cloned().map(Breach::Service), booking.overriding.as_ref())?;
        let (during, at_most) = (plan.places_during, plan.places.get());
        let place = Quota::SessionPlace { session_id, during, at_most };
        let a_day = terms.limit_per_client_per_day;
        let a_day =
            a_day.map(|limit| Quota::ClientDay { client_id, service_id, at_most: limit.get() });
        let holds = hold.map(|hold| hold.quota(client_id, facts.now)).transpose()?;
        let quotas = [Some(place), a_day, holds].into_iter().flatten().collect();
        Ok(Self { session_id, plan, terms, broken, quotas })
    }

    pub(super) fn claim_queries(&self) -> Vec<ClaimQuery> {
        let dates = [date(self.plan)].into();
        self.quotas.iter().flat_map(|quota| quota.claim_queries(&dates)).collect()
    }

    /// Chooses a place.
    pub(super) fn allocate(
        self,
        booking: Booking,
        facts: &Facts,
    ) -> Result<Details, AppointmentRefusal> {
        let take = |quota: &Quota| quota.take(date(self.plan), &facts.claims, facts.skip);
        let quota_slots = self.quotas.iter().map(take).collect::<Result<Vec<_>, _>>()?;
        let Self { session_id, plan, terms, broken, .. } = self;
        let are_told = are_told(&booking, facts);
        let breaches = broken.into_iter().map(Breach::Service);
        let overridden = booking.overriding.map(|reason| Overridden::all(breaches, reason));
        Ok(Details {
            service_id: plan.service_id,
            client_id: booking.client_id,
            slot: in_session(session_id, plan, quota_slots),
            title: facts.called(booking.title, || plan.title.clone()),
            category: booking.category.unwrap_or_else(|| plan.category.clone()),
            tags: booking.tags.unwrap_or_else(|| plan.tags.clone()),
            note: booking.note,
            location: booking.location.or_else(|| terms.location.clone()),
            reference: booking.reference,
            metadata: booking.metadata,
            private: booking.private,
            imported: false,
            notices: are_told,
            agreed: Agreed::by(terms, plan.duration),
            overridden: with_session(overridden, plan),
            series: booking.series,
        })
    }
}

/// Where an appointment is once its session is there: it keeps its place.
pub(super) fn followed(
    details: &Details,
    state: &AppointmentState,
    plan: &SessionScheduled,
    facts: &Facts,
) -> Result<AppointmentRescheduled, AppointmentRefusal> {
    let slot = &details.slot;
    let session_id = slot.session_id.ok_or(AppointmentRefusal::NotInSession)?;
    let quota_slots = slot.quota_slots.iter().filter_map(|taken| match taken.rule {
        QuotaRule::SessionPlace => Some(QuotaSlot { during: plan.places_during, ..taken.clone() }),
        QuotaRule::ClientHolds => Some(taken.clone()),
        QuotaRule::ClientDay => match on_another_day(details, taken, plan) {
            None => Some(taken.clone()),
            // The client did not choose this day: if it has room for no more, this one is not counted.
            Some(quota) => quota.take(date(plan), &facts.claims, facts.skip).ok(),
        },
        // Entries of the waiting list have these.
        QuotaRule::ClientEntries | QuotaRule::WaitingEntries => None,
    });
    Ok(AppointmentRescheduled {
        slot: in_session(session_id, plan, quota_slots.collect()),
        hold_expires_at: state.hold_expires_at(),
        by: MovedBy::Staff,
        with_calendar: false,
        overridden: with_session(None, plan),
    })
}

/// The claims that count towards the quotas of the day, where that is another.
pub(super) fn queries_of_day(details: &Details, plan: &SessionScheduled) -> Vec<ClaimQuery> {
    let taken = details.slot.quota_slots.iter();
    let quotas = taken.filter_map(|taken| on_another_day(details, taken, plan));
    quotas.flat_map(|quota| quota.claim_queries(&[date(plan)].into())).collect()
}

/// The quota of the session's day, if the slot was taken for another one.
fn on_another_day(details: &Details, taken: &QuotaSlot, plan: &SessionScheduled) -> Option<Quota> {
    let Details { client_id, service_id, .. } = *details;
    let quota = Quota::ClientDay { client_id, service_id, at_most: taken.at_most };
    let counts = taken.rule == QuotaRule::ClientDay;
    (counts && !quota.has_slot(taken, date(plan))).then_some(quota)
}

fn in_session(session_id: SessionId, plan: &SessionScheduled, quota_slots: Vec<QuotaSlot>) -> Slot {
    let Slot { resource_ids, during, buffer_before, buffer_after, .. } = plan.slot.clone();
    Slot {
        resource_ids,
        during,
        buffer_before,
        buffer_after,
        seats: plan.slot.seats.clone(),
        quota_slots,
        session_id: Some(session_id),
        transparent: false,
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

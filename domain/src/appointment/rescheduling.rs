//! Moving to another time, to other resources, or both.

use chrono::{DateTime, Utc};

use super::allocation::{Allocation, Needed, Quota, RuleCheck, Span};
use super::checks::{closed, not_past, zones};
use super::hold::not_lapsed;
use super::overriding::{Breach, allowed};
use super::{
    AppointmentRefusal, AppointmentRescheduled, AppointmentState, Details, MovedBy, NewResources,
    Overridden,
};
use crate::service::rules::{self, Broken};
use crate::{Facts, Personal, QuotaRule, Reason};

/// Where an appointment is to be moved.
#[derive(Clone, Copy)]
pub(super) struct To<'a> {
    pub(super) start: DateTime<Utc>,
    pub(super) resource_ids: Option<&'a NewResources>,
    pub(super) overriding: &'a Option<Personal<Reason>>,
}

/// A move meets the rules that its service has now; its length was agreed before.
pub(super) fn rescheduled(
    details: &Details,
    state: &AppointmentState,
    to: To<'_>,
    by: MovedBy,
    facts: &Facts,
) -> Result<AppointmentRescheduled, AppointmentRefusal> {
    let hold_expires_at = not_lapsed(state, facts.now)?;
    // Nobody relies on a hold: it may be moved and let go until it lapses.
    let bound = matches!((state, by), (AppointmentState::Booked, MovedBy::Client));
    let window = details.agreed.rescheduling_window.filter(|_| bound);
    let too_late = rules::too_late_to_move(window, details.slot.during, facts.now);
    let (check, allocation) = draft(details, to, too_late.clone(), facts)?;
    let mut allocated = allocation.allocate(facts)?;
    // A hold stays the hold that it is: what it counts as does not depend on when it is for.
    let holds = details.slot.quota_slots.iter().filter(|one| one.rule == QuotaRule::ClientHolds);
    allocated.quota_slots.extend(holds.cloned());
    let span = Span::moved(&details.slot, to.start);
    let overridden = to.overriding.clone().map(|reason| {
        let broken = too_late.into_iter().chain(check.broken(&allocated.zones));
        Overridden::all(broken.map(Breach::Service).chain(closed(span.during, facts)), reason)
    });
    let (slot, with_calendar) = (span.slot(allocated), false);
    Ok(AppointmentRescheduled { slot, hold_expires_at, by, with_calendar, overridden })
}

/// A move that the rules allow, before its resources and quota slots are allocated.
pub(super) fn draft<'a>(
    details: &Details,
    to: To<'_>,
    too_late: Option<Broken>,
    facts: &'a Facts,
) -> Result<(RuleCheck<'a>, Allocation<'a>), AppointmentRefusal> {
    if let Some(session_id) = details.slot.session_id {
        return Err(AppointmentRefusal::InSession { session_id });
    }
    not_past(to.start, facts.now)?;
    let zones = zones(facts)?;
    let span = Span::moved(&details.slot, to.start);
    let terms = facts.service.terms();
    let check = RuleCheck::of_move(terms, span.during, facts.now);
    let broken = too_late.into_iter().chain(check.broken(&zones)).map(Breach::Service);
    allowed(broken.chain(closed(span.during, facts)), to.overriding.as_ref())?;
    // Resources that stay may do what the service asked for when it was booked.
    let needed = to.resource_ids.and(terms);
    let needed = needed.map(|terms| Needed::by(terms, &check, to.overriding.is_some()));
    let allocation = Allocation::new(span, needed, facts)?;
    let Details { client_id, service_id, .. } = *details;
    let days = details.slot.quota_slots.iter().filter(|one| one.rule == QuotaRule::ClientDay);
    let quotas = days.map(|day| Quota::ClientDay { client_id, service_id, at_most: day.at_most });
    Ok((check, allocation.counting(quotas)))
}

//! What may be done with an appointment.

use chrono::{DateTime, SubsecRound, Utc};

use super::checks::{closed, not_past, offered, zones};
use super::joining::{Joining, followed, is_with_its_session};
use super::overriding::{Breach, allowed, settled};
use super::placing::{Judge, Limit, Needed, Placing, Span};
use super::reassigning::{Replacement, reassigned};
use super::{
    Appointment, AppointmentCancelled, AppointmentCheckedIn, AppointmentCommand,
    AppointmentCompleted, AppointmentConfirmed, AppointmentConflictAccepted, AppointmentEvent,
    AppointmentHeld, AppointmentHoldExpired, AppointmentMarkedNoShow, AppointmentReassigned,
    AppointmentRefusal, AppointmentRescheduled, AppointmentTagged, Booking, CancelledBy, Conflict,
    ConflictReason, CountedRule, Details, Excused, MovedBy, Overridden, Slot, State, Wanted, When,
};
use crate::client::Client;
use crate::service::rules::{self, Broken};
use crate::service::{HoldLimit, ServiceTerms};
use crate::time::{EmptyInterval, Interval};
use crate::{ClientId, Facts, Reason, ResourceIds, Title};

impl Appointment {
    /// Decides a command: what happens because of it, or why nothing does.
    ///
    /// Whether the resources are free is not decided here but by the claims, when the event is
    /// appended: only the log knows that exactly. What is chosen rests on a look.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub fn decide(
        &self,
        command: AppointmentCommand,
        facts: &Facts,
    ) -> Result<AppointmentEvent, AppointmentRefusal> {
        use AppointmentCommand::{BookAppointment, HoldAppointment};
        match (self, command) {
            (Self::Unmade, BookAppointment(booking)) => {
                Ok(AppointmentEvent::AppointmentBooked(details(booking, None, facts)?))
            }
            (Self::Unmade, HoldAppointment { booking, expires_at, holds_per_client }) => {
                // As fine as its claims: see `Interval`.
                let expires_at = expires_at.trunc_subsecs(6);
                let hold = Hold { expires_at, holds_per_client };
                let details = details(booking, Some(hold), facts)?;
                Ok(AppointmentEvent::AppointmentHeld(AppointmentHeld { details, expires_at }))
            }
            (Self::Unmade, _) => Err(AppointmentRefusal::AppointmentNotFound),
            (
                Self::Made { details, state, excused },
                AppointmentCommand::AcceptConflict { reason },
            ) => accept(details, state, excused, reason, facts),
            (Self::Made { details, state, .. }, command) => {
                decide_made(details, state, command, facts)
            }
        }
    }
}

fn decide_made(
    details: &Details,
    state: &State,
    command: AppointmentCommand,
    facts: &Facts,
) -> Result<AppointmentEvent, AppointmentRefusal> {
    use AppointmentCommand as C;
    let wrong = |wanted| Err(AppointmentRefusal::WrongStatus { status: state.status(), wanted });
    match (command, state) {
        (C::ConfirmAppointment, State::Held { expires_at }) => {
            let slot = confirmed(details, *expires_at, facts)?;
            Ok(AppointmentEvent::AppointmentConfirmed(AppointmentConfirmed { slot }))
        }
        (C::ConfirmAppointment, _) => wrong(Wanted::Confirmed),
        (
            C::RescheduleAppointment { start, resource_ids, by, overriding },
            State::Held { .. } | State::Booked,
        ) => {
            let hold_expires_at = state.hold_expires_at();
            hold_expires_at.map_or(Ok(()), |expires_at| still_held(expires_at, facts.now))?;
            // Nobody relies on a hold: it may be moved and let go until it lapses.
            let bound = matches!((state, by), (State::Booked, MovedBy::Client));
            let window = details.agreed.rescheduling_window.filter(|_| bound);
            let too_late = rules::too_late_to_move(window, details.slot.during, facts.now);
            let to = To { start, resource_ids: resource_ids.as_ref(), overriding: &overriding };
            let (slot, overridden) = moved(details, to, too_late, facts)?;
            Ok(AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
                slot,
                hold_expires_at,
                by,
                overridden,
            }))
        }
        (C::ReassignAppointment { from, to, reason }, State::Held { .. } | State::Booked) => {
            let hold_expires_at = state.hold_expires_at();
            hold_expires_at.map_or(Ok(()), |expires_at| still_held(expires_at, facts.now))?;
            not_past(details.slot.during.start(), facts.now)?;
            let reassigned = reassigned(details, Replacement { from, to }, reason, facts)?;
            Ok(AppointmentEvent::AppointmentReassigned(AppointmentReassigned {
                hold_expires_at,
                ..reassigned
            }))
        }
        (C::ReassignAppointment { .. }, _) => wrong(Wanted::Reassigned),
        (C::FollowSession { plan }, State::Held { .. } | State::Booked) => {
            let hold_expires_at = state.hold_expires_at();
            let (slot, overridden) = followed(details, &plan, facts)?;
            Ok(AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
                slot,
                hold_expires_at,
                by: MovedBy::Staff,
                overridden,
            }))
        }
        (C::RescheduleAppointment { .. } | C::FollowSession { .. }, _) => {
            wrong(Wanted::Rescheduled)
        }
        (C::CancelAppointment { reason, by, overriding }, State::Held { .. } | State::Booked) => {
            let overridden = may_cancel(details, state, by, overriding, facts)?;
            Ok(AppointmentEvent::AppointmentCancelled(AppointmentCancelled {
                reason,
                by,
                overridden,
            }))
        }
        (C::CancelAppointment { .. }, _) => wrong(Wanted::Cancelled),
        (C::ReleaseHold, State::Held { expires_at }) => {
            still_held(*expires_at, facts.now)?;
            let (reason, by, overridden) = (None, CancelledBy::Client, None);
            Ok(AppointmentEvent::AppointmentCancelled(AppointmentCancelled {
                reason,
                by,
                overridden,
            }))
        }
        (C::ReleaseHold, _) => wrong(Wanted::Released),
        (C::ExpireHold, State::Held { expires_at }) if facts.now < *expires_at => {
            Err(AppointmentRefusal::HoldStillRuns { expires_at: *expires_at })
        }
        (C::ExpireHold, State::Held { .. }) => {
            Ok(AppointmentEvent::AppointmentHoldExpired(AppointmentHoldExpired {}))
        }
        (C::ExpireHold, _) => wrong(Wanted::Expired),
        (C::CheckInAppointment, State::Booked) => {
            Ok(AppointmentEvent::AppointmentCheckedIn(AppointmentCheckedIn {}))
        }
        (C::CheckInAppointment, _) => wrong(Wanted::CheckedIn),
        // A desk that never checks anyone in can still say that the work is done.
        (C::CompleteAppointment, State::Booked | State::CheckedIn) => {
            Ok(AppointmentEvent::AppointmentCompleted(AppointmentCompleted {}))
        }
        (C::CompleteAppointment, _) => wrong(Wanted::Completed),
        (C::MarkNoShow, State::Booked) => {
            Ok(AppointmentEvent::AppointmentMarkedNoShow(AppointmentMarkedNoShow {}))
        }
        (C::MarkNoShow, _) => wrong(Wanted::MarkedNoShow),
        (C::TagAppointment { category, tags }, _) => {
            let category = category.unwrap_or_else(|| details.category.clone());
            let tags = tags.unwrap_or_else(|| details.tags.clone());
            Ok(AppointmentEvent::AppointmentTagged(AppointmentTagged { category, tags }))
        }
        // Decided apart: it looks at what is excused.
        (C::AcceptConflict { .. }, _) => wrong(Wanted::AcceptedAsItIs),
        (C::BookAppointment(_) | C::HoldAppointment { .. }, _) => {
            Err(AppointmentRefusal::AppointmentExists)
        }
    }
}

fn confirmed(
    details: &Details,
    expires_at: DateTime<Utc>,
    facts: &Facts,
) -> Result<Slot, AppointmentRefusal> {
    still_held(expires_at, facts.now)?;
    if !is_with_its_session(&details.slot, &facts.session) {
        return Err(AppointmentRefusal::HoldExpired { expired_at: expires_at });
    }
    Ok(details.slot.confirmed())
}

/// Until the agreed time the client's side may cancel a booking; nobody relies on a hold.
fn may_cancel(
    details: &Details,
    state: &State,
    by: CancelledBy,
    overriding: Option<Reason>,
    facts: &Facts,
) -> Result<Option<Overridden>, AppointmentRefusal> {
    if let State::Held { expires_at } = state {
        still_held(*expires_at, facts.now)?;
    }
    let bound = matches!((state, by), (State::Booked, CancelledBy::Client));
    let window = details.agreed.cancellation_window.filter(|_| bound);
    let too_late = rules::too_late_to_cancel(window, details.slot.during, facts.now);
    settled(too_late.into_iter().map(Breach::Service), overriding)
}

/// What there is to accept is seen now; what was accepted before stays accepted.
fn accept(
    details: &Details,
    state: &State,
    excused: &Excused,
    reason: Reason,
    facts: &Facts,
) -> Result<AppointmentEvent, AppointmentRefusal> {
    match state {
        State::Held { expires_at } => still_held(*expires_at, facts.now)?,
        State::Booked => {}
        _ => {
            let (status, wanted) = (state.status(), Wanted::AcceptedAsItIs);
            return Err(AppointmentRefusal::WrongStatus { status, wanted });
        }
    }
    let during = details.slot.during;
    not_past(during.start(), facts.now)?;
    let conflicts = facts.resources.iter().filter_map(|(resource_id, resource)| {
        let reason = ConflictReason::of(resource, &during)?;
        Some(Conflict { resource_id: *resource_id, reason })
    });
    let found: Vec<Conflict> = conflicts.filter(|found| !excused.contains(found)).collect();
    if found.is_empty() {
        return Err(AppointmentRefusal::NoConflict);
    }
    let accepted = excused.accepted().map(|accepted| accepted.conflicts.clone());
    let mut conflicts = accepted.unwrap_or_default();
    conflicts.extend(found);
    let accepted = AppointmentConflictAccepted { reason, conflicts };
    Ok(AppointmentEvent::AppointmentConflictAccepted(accepted))
}

/// Until when it is to be held, and how much the client can hold.
#[derive(Clone, Copy)]
pub(super) struct Hold {
    pub(super) expires_at: DateTime<Utc>,
    pub(super) holds_per_client: HoldLimit,
}

impl Hold {
    /// From now until it lapses, it is one of the client's.
    pub(super) fn limit(
        self,
        client_id: ClientId,
        now: DateTime<Utc>,
    ) -> Result<Limit, AppointmentRefusal> {
        let expired_at = self.expires_at;
        let during = Interval::new(now, expired_at)
            .map_err(|EmptyInterval| AppointmentRefusal::HoldExpired { expired_at })?;
        Ok(Limit::ClientHolds { client_id, during, at_most: self.holds_per_client.get() })
    }
}

/// What a booking comes to, but for what is left to choose.
pub(super) struct Asked<'a> {
    terms: &'a ServiceTerms,
    span: Span,
    /// By which rules it is made; `None`: it was made elsewhere.
    judge: Option<Judge<'a>>,
    pub(super) placing: Placing<'a>,
}

fn details(
    booking: Booking,
    hold: Option<Hold>,
    facts: &Facts,
) -> Result<Details, AppointmentRefusal> {
    if let When::InSession(session_id) = booking.when {
        return Joining::new(&booking, session_id, hold, facts)?.settle(booking, facts);
    }
    let Asked { terms, span, judge, placing } = asked(&booking, hold, facts)?;
    let placed = placing.settle(facts)?;
    // Without an override nothing is broken, or it would have been refused.
    let overridden = booking.overriding.map(|reason| {
        let broken = judge.as_ref().map(|judge| judge.broken(&placed.zones)).unwrap_or_default();
        let broken = broken.into_iter().map(Breach::Service);
        Overridden::all(broken.chain(closed(span.during, facts)), reason)
    });
    Ok(Details {
        service_id: booking.service_id,
        client_id: booking.client_id,
        slot: span.slot(placed),
        title: booking.title.unwrap_or_else(|| Title::from(&terms.name)),
        category: booking.category.unwrap_or_else(|| terms.category.clone()),
        tags: booking.tags.unwrap_or_else(|| terms.tags.clone()),
        note: booking.note,
        imported: matches!(booking.when, When::Imported(_)),
        agreed: judge.and_then(|judge| judge.agreed()).unwrap_or_default(),
        overridden,
        series: booking.series,
    })
}

pub(super) fn asked<'a>(
    booking: &Booking,
    hold: Option<Hold>,
    facts: &'a Facts,
) -> Result<Asked<'a>, AppointmentRefusal> {
    let terms = offered(booking.service_id, &facts.service)?;
    if *facts.client == Client::Unregistered {
        return Err(AppointmentRefusal::UnknownClient { client_id: booking.client_id });
    }
    let imported = matches!(booking.when, When::Imported(_));
    if terms.session_places.is_some() && !imported {
        return Err(AppointmentRefusal::SessionsOnly { service_id: booking.service_id });
    }
    let zones = zones(facts)?;
    let made_now = |start, length| {
        not_past(start, facts.now)?;
        let during = Interval::lasting(start, length);
        let judge = Judge::of_booking(terms, during, length, facts.now);
        Ok::<_, AppointmentRefusal>((during, Some(judge)))
    };
    let (during, judge) = match booking.when {
        When::From(start) => made_now(start, terms.duration)?,
        When::Lasting { start, duration } => made_now(start, duration)?,
        // It was agreed elsewhere, by other rules.
        When::Imported(during) => (during, None),
        // Decided apart: see `joining`.
        When::InSession(session_id) => return Err(AppointmentRefusal::InSession { session_id }),
    };
    let broken = judge.as_ref().map(|judge| judge.broken(&zones)).unwrap_or_default();
    let breaches = broken.into_iter().map(Breach::Service).chain(closed(during, facts));
    allowed(breaches, booking.overriding.as_ref())?;
    let span = Span::of(terms, during);
    let needed = judge.as_ref().map(|judge| Needed::by(terms, judge, booking.overriding.is_some()));
    let placing = Placing::new(span, needed, facts)?;
    // What was made elsewhere counts towards no limit.
    let (client_id, service_id) = (booking.client_id, booking.service_id);
    let a_day = terms
        .limit_per_client_per_day
        .filter(|_| judge.is_some())
        .map(|limit| Limit::ClientDay { client_id, service_id, at_most: limit.get() });
    let holds = hold.map(|hold| hold.limit(client_id, facts.now)).transpose()?;
    let placing = placing.counting(a_day.into_iter().chain(holds));
    Ok(Asked { terms, span, judge, placing })
}

/// Where an appointment is to be moved.
#[derive(Clone, Copy)]
pub(super) struct To<'a> {
    pub(super) start: DateTime<Utc>,
    pub(super) resource_ids: Option<&'a ResourceIds>,
    pub(super) overriding: &'a Option<Reason>,
}

/// A move meets the rules that its service has now; its length was agreed before.
fn moved(
    details: &Details,
    to: To<'_>,
    too_late: Option<Broken>,
    facts: &Facts,
) -> Result<(Slot, Option<Overridden>), AppointmentRefusal> {
    let (judge, placing) = moving(details, to, too_late.clone(), facts)?;
    let mut placed = placing.settle(facts)?;
    // A hold stays the hold that it is: what it counts as does not depend on when it is for.
    let holds = details.slot.counted.iter().filter(|one| one.rule == CountedRule::ClientHolds);
    placed.counted.extend(holds.cloned());
    let span = Span::moved(&details.slot, to.start);
    let overridden = to.overriding.clone().map(|reason| {
        let broken = too_late.into_iter().chain(judge.broken(&placed.zones));
        Overridden::all(broken.map(Breach::Service).chain(closed(span.during, facts)), reason)
    });
    Ok((span.slot(placed), overridden))
}

pub(super) fn moving<'a>(
    details: &Details,
    to: To<'_>,
    too_late: Option<Broken>,
    facts: &'a Facts,
) -> Result<(Judge<'a>, Placing<'a>), AppointmentRefusal> {
    if let Some(session_id) = details.slot.session_id {
        return Err(AppointmentRefusal::InSession { session_id });
    }
    not_past(to.start, facts.now)?;
    let zones = zones(facts)?;
    let span = Span::moved(&details.slot, to.start);
    let terms = facts.service.terms();
    let judge = Judge::of_move(terms, span.during, facts.now);
    let broken = too_late.into_iter().chain(judge.broken(&zones)).map(Breach::Service);
    allowed(broken.chain(closed(span.during, facts)), to.overriding.as_ref())?;
    // Resources that stay may do what the service asked for when it was booked.
    let needed = to.resource_ids.and(terms);
    let needed = needed.map(|terms| Needed::by(terms, &judge, to.overriding.is_some()));
    let placing = Placing::new(span, needed, facts)?;
    let Details { client_id, service_id, .. } = *details;
    let days = details.slot.counted.iter().filter(|one| one.rule == CountedRule::ClientDay);
    let limits = days.map(|day| Limit::ClientDay { client_id, service_id, at_most: day.at_most });
    let placing = placing.counting(limits);
    Ok((judge, placing))
}

fn still_held(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), AppointmentRefusal> {
    if expires_at <= now {
        return Err(AppointmentRefusal::HoldExpired { expired_at: expires_at });
    }
    Ok(())
}

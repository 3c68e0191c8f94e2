//! What may be done with an appointment.

use chrono::{DateTime, SubsecRound, Utc};

use super::placing::{Limit, Needed, Placed, Placing, Span};
use super::{
    Appointment, AppointmentCancelled, AppointmentCheckedIn, AppointmentCommand,
    AppointmentCompleted, AppointmentConfirmed, AppointmentEvent, AppointmentHeld,
    AppointmentHoldExpired, AppointmentMarkedNoShow, AppointmentRefusal, AppointmentRescheduled,
    AppointmentTagged, Booking, CancelledBy, CountedRule, Details, Slot, State, Wanted, When,
};
use crate::client::Client;
use crate::service::{HoldLimit, Service, ServiceTerms};
use crate::time::{EmptyInterval, Interval};
use crate::{ClientId, Facts, ResourceIds, Title};

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
            (Self::Made { details, state }, command) => decide_made(details, state, command, facts),
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
            still_held(*expires_at, facts.now)?;
            let slot = details.slot.confirmed();
            Ok(AppointmentEvent::AppointmentConfirmed(AppointmentConfirmed { slot }))
        }
        (C::ConfirmAppointment, _) => wrong(Wanted::Confirmed),
        (C::RescheduleAppointment { start, resource_ids }, State::Held { expires_at }) => {
            still_held(*expires_at, facts.now)?;
            let slot = moved(details, start, resource_ids.as_ref(), facts)?;
            let hold_expires_at = Some(*expires_at);
            Ok(AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
                slot,
                hold_expires_at,
            }))
        }
        (C::RescheduleAppointment { start, resource_ids }, State::Booked) => {
            let slot = moved(details, start, resource_ids.as_ref(), facts)?;
            Ok(AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
                slot,
                hold_expires_at: None,
            }))
        }
        (C::RescheduleAppointment { .. }, _) => wrong(Wanted::Rescheduled),
        (C::CancelAppointment { reason, by }, State::Held { .. } | State::Booked) => {
            if let State::Held { expires_at } = state {
                still_held(*expires_at, facts.now)?;
            }
            Ok(AppointmentEvent::AppointmentCancelled(AppointmentCancelled { reason, by }))
        }
        (C::CancelAppointment { .. }, _) => wrong(Wanted::Cancelled),
        (C::ReleaseHold, State::Held { expires_at }) => {
            still_held(*expires_at, facts.now)?;
            let (reason, by) = (None, CancelledBy::Client);
            Ok(AppointmentEvent::AppointmentCancelled(AppointmentCancelled { reason, by }))
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
        (C::BookAppointment(_) | C::HoldAppointment { .. }, _) => {
            Err(AppointmentRefusal::AppointmentExists)
        }
    }
}

/// Until when it is to be held, and how much the client can hold.
#[derive(Clone, Copy)]
pub(super) struct Hold {
    pub(super) expires_at: DateTime<Utc>,
    pub(super) holds_per_client: HoldLimit,
}

impl Hold {
    /// From now until it lapses, it is one of the client's.
    fn limit(self, client_id: ClientId, now: DateTime<Utc>) -> Result<Limit, AppointmentRefusal> {
        let expired_at = self.expires_at;
        let during = Interval::new(now, expired_at)
            .map_err(|EmptyInterval| AppointmentRefusal::HoldExpired { expired_at })?;
        Ok(Limit::ClientHolds { client_id, during, at_most: self.holds_per_client.get() })
    }
}

/// What a booking comes to, but for what is left to choose.
pub(super) struct Wish<'a> {
    terms: &'a ServiceTerms,
    span: Span,
    pub(super) placing: Placing<'a>,
}

fn details(
    booking: Booking,
    hold: Option<Hold>,
    facts: &Facts,
) -> Result<Details, AppointmentRefusal> {
    let Wish { terms, span, placing } = wish(&booking, hold, facts)?;
    let placed = placing.settle(facts)?;
    Ok(Details {
        service_id: booking.service_id,
        client_id: booking.client_id,
        slot: slot(span, placed),
        title: booking.title.unwrap_or_else(|| Title::from(&terms.name)),
        category: booking.category.unwrap_or_else(|| terms.category.clone()),
        tags: booking.tags.unwrap_or_else(|| terms.tags.clone()),
        note: booking.note,
        imported: matches!(booking.when, When::Imported(_)),
    })
}

pub(super) fn wish<'a>(
    booking: &Booking,
    hold: Option<Hold>,
    facts: &'a Facts,
) -> Result<Wish<'a>, AppointmentRefusal> {
    let terms = offered(booking, &facts.service)?;
    if *facts.client == Client::Unregistered {
        return Err(AppointmentRefusal::UnknownClient { client_id: booking.client_id });
    }
    let (during, made_here) = match booking.when {
        When::From(start) => {
            not_past(start, facts.now)?;
            (Interval::lasting(start, terms.duration), true)
        }
        When::Imported(during) => (during, false),
    };
    let span =
        Span { during, buffer_before: terms.buffer_before, buffer_after: terms.buffer_after };
    // What was made elsewhere is as it is: it fills no roles, and counts towards no limit.
    let placing = Placing::new(span, made_here.then(|| Needed::by(terms)), facts)?;
    let (client_id, service_id) = (booking.client_id, booking.service_id);
    let a_day = terms
        .limit_per_client_per_day
        .filter(|_| made_here)
        .map(|limit| Limit::ClientDay { client_id, service_id, at_most: limit.get() });
    let holds = hold.map(|hold| hold.limit(client_id, facts.now)).transpose()?;
    let placing = placing.counting(a_day.into_iter().chain(holds));
    Ok(Wish { terms, span, placing })
}

fn slot(span: Span, placed: Placed) -> Slot {
    let Span { during, buffer_before, buffer_after } = span;
    let Placed { resource_ids, seats, counted } = placed;
    Slot { resource_ids, during, buffer_before, buffer_after, seats, counted }
}

fn offered<'a>(
    booking: &Booking,
    service: &'a Service,
) -> Result<&'a ServiceTerms, AppointmentRefusal> {
    let service_id = booking.service_id;
    match service {
        Service::Undefined => Err(AppointmentRefusal::UnknownService { service_id }),
        Service::Retired(_) => Err(AppointmentRefusal::RetiredService { service_id }),
        Service::Offered(terms) => Ok(terms),
    }
}

fn moved(
    details: &Details,
    start: DateTime<Utc>,
    resource_ids: Option<&ResourceIds>,
    facts: &Facts,
) -> Result<Slot, AppointmentRefusal> {
    let mut placed = moving(details, start, resource_ids, facts)?.settle(facts)?;
    // A hold stays the hold that it is: what it counts as does not depend on when it is for.
    let holds = details.slot.counted.iter().filter(|one| one.rule == CountedRule::ClientHolds);
    placed.counted.extend(holds.cloned());
    Ok(slot(moved_span(&details.slot, start), placed))
}

pub(super) fn moving<'a>(
    details: &Details,
    start: DateTime<Utc>,
    resource_ids: Option<&ResourceIds>,
    facts: &'a Facts,
) -> Result<Placing<'a>, AppointmentRefusal> {
    not_past(start, facts.now)?;
    // Resources that stay may do what the service asked for when it was booked.
    let wanted = resource_ids.and_then(|_| facts.service.terms()).map(Needed::by);
    let placing = Placing::new(moved_span(&details.slot, start), wanted, facts)?;
    let Details { client_id, service_id, .. } = *details;
    let days = details.slot.counted.iter().filter(|one| one.rule == CountedRule::ClientDay);
    let limits = days.map(|day| Limit::ClientDay { client_id, service_id, at_most: day.at_most });
    Ok(placing.counting(limits))
}

fn moved_span(slot: &Slot, start: DateTime<Utc>) -> Span {
    let Slot { buffer_before, buffer_after, .. } = *slot;
    Span { during: slot.during.moved_to(start), buffer_before, buffer_after }
}

fn not_past(start: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), AppointmentRefusal> {
    if start < now { Err(AppointmentRefusal::InThePast { start }) } else { Ok(()) }
}

fn still_held(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), AppointmentRefusal> {
    if expires_at <= now {
        return Err(AppointmentRefusal::HoldExpired { expired_at: expires_at });
    }
    Ok(())
}

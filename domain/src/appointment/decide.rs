//! What may be done with an appointment.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use chrono_tz::Tz;

use super::overriding::{Breach, settled};
use super::{
    Agreed, Appointment, AppointmentCancelled, AppointmentCheckedIn, AppointmentCommand,
    AppointmentCompleted, AppointmentConfirmed, AppointmentEvent, AppointmentHeld,
    AppointmentHoldExpired, AppointmentMarkedNoShow, AppointmentRefusal, AppointmentRescheduled,
    AppointmentTagged, Booking, CancelledBy, Details, MovedBy, Overridden, Slot, State, Wanted,
    When,
};
use crate::client::Client;
use crate::resource::Resource;
use crate::service::rules::{self, Broken, Wish};
use crate::service::{Service, ServiceTerms};
use crate::time::{Duration, Interval};
use crate::{Facts, Reason, ResourceId, ResourceIds, Title};

impl Appointment {
    /// Decides a command: what happens because of it, or why nothing does.
    ///
    /// Whether the resources are free is not decided here but by the claims, when the event is
    /// appended: only the log knows that exactly.
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
                Ok(AppointmentEvent::AppointmentBooked(details(booking, facts)?))
            }
            (Self::Unmade, HoldAppointment { booking, expires_at }) => {
                let details = details(booking, facts)?;
                // As fine as its claims: see `Interval`.
                let expires_at = expires_at.trunc_subsecs(6);
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
            let slot = details.slot.clone();
            Ok(AppointmentEvent::AppointmentConfirmed(AppointmentConfirmed { slot }))
        }
        (C::ConfirmAppointment, _) => wrong(Wanted::Confirmed),
        (
            C::RescheduleAppointment { start, resource_ids, by, overriding },
            State::Held { .. } | State::Booked,
        ) => {
            let hold_expires_at = match state {
                State::Held { expires_at } => Some(*expires_at),
                _ => None,
            };
            hold_expires_at.map_or(Ok(()), |expires_at| still_held(expires_at, facts.now))?;
            // Nobody relies on a hold: it may be moved and let go until it lapses.
            let bound = matches!((state, by), (State::Booked, MovedBy::Client));
            let window = details.agreed.rescheduling_window.filter(|_| bound);
            let too_late = rules::too_late_to_move(window, details.slot.during, facts.now);
            let (slot, overridden) =
                moved(details, start, resource_ids, too_late, overriding, facts)?;
            Ok(AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
                slot,
                hold_expires_at,
                by,
                overridden,
            }))
        }
        (C::RescheduleAppointment { .. }, _) => wrong(Wanted::Rescheduled),
        (C::CancelAppointment { reason, by, overriding }, State::Held { .. } | State::Booked) => {
            if let State::Held { expires_at } = state {
                still_held(*expires_at, facts.now)?;
            }
            let bound = matches!((state, by), (State::Booked, CancelledBy::Client));
            let window = details.agreed.cancellation_window.filter(|_| bound);
            let too_late = rules::too_late_to_cancel(window, details.slot.during, facts.now);
            let overridden = settled(too_late.into_iter().map(Breach::Service), overriding)?;
            Ok(AppointmentEvent::AppointmentCancelled(AppointmentCancelled {
                reason,
                by,
                overridden,
            }))
        }
        (C::CancelAppointment { .. }, _) => wrong(Wanted::Cancelled),
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

fn details(booking: Booking, facts: &Facts) -> Result<Details, AppointmentRefusal> {
    let terms = offered(&booking, &facts.service)?;
    if *facts.client == Client::Unregistered {
        return Err(AppointmentRefusal::UnknownClient { client_id: booking.client_id });
    }
    let zones = zones(facts)?;
    let (during, agreed, broken) = match booking.when {
        When::From(start) => made_now(terms, start, terms.duration, &zones, facts.now)?,
        When::Lasting { start, duration } => made_now(terms, start, duration, &zones, facts.now)?,
        // It was agreed elsewhere, by other rules.
        When::Imported(during) => (during, Agreed::default(), Vec::new()),
    };
    let breaches = broken.into_iter().map(Breach::Service).chain(closed(during, facts));
    let overridden = settled(breaches, booking.overriding)?;
    Ok(Details {
        service_id: booking.service_id,
        client_id: booking.client_id,
        slot: Slot {
            resource_ids: booking.resource_ids,
            during,
            buffer_before: terms.buffer_before,
            buffer_after: terms.buffer_after,
        },
        title: booking.title.unwrap_or_else(|| Title::from(&terms.name)),
        category: booking.category.unwrap_or_else(|| terms.category.clone()),
        tags: booking.tags.unwrap_or_else(|| terms.tags.clone()),
        note: booking.note,
        imported: matches!(booking.when, When::Imported(_)),
        agreed,
        overridden,
    })
}

/// When it is, what is agreed, and which rules are against it.
fn made_now(
    terms: &ServiceTerms,
    start: DateTime<Utc>,
    length: Duration,
    zones: &[Tz],
    now: DateTime<Utc>,
) -> Result<(Interval, Agreed, Vec<Broken>), AppointmentRefusal> {
    not_past(start, now)?;
    let during = Interval::lasting(start, length);
    let wish = Wish { during, now, zones };
    let broken = terms.broken_by(&wish, length).collect();
    Ok((during, Agreed::by(terms, length), broken))
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

/// A move meets the rules that its service has now; its length was agreed before.
fn moved(
    details: &Details,
    start: DateTime<Utc>,
    resource_ids: Option<ResourceIds>,
    too_late: Option<Broken>,
    overriding: Option<Reason>,
    facts: &Facts,
) -> Result<(Slot, Option<Overridden>), AppointmentRefusal> {
    let slot = &details.slot;
    not_past(start, facts.now)?;
    let zones = zones(facts)?;
    let during = slot.during.moved_to(start);
    let wish = Wish { during, now: facts.now, zones: &zones };
    let terms = facts.service.terms();
    let broken = terms.into_iter().flat_map(|terms| terms.rules.broken_by(&wish));
    let breaches = too_late.into_iter().chain(broken).map(Breach::Service);
    let overridden = settled(breaches.chain(closed(during, facts)), overriding)?;
    let resource_ids = resource_ids.unwrap_or_else(|| slot.resource_ids.clone());
    Ok((Slot { resource_ids, during, ..slot.clone() }, overridden))
}

/// The zones of the resources, all of which can be booked.
fn zones(facts: &Facts) -> Result<Vec<Tz>, AppointmentRefusal> {
    let zone = |(resource_id, resource): &(ResourceId, Arc<Resource>)| {
        let resource_id = *resource_id;
        match resource.as_ref() {
            Resource::Unregistered => Err(AppointmentRefusal::UnknownResource { resource_id }),
            Resource::Retired(_) => Err(AppointmentRefusal::RetiredResource { resource_id }),
            Resource::Active(profile) => Ok(profile.time_zone),
        }
    };
    facts.resources.iter().map(zone).collect()
}

/// The resources that are not open throughout. Opening hours are for the appointment itself:
/// buffers may lie outside them.
fn closed(during: Interval, facts: &Facts) -> impl Iterator<Item = Breach> + '_ {
    facts.resources.iter().filter_map(move |(resource_id, resource)| {
        let Resource::Active(profile) = resource.as_ref() else { return None };
        let open = profile.opening_hours.cover(profile.time_zone, &during);
        (!open).then_some(Breach::Closed { resource_id: *resource_id, during })
    })
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

//! What may be done with an appointment.

use chrono::{DateTime, SubsecRound, Utc};

use super::{
    Appointment, AppointmentCancelled, AppointmentCheckedIn, AppointmentCommand,
    AppointmentCompleted, AppointmentConfirmed, AppointmentEvent, AppointmentHeld,
    AppointmentHoldExpired, AppointmentMarkedNoShow, AppointmentRefusal, AppointmentRescheduled,
    AppointmentTagged, Booking, Details, Slot, State, Wanted, When,
};
use crate::client::Client;
use crate::resource::Resource;
use crate::service::{Service, ServiceTerms};
use crate::time::Interval;
use crate::{Facts, ResourceIds, Title};

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
        (C::RescheduleAppointment { start, resource_ids }, State::Held { expires_at }) => {
            still_held(*expires_at, facts.now)?;
            let slot = moved(&details.slot, start, resource_ids, facts)?;
            let hold_expires_at = Some(*expires_at);
            Ok(AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
                slot,
                hold_expires_at,
            }))
        }
        (C::RescheduleAppointment { start, resource_ids }, State::Booked) => {
            let slot = moved(&details.slot, start, resource_ids, facts)?;
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
    let during = match booking.when {
        When::From(start) => {
            not_past(start, facts.now)?;
            Interval::lasting(start, terms.duration)
        }
        When::Imported(during) => during,
    };
    open_throughout(&during, facts)?;
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
    })
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
    slot: &Slot,
    start: DateTime<Utc>,
    resource_ids: Option<ResourceIds>,
    facts: &Facts,
) -> Result<Slot, AppointmentRefusal> {
    not_past(start, facts.now)?;
    let during = slot.during.moved_to(start);
    open_throughout(&during, facts)?;
    let resource_ids = resource_ids.unwrap_or_else(|| slot.resource_ids.clone());
    Ok(Slot { resource_ids, during, ..slot.clone() })
}

/// Opening hours are for the appointment itself: buffers may lie outside them.
fn open_throughout(during: &Interval, facts: &Facts) -> Result<(), AppointmentRefusal> {
    for (resource_id, resource) in &facts.resources {
        let resource_id = *resource_id;
        match resource.as_ref() {
            Resource::Unregistered => {
                return Err(AppointmentRefusal::UnknownResource { resource_id });
            }
            Resource::Retired(_) => {
                return Err(AppointmentRefusal::RetiredResource { resource_id });
            }
            Resource::Active(profile) => {
                if !profile.opening_hours.cover(profile.time_zone, during) {
                    let during = *during;
                    return Err(AppointmentRefusal::OutsideOpeningHours { resource_id, during });
                }
            }
        }
    }
    Ok(())
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

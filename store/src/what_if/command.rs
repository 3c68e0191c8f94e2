//! The command that a recorded event came of. A pure function: an event carries what was asked for.
//!
//! What it does not carry is taken for granted: resources that were chosen are asked for by name, and
//! whoever overrode rules does so again.

use std::collections::HashMap;

use chrono::TimeDelta;
use daybook_domain::appointment::{
    Appointment, AppointmentCommand, AppointmentEvent, Booking, Copied, Description, Details,
    NewResources, Overridden, Slot, Takes, When,
};
use daybook_domain::service::{HoldLimit, ServiceTerms};
use daybook_domain::session::{Scheduling, SessionCommand, SessionScheduled};
use daybook_domain::time::{Duration, Interval};
use daybook_domain::{Personal, QuotaRule, Reason, ServiceId};

/// The command of an event of an appointment; `None`: another aggregate's, which is repeated itself.
/// `recorded` is what the service's terms were, and `state` is the appointment as the replay has it.
pub(super) fn of_appointment(
    event: &AppointmentEvent,
    recorded: &HashMap<ServiceId, ServiceTerms>,
    state: &Appointment,
) -> Option<AppointmentCommand> {
    use AppointmentCommand as C;
    use AppointmentEvent as E;
    Some(match event {
        E::AppointmentBooked(details) => C::BookAppointment(booking(details, recorded)),
        E::AppointmentHeld(held) => C::HoldAppointment {
            booking: booking(&held.details, recorded),
            expires_at: held.expires_at,
            holds_per_client: holds_per_client(&held.details),
        },
        E::AppointmentConfirmed(_) => C::ConfirmAppointment,
        // It went where its session did.
        E::AppointmentRescheduled(moved) if moved.slot.session_id.is_some() => return None,
        E::AppointmentRescheduled(moved) => {
            let now = state.details().map(|details| &details.slot.resource_ids);
            let other =
                (now != Some(&moved.slot.resource_ids)).then(|| moved.slot.resource_ids.clone());
            let overriding = why(moved.overridden.as_ref());
            if moved.with_calendar {
                let copied = copied(&moved.slot);
                C::FollowCalendar { copied, resource_ids: other, overriding }
            } else {
                let (start, by) = (moved.slot.during.start(), moved.by);
                let resource_ids = other.map(NewResources::Named);
                C::RescheduleAppointment { start, resource_ids, by, overriding }
            }
        }
        E::AppointmentCancelled(cancelled) => C::CancelAppointment {
            reason: cancelled.reason.clone(),
            by: cancelled.by,
            overriding: why(cancelled.overridden.as_ref()),
        },
        E::AppointmentHoldExpired(_) => C::ExpireHold,
        E::AppointmentCheckedIn(_) => C::CheckInAppointment,
        E::AppointmentCompleted(_) => C::CompleteAppointment,
        E::AppointmentMarkedNoShow(_) => C::MarkNoShow,
        E::AppointmentDescribed(described) => C::DescribeAppointment(Description {
            title: described.title.clone().into(),
            note: described.note.clone().into(),
            private: described.private.into(),
            location: described.location.clone().into(),
            reference: described.reference.clone().into(),
            metadata: described.metadata.clone().into(),
        }),
        E::AppointmentTagged(tagged) => C::TagAppointment {
            category: Some(tagged.category.clone()),
            tags: Some(tagged.tags.clone()),
        },
        E::AppointmentConflictAccepted(accepted) => {
            C::AcceptConflict { reason: accepted.reason.clone() }
        }
        E::AppointmentReassigned(other) => {
            C::ReassignAppointment { from: other.from, to: other.to, reason: other.reason.clone() }
        }
    })
}

/// How an appointment was copied: one that has another place than the first was let have more.
fn copied(slot: &Slot) -> Copied {
    let beside = (0..slot.resource_ids.count()).any(|n| slot.seats.of(n) > 0);
    let takes = match (slot.transparent, beside) {
        (true, _) => Takes::Nothing,
        (false, true) => Takes::PlaceOrMore,
        (false, false) => Takes::Place,
    };
    Copied { during: slot.during, takes }
}

fn booking(details: &Details, recorded: &HashMap<ServiceId, ServiceTerms>) -> Booking {
    let slot = &details.slot;
    let when = match slot.session_id {
        Some(session_id) => When::InSession(session_id),
        None if details.imported => When::Imported(copied(slot)),
        None => {
            When::at(slot.during.start(), chosen(slot.during, recorded.get(&details.service_id)))
        }
    };
    let in_session = slot.session_id.is_some();
    Booking {
        service_id: details.service_id,
        resource_ids: (!in_session).then(|| slot.resource_ids.clone()),
        client_id: details.client_id,
        when,
        title: Some(details.title.clone()),
        category: Some(details.category.clone()),
        tags: Some(details.tags.clone()),
        note: details.note.clone(),
        location: details.location.clone(),
        reference: details.reference.clone(),
        metadata: details.metadata.clone(),
        private: details.private,
        overriding: why(details.overridden.as_ref()),
        series: details.series,
    }
}

/// The command that a session was scheduled by.
pub(super) fn of_scheduled(
    plan: &SessionScheduled,
    recorded: Option<&ServiceTerms>,
) -> SessionCommand {
    let usual = recorded.and_then(|terms| terms.session_places);
    SessionCommand::ScheduleSession {
        scheduling: Scheduling {
            service_id: plan.service_id,
            resource_ids: Some(plan.slot.resource_ids.clone()),
            start: plan.slot.during.start(),
            duration: chosen(plan.slot.during, recorded),
            places: (usual != Some(plan.places)).then_some(plan.places),
            title: Some(plan.title.clone()),
            category: Some(plan.category.clone()),
            tags: Some(plan.tags.clone()),
        },
        overriding: why(plan.overridden.as_ref()),
    }
}

/// The length that was asked for; `None`: it was the service's own, and would be by other rules.
fn chosen(during: Interval, recorded: Option<&ServiceTerms>) -> Option<Duration> {
    let length: TimeDelta = during.length();
    if recorded.is_some_and(|terms| terms.duration.delta() == length) {
        return None;
    }
    Duration::from_minutes(u32::try_from(length.num_minutes()).ok()?).ok()
}

/// How many holds the client could have: the limit is written where it was counted.
fn holds_per_client(details: &Details) -> HoldLimit {
    let mut quota_slots = details.slot.quota_slots.iter();
    let holds = quota_slots.find(|slot| slot.rule == QuotaRule::ClientHolds);
    holds.and_then(|holds| HoldLimit::try_from(holds.at_most).ok()).unwrap_or_default()
}

pub(super) fn why(overridden: Option<&Overridden>) -> Option<Personal<Reason>> {
    overridden.map(|overridden| overridden.reason.clone())
}

//! What holds for every sequence of commands.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    Appointment, AppointmentCommand, AppointmentEvent, AppointmentState, CancelledBy, MovedBy, Slot,
};
use crate::claim::{ClaimIndex, ClaimSnapshot, Claimed, Claims};
use crate::resource::{Capacity, Resource, ResourceProfile};
use crate::service::{HoldLimit, Service, ServiceTerms};
use crate::testing::{a_booking, facts_for, now, profile, resource, terms};
use crate::{AppointmentId, Decide, Facts, ResourceId, ResourceIds};

const APPOINTMENTS: usize = 6;

/// All are of one client, who can hold so many at once, and have so many on a day.
const HOLDS: u16 = 2;
const A_DAY: u16 = 4;

/// The third resource has two places.
fn places(resource: ResourceId) -> Capacity {
    Capacity::try_from(if resource == self::resource(3) { 2 } else { 1 }).unwrap()
}

/// One step: at this minute, this command to this appointment.
#[derive(Debug, Clone)]
struct Step {
    minute: i64,
    appointment: usize,
    command: AppointmentCommand,
}

fn start() -> impl Strategy<Value = DateTime<Utc>> {
    // Half an hour before opening to half an hour after closing, every ten minutes.
    (9i64..=69).prop_map(|tens| now() + TimeDelta::minutes(tens * 10))
}

fn resources() -> impl Strategy<Value = ResourceIds> {
    prop::sample::subsequence(vec![1u128, 2, 3], 1..=3)
        .prop_map(|ids| ids.into_iter().map(resource).collect::<Vec<_>>().try_into().unwrap())
}

fn command() -> impl Strategy<Value = AppointmentCommand> {
    use AppointmentCommand as C;
    let booking = || {
        (start(), resources()).prop_map(|(start, resource_ids)| super::Booking {
            resource_ids: Some(resource_ids),
            ..a_booking(&start.to_rfc3339())
        })
    };
    prop_oneof![
        3 => booking().prop_map(C::BookAppointment),
        3 => (booking(), 1i64..120).prop_map(|(booking, minutes)| C::HoldAppointment {
            booking,
            expires_at: now() + TimeDelta::minutes(minutes),
            holds_per_client: HoldLimit::try_from(HOLDS).unwrap(),
        }),
        2 => Just(C::ConfirmAppointment),
        3 => (start(), prop::option::of(resources()))
            .prop_map(|(start, resource_ids)| C::RescheduleAppointment {
                start,
                resource_ids: resource_ids.map(Into::into),
                by: MovedBy::Staff,
                overriding: None,
            }),
        2 => Just(C::CancelAppointment {
            reason: None,
            by: CancelledBy::Staff,
            overriding: None,
        }),
        1 => Just(C::ExpireHold),
        1 => Just(C::CheckInAppointment),
        1 => Just(C::CompleteAppointment),
        1 => Just(C::MarkNoShow),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0i64..5, 0..APPOINTMENTS, command());
    prop::collection::vec(step, 1..60).prop_map(|steps| {
        let mut minute = 0;
        let in_order = |(wait, appointment, command)| {
            minute += wait;
            Step { minute, appointment, command }
        };
        steps.into_iter().map(in_order).collect()
    })
}

fn id(n: usize) -> AppointmentId {
    Uuid::from_u128(n as u128).into()
}

/// What the decision on a command depends on.
fn facts_of(
    appointment: &Appointment,
    own: AppointmentId,
    command: &AppointmentCommand,
    claims: &ClaimIndex,
    now: DateTime<Utc>,
) -> Facts {
    let mut facts = facts_for(&appointment.needs(command), now);
    for (id, resource) in &mut facts.resources {
        let profile = ResourceProfile { capacity: places(*id), ..profile() };
        *resource = Arc::new(Resource::Active(profile));
    }
    let limit_per_client_per_day = Some(A_DAY.try_into().unwrap());
    facts.service =
        Arc::new(Service::Offered(ServiceTerms { limit_per_client_per_day, ..terms() }));
    let others = claims.iter().filter(|(holder, _)| *holder != own);
    let claimed = others.flat_map(|(holder, claims)| {
        claims.iter().map(move |claim| Claimed { claim: *claim, holder })
    });
    facts.claims = ClaimSnapshot::at(now, claimed);
    facts
}

/// Runs the steps as the engine does: decide, then take the claims or be refused.
fn run(steps: Vec<Step>) -> (Vec<Appointment>, Vec<(usize, AppointmentEvent)>, DateTime<Utc>) {
    let mut appointments = vec![Appointment::default(); APPOINTMENTS];
    let mut claims = ClaimIndex::default();
    let mut log = Vec::new();
    let mut clock = now();
    for Step { minute, appointment, command } in steps {
        clock = now() + TimeDelta::minutes(minute);
        let facts = facts_of(&appointments[appointment], id(appointment), &command, &claims, clock);
        let looked = !appointments[appointment].claim_queries(&command, &facts).is_empty();
        let Ok(event) = appointments[appointment].decide(command, &facts) else {
            continue;
        };
        if let Some(wanted) = event.claims_after() {
            // What was free when it was looked for is taken without fail; what was not looked for
            // may not be free.
            let taken = claims.replace(id(appointment), wanted, clock);
            assert!(taken.is_ok() || !looked, "{event:?}: {taken:?}");
            if taken.is_err() {
                continue;
            }
        }
        appointments[appointment].evolve(event.clone());
        log.push((appointment, event));
    }
    (appointments, log, clock)
}

/// Whether it needs its resources at `now`.
fn stands(state: &AppointmentState, now: DateTime<Utc>) -> bool {
    match state {
        AppointmentState::Held { expires_at } => *expires_at > now,
        AppointmentState::Booked | AppointmentState::CheckedIn | AppointmentState::Fulfilled => {
            true
        }
        AppointmentState::Cancelled(_) | AppointmentState::NoShow => false,
    }
}

proptest! {
    #[test]
    fn no_two_standing_appointments_share_a_place_of_a_resource(steps in steps()) {
        let (appointments, _, now) = run(steps);
        let slots: Vec<_> = appointments
            .iter()
            .filter_map(|appointment| match appointment {
                Appointment::Made { details, state, .. } if stands(state, now) => Some(&details.slot),
                _ => None,
            })
            .collect();
        for (n, one) in slots.iter().enumerate() {
            for other in &slots[n + 1..] {
                let places = |slot: &Slot| -> Vec<(ResourceId, u16)> {
                    slot.resource_ids.iter().enumerate().map(|(n, id)| (id, slot.seats.of(n))).collect()
                };
                let theirs = places(other);
                let shared = places(one).iter().any(|place| theirs.contains(place));
                prop_assert!(!(shared && one.claimed().overlaps(&other.claimed())));
            }
        }
    }

    #[test]
    fn a_client_never_has_more_than_the_limits_allow(steps in steps()) {
        let (appointments, _, now) = run(steps);
        let standing = |held_only: bool| {
            let counts = move |state: &AppointmentState| match state {
                AppointmentState::Held { .. } => stands(state, now),
                _ => !held_only && stands(state, now),
            };
            appointments
                .iter()
                .filter(|one| matches!(one, Appointment::Made { state, .. } if counts(state)))
                .count()
        };
        prop_assert!(standing(true) <= usize::from(HOLDS));
        prop_assert!(standing(false) <= usize::from(A_DAY));
    }

    #[test]
    fn evolve_accepts_whatever_decide_emits(steps in steps()) {
        let (appointments, log, _) = run(steps);
        let mut replayed = vec![Appointment::default(); APPOINTMENTS];
        for (appointment, event) in log {
            // Through JSON, as the log keeps it.
            let stored = serde_json::to_string(&event).unwrap();
            let before = replayed[appointment].clone();
            let rescheduled_in_place = matches!(event, AppointmentEvent::AppointmentRescheduled(_));
            replayed[appointment].evolve(serde_json::from_str(&stored).unwrap());
            prop_assert!(replayed[appointment] != before || rescheduled_in_place);
        }
        prop_assert_eq!(replayed, appointments);
    }
}

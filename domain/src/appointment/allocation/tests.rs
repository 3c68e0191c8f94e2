//! Places, roles and limits, a sentence each.

mod places;
mod quotas;
mod roles;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::super::{
    Appointment, AppointmentCommand as C, AppointmentRefusal as R, Booking, Details, MovedBy,
    NewResources, Slot,
};
use crate::claim::{Claim, ClaimSnapshot, Claimed, Claims};
use crate::resource::{
    Capacity, Resource, ResourceEvent, ResourceKind, ResourceProfile, ResourceRegistered,
};
use crate::service::{Choose, HoldLimit, Service, ServiceTerms};
use crate::testing::{Decided, Given, a_booking, at, facts, given, profile, resource, tags, terms};
use crate::time::{Interval, OpeningHours, WeeklyHours};
use crate::{
    AppointmentId, Decide as _, Directory, Facts, Name, QuotaRule, ResourceId, ResourceIds,
};

const TEN: &str = "2026-11-23T09:00:00Z";
const END: &str = "2026-11-23T09:40:00Z";

fn ids(ids: &[u128]) -> ResourceIds {
    ids.iter().copied().map(resource).collect::<Vec<_>>().try_into().unwrap()
}

fn booking(named: &[u128]) -> Booking {
    Booking { resource_ids: (!named.is_empty()).then(|| ids(named)), ..a_booking(TEN) }
}

fn to(start: DateTime<Utc>, resource_ids: Option<ResourceIds>) -> C {
    let resource_ids = resource_ids.map(Into::into);
    C::RescheduleAppointment { start, resource_ids, by: MovedBy::Client, overriding: None }
}

fn doctor(name: &str) -> ResourceProfile {
    ResourceProfile { name: Name::new(name).unwrap(), kind: ResourceKind::Staff, ..profile() }
}

fn directory(profiles: &[(u128, ResourceProfile)]) -> Arc<Directory> {
    let mut directory = Directory::default();
    for (n, profile) in profiles {
        let profile = profile.clone();
        let event = ResourceEvent::ResourceRegistered(ResourceRegistered { profile });
        directory.take_note(resource(*n), event, 1);
    }
    Arc::new(directory)
}

/// Doctors 1 (Cy), 2 (Al) and 3 (Bo), and the x-ray room 9.
fn clinic() -> Arc<Directory> {
    let room = ResourceProfile { tags: tags(&["x-ray"]), ..profile() };
    directory(&[(1, doctor("Cy")), (2, doctor("Al")), (3, doctor("Bo")), (9, room)])
}

const DOCTOR: &str = r#"[{"role":"practitioner","kind":"staff"}]"#;
const DOCTOR_AND_ROOM: &str =
    r#"[{"role":"practitioner","kind":"staff"},{"role":"room","tags":["x-ray"]}]"#;

fn terms_with(needs: &str, choose: Choose) -> ServiceTerms {
    ServiceTerms { needs: serde_json::from_str(needs).unwrap(), choose, ..terms() }
}

/// A clinic in which these resources are named, and this is claimed.
fn world(terms: ServiceTerms, named: &[u128], claims: &[(u128, &Claim)]) -> Facts {
    let directory = clinic();
    let profile = |n: &u128| directory.get(resource(*n)).unwrap().clone();
    let each = |n: &u128| (resource(*n), Arc::new(Resource::Active(profile(n))));
    let claimed = claims.iter().map(|(holder, claim)| Claimed {
        claim: **claim,
        holder: uuid::Uuid::from_u128(*holder).into(),
    });
    Facts {
        service: Arc::new(Service::Offered(terms)),
        resources: named.iter().map(each).collect(),
        claims: ClaimSnapshot::at(facts().now, claimed),
        directory: Arc::clone(&directory),
        ..facts()
    }
}

fn claim(n: u128, seat: u16, from: &str, to: &str) -> Claim {
    let during = Interval::new(at(from), at(to)).unwrap();
    Claim { resource: resource(n), seat, during, expires_at: None }
}

fn taken(n: u128) -> Claim {
    claim(n, 0, TEN, END)
}

fn nothing(facts: &Facts) -> Given<Appointment> {
    given([]).knowing(facts)
}

/// What comes of a booking with these resources named.
fn book(facts: &Facts, named: &[u128]) -> Decided<Appointment> {
    nothing(facts).when(C::BookAppointment(booking(named)))
}

/// Where it is.
#[track_caller]
fn slot(decided: Decided<Appointment>) -> Slot {
    decided.and().state().slot().unwrap().clone()
}

/// On which resources it is.
#[track_caller]
fn on(facts: &Facts, named: &[u128]) -> ResourceIds {
    slot(book(facts, named)).resource_ids
}

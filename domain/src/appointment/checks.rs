//! What has to hold of the service, the time and the resources, of appointments as of sessions.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::AppointmentRefusal;
use super::overriding::Breach;
use crate::resource::Resource;
use crate::service::{Service, ServiceTerms};
use crate::time::Interval;
use crate::{Facts, ResourceId, ServiceId};

/// The terms of a service that can be booked.
pub(crate) fn offered(
    service_id: ServiceId,
    service: &Service,
) -> Result<&ServiceTerms, AppointmentRefusal> {
    match service {
        Service::Undefined => Err(AppointmentRefusal::UnknownService { service_id }),
        Service::Retired(_) => Err(AppointmentRefusal::RetiredService { service_id }),
        Service::Offered(terms) => Ok(terms),
    }
}

/// The zones of the resources, all of which can be booked.
pub(crate) fn zones(facts: &Facts) -> Result<Vec<Tz>, AppointmentRefusal> {
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
pub(crate) fn closed(during: Interval, facts: &Facts) -> impl Iterator<Item = Breach> + '_ {
    facts.resources.iter().filter_map(move |(resource_id, resource)| {
        let Resource::Active(profile) = resource.as_ref() else { return None };
        (!profile.is_open(&during)).then_some(Breach::Closed { resource_id: *resource_id, during })
    })
}

pub(crate) fn not_past(start: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), AppointmentRefusal> {
    if start < now { Err(AppointmentRefusal::InThePast { start }) } else { Ok(()) }
}

//! The availability query of a request: which resources, when, and for what.

use daybook_domain::appointment::AppointmentRefusal;
use daybook_domain::availability::{Candidates, Requirements};
use daybook_domain::rights::Limits;
use daybook_domain::service::{Roles, Service, ServiceTerms};
use daybook_domain::time::Duration;
use daybook_domain::{Directory, Refusal, ResourceId};
use daybook_store::engine::{AvailabilityQuery, Catalogue};

use super::request::{AvailabilityRequest, Show};
use crate::http::query::invalid;
use crate::http::{Problem, auth};

/// How many resources are looked at at once.
pub(crate) const MAX_RESOURCES: usize = 200;

/// How many bookings of them are.
pub(crate) const MAX_CLAIMS: usize = 25_000;

/// What is looked for.
///
/// # Errors
/// When there is no such service or resource, or it cannot be booked like this.
pub(super) fn of(
    asked: &AvailabilityRequest,
    catalogue: &Catalogue,
) -> Result<AvailabilityQuery<Requirements>, Problem> {
    let limits = &asked.limits;
    let terms = terms(asked, &catalogue.service)?;
    seen(limits, &asked.resource_ids)?;
    if let (Some(service_id), true) = (asked.service_id, terms.is_some_and(in_sessions)) {
        return Err(Refusal::from(AppointmentRefusal::SessionsOnly { service_id }).into());
    }
    let length = length(asked, terms)?;
    let directory = &catalogue.directory;
    let by_service = terms.map(|terms| &terms.needs).filter(|_| asked.roles.is_empty());
    let needs = by_service.unwrap_or(&asked.roles);
    let Candidates { resources, roles } = candidates(needs, &asked.resource_ids, directory)?;
    // What each of them is free for, or not, would be told.
    let tells_each = !matches!(asked.show, Show::Merged);
    if tells_each && !resources.iter().all(|id| limits.see_resource(*id)) {
        return Err(auth::limited());
    }
    let buffers = terms.map_or(asked.buffers, |terms| (terms.buffer_before, terms.buffer_after));
    let rules = terms.map(|terms| terms.rules.clone()).unwrap_or_default();
    let plan = Requirements { length, buffers, rules, roles };
    let during = plan.reach(asked.days.within);
    Ok(AvailabilityQuery { resources, during, max_claims: MAX_CLAIMS, purpose: plan })
}

/// That these resources are there, to whoever asks; if they are limited to some, these are named.
fn seen(limits: &Limits, named: &[ResourceId]) -> Result<(), Problem> {
    if limits.resource_ids.is_some() && named.is_empty() {
        let why = "your key is limited to some resources, so some of these must be given";
        return Err(invalid("resource_id", why));
    }
    match named.iter().find(|id| !limits.see_resource(**id)) {
        None => Ok(()),
        Some(id) => {
            let refusal = AppointmentRefusal::UnknownResource { resource_id: *id };
            Err(Refusal::from(refusal).into())
        }
    }
}

/// The resources that would do, few enough to be looked at.
fn candidates(
    needs: &Roles,
    named: &[ResourceId],
    directory: &Directory,
) -> Result<Candidates, Problem> {
    if needs.is_empty() && named.is_empty() {
        let why = "the service does not say which resources it needs, so they must be given";
        return Err(invalid("resource_id", why));
    }
    few_enough(named.len())?;
    let candidates = Candidates::new(needs, named, directory).map_err(Refusal::from)?;
    few_enough(candidates.resources.len())?;
    Ok(candidates)
}

fn few_enough(count: usize) -> Result<(), Problem> {
    if count <= MAX_RESOURCES {
        return Ok(());
    }
    let narrow =
        format!("{count} resources would do; at most {MAX_RESOURCES} are looked at: name some");
    Err(Problem::too_broad(narrow).with("resources", count))
}

const fn in_sessions(terms: &ServiceTerms) -> bool {
    terms.session_places.is_some()
}

/// The terms of the service, if one was asked for.
fn terms<'a>(
    asked: &AvailabilityRequest,
    service: &'a Service,
) -> Result<Option<&'a ServiceTerms>, Problem> {
    let Some(service_id) = asked.service_id else { return Ok(None) };
    let hidden = service.terms().is_some_and(|terms| !asked.limits.see_service(terms));
    let refusal = match service {
        _ if hidden => AppointmentRefusal::UnknownService { service_id },
        Service::Offered(terms) => return Ok(Some(terms)),
        Service::Retired(_) => AppointmentRefusal::RetiredService { service_id },
        Service::Undefined => AppointmentRefusal::UnknownService { service_id },
    };
    Err(Refusal::from(refusal).into())
}

/// For how long: one of the lengths that the service is offered for.
fn length(asked: &AvailabilityRequest, terms: Option<&ServiceTerms>) -> Result<Duration, Problem> {
    match (asked.duration, terms) {
        (None, None) => Err(invalid("duration_minutes", "without a service_id it must be given")),
        (Some(length), None) => Ok(length),
        (None, Some(terms)) => Ok(terms.duration),
        (Some(length), Some(terms)) => {
            match terms.rules.durations.broken_by(terms.duration, length) {
                None => Ok(length),
                Some(broken) => Err(Refusal::from(AppointmentRefusal::RuleBroken(broken)).into()),
            }
        }
    }
}

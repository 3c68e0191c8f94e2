//! The availability query of a request: which resources, when, and for what.

use daybook_domain::appointment::AppointmentRefusal;
use daybook_domain::availability::{Candidates, Requirements};
use daybook_domain::service::{Roles, Service, ServiceTerms};
use daybook_domain::time::Duration;
use daybook_domain::{Directory, Refusal, ResourceId};
use daybook_store::engine::{AvailabilityQuery, Catalogue};

use super::request::AvailabilityRequest;
use crate::http::Problem;
use crate::http::query::invalid;

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
    let terms = terms(asked, &catalogue.service)?;
    if let (Some(service_id), true) = (asked.service_id, terms.is_some_and(in_sessions)) {
        return Err(Refusal::from(AppointmentRefusal::SessionsOnly { service_id }).into());
    }
    let length = length(asked, terms)?;
    let directory = &catalogue.directory;
    let by_service = terms.map(|terms| &terms.needs).filter(|_| asked.roles.is_empty());
    let needs = by_service.unwrap_or(&asked.roles);
    let Candidates { resources, roles } = candidates(needs, &asked.resource_ids, directory)?;
    let buffers = terms.map_or(asked.buffers, |terms| (terms.buffer_before, terms.buffer_after));
    let rules = terms.map(|terms| terms.rules.clone()).unwrap_or_default();
    let plan = Requirements { length, buffers, rules, roles };
    let during = plan.reach(asked.days.within);
    Ok(AvailabilityQuery { resources, during, max_claims: MAX_CLAIMS, purpose: plan })
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
    let refusal = match service {
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

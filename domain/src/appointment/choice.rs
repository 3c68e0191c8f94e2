//! Whether a command leaves something to choose, and what has to be looked at then.

use super::decide::{Hold, To, asked, moving};
use super::joining::{Joining, queries_of_day};
use super::reassigning::queries_of_replacement;
use super::{Appointment, AppointmentCommand, Booking, CountedRule, Details, When};
use crate::claim::ClaimQuery;
use crate::resource::Resource;
use crate::{Facts, ResourceIds};

impl Appointment {
    /// Whether the service needs more resources than the command names.
    pub(super) fn leaves_resources_open(command: &AppointmentCommand, facts: &Facts) -> bool {
        use AppointmentCommand::{BookAppointment, HoldAppointment, RescheduleAppointment};
        let named = match command {
            BookAppointment(booking) | HoldAppointment { booking, .. } => match booking.when {
                When::From(_) | When::Lasting { .. } => {
                    booking.resource_ids.as_ref().map_or(0, ResourceIds::count)
                }
                When::InSession(_) | When::Imported(_) => return false,
            },
            RescheduleAppointment { resource_ids: Some(named), .. } => named.count(),
            _ => return false,
        };
        facts.service.terms().is_some_and(|terms| terms.needs.places().count() > named)
    }

    /// What the decision on a command has to look at. If it will be refused anyhow, nothing.
    pub(super) fn queries_for(
        &self,
        command: &AppointmentCommand,
        facts: &Facts,
    ) -> Vec<ClaimQuery> {
        use AppointmentCommand::{BookAppointment, HoldAppointment, RescheduleAppointment};
        if let (Self::Made { details, .. }, AppointmentCommand::ReassignAppointment { to, .. }) =
            (self, command)
        {
            return queries_of_replacement(details, *to, facts);
        }
        if let (Self::Made { details, .. }, AppointmentCommand::FollowSession { plan }) =
            (self, command)
        {
            return queries_of_day(details, plan);
        }
        // Most commands leave nothing open, and are not to be worked out twice.
        if !self.may_choose(command, facts) {
            return Vec::new();
        }
        let placing = match (self, command) {
            (Self::Unmade, BookAppointment(booking)) => {
                return queries_before(booking, None, facts);
            }
            (Self::Unmade, HoldAppointment { booking, expires_at, holds_per_client }) => {
                let hold = Hold { expires_at: *expires_at, holds_per_client: *holds_per_client };
                return queries_before(booking, Some(hold), facts);
            }
            (
                Self::Made { details, .. },
                RescheduleAppointment { start, resource_ids, overriding, .. },
            ) => {
                let to = To { start: *start, resource_ids: resource_ids.as_ref(), overriding };
                moving(details, to, None, facts).map(|(_, placing)| placing)
            }
            _ => return Vec::new(),
        };
        placing.map(|placing| placing.claim_queries()).unwrap_or_default()
    }

    fn may_choose(&self, command: &AppointmentCommand, facts: &Facts) -> bool {
        use AppointmentCommand::{BookAppointment, HoldAppointment, RescheduleAppointment};
        let counts = match (self, command) {
            (Self::Unmade, BookAppointment(booking)) => {
                let terms = facts.service.terms();
                let limited = terms.is_some_and(|terms| terms.limit_per_client_per_day.is_some());
                limited || matches!(booking.when, When::InSession(_))
            }
            (Self::Unmade, HoldAppointment { .. }) => true,
            (Self::Made { details, .. }, RescheduleAppointment { .. }) => counts_for_a_day(details),
            _ => return false,
        };
        let places = facts.resources.iter().any(|(_, resource)| has_places(resource));
        counts || places || Self::leaves_resources_open(command, facts)
    }
}

fn queries_before(booking: &Booking, hold: Option<Hold>, facts: &Facts) -> Vec<ClaimQuery> {
    let queries = match booking.when {
        When::InSession(session_id) => {
            Joining::new(booking, session_id, hold, facts).map(|joining| joining.claim_queries())
        }
        _ => asked(booking, hold, facts).map(|asked| asked.placing.claim_queries()),
    };
    queries.unwrap_or_default()
}

fn counts_for_a_day(details: &Details) -> bool {
    details.slot.counted.iter().any(|counted| counted.rule == CountedRule::ClientDay)
}

fn has_places(resource: &Resource) -> bool {
    matches!(resource, Resource::Active(profile) if !profile.capacity.is_one())
}

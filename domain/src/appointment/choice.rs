//! What a decision has to see: other aggregates, and the claims where there is something to choose.

use super::booking::Draft;
use super::following;
use super::hold::Hold;
use super::joining::{Joining, queries_of_day};
use super::reassigning::queries_of_replacement;
use super::rescheduling::{To, draft};
use super::{
    Appointment, AppointmentCommand, Booking, Copied, Description, Details, NewResources, Takes,
    When,
};
use crate::claim::ClaimQuery;
use crate::patch::Change;
use crate::resource::Resource;
use crate::{Facts, Needs, QuotaRule, ResourceIds};

impl Appointment {
    /// The other aggregates that the decision on a command sees.
    pub(super) fn needs_for(&self, command: &AppointmentCommand) -> Needs {
        use AppointmentCommand::{
            AcceptConflict, BookAppointment, DescribeAppointment, FollowCalendar, HoldAppointment,
            ReassignAppointment, RescheduleAppointment,
        };
        match command {
            BookAppointment(booking) | HoldAppointment { booking, .. } => Needs {
                service: Some(booking.service_id),
                resources: booking.resource_ids.clone().map(Into::into).unwrap_or_default(),
                client: Some(booking.client_id),
                session: match booking.when {
                    When::InSession(session_id) => Some(session_id),
                    _ => None,
                },
                ..Needs::default()
            },
            RescheduleAppointment { resource_ids, .. } => {
                let named = resource_ids.as_ref().map(NewResources::named);
                self.needs_on(named.unwrap_or_else(|| self.its_resources()))
            }
            FollowCalendar { resource_ids, .. } => {
                self.needs_on(resource_ids.as_ref().or_else(|| self.its_resources()))
            }
            // Then it takes place where its service does.
            DescribeAppointment(Description { location: Change::Remove, .. }) => Needs {
                service: self.details().map(|details| details.service_id),
                ..Needs::default()
            },
            ReassignAppointment { from, to, .. } => {
                let replaced = |id| if id == *from { *to } else { id };
                let ids =
                    |details: &Details| details.slot.resource_ids.iter().map(replaced).collect();
                Needs {
                    service: self.details().map(|details| details.service_id),
                    resources: self.details().map(ids).unwrap_or_default(),
                    ..Needs::default()
                }
            }
            AcceptConflict { .. } => {
                let resources = self.details().map(|details| details.slot.resource_ids.clone());
                Needs {
                    resources: resources.map(Into::into).unwrap_or_default(),
                    ..Needs::default()
                }
            }
            // A place is confirmed where its session is.
            AppointmentCommand::ConfirmAppointment => Needs {
                session: self.details().and_then(|details| details.slot.session_id),
                ..Needs::default()
            },
            _ => Needs::default(),
        }
    }

    fn its_resources(&self) -> Option<&ResourceIds> {
        self.slot().map(|slot| &slot.resource_ids)
    }

    /// What a decision sees that puts it on these resources.
    fn needs_on(&self, resources: Option<&ResourceIds>) -> Needs {
        Needs {
            service: self.details().map(|details| details.service_id),
            resources: resources.cloned().map(Into::into).unwrap_or_default(),
            ..Needs::default()
        }
    }

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
            RescheduleAppointment { resource_ids: Some(new), .. } => {
                new.named().map_or(0, ResourceIds::count)
            }
            _ => return false,
        };
        facts.service.terms().is_some_and(|terms| terms.needs.places().count() > named)
    }

    /// The claims that the decision on a command has to see. If it will be refused anyhow, none.
    pub(super) fn queries_for(
        &self,
        command: &AppointmentCommand,
        facts: &Facts,
    ) -> Vec<ClaimQuery> {
        use AppointmentCommand::{
            BookAppointment, FollowCalendar, HoldAppointment, RescheduleAppointment,
        };
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
        let allocation = match (self, command) {
            (Self::Unmade, BookAppointment(booking)) => {
                return queries_before(booking, None, facts);
            }
            (Self::Unmade, HoldAppointment { booking, expires_at, holds_per_client }) => {
                let hold = Hold::until(*expires_at, *holds_per_client);
                return queries_before(booking, Some(hold), facts);
            }
            (
                Self::Made { details, .. },
                RescheduleAppointment { start, resource_ids, overriding, .. },
            ) => {
                let to = To { start: *start, resource_ids: resource_ids.as_ref(), overriding };
                draft(details, to, None, facts).map(|(_, allocation)| allocation)
            }
            (Self::Made { details, .. }, FollowCalendar { copied, overriding, .. }) => {
                following::draft(details, *copied, overriding.as_ref(), facts)
            }
            _ => return Vec::new(),
        };
        allocation.map(|allocation| allocation.claim_queries()).unwrap_or_default()
    }

    fn may_choose(&self, command: &AppointmentCommand, facts: &Facts) -> bool {
        use AppointmentCommand::{
            BookAppointment, FollowCalendar, HoldAppointment, RescheduleAppointment,
        };
        let counts = match (self, command) {
            (Self::Unmade, BookAppointment(booking)) => {
                let terms = facts.service.terms();
                let limited = terms.is_some_and(|terms| terms.limit_per_client_per_day.is_some());
                let more = |copied: &Copied| copied.takes == Takes::PlaceOrMore;
                limited
                    || matches!(booking.when, When::InSession(_))
                    || matches!(&booking.when, When::Imported(copied) if more(copied))
            }
            (Self::Unmade, HoldAppointment { .. }) => true,
            (Self::Made { details, .. }, RescheduleAppointment { .. }) => counts_for_a_day(details),
            (Self::Made { .. }, FollowCalendar { copied, .. }) => {
                copied.takes == Takes::PlaceOrMore
            }
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
        _ => Draft::new(booking, hold, facts).map(|draft| draft.allocation.claim_queries()),
    };
    queries.unwrap_or_default()
}

fn counts_for_a_day(details: &Details) -> bool {
    details.slot.quota_slots.iter().any(|slot| slot.rule == QuotaRule::ClientDay)
}

fn has_places(resource: &Resource) -> bool {
    matches!(resource, Resource::Active(profile) if !profile.capacity.is_one())
}

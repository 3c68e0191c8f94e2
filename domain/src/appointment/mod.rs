//! An appointment: a client, a service, resources and a time.

mod agreed;
pub(crate) mod checks;
mod choice;
mod command;
mod conflict;
#[cfg(test)]
mod conflict_tests;
mod decide;
mod event;
mod joining;
pub(crate) mod overriding;
pub(crate) mod placing;
#[cfg(test)]
mod properties;
mod reassigning;
mod refusal;
#[cfg(test)]
mod rule_tests;
mod state;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;

pub use agreed::Agreed;
pub use command::{AppointmentCommand, Booking, When};
pub use conflict::{Conflict, ConflictReason, Excused, UnknownConflictReason};
pub use event::{
    AppointmentCancelled, AppointmentCheckedIn, AppointmentCompleted, AppointmentConfirmed,
    AppointmentConflictAccepted, AppointmentEvent, AppointmentHeld, AppointmentHoldExpired,
    AppointmentMarkedNoShow, AppointmentReassigned, AppointmentRescheduled, AppointmentTagged,
    CancelledBy, Counted, CountedRule, Details, MovedBy, Seats, Slot,
};
pub use overriding::Overridden;
pub use refusal::{AppointmentRefusal, Wanted};
pub use state::{Appointment, Cancellation, State, Status, UnknownStatus};

use crate::claim::ClaimQuery;
use crate::{Decide, Facts, Needs};

impl Aggregate for Appointment {
    const TYPE: &'static str = "appointment";
    type Command = AppointmentCommand;
    type Event = AppointmentEvent;
    type Error = AppointmentRefusal;
    type Services = Facts;

    async fn handle(
        &mut self,
        command: AppointmentCommand,
        facts: &Facts,
        sink: &EventSink<Self>,
    ) -> Result<(), AppointmentRefusal> {
        let event = self.decide(command, facts)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: AppointmentEvent) {
        self.evolve(event);
    }
}

impl Decide for Appointment {
    fn needs(&self, command: &AppointmentCommand) -> Needs {
        use AppointmentCommand::{
            AcceptConflict, BookAppointment, HoldAppointment, ReassignAppointment,
            RescheduleAppointment,
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
            },
            RescheduleAppointment { resource_ids, .. } => {
                let details = self.details();
                let current = details.map(|details| &details.slot.resource_ids);
                let resources = resource_ids.as_ref().or(current).cloned();
                Needs {
                    service: details.map(|details| details.service_id),
                    resources: resources.map(Into::into).unwrap_or_default(),
                    ..Needs::default()
                }
            }
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

    fn chooses(&self, command: &AppointmentCommand, facts: &Facts) -> bool {
        Self::leaves_resources_open(command, facts)
    }

    fn claim_queries(&self, command: &AppointmentCommand, facts: &Facts) -> Vec<ClaimQuery> {
        self.queries_for(command, facts)
    }

    /// A confirmation takes nothing that the hold did not have: if that is lost, the hold has lapsed
    /// meanwhile, and the decision says so.
    fn conflict_is_final(&self, command: &AppointmentCommand, queries: &[ClaimQuery]) -> bool {
        queries.is_empty() && !matches!(command, AppointmentCommand::ConfirmAppointment)
    }
}

//! An appointment: a client, a service, resources and a time.

mod accepting;
mod agreed;
pub(crate) mod allocation;
mod booking;
mod cancelling;
pub(crate) mod checks;
mod choice;
mod command;
mod confirming;
mod conflict;
#[cfg(test)]
mod conflict_tests;
mod decide;
mod event;
mod following;
#[cfg(test)]
mod following_tests;
mod hold;
mod joining;
pub(crate) mod overriding;
#[cfg(test)]
mod properties;
mod reassigning;
mod refusal;
mod rescheduling;
#[cfg(test)]
mod rule_tests;
mod state;
#[cfg(test)]
mod tests;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;

pub use agreed::Agreed;
pub use command::{
    AppointmentCommand, AppointmentPatch, Booking, Copied, Description, NewResources, Takes, When,
};
pub use conflict::{Conflict, ConflictReason, Excused, UnknownConflictReason};
pub use event::{
    AppointmentCancelled, AppointmentCheckedIn, AppointmentCompleted, AppointmentConfirmed,
    AppointmentConflictAccepted, AppointmentDescribed, AppointmentEvent, AppointmentHeld,
    AppointmentHoldExpired, AppointmentMarkedNoShow, AppointmentReassigned, AppointmentRescheduled,
    AppointmentTagged, CancelledBy, Details, MovedBy, Seats, Slot,
};
pub use overriding::Overridden;
pub use refusal::{AppointmentRefusal, Wanted};
pub use state::{Appointment, AppointmentState, Cancellation, Status, UnknownStatus};

use crate::Facts;
use crate::facts::outcome;

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
        if let Some(event) = outcome(self, command, facts)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: AppointmentEvent) {
        self.evolve(event);
    }
}

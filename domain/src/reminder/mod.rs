//! Reminders: a ledger of what was sent to a client about one start of an appointment, by one rule.
//!
//! * `command`, `decide`, `event`, `state`, `refusal`: what becomes of one.
//!
//! A reminder that is planned is nobody's event: it follows from the appointment and the rules of its service, so that a move or
//! another rule costs nothing. One that whoever follows the log is to send is told to be due, and no more becomes of it here; one
//! that is sent is begun before anything is sent, and that rests on the appointment, its client and its
//! service as they are then.

mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;

pub use command::{Begin, ReminderCommand};
pub use event::{
    Occasion, ReminderAsked, ReminderBegun, ReminderBegunAgain, ReminderDue, ReminderDueAgain,
    ReminderEvent, ReminderGivenUp, ReminderResendAsked, ReminderSkipped, Why,
};
pub use refusal::ReminderRefusal;
pub use state::{Ledger, Reminder};

use crate::{Decide as _, Facts};

impl Aggregate for Reminder {
    const TYPE: &'static str = "reminder";
    type Command = ReminderCommand;
    type Event = ReminderEvent;
    type Error = ReminderRefusal;
    type Services = Facts;

    async fn handle(
        &mut self,
        command: ReminderCommand,
        facts: &Facts,
        sink: &EventSink<Self>,
    ) -> Result<(), ReminderRefusal> {
        let event = self.decide(command, facts)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: ReminderEvent) {
        self.evolve(event);
    }
}

//! A session: one start of a service that several clients share, a class for instance.
//!
//! The session has the resources. Each client has an appointment of their own in it, and on that a
//! numbered place of the session, which is claimed as a place of a resource is: of many who want the
//! last one, one gets it.

mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;

pub use command::{Scheduling, SessionCommand};
pub use event::{
    ClosedPlaces, SessionCancelled, SessionEvent, SessionRescheduled, SessionScheduled,
};
pub use refusal::SessionRefusal;
pub use state::{Session, SessionStatus, UnknownSessionStatus};

use crate::{Decide as _, Facts, Refusal};

impl Aggregate for Session {
    const TYPE: &'static str = "session";
    type Command = SessionCommand;
    type Event = SessionEvent;
    type Error = Refusal;
    type Services = Facts;

    async fn handle(
        &mut self,
        command: SessionCommand,
        facts: &Facts,
        sink: &EventSink<Self>,
    ) -> Result<(), Refusal> {
        let event = self.decide(command, facts)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: SessionEvent) {
        self.evolve(event);
    }
}

//! A person who books. Everything personal about them is [`Personal`](crate::Personal).

mod decide;
mod event;
mod reminding;
mod state;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;

pub use decide::{ClientCommand, ClientRefusal, Upcoming};
pub use event::{
    ClientContactChanged, ClientErased, ClientErasureRequested, ClientEvent, ClientLegalHoldPlaced,
    ClientLegalHoldReleased, ClientRegistered, ClientRestricted, ClientRestrictionLifted, Contact,
    ContactPatch, ErasureReason, LegalHoldReason, RestrictionReason,
};
pub use reminding::Reminding;
pub use state::{Client, ClientRecord};

use crate::Facts;
use crate::facts::outcome;

impl Aggregate for Client {
    const TYPE: &'static str = "client";
    type Command = ClientCommand;
    type Event = ClientEvent;
    type Error = ClientRefusal;
    type Services = Facts;

    async fn handle(
        &mut self,
        command: ClientCommand,
        facts: &Facts,
        sink: &EventSink<Self>,
    ) -> Result<(), ClientRefusal> {
        if let Some(event) = outcome(self, command, facts)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: ClientEvent) {
        self.evolve(event);
    }
}

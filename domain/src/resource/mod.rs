//! Who or what provides a service.

mod capacity;
mod decide;
mod event;
mod state;
#[cfg(test)]
mod tests;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;

pub use capacity::{Capacity, CapacityError};
pub use decide::{ResourceCommand, ResourceDescription, ResourceRefusal};
pub use event::{
    ResourceCapacityChanged, ResourceDescribed, ResourceEvent, ResourceExceptionAdded,
    ResourceExceptionRemoved, ResourceHolidaysChanged, ResourceHoursChanged, ResourceKind,
    ResourcePatch, ResourceProfile, ResourceRegistered, ResourceRetired,
};
pub use state::Resource;

use crate::Facts;
use crate::facts::outcome;

impl Aggregate for Resource {
    const TYPE: &'static str = "resource";
    type Command = ResourceCommand;
    type Event = ResourceEvent;
    type Error = ResourceRefusal;
    type Services = Facts;

    async fn handle(
        &mut self,
        command: ResourceCommand,
        facts: &Facts,
        sink: &EventSink<Self>,
    ) -> Result<(), ResourceRefusal> {
        if let Some(event) = outcome(self, command, facts)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: ResourceEvent) {
        self.evolve(event);
    }
}

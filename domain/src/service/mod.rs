//! What can be booked.

mod decide;
mod event;
mod limit;
mod needs;
mod price;
mod reminders;
pub mod rules;
mod state;
mod terms;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;

pub use decide::{ServiceCommand, ServiceRefusal};
pub use event::{ServiceDefined, ServiceEvent, ServiceRetired, ServiceRevised};
pub use limit::{ClientEntryLimit, DailyLimit, EntryLimit, HoldLimit, LimitError, SessionPlaces};
pub use needs::{Choose, NeedsError, Role, Roles};
pub use price::{Currency, MinorUnits, Price, PriceError, PricePatch};
pub use reminders::{
    Channel, Lead, ReminderRule, ReminderRules, RemindersError, UnknownChannel, UnknownRule,
};
pub use state::Service;
pub use terms::{ServiceTerms, TermsPatch};

use crate::Facts;
use crate::facts::outcome;

impl Aggregate for Service {
    const TYPE: &'static str = "service";
    type Command = ServiceCommand;
    type Event = ServiceEvent;
    type Error = ServiceRefusal;
    type Services = Facts;

    async fn handle(
        &mut self,
        command: ServiceCommand,
        facts: &Facts,
        sink: &EventSink<Self>,
    ) -> Result<(), ServiceRefusal> {
        if let Some(event) = outcome(self, command, facts)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: ServiceEvent) {
        self.evolve(event);
    }
}

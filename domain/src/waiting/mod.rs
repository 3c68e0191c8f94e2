//! The waiting list: an entry is a client who waits for an opening that fits their wishes.
//!
//! * `wishes`: what the client waits for; `opening`: the starts that fit it.
//! * `limits`: how many entries can be open.
//! * `freed`: what has become available, and for whom.
//! * `command`, `decide`, `event`, `state`, `refusal`: what becomes of an entry.
//!
//! The place that is offered is an ordinary hold. Whether it is confirmed, released or lapses is the
//! appointment's to say; the entry takes note of it ([`EntryState::seen`]).

mod command;
mod decide;
mod event;
mod freed;
mod limits;
mod opening;
mod refusal;
mod state;
#[cfg(test)]
mod tests;
mod wishes;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;

pub use command::WaitingCommand;
pub use event::{
    WaitingEvent, WaitingListJoined, WaitingListLeft, WaitingOfferLapsed, WaitingPlaceOffered,
    WaitingPlaceTaken, WaitingWishesPassed,
};
pub use freed::{Freed, Look};
pub use limits::EntryLimits;
pub use opening::{Opening, OpeningSearch};
pub use refusal::WaitingRefusal;
pub use state::{EntryState, Joined, Offer, Status, UnknownStatus, WaitingEntry};
pub use wishes::{WishedDays, Wishes, WishesError};

use crate::{Decide as _, Facts, Refusal};

impl Aggregate for WaitingEntry {
    const TYPE: &'static str = "waiting";
    type Command = WaitingCommand;
    type Event = WaitingEvent;
    // Joining is refused for the same reasons as booking.
    type Error = Refusal;
    type Services = Facts;

    async fn handle(
        &mut self,
        command: WaitingCommand,
        facts: &Facts,
        sink: &EventSink<Self>,
    ) -> Result<(), Refusal> {
        let event = self.decide(command, facts)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: WaitingEvent) {
        self.evolve(event);
    }
}

//! Notices: a ledger of what a client was told of an appointment: that it is booked, has changed, is cancelled, or is offered to
//! them.
//!
//! * `told`: what can be told of an appointment, and what is to be told next.
//! * `command`, `decide`, `event`, `state`, `refusal`: what becomes of it.
//! * `setting`: whether a tenant's clients are told.
//!
//! What is to be told is nobody's event: it follows from what the client was told last and what the appointment is at
//! present, so that two moves before the mail are one mail. An appointment says itself whether its client is told of it, as
//! the tenant had chosen when it was made: nobody is told of what was there before.

mod command;
mod decide;
mod event;
mod refusal;
mod setting;
mod state;
#[cfg(test)]
mod tests;
mod told;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;

pub use command::{Begin, NoticeCommand};
pub use event::{
    NoticeBegun, NoticeBegunAgain, NoticeEvent, NoticeGivenUp, NoticeSkipped, Subject, Why,
};
pub use refusal::NoticeRefusal;
pub use setting::{Notices, UnknownNotices};
pub use state::{Ledger, Notice};
pub use told::{Standing, Told, What, due};

use crate::{Decide as _, Facts};

impl Aggregate for Notice {
    const TYPE: &'static str = "notice";
    type Command = NoticeCommand;
    type Event = NoticeEvent;
    type Error = NoticeRefusal;
    type Services = Facts;

    async fn handle(
        &mut self,
        command: NoticeCommand,
        facts: &Facts,
        sink: &EventSink<Self>,
    ) -> Result<(), NoticeRefusal> {
        let event = self.decide(command, facts)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: NoticeEvent) {
        self.evolve(event);
    }
}

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

use crate::claim::ClaimQuery;
use crate::{Decide, Facts, Needs, Refusal};

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

impl Decide for Session {
    fn needs(&self, command: &SessionCommand) -> Needs {
        match (self, command) {
            (_, SessionCommand::ScheduleSession { scheduling, .. }) => Needs {
                service: Some(scheduling.service_id),
                resources: scheduling.resource_ids.clone().map(Into::into).unwrap_or_default(),
                ..Needs::default()
            },
            (Self::Made { plan, .. }, SessionCommand::RescheduleSession { resource_ids, .. }) => {
                let resources = resource_ids.as_ref().unwrap_or(&plan.slot.resource_ids).clone();
                Needs {
                    service: Some(plan.service_id),
                    resources: resources.into(),
                    ..Needs::default()
                }
            }
            _ => Needs::default(),
        }
    }

    fn chooses(&self, command: &SessionCommand, facts: &Facts) -> bool {
        let named = match command {
            SessionCommand::ScheduleSession { scheduling, .. } => &scheduling.resource_ids,
            SessionCommand::RescheduleSession { resource_ids: named @ Some(_), .. } => named,
            _ => return false,
        };
        let named = named.as_ref().map_or(0, crate::ResourceIds::count);
        facts.service.terms().is_some_and(|terms| terms.needs.places().count() > named)
    }

    fn claim_queries(&self, command: &SessionCommand, facts: &Facts) -> Vec<ClaimQuery> {
        self.queries_for(command, facts)
    }
}

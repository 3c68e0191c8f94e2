//! A series: appointments that were booked together by a rule of recurrence.

mod decide;
mod event;
mod occurrence;
mod recurrence;
mod recurrence_id;
#[cfg(test)]
mod recurrence_properties;
#[cfg(test)]
mod recurrence_tests;
mod refusal;
mod rule;
mod rule_value;
mod state;
#[cfg(test)]
mod tests;
mod which;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;

pub use decide::{SeriesCancel, SeriesCommand, SeriesMove};
pub use event::{SeriesBooked, SeriesCancelled, SeriesEvent, SeriesRescheduled};
pub use occurrence::{
    LeftBecause, LeftOccurrence, MovedOccurrence, Occurrence, RefusedOccurrence, Verdict, Verdicts,
};
pub use recurrence::{Exdate, Exdates, Recurrence, TooManyExdates};
pub use recurrence_id::{InSeries, RecurrenceId};
pub use refusal::SeriesRefusal;
pub use rule::RuleError;
pub use state::{Series, SeriesChange};
pub use which::{Destination, InvalidShift, Mode, PlannedMove, Shift, ShiftDays, Which};

use crate::{Decide as _, Facts};

/// The most occurrences of a series: a leap year of days.
pub const MAX_OCCURRENCES: usize = 366;

impl Aggregate for Series {
    const TYPE: &'static str = "series";
    type Command = SeriesCommand;
    type Event = SeriesEvent;
    type Error = SeriesRefusal;
    type Services = Facts;

    async fn handle(
        &mut self,
        command: SeriesCommand,
        facts: &Facts,
        sink: &EventSink<Self>,
    ) -> Result<(), SeriesRefusal> {
        let event = self.decide(command, facts)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: SeriesEvent) {
        self.evolve(event);
    }
}

//! What changes an appointment: each event with what the appointment was before it and after it.
//!
//! The states are the domain's own, made by [`Appointment::evolve`]; read models are functions of them. An
//! appointment's stream is short, so the events that came before a batch are read from the log with one
//! statement, and folded again: what follows a log and what is made of whole streams is the same function.
//!
//! ```text
//! let earlier = change::earlier(tables, tenant, events).await?;
//! let changes = AppointmentChanges::of(&earlier, events)?;
//! ```

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate as _;
use daybook_domain::appointment::{Appointment, AppointmentEvent, AppointmentState, Details};
use daybook_domain::{AppointmentId, TenantId};
use daybook_store::log::stream_events;
use daybook_store::{AnyEvent, Position, RecordedEvent};
use uuid::Uuid;

use crate::{ApplyError, Tables};

/// An event of an appointment, and what it changes.
#[derive(Debug, Clone)]
pub(crate) struct AppointmentChange<'e> {
    pub(crate) id: AppointmentId,
    /// Not made yet, where it is made by the event.
    pub(crate) before: Arc<Appointment>,
    pub(crate) after: Arc<Appointment>,
    pub(crate) event: &'e AppointmentEvent,
    /// Where the event is in the log.
    pub(crate) position: Position,
    /// Its number in the appointment's stream, from 1.
    pub(crate) sequence: u64,
    pub(crate) recorded_at: DateTime<Utc>,
    /// When the first event of the stream was recorded.
    pub(crate) created_at: DateTime<Utc>,
}

impl AppointmentChange<'_> {
    /// All about it after the event, and what became of it.
    ///
    /// # Errors
    /// When it was never made.
    pub(crate) fn made(&self) -> Result<(&Details, &AppointmentState), ApplyError> {
        match &*self.after {
            Appointment::Made { details, state, .. } => Ok((details, state)),
            Appointment::Unmade => {
                let reason = format!("appointment {} was neither held nor booked before", self.id);
                Err(ApplyError::Event { position: self.position, reason })
            }
        }
    }
}

/// What happened to one appointment.
#[derive(Debug, Default)]
pub(crate) struct AppointmentStream<'e> {
    /// All that came before the batch.
    pub(crate) earlier: Vec<AppointmentChange<'e>>,
    /// What the batch changes.
    pub(crate) new: Vec<AppointmentChange<'e>>,
}

/// What a batch changes of appointments.
#[derive(Debug, Default)]
pub(crate) struct AppointmentChanges<'e> {
    streams: Vec<AppointmentStream<'e>>,
}

impl<'e> AppointmentChanges<'e> {
    /// Of the events of a batch, after those that came before it.
    ///
    /// # Errors
    /// When something happens to an appointment that was never made.
    pub(crate) fn of(
        earlier: &'e [RecordedEvent],
        batch: &'e [RecordedEvent],
    ) -> Result<Self, ApplyError> {
        let mut changes = Self::default();
        let mut numbers: HashMap<AppointmentId, usize> = HashMap::new();
        let all = earlier.iter().map(|it| (it, false)).chain(batch.iter().map(|it| (it, true)));
        for (recorded, is_new) in all {
            let AnyEvent::Appointment(id, event) = &recorded.event else { continue };
            let n = *numbers.entry(*id).or_insert(changes.streams.len());
            if n == changes.streams.len() {
                changes.streams.push(AppointmentStream::default());
            }
            let AppointmentStream { earlier, new } = &mut changes.streams[n];
            let last = new.last().or(earlier.last());
            let created_at = last.map_or(recorded.recorded_at, |last| last.created_at);
            let before = last.map(|last| Arc::clone(&last.after)).unwrap_or_default();
            let mut after = Appointment::clone(&before);
            after.evolve(event.clone());
            let change = AppointmentChange {
                id: *id,
                before,
                after: Arc::new(after),
                event,
                position: recorded.position,
                sequence: recorded.sequence,
                recorded_at: recorded.recorded_at,
                created_at,
            };
            change.made()?;
            if is_new { new.push(change) } else { earlier.push(change) }
        }
        Ok(changes)
    }

    /// Appointment by appointment, in the order in which the batch comes to them.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &AppointmentStream<'e>> {
        self.streams.iter()
    }
}

/// The events, up to a batch, of the appointments that it touches and does not make.
pub(crate) async fn earlier(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    batch: &[RecordedEvent],
) -> Result<Vec<RecordedEvent>, ApplyError> {
    let id = |event: &AnyEvent| match event {
        AnyEvent::Appointment(id, _) => Some(id.uuid()),
        _ => None,
    };
    earlier_of(Appointment::TYPE, id, tables, tenant, batch).await
}

/// The events, up to a batch, of the aggregates of a type that it touches and does not make: stream by stream,
/// and each stream whole. Served by the primary key of the log's `events`.
pub(crate) async fn earlier_of(
    aggregate_type: &'static str,
    id: fn(&AnyEvent) -> Option<Uuid>,
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    batch: &[RecordedEvent],
) -> Result<Vec<RecordedEvent>, ApplyError> {
    let Some(first) = batch.first() else { return Ok(Vec::new()) };
    let mut seen = HashSet::new();
    let touched = batch.iter().filter_map(|it| Some((id(&it.event)?, it.sequence)));
    let not_made_here = touched.filter(|(id, sequence)| seen.insert(*id) && *sequence > 1);
    let ids: Vec<Uuid> = not_made_here.map(|(id, _)| id).collect();
    let before = first.position;
    let events = stream_events(tables.connection(), tenant, aggregate_type, &ids, before).await?;
    let events = events.into_iter().collect::<Result<Vec<_>, _>>();
    events.map_err(|unreadable| {
        // Which of the streams it is in is not known: the first event that needs any of them cannot be applied.
        let needs = |it: &&RecordedEvent| id(&it.event).is_some_and(|id| ids.contains(&id));
        let position = batch.iter().find(needs).map_or(before, |it| it.position);
        ApplyError::Event { position, reason: unreadable.to_string() }
    })
}

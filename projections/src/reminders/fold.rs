//! What the events of a batch make of the rows, without a database.

use std::collections::{BTreeMap, HashMap};

use daybook_domain::appointment::{Appointment, Status};
use daybook_domain::reminder::Reminder;
use daybook_domain::resource::ResourceEvent;
use daybook_domain::service::ServiceEvent;
use daybook_domain::{AppointmentId, ReminderId, ServiceId};
use daybook_store::{AnyEvent, RecordedEvent};

use super::row::{Booked, Clocks, ReminderRow, ServiceRules};
use crate::ApplyError;
use crate::change::{AppointmentChange, AppointmentChanges, AppointmentStream};

/// The appointments that a batch touches; `None`: nobody is to be reminded of it (any longer).
pub(super) type Touched = BTreeMap<AppointmentId, Option<Booked>>;

pub(super) fn touched(changes: &AppointmentChanges<'_>) -> Touched {
    let touched = changes.streams().filter_map(|stream| {
        let last = stream.new.last()?;
        Some((last.id, booked(stream, last)))
    });
    touched.collect()
}

fn booked(stream: &AppointmentStream<'_>, last: &AppointmentChange<'_>) -> Option<Booked> {
    let start = start_of(&last.after)?;
    let details = last.after.details()?;
    // Moved away and back, it is agreed anew.
    let agrees = |change: &&AppointmentChange<'_>| {
        start_of(&change.after) == Some(start) && start_of(&change.before) != Some(start)
    };
    let agreement = stream.new.iter().rev().chain(stream.earlier.iter().rev()).find(agrees)?;
    Some(Booked {
        appointment_id: last.id,
        service_id: details.service_id,
        client_id: details.client_id,
        resource_id: details.slot.resource_ids.iter().next()?,
        start,
        agreed_at: agreement.recorded_at,
    })
}

/// When it starts, if clients are reminded of such a thing: another calendar's appointments are another's to remind of.
fn start_of(appointment: &Appointment) -> Option<chrono::DateTime<chrono::Utc>> {
    let is_booked = appointment.status() == Some(Status::Booked);
    let details = appointment.details().filter(|details| is_booked && !details.imported);
    details.map(|details| details.slot.during.start())
}

/// The services that a batch touches, which are asked for.
pub(super) fn services(events: &[RecordedEvent]) -> Vec<ServiceId> {
    let id = |recorded: &RecordedEvent| match recorded.event {
        AnyEvent::Service(id, _) => Some(id),
        _ => None,
    };
    events.iter().filter_map(id).collect()
}

/// The rules of these services after the batch.
pub(super) fn revise(known: &mut HashMap<ServiceId, ServiceRules>, events: &[RecordedEvent]) {
    for recorded in events {
        let AnyEvent::Service(id, event) = &recorded.event else { continue };
        let terms = match event {
            ServiceEvent::ServiceDefined(defined) => &defined.terms,
            ServiceEvent::ServiceRevised(revised) => &revised.terms,
            // What is booked stands.
            ServiceEvent::ServiceRetired(_) => continue,
        };
        let rules = known.entry(*id);
        let rules = rules.or_insert_with(|| ServiceRules { service_id: *id, rules: Vec::new() });
        rules.revise(&terms.reminders, recorded.recorded_at);
    }
}

/// The clocks of resources that are registered.
pub(super) fn clocks(events: &[RecordedEvent]) -> Vec<Clocks> {
    let clocks = |recorded: &RecordedEvent| match &recorded.event {
        AnyEvent::Resource(id, ResourceEvent::ResourceRegistered(registered)) => {
            Some(Clocks { resource_id: *id, time_zone: registered.profile.time_zone })
        }
        _ => None,
    };
    events.iter().filter_map(clocks).collect()
}

/// What has become of the reminders that a batch is about.
pub(super) fn ledgers(
    earlier: &[RecordedEvent],
    batch: &[RecordedEvent],
) -> Result<Vec<ReminderRow>, ApplyError> {
    let mut states: BTreeMap<ReminderId, (Reminder, Option<&RecordedEvent>)> = BTreeMap::new();
    for (recorded, is_new) in
        earlier.iter().map(|it| (it, false)).chain(batch.iter().map(|it| (it, true)))
    {
        let AnyEvent::Reminder(id, event) = &recorded.event else { continue };
        let (state, last) = states.entry(*id).or_default();
        state.evolve(event.clone());
        *last = Some(recorded).filter(|_| is_new);
    }
    let rows = states.into_iter().filter_map(|(id, (state, last))| {
        let last = last?;
        let row = state.ledger().map(|ledger| ReminderRow::known(id, ledger, last));
        Some(row.ok_or_else(|| {
            let reason = format!("reminder {id} was never begun");
            ApplyError::Event { position: last.position, reason }
        }))
    });
    rows.collect()
}

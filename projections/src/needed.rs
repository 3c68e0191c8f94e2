//! Which appointments and sessions a batch is about.

use std::collections::HashSet;

use daybook_domain::appointment::AppointmentEvent;
use daybook_domain::session::SessionEvent;
use daybook_domain::{AppointmentId, SessionId};
use daybook_store::{AnyEvent, RecordedEvent};

/// The appointments whose rows must be known before the events are folded: all that are touched
/// but not made by them.
pub(crate) fn appointments(events: &[RecordedEvent]) -> Vec<AppointmentId> {
    let mut seen = HashSet::new();
    let mut needed = Vec::new();
    for event in events {
        if let AnyEvent::Appointment(id, event) = &event.event
            && seen.insert(*id)
            && !makes(event)
        {
            needed.push(*id);
        }
    }
    needed
}

/// Whether an appointment begins with it.
pub(crate) const fn makes(event: &AppointmentEvent) -> bool {
    matches!(event, AppointmentEvent::AppointmentBooked(_) | AppointmentEvent::AppointmentHeld(_))
}

/// The same of sessions.
pub(crate) fn sessions(events: &[RecordedEvent]) -> Vec<SessionId> {
    let touched = events.iter().filter_map(|recorded| match &recorded.event {
        AnyEvent::Session(_, SessionEvent::SessionScheduled(_)) => None,
        AnyEvent::Session(id, _) => Some(*id),
        _ => None,
    });
    touched.collect()
}

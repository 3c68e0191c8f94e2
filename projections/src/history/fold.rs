//! What events make of the rows: in memory, without a database.

use std::collections::HashMap;
use std::hash::Hash;

use daybook_domain::{AppointmentId, SessionId};
use daybook_store::{AnyEvent, RecordedEvent};

use super::version::{AppointmentVersion, Placed, SessionVersion, Until, slot_of};
use crate::ApplyError;
use crate::search::fold::after;
use crate::sessions;

/// What a batch changes of one kind of thing.
#[derive(Debug)]
pub(super) struct Changes<V> {
    /// Rows that were the latest before the batch, and are closed by it.
    pub(super) closed: Vec<V>,
    /// New rows, in the order of their events.
    pub(super) made: Vec<V>,
}

/// What the latest row of each thing is, and which rows have changed.
struct Latest<K, V> {
    stored: HashMap<K, V>,
    made: Vec<V>,
    /// Of each thing, its latest among `made`.
    last_made: HashMap<K, usize>,
    closed: Vec<V>,
}

impl<K: Eq + Hash + Copy, V: Clone> Latest<K, V> {
    fn new(stored: HashMap<K, V>) -> Self {
        Self { stored, made: Vec::new(), last_made: HashMap::new(), closed: Vec::new() }
    }

    fn of(&self, key: K) -> Option<&V> {
        let made = self.last_made.get(&key).map(|n| &self.made[*n]);
        made.or_else(|| self.stored.get(&key))
    }

    /// From this event on it is so, and no longer as it was.
    fn becomes(&mut self, key: K, row: V, close: impl FnOnce(&mut V)) {
        match self.last_made.get(&key) {
            Some(n) => close(&mut self.made[*n]),
            None => {
                if let Some(mut before) = self.stored.remove(&key) {
                    close(&mut before);
                    self.closed.push(before);
                }
            }
        }
        self.last_made.insert(key, self.made.len());
        self.made.push(row);
    }

    fn changes(self) -> Changes<V> {
        Changes { closed: self.closed, made: self.made }
    }
}

/// The rows of appointments after the events; `latest` has those that they touch but do not make.
pub(super) fn appointments(
    latest: HashMap<AppointmentId, AppointmentVersion>,
    events: &[RecordedEvent],
) -> Result<Changes<AppointmentVersion>, ApplyError> {
    let mut rows = Latest::new(latest);
    for recorded in events {
        let AnyEvent::Appointment(id, event) = &recorded.event else { continue };
        let before = rows.of(*id).map(|row| (row.appointment.clone(), row.placed.clone()));
        let (before, placed) = before.unzip();
        let appointment = after(before, *id, event, recorded)?;
        let placed = slot_of(event).map(Placed::in_slot).or(placed);
        let Some(placed) = placed else {
            let reason = format!("appointment {id} was never made");
            return Err(ApplyError::Event { position: recorded.position, reason });
        };
        let recorded_at = recorded.recorded_at;
        let row = AppointmentVersion { appointment, placed, recorded_at, until: None };
        rows.becomes(*id, row, |before| before.until = Some(until(recorded)));
    }
    Ok(rows.changes())
}

/// The rows of sessions after the events; `latest` has those that they touch but do not make.
pub(super) fn sessions(
    latest: HashMap<SessionId, SessionVersion>,
    events: &[RecordedEvent],
) -> Result<Changes<SessionVersion>, ApplyError> {
    let mut rows = Latest::new(latest);
    for recorded in events {
        let AnyEvent::Session(id, event) = &recorded.event else { continue };
        let before = rows.of(*id).map(|row| row.session.clone());
        let session = sessions::fold::after(before, *id, event, recorded)?;
        let row = SessionVersion {
            session_id: *id,
            session,
            version: recorded.sequence,
            position: recorded.position,
            recorded_at: recorded.recorded_at,
            until: None,
        };
        rows.becomes(*id, row, |before| before.until = Some(until(recorded)));
    }
    Ok(rows.changes())
}

const fn until(recorded: &RecordedEvent) -> Until {
    Until { position: recorded.position, at: recorded.recorded_at }
}

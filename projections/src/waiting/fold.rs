//! What the events of a batch make of the entries.

use std::collections::{BTreeMap, HashMap, HashSet};

use daybook_domain::appointment::AppointmentEvent;
use daybook_domain::waiting::{EntryState, Offer, WaitingEntry, WaitingEvent};
use daybook_domain::{AppointmentId, WaitingEntryId};
use daybook_store::{AnyEvent, RecordedEvent};

use super::row::Entry;
use crate::ApplyError;

/// What must be known before the events are folded.
#[derive(Debug, Default)]
pub(super) struct Needed {
    /// The entries that are touched but not made by them.
    pub(super) entries: Vec<WaitingEntryId>,
    /// The appointments whose end as a hold is among them.
    pub(super) holds: Vec<AppointmentId>,
}

pub(super) fn needed(events: &[RecordedEvent]) -> Needed {
    let mut needed = Needed::default();
    let mut seen = HashSet::new();
    for recorded in events {
        match &recorded.event {
            AnyEvent::Waiting(id, event) => {
                let makes = matches!(event, WaitingEvent::WaitingListJoined(_));
                if seen.insert(*id) && !makes {
                    needed.entries.push(*id);
                }
            }
            AnyEvent::Appointment(id, event) if end(event).is_some() => needed.holds.push(*id),
            _ => {}
        }
    }
    needed
}

/// What an event of a hold makes of its offer, if it ends it.
fn end(event: &AppointmentEvent) -> Option<fn(Offer) -> EntryState> {
    match event {
        AppointmentEvent::AppointmentConfirmed(_) => Some(EntryState::Taken),
        AppointmentEvent::AppointmentCancelled(_) | AppointmentEvent::AppointmentHoldExpired(_) => {
            Some(EntryState::Lapsed)
        }
        _ => None,
    }
}

/// The entries that the batch touches, as they are after it.
pub(super) fn fold(
    mut stored: BTreeMap<WaitingEntryId, Entry>,
    events: &[RecordedEvent],
) -> Result<BTreeMap<WaitingEntryId, Entry>, ApplyError> {
    let open = |entry: &Entry| match entry.joined.state {
        EntryState::Offered(offer) => Some((offer.appointment_id, entry.entry_id)),
        _ => None,
    };
    let mut offered: HashMap<AppointmentId, WaitingEntryId> =
        stored.values().filter_map(open).collect();
    let mut touched: BTreeMap<WaitingEntryId, Entry> = BTreeMap::new();
    for recorded in events {
        match &recorded.event {
            AnyEvent::Waiting(id, event) => {
                let before = touched.remove(id).or_else(|| stored.remove(id));
                let entry = after(before, *id, event, recorded)?;
                offered.extend(open(&entry));
                touched.insert(*id, entry);
            }
            AnyEvent::Appointment(id, event) => {
                let Some((end, entry_id)) = end(event).zip(offered.get(id).copied()) else {
                    continue;
                };
                let found = touched.remove(&entry_id).or_else(|| stored.remove(&entry_id));
                let Some(mut entry) = found else { continue };
                if let EntryState::Offered(offer) = entry.joined.state {
                    entry.joined.state = end(offer);
                    entry.due = true;
                    entry.position = recorded.position;
                }
                touched.insert(entry_id, entry);
            }
            _ => {}
        }
    }
    Ok(touched)
}

fn after(
    before: Option<Entry>,
    entry_id: WaitingEntryId,
    event: &WaitingEvent,
    recorded: &RecordedEvent,
) -> Result<Entry, ApplyError> {
    let position = recorded.position;
    let turn = before.as_ref().map_or(position, |entry| entry.turn);
    let mut state = before.map_or(WaitingEntry::Unjoined, |it| WaitingEntry::Joined(it.joined));
    state.evolve(event.clone());
    let WaitingEntry::Joined(joined) = state else {
        let reason = format!("nobody has joined with entry {entry_id}");
        return Err(ApplyError::Event { position, reason });
    };
    Ok(Entry { entry_id, turn, joined, version: recorded.sequence, position, due: false })
}

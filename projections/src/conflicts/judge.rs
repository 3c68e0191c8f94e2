//! Which of a resource's states in a batch an appointment is judged by.
//!
//! A change of a resource concerns the appointments that start after it was recorded: what has begun
//! is past mending, and a resource with a long history would have more of that every day. So the last
//! change before an appointment's start is what it is judged by, or the state that it was booked
//! into, whichever is later. That depends on the log alone, and not on how it is cut into batches.

use chrono::{DateTime, Utc};
use daybook_domain::resource::{Resource, ResourceEvent};
use daybook_store::Position;

/// A resource, and what happens to it in a batch.
pub(super) struct Changing<'a> {
    /// As it was before the batch.
    pub(super) before: Resource,
    pub(super) changes: Vec<Change<'a>>,
}

/// Something that happens to a resource.
pub(super) struct Change<'a> {
    pub(super) position: Position,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) event: &'a ResourceEvent,
}

impl Changing<'_> {
    /// After how many of the changes it is judged; `None`: nothing is new about it.
    pub(super) fn judged_after(
        &self,
        start: DateTime<Utc>,
        since: Option<Position>,
    ) -> Option<usize> {
        // Both are in the order of the log.
        let by_time = self.changes.partition_point(|change| change.recorded_at < start);
        let by_position =
            since.map(|since| self.changes.partition_point(|change| change.position < since));
        let last = by_position.map_or(by_time, |by_position| by_position.max(by_time));
        (last > 0 || since.is_some()).then_some(last)
    }

    /// Its states, one after the other.
    pub(super) fn states(&self) -> States<'_> {
        States { state: self.before.clone(), after: 0, changes: &self.changes }
    }

    /// What it is after all of them.
    pub(super) fn last(&self) -> Resource {
        let mut states = self.states();
        states.after(self.changes.len());
        states.state
    }
}

/// The states of a resource, of which there is one at a time: each may be large.
pub(super) struct States<'a> {
    state: Resource,
    after: usize,
    changes: &'a [Change<'a>],
}

impl States<'_> {
    /// What it is after so many changes; never fewer than before.
    pub(super) fn after(&mut self, changes: usize) -> &Resource {
        for change in &self.changes[self.after.min(changes)..changes] {
            self.state.evolve(change.event.clone());
        }
        self.after = self.after.max(changes);
        &self.state
    }
}

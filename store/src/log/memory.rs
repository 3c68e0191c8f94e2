//! What a lane remembers of a tenant's log: exact while nobody else appends to it.
//!
//! It saves most batches every look: the head is moved by compare-and-set from where this lane left
//! it, which fails if anybody else has appended since, and then nothing remembered is used.

use std::collections::HashMap;

use daybook_domain::AppointmentId;

use super::StreamId;
use super::batch::Head;
use super::resolve::{Known, Resolution};
use super::submission::{Decision, Submission};

/// How many batches are looked up after one that took too much for granted: where slots are hot,
/// or somebody else appends, the next would too.
const DOUBTED_BATCHES: u32 = 32;

/// What a lane remembers of one tenant's log.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Where the log ended when it was last seen.
    head: Option<Head>,
    /// Streams at their versions as of `head`.
    versions: HashMap<StreamId, u64>,
    doubted: u32,
}

impl Memory {
    /// How many versions are remembered.
    pub(super) fn len(&self) -> usize {
        self.versions.len()
    }

    /// The versions that are known if the log ends at `head`: none, if that is not where it was
    /// left. A position can come again, with another event, where a log was set back; a hash not.
    pub(super) fn versions_at(&mut self, head: &Head) -> &mut HashMap<StreamId, u64> {
        if self.head.is_none_or(|known| known.hash != head.hash) {
            self.versions.clear();
            self.head = Some(*head);
        }
        &mut self.versions
    }

    /// What can be taken for granted of a batch, if the log still ends where it was left: that new
    /// streams are new, slots free and keys unseen. The constraints refuse it where that is wrong.
    /// `None`: it has to be looked up.
    ///
    /// The constraints see what is claimed when all of the batch is written, and not what is between
    /// two of its events: where that matters, nothing is taken for granted.
    pub(super) fn taken_for_granted(
        &mut self,
        submissions: &[Submission],
    ) -> Option<(Head, Known)> {
        if self.doubted > 0 {
            self.doubted -= 1;
            return None;
        }
        if takes_before_it_frees(submissions) {
            return None;
        }
        let head = self.head?;
        let mut known = Known { head: head.position, ..Known::default() };
        for (stream, seen) in submissions.iter().flat_map(|one| one.decision.looked_at()) {
            // One that is stale may as well be newer than what is remembered.
            if self.versions.get(stream).copied().unwrap_or(0) != seen {
                return None;
            }
            known.versions.insert(stream.clone(), seen);
        }
        Some((head, known))
    }

    /// Too much was taken for granted.
    pub(super) fn doubt(&mut self) {
        self.doubted = DOUBTED_BATCHES;
    }

    /// A batch was committed, and the log ends here now.
    pub(super) fn committed(&mut self, head: Head, resolution: &Resolution<'_>) {
        for append in &resolution.appends {
            self.versions.insert(append.stream.clone(), append.version());
        }
        self.head = Some(head);
    }
}

/// Whether one of these may take time that a later one has until then.
fn takes_before_it_frees(submissions: &[Submission]) -> bool {
    let mut taken = false;
    for submission in submissions {
        let Decision::Accept { appends, claims, .. } = &submission.decision else { continue };
        let is_new = |holder: &AppointmentId| {
            appends.iter().any(|append| append.after == 0 && append.stream.uuid() == holder.uuid())
        };
        if taken && claims.iter().any(|(holder, _)| !is_new(holder)) {
            return true;
        }
        taken |= claims.iter().any(|(_, claims)| !claims.is_empty());
    }
    false
}

//! What a lane remembers of a tenant's log: exact while nobody else appends to it.
//!
//! It saves most batches every look, and lets the next batch be written while the one before it
//! commits. That is safe because a batch is appended only where the log ends where this lane left
//! it: if anybody else has appended since, nothing that rests on what is remembered happens.

use std::collections::{HashMap, VecDeque};

use daybook_domain::AppointmentId;
use daybook_domain::claim::Claim;

use super::StreamId;
use super::batch::Head;
use super::resolve::Known;
use super::submission::{Decision, Submission};

/// How many batches are looked up after one that took too much for granted: where slots are hot,
/// or somebody else appends, the next would too.
const DOUBTED_BATCHES: u32 = 32;

/// What a lane remembers of one tenant's log.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Where the log ends when all that is under way is committed.
    head: Option<Head>,
    /// Streams at their versions as of `head`.
    versions: Versions,
    /// The keys and claims of the batches that are under way, oldest first.
    under_way: VecDeque<Known>,
    doubted: u32,
}

impl Memory {
    /// The log ends here; nothing else is known, if that is not where it was left. A position can
    /// come again, with another event, where a log was set back; a hash not.
    pub(super) fn arrive_at(&mut self, head: Head) {
        if self.head.is_none_or(|known| known.hash != head.hash) {
            self.versions = Versions::default();
        }
        self.head = Some(head);
    }

    /// The streams that a batch looked at, saw at such a version, and that are not remembered.
    pub(super) fn unknown(
        &mut self,
        submissions: &[Submission],
        at: impl Fn(u64) -> bool,
    ) -> Vec<StreamId> {
        looked_at(submissions)
            .filter(|(stream, seen)| at(*seen) && self.versions.get(stream).is_none())
            .map(|(stream, _)| stream.clone())
            .collect()
    }

    /// Remembers versions as of `head`.
    pub(super) fn learn(&mut self, versions: impl IntoIterator<Item = (StreamId, u64)>) {
        self.versions.recent.extend(versions);
    }

    /// The versions of what a batch looked at, as far as they are known.
    pub(super) fn versions_of(&mut self, submissions: &[Submission]) -> HashMap<StreamId, u64> {
        looked_at(submissions)
            .filter_map(|(stream, _)| Some((stream.clone(), self.versions.get(stream)?)))
            .collect()
    }

    /// Whether anything can be taken for granted of the next batch.
    pub(super) fn is_trusted(&mut self) -> bool {
        let doubted = self.doubted > 0;
        self.doubted = self.doubted.saturating_sub(1);
        !doubted && self.head.is_some()
    }

    /// What can be taken for granted of a batch if the log ends where it was left: that new
    /// streams are new, slots free and keys unseen. The constraints refuse it where that is wrong.
    /// `None`: it has to be looked up.
    ///
    /// The constraints see what is claimed when all of the batch is written, and not what is between
    /// two of its events: where that matters, nothing is taken for granted.
    pub(super) fn taken_for_granted(
        &mut self,
        submissions: &[Submission],
    ) -> Option<(Head, Known)> {
        let head = self.head?;
        if takes_before_it_frees(submissions)
            || submissions.iter().any(|submission| self.is_in_the_way(submission))
        {
            return None;
        }
        let mut known = Known { head: head.position, ..Known::default() };
        for (stream, seen) in looked_at(submissions) {
            // One that is stale may as well be newer than what is remembered.
            if self.versions.get(stream).unwrap_or(0) != seen {
                return None;
            }
            known.versions.insert(stream.clone(), seen);
        }
        Some((head, known))
    }

    /// Whether something under way would be what decides on a submission.
    fn is_in_the_way(&self, submission: &Submission) -> bool {
        self.under_way.iter().any(|known| {
            submission.key.as_ref().is_some_and(|key| known.answers.contains_key(&key.key))
                || claims(submission).iter().any(|(holder, claims)| {
                    !known.claims.claims_of(*holder).is_empty()
                        || claims.iter().any(|claim| known.claims.overlaps(claim))
                })
        })
    }

    /// A batch is under way after which the log ends here, and this is known.
    pub(super) fn launched(&mut self, head: Head, mut known: Known) {
        self.ends_at(head, std::mem::take(&mut known.versions));
        self.under_way.push_back(known);
    }

    /// The oldest batch that was under way is committed.
    pub(super) fn landed(&mut self) {
        self.under_way.pop_front();
    }

    /// Whether a batch is under way.
    pub(super) fn is_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// A batch under way has failed; what follows on it fails, too.
    pub(super) fn forget(&mut self) {
        *self = Self { doubted: DOUBTED_BATCHES, ..Self::default() };
    }

    /// A batch was committed, and the log ends here now.
    pub(super) fn ends_at(&mut self, head: Head, versions: HashMap<StreamId, u64>) {
        self.learn(versions);
        self.head = Some(head);
    }

    /// How many versions have been used since it last aged.
    pub(super) fn recent(&self) -> usize {
        self.versions.recent.len()
    }

    /// Forgets the versions that were not used since it last aged.
    pub(super) fn age(&mut self) {
        self.versions.older = std::mem::take(&mut self.versions.recent);
    }
}

/// Whether one of these may take time that a later one has until then.
fn takes_before_it_frees(submissions: &[Submission]) -> bool {
    let mut taken = false;
    submissions.iter().any(|submission| {
        let freed_too_late = taken && may_free(submission);
        taken |= claims(submission).iter().any(|(_, claims)| !claims.is_empty());
        freed_too_late
    })
}

/// Whether an appointment that may have claims already gets others, or none.
pub(super) fn may_free(submission: &Submission) -> bool {
    let Decision::Accept { appends, claims, .. } = &submission.decision else { return false };
    let is_new = |holder: &AppointmentId| {
        appends.iter().any(|append| append.after == 0 && append.stream.uuid() == holder.uuid())
    };
    claims.iter().any(|(holder, _)| !is_new(holder))
}

fn claims(submission: &Submission) -> &[(AppointmentId, Vec<Claim>)] {
    match &submission.decision {
        Decision::Accept { claims, .. } => claims,
        Decision::Refuse(_) => &[],
    }
}

fn looked_at(submissions: &[Submission]) -> impl Iterator<Item = (&StreamId, u64)> {
    submissions.iter().flat_map(|submission| submission.decision.looked_at())
}

/// Versions in two generations: what is used moves to the recent one.
#[derive(Debug, Default)]
struct Versions {
    recent: HashMap<StreamId, u64>,
    older: HashMap<StreamId, u64>,
}

impl Versions {
    fn get(&mut self, stream: &StreamId) -> Option<u64> {
        if let Some(version) = self.recent.get(stream) {
            return Some(*version);
        }
        let (stream, version) = self.older.remove_entry(stream)?;
        self.recent.insert(stream, version);
        Some(version)
    }
}

#[cfg(test)]
mod tests {
    use daybook_domain::appointment::Appointment;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_used_is_remembered() {
        let stream = |n| StreamId::of::<Appointment>(&"t".parse().unwrap(), Uuid::from_u128(n));
        let mut memory = Memory::default();
        memory.learn([(stream(1), 1), (stream(2), 2)]);
        memory.age();
        assert_eq!(memory.recent(), 0);
        assert_eq!(memory.versions.get(&stream(1)), Some(1));
        memory.age();
        assert_eq!(memory.versions.get(&stream(1)), Some(1));
        assert_eq!(memory.versions.get(&stream(2)), None);
    }
}

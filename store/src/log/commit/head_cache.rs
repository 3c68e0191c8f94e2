//! What a committer remembers of a tenant's log: exact while nobody else appends to it.
//!
//! With it most batches need to load nothing, and the next batch can be written while the one before it
//! commits. That is safe because a batch is appended only where the log ends where this committer left
//! it: if anybody else has appended since, nothing that rests on what is remembered happens.

use std::collections::{HashMap, VecDeque};

use daybook_domain::claim::Claim;
use daybook_domain::{AppointmentId, TenantId};

use super::resolve::BatchState;
use crate::log::StreamId;
use crate::log::head::Head;
use crate::log::submission::{Decision, Submission};

/// How many batches are committed serially after an optimistic one has failed: where slots are hot,
/// or somebody else appends, the next would, too.
const SERIAL_BATCHES: u32 = 32;

/// How many stream versions that were used lately a committer remembers, and of how many tenants.
const MAX_VERSIONS: usize = 100_000;
const MAX_TENANTS: usize = 256;

/// What a committer remembers of its tenants' logs.
#[derive(Debug, Default)]
pub(super) struct HeadCaches(HashMap<TenantId, HeadCache>);

impl HeadCaches {
    /// That of a tenant.
    pub(super) fn of(&mut self, tenant: &TenantId) -> &mut HeadCache {
        self.0.entry(tenant.clone()).or_default()
    }

    /// Forgets what was not used for long, if it is much.
    pub(super) fn bound(&mut self) {
        if self.0.values().map(HeadCache::recent).sum::<usize>() > MAX_VERSIONS {
            self.0.values_mut().for_each(HeadCache::age);
        }
        if self.0.len() > MAX_TENANTS {
            self.0.retain(|_, cache| cache.is_in_flight());
        }
    }
}

/// What a committer remembers of one tenant's log.
#[derive(Debug, Default)]
pub(super) struct HeadCache {
    /// Where the log ends when all that is in flight is committed.
    head: Option<Head>,
    /// Streams at their versions as of `head`.
    versions: Versions,
    /// The keys and claims of the batches in flight, oldest first.
    in_flight: VecDeque<BatchState>,
    serial_batches_left: u32,
}

impl HeadCache {
    /// The log ends here; nothing else is known, if that is not where it was left: somebody else writes it,
    /// and would be in the way of an optimistic batch. A position can come again, with another event, where a log
    /// was set back; a hash not.
    pub(super) fn arrive_at(&mut self, head: Head) {
        let is_left_there = |known: Head| known.hash == head.hash;
        if !self.head.is_some_and(is_left_there) {
            self.versions = Versions::default();
        }
        if !self.head.is_none_or(is_left_there) {
            self.serial_batches_left = SERIAL_BATCHES;
        }
        self.head = Some(head);
    }

    /// The streams that a batch expects at such a version, and whose versions are not remembered.
    pub(super) fn unknown(
        &mut self,
        submissions: &[Submission],
        at: impl Fn(u64) -> bool,
    ) -> Vec<StreamId> {
        expected_versions(submissions)
            .filter(|(stream, seen)| at(*seen) && self.versions.get(stream).is_none())
            .map(|(stream, _)| stream.clone())
            .collect()
    }

    /// Remembers versions as of `head`.
    pub(super) fn learn(&mut self, versions: impl IntoIterator<Item = (StreamId, u64)>) {
        self.versions.recent.extend(versions);
    }

    /// The versions of what a batch expects versions of, as far as they are known.
    pub(super) fn versions_of(&mut self, submissions: &[Submission]) -> HashMap<StreamId, u64> {
        expected_versions(submissions)
            .filter_map(|(stream, _)| Some((stream.clone(), self.versions.get(stream)?)))
            .collect()
    }

    /// Whether anything can be taken for granted of the next batch.
    pub(super) fn is_trusted(&mut self) -> bool {
        let serial = self.serial_batches_left > 0;
        self.serial_batches_left = self.serial_batches_left.saturating_sub(1);
        !serial && self.head.is_some()
    }

    /// What can be taken for granted of a batch if the log ends where it was left: that new
    /// streams are new, slots free and keys unseen. The constraints refuse it where that is wrong.
    /// `None`: it has to be loaded.
    ///
    /// The constraints see what is claimed when all of the batch is written, and not what is between
    /// two of its events: where that matters, nothing is taken for granted.
    pub(super) fn optimistic_state(
        &mut self,
        submissions: &[Submission],
    ) -> Option<(Head, BatchState)> {
        let head = self.head?;
        if takes_before_it_frees(submissions)
            || submissions.iter().any(|submission| self.conflicts_in_flight(submission))
        {
            return None;
        }
        let mut state = BatchState { head: head.position, ..BatchState::default() };
        for (stream, seen) in expected_versions(submissions) {
            // One that is stale may as well be newer than what is remembered.
            if self.versions.get(stream).unwrap_or(0) != seen {
                return None;
            }
            state.versions.insert(stream.clone(), seen);
        }
        Some((head, state))
    }

    /// Whether something in flight would be what decides on a submission.
    fn conflicts_in_flight(&self, submission: &Submission) -> bool {
        self.in_flight.iter().any(|state| {
            submission.key.as_ref().is_some_and(|key| state.answers.contains_key(&key.key))
                || claims(submission).iter().any(|(holder, claims)| {
                    !state.claims.claims_of(*holder).is_empty()
                        || claims.iter().any(|claim| state.claims.overlaps(claim))
                })
        })
    }

    /// A batch was sent after which the log ends here, and this is known.
    pub(super) fn sent(&mut self, head: Head, mut state: BatchState) {
        self.advance(head, std::mem::take(&mut state.versions));
        self.in_flight.push_back(state);
    }

    /// The oldest batch in flight is committed.
    pub(super) fn committed(&mut self) {
        self.in_flight.pop_front();
    }

    /// Whether a batch is in flight.
    pub(super) fn is_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// A batch in flight has failed; what follows on it fails, too.
    pub(super) fn distrust(&mut self) {
        *self = Self { serial_batches_left: SERIAL_BATCHES, ..Self::default() };
    }

    /// A batch was committed, and the log ends here now.
    pub(super) fn advance(&mut self, head: Head, versions: HashMap<StreamId, u64>) {
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
        Decision::Answer(_) => &[],
    }
}

fn expected_versions(submissions: &[Submission]) -> impl Iterator<Item = (&StreamId, u64)> {
    submissions.iter().flat_map(|submission| submission.decision.expected_versions())
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
        let mut cache = HeadCache::default();
        cache.learn([(stream(1), 1), (stream(2), 2)]);
        cache.age();
        assert_eq!(cache.recent(), 0);
        assert_eq!(cache.versions.get(&stream(1)), Some(1));
        cache.age();
        assert_eq!(cache.versions.get(&stream(1)), Some(1));
        assert_eq!(cache.versions.get(&stream(2)), None);
    }
}

//! What can only be seen from one event to the next: streams, and who has what when.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};

use daybook_domain::claim::ClaimIndex;
use uuid::Uuid;

use super::decoded::DecodedEvent;
use super::events::Event;
use super::finding::{Finding, Problem};
use crate::log::Position;

/// All that is kept of the events that were seen.
///
/// It grows with the log: 25 to 50 bytes for each stream, 8 for each event, and what `ClaimBook`
/// needs for each claim that stands.
#[derive(Default)]
pub(super) struct Walk {
    /// The version of each stream, by its aggregate's type.
    versions: BTreeMap<&'static str, HashMap<Uuid, u32>>,
    pub(super) claims: ClaimIndex,
    pub(super) fingerprints: VersionFingerprints,
}

impl Walk {
    /// Takes note of the next event.
    pub(super) fn step(&mut self, event: Event) -> Result<(), Finding> {
        let Event { position, sequence, recorded_at, decoded } = event;
        let DecodedEvent { aggregate_type: kind, id, creates, held } = decoded;
        let version = self.versions.entry(kind).or_default().entry(id).or_default();
        let expected = u64::from(*version) + 1;
        if sequence != expected {
            let problem = Problem::OutOfSequence { kind, id, found: sequence, expected };
            return Err(problem.at(position));
        }
        *version = version.saturating_add(1);
        match (creates, sequence) {
            (true, 1) | (false, 2..) => {}
            (false, _) => return Err(Problem::NeverMade { kind, id }.at(position)),
            (true, _) => return Err(Problem::MadeTwice { kind, id }.at(position)),
        }
        self.fingerprints.add(id, sequence);
        for (holder, claims) in held {
            if let Err(taken) = self.claims.replace(holder, claims, recorded_at) {
                return Err(Problem::DoubleBooking { holder, taken }.at(position));
            }
        }
        Ok(())
    }

    /// How many streams there are.
    pub(super) fn streams(&self) -> u64 {
        self.versions.values().map(|streams| streams.len() as u64).sum()
    }
}

/// Which version of what is at which position, in 8 bytes each: enough to see that something else
/// is there, with one chance in 2^64 of being wrong about it.
#[derive(Default)]
pub(super) struct VersionFingerprints {
    hasher: RandomState,
    /// By position, from 1.
    all: Vec<u64>,
}

impl VersionFingerprints {
    fn add(&mut self, id: Uuid, version: u64) {
        self.all.push(self.hasher.hash_one((id, version)));
    }

    /// Whether this version is at this position.
    pub(super) fn has(&self, id: Uuid, version: u64, position: Position) -> bool {
        let index = position.get().checked_sub(1).and_then(|index| usize::try_from(index).ok());
        let fingerprint = index.and_then(|index| self.all.get(index));
        fingerprint == Some(&self.hasher.hash_one((id, version)))
    }
}

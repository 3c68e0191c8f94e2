//! What this program has just appended, for those who follow the log: they need not fetch it, and it is
//! read once for all of them.
//!
//! Only what is committed comes here, and that never changes. What other programs append does not come here,
//! so this may end before the log does; when they are heard of, everybody asks the database again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::{DateTime, Utc};
use daybook_domain::{TenantId, upcasters};

use super::event::{StoredEvent, decode};
use super::submission::{Append, NewEvent};
use super::{Position, RecordedEvent, UnreadableEvent};
use crate::trace_context::of_metadata;

/// So much is kept, of all tenants together: more than is appended in the time between two turns of a
/// projection. Whoever is further behind asks the database.
const MAX_BATCHES: usize = 256;
const MAX_BYTES: usize = 8 << 20;

type Read = Result<RecordedEvent, UnreadableEvent>;

/// The batches that were appended last, in the order in which they were committed.
#[derive(Debug, Default)]
pub(super) struct AppendCache(Mutex<Batches>);

#[derive(Debug, Default)]
struct Batches {
    batches: VecDeque<Arc<AppendedBatch>>,
    bytes: usize,
}

/// A batch that is in a tenant's log.
#[derive(Debug)]
pub(super) struct AppendedBatch {
    tenant: TenantId,
    /// Where the log ended before it, and ends with it.
    after: Position,
    end: Position,
    recorded_at: DateTime<Utc>,
    appends: Vec<Append>,
    bytes: usize,
    events: OnceLock<Vec<Read>>,
}

impl AppendedBatch {
    /// These appends, in their order, with which the log ends at `end`.
    pub(super) fn new(
        tenant: TenantId,
        end: Position,
        recorded_at: DateTime<Utc>,
        appends: Vec<Append>,
    ) -> Self {
        let count: usize = appends.iter().map(|append| append.events.len()).sum();
        let events = appends.iter().flat_map(|append| &append.events);
        let bytes = events.map(|event| event.payload.len() + event.metadata.len()).sum();
        let after = end.minus(count as u64);
        Self { tenant, after, end, recorded_at, appends, bytes, events: OnceLock::new() }
    }

    /// The events as they are read from the database; whoever comes first reads them for all.
    fn events(&self) -> &[Read] {
        self.events.get_or_init(|| {
            let upcasters = upcasters();
            let events = self.appends.iter().flat_map(|append| {
                append.events.iter().zip(append.after + 1..).map(move |(e, n)| (append, e, n))
            });
            let read = |(at, (append, event, sequence)): (u64, (&Append, &NewEvent, u64))| {
                let stored = StoredEvent {
                    aggregate_type: append.stream.kind(),
                    aggregate_id: append.stream.id(),
                    sequence,
                    event_type: &event.event_type,
                    event_version: &event.event_version,
                    payload: &event.payload,
                };
                let read = decode(self.after.plus(at), self.recorded_at, &stored, &upcasters);
                read.map(|read| RecordedEvent { trace: of_metadata(&event.metadata), ..read })
            };
            (1..).zip(events).map(read).collect()
        })
    }
}

impl AppendCache {
    /// Takes note of a batch that is committed.
    pub(super) fn add(&self, appended: AppendedBatch) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += appended.bytes;
        kept.batches.push_back(Arc::new(appended));
        while kept.batches.len() > MAX_BATCHES || kept.bytes > MAX_BYTES {
            let Some(oldest) = kept.batches.pop_front() else { break };
            kept.bytes -= oldest.bytes;
        }
    }

    /// Forgets a tenant's: another program has appended.
    pub(super) fn forget_of(&self, tenant: &TenantId) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.batches.retain(|batch| batch.tenant != *tenant);
        kept.bytes = kept.batches.iter().map(|batch| batch.bytes).sum();
    }

    /// Forgets everything: others have appended, or may have.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Batches::default();
    }

    /// The events after `after`, at most `limit` and at least one. `None`: the next one is not here.
    pub(super) fn follow(
        &self,
        tenant: &TenantId,
        after: Position,
        limit: u32,
    ) -> Option<Vec<Read>> {
        let batches = self.since(tenant, after)?;
        let events = batches.iter().flat_map(|batch| {
            (batch.after.get() + 1..).zip(batch.events()).filter(|(at, _)| *at > after.get())
        });
        Some(events.map(|(_, event)| event.clone()).take(limit as usize).collect())
    }

    /// The batches from the one on that has the event after `after`, without a gap.
    fn since(&self, tenant: &TenantId, after: Position) -> Option<VecDeque<Arc<AppendedBatch>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: VecDeque<Arc<AppendedBatch>> = VecDeque::new();
        for batch in kept.batches.iter().rev().filter(|batch| batch.tenant == *tenant) {
            let follows = found.front().is_none_or(|next| next.after == batch.end);
            if !follows || batch.end <= after {
                break;
            }
            found.push_front(Arc::clone(batch));
            if batch.after <= after {
                return Some(found);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{a_booking, noon, submission, uuid};

    use super::super::submission::Decision;

    fn tenant() -> TenantId {
        "clinic".parse().unwrap()
    }

    fn appended(tenant: &TenantId, end: u64, count: u128) -> AppendedBatch {
        let booked = |n| submission(tenant, uuid(n), 0, &a_booking(&[1], 0, 10)).decision;
        let appends = (0..count).map(booked).flat_map(|decision| match decision {
            Decision::Accept { appends, .. } => appends,
            Decision::Answer(_) => Vec::new(),
        });
        AppendedBatch::new(tenant.clone(), Position::START.plus(end), noon(), appends.collect())
    }

    fn followed(cache: &AppendCache, after: u64, limit: u32) -> Option<Vec<u64>> {
        let found = cache.follow(&tenant(), Position::START.plus(after), limit)?;
        Some(found.into_iter().map(|event| event.unwrap().position.get()).collect())
    }

    #[test]
    fn what_follows_without_a_gap_is_there() {
        let cache = AppendCache::default();
        cache.add(appended(&tenant(), 12, 2));
        cache.add(appended(&"salon".parse().unwrap(), 13, 1));
        cache.add(appended(&tenant(), 15, 3));
        assert_eq!(followed(&cache, 10, 10), Some(vec![11, 12, 13, 14, 15]));
        assert_eq!(followed(&cache, 11, 3), Some(vec![12, 13, 14]));
        assert_eq!(followed(&cache, 14, 10), Some(vec![15]));
        // Those of others, or what has not happened yet.
        assert_eq!(followed(&cache, 9, 10), None);
        assert_eq!(followed(&cache, 15, 10), None);
        cache.add(appended(&tenant(), 17, 1));
        assert_eq!(followed(&cache, 14, 10), None);
        cache.forget_of(&"salon".parse().unwrap());
        assert_eq!(followed(&cache, 16, 10), Some(vec![17]));
        cache.forget_of(&tenant());
        assert_eq!(followed(&cache, 16, 10), None);
        cache.add(appended(&tenant(), 18, 1));
        assert_eq!(followed(&cache, 17, 10), Some(vec![18]));
        cache.forget();
        assert_eq!(followed(&cache, 16, 10), None);
    }

    #[test]
    fn it_is_bounded() {
        let cache = AppendCache::default();
        let batches = MAX_BATCHES as u64 + 1;
        for end in 1..=batches {
            cache.add(appended(&tenant(), end, 1));
        }
        assert_eq!(followed(&cache, 0, 1), None);
        assert_eq!(followed(&cache, 1, 1), Some(vec![2]));
        let mut large = appended(&tenant(), batches + 1, 1);
        large.bytes = MAX_BYTES;
        cache.add(large);
        assert_eq!(followed(&cache, batches - 1, 1), None);
        assert_eq!(followed(&cache, batches, 1), Some(vec![batches + 1]));
    }
}

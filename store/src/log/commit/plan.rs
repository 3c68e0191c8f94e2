//! What a batch comes to, ready to be written.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;

use super::resolve::{BatchState, Resolution, resolve};
use super::rows::Rows;
use crate::log::chain::{Hash, Link};
use crate::log::head::Head;
use crate::log::submission::{Submission, Verdict};

/// What a batch comes to, ready to be written.
pub(super) struct Plan {
    /// `None`: there is nothing to write.
    pub(super) rows: Option<Rows>,
    /// Where the log will end.
    pub(super) new_head: Head,
    /// A verdict for each submission, in their order.
    pub(super) verdicts: Vec<Verdict>,
    /// What is known once it is written.
    pub(super) state: BatchState,
}

impl Plan {
    /// The batch waits for locks as long as `lock_timeout` says, in PostgreSQL's form, or as long as its
    /// session does.
    pub(super) fn new(
        tenant: &TenantId,
        submissions: &[Submission],
        head: Head,
        state: BatchState,
        now: DateTime<Utc>,
        lock_timeout: Option<&str>,
    ) -> Result<Self, sqlx::Error> {
        let (resolution, state) = resolve(submissions, state);
        if resolution.changes_nothing() {
            return Ok(Self { rows: None, new_head: head, verdicts: resolution.verdicts, state });
        }
        let (new_head, hashes) = chained(head, now, &resolution);
        let rows = Rows::of(tenant, &head, &new_head, &hashes, &resolution, lock_timeout)?;
        Ok(Self { rows: Some(rows), new_head, verdicts: resolution.verdicts, state })
    }
}

/// Where the log will end, and the hash of each event on the way.
fn chained(head: Head, now: DateTime<Utc>, resolution: &Resolution<'_>) -> (Head, Vec<Hash>) {
    // A clock that was set back does not make the log go back.
    let recorded_at = now.max(head.recorded_at);
    let mut new_head = Head { recorded_at, ..head };
    let mut hashes = Vec::new();
    for append in &resolution.appends {
        for (event, sequence) in append.events.iter().zip(append.after + 1..) {
            new_head.position = new_head.position.plus(1);
            new_head.hash = Link {
                position: new_head.position,
                aggregate_type: append.stream.kind(),
                aggregate_id: append.stream.id(),
                sequence,
                event_type: &event.event_type,
                event_version: &event.event_version,
                payload: &event.payload,
                metadata: &event.metadata,
                recorded_at,
            }
            .hash(&new_head.hash);
            hashes.push(new_head.hash);
        }
    }
    (new_head, hashes)
}

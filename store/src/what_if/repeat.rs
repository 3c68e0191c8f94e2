//! Events that are repeated as they were.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;

use super::WhatIfError;
use crate::log::{Append, Decision, NewEvent, OnConflict, Submission, Verdict};
use crate::{AnyEvent, Position, RecordedEvent};

/// What is repeated is never refused.
pub(super) fn done(position: Position, verdict: Verdict) -> Result<(), WhatIfError> {
    match verdict {
        Verdict::Appended(_) => Ok(()),
        other => Err(WhatIfError::NotRepeated { position, why: format!("{other:?}") }),
    }
}

/// An event as it was, to be appended again.
pub(super) fn repeated(
    tenant: &TenantId,
    event: &RecordedEvent,
) -> Result<Submission, WhatIfError> {
    let (after, at) = (event.sequence - 1, event.recorded_at);
    let submission = submission(tenant, after, &event.event, at);
    let position = event.position;
    submission.map_err(|error| WhatIfError::NotRepeated { position, why: error.to_string() })
}

/// One event, to be appended by itself with what it claims.
pub(super) fn submission(
    tenant: &TenantId,
    after: u64,
    event: &AnyEvent,
    decided_at: DateTime<Utc>,
) -> Result<Submission, serde_json::Error> {
    let new = NewEvent { metadata: r#"{"actor":"what-if"}"#.to_owned(), ..event.encode()? };
    Ok(Submission {
        tenant: tenant.clone(),
        key: None,
        decided_at,
        decision: Decision::Accept {
            read_set: Vec::new(),
            appends: vec![Append { stream: event.stream(tenant), after, events: vec![new] }],
            claims: event.held_after(),
            on_conflict: OnConflict::Refuse,
        },
    })
}

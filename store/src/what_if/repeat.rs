//! Events that are repeated as they were.

use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use daybook_domain::TenantId;
use daybook_domain::appointment::Appointment;
use daybook_domain::claim::Claims;
use daybook_domain::client::Client;
use daybook_domain::resource::Resource;
use daybook_domain::series::Series;
use daybook_domain::service::Service;
use daybook_domain::session::Session;
use daybook_domain::waiting::WaitingEntry;

use super::WhatIfError;
use crate::log::{Append, Decision, IfTaken, NewEvent, StreamId, Submission, Verdict};
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
    let submission = match &event.event {
        AnyEvent::Service(id, happened) => {
            submission(tenant, StreamId::of::<Service>(tenant, id.uuid()), after, happened, at)
        }
        AnyEvent::Resource(id, happened) => {
            submission(tenant, StreamId::of::<Resource>(tenant, id.uuid()), after, happened, at)
        }
        AnyEvent::Client(id, happened) => {
            submission(tenant, StreamId::of::<Client>(tenant, id.uuid()), after, happened, at)
        }
        AnyEvent::Appointment(id, happened) => {
            submission(tenant, StreamId::of::<Appointment>(tenant, id.uuid()), after, happened, at)
        }
        AnyEvent::Session(id, happened) => {
            submission(tenant, StreamId::of::<Session>(tenant, id.uuid()), after, happened, at)
        }
        AnyEvent::Series(id, happened) => {
            submission(tenant, StreamId::of::<Series>(tenant, id.uuid()), after, happened, at)
        }
        AnyEvent::Waiting(id, happened) => {
            submission(tenant, StreamId::of::<WaitingEntry>(tenant, id.uuid()), after, happened, at)
        }
    };
    submission.map_err(|why| WhatIfError::NotRepeated { position: event.position, why })
}

/// One event, to be appended by itself with what it claims.
pub(super) fn submission<E: DomainEvent + Claims>(
    tenant: &TenantId,
    stream: StreamId,
    after: u64,
    event: &E,
    decided_at: DateTime<Utc>,
) -> Result<Submission, String> {
    let payload = serde_json::to_string(event).map_err(|error| error.to_string())?;
    let claims = event.claims_after().map(|claims| (stream.uuid().into(), claims));
    let event = NewEvent {
        event_type: event.event_type(),
        event_version: event.event_version(),
        payload,
        metadata: r#"{"actor":"what-if"}"#.to_owned(),
    };
    Ok(Submission {
        tenant: tenant.clone(),
        key: None,
        decided_at,
        decision: Decision::Accept {
            read_set: Vec::new(),
            appends: vec![Append { stream, after, events: vec![event] }],
            claims: claims.into_iter().collect(),
            if_taken: IfTaken::Refused,
        },
    })
}

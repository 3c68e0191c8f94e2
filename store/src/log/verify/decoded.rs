//! A stored event as verification sees it: whether it can be read, and what it claims.
//!
//! What it takes for readable is what whoever follows the log can read.

use chrono::{DateTime, Utc};
use cqrs_es::persist::EventUpcaster;
use daybook_domain::claim::Held;
use daybook_domain::{TenantId, upcasters};
use uuid::Uuid;

use super::chain::Stored;
use super::strings::Strings;
use crate::log::event::{StoredEvent, decode, parsed};

/// What of an event counts.
pub(super) struct DecodedEvent {
    pub(super) aggregate_type: &'static str,
    pub(super) id: Uuid,
    /// Whether an aggregate begins with it: whether it can happen to what was never made, and to
    /// nothing else.
    pub(super) creates: bool,
    /// All that the aggregate holds after it; what is not named is as before.
    pub(super) held: Vec<Held>,
}

/// Reads the events of one tenant.
pub(super) struct EventReader {
    /// What a stream's id begins with.
    prefix: String,
    upcasters: Vec<Box<dyn EventUpcaster>>,
}

impl EventReader {
    pub(super) fn of(tenant: &TenantId) -> Self {
        Self { prefix: format!("{tenant}/"), upcasters: upcasters() }
    }

    /// What the event says.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn read(
        &self,
        event: &Stored<'_>,
        recorded_at: DateTime<Utc>,
    ) -> Result<DecodedEvent, String> {
        let id = event.id.strip_prefix(&self.prefix);
        let id = id.filter(|id| id.len() == 36).and_then(|id| Uuid::try_parse(id).ok());
        let id = id.ok_or_else(|| format!("stream id {:?}", event.id))?;
        parsed::<Strings>(event.metadata).map_err(|error| format!("metadata: {error}"))?;
        let stored = StoredEvent {
            aggregate_type: event.kind,
            aggregate_id: event.id,
            sequence: event.sequence,
            event_type: event.event_type,
            event_version: event.event_version,
            payload: event.payload,
        };
        let decoded = decode(event.position, recorded_at, &stored, &self.upcasters);
        let event = decoded.map_err(|unreadable| unreadable.reason)?.event;
        Ok(DecodedEvent {
            aggregate_type: event.aggregate_type(),
            id,
            creates: event.creates(),
            held: event.held_after(),
        })
    }
}

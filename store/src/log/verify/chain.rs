//! Following the hash chain: was anything altered, removed or reordered?

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;

use super::finding::{Finding, Problem};
use crate::log::Position;
use crate::log::chain::{Hash, Link, genesis};
use crate::log::copy::{Fields, literal};
use crate::log::head::Head;

/// A stored event, in the bytes that came.
pub(super) struct Stored<'a> {
    pub(super) position: Position,
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
    pub(super) sequence: u64,
    pub(super) event_type: &'a str,
    pub(super) event_version: &'a str,
    pub(super) payload: &'a str,
    pub(super) metadata: &'a str,
    /// `None`: PostgreSQL knows instants that are none.
    pub(super) recorded_at: Option<DateTime<Utc>>,
    pub(super) hash: &'a [u8],
}

impl<'a> Stored<'a> {
    /// The stored events of a tenant, for [`read`](Self::read).
    pub(super) fn query(tenant: &TenantId) -> String {
        format!(
            "SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                    payload, metadata, recorded_at, hash
               FROM events
              WHERE tenant_id = {}",
            literal(tenant)
        )
    }

    /// Those after a position, up to another one. Served by `events_tenant_id_position_key`.
    pub(super) fn page(tenant: &TenantId, after: Position, to: Position) -> String {
        let (query, after, to) = (Self::query(tenant), after.as_i64(), to.as_i64());
        format!("{query} AND position > {after} AND position <= {to} ORDER BY position")
    }

    /// A row of [`query`](Self::query).
    pub(super) fn read(mut fields: Fields<'a>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            position: Position::from_i64(fields.bigint()?),
            kind: fields.text()?,
            id: fields.text()?,
            sequence: fields.bigint()?.cast_unsigned(),
            event_type: fields.text()?,
            event_version: fields.text()?,
            payload: fields.text()?,
            metadata: fields.text()?,
            recorded_at: fields.instant()?,
            hash: fields.bytes()?,
        })
    }
}

/// A place in the chain.
pub(super) struct Chain {
    at: Position,
    hash: Hash,
    recorded_at: DateTime<Utc>,
}

impl Chain {
    /// Before the first event.
    pub(super) fn of(tenant: &TenantId) -> Self {
        let recorded_at = DateTime::<Utc>::MIN_UTC;
        Self { at: Position::START, hash: genesis(tenant), recorded_at }
    }

    /// After an event, as that says itself.
    pub(super) fn after(event: &Stored<'_>) -> Self {
        Self {
            at: event.position,
            // What is of another length is no hash of any event, and found to be none where it is.
            hash: Hash::try_from(event.hash).unwrap_or_default(),
            recorded_at: event.recorded_at.unwrap_or_default(),
        }
    }

    /// Goes on to the next event, if this is it.
    pub(super) fn follow(&mut self, event: &Stored<'_>) -> Result<DateTime<Utc>, Finding> {
        let position = self.at.plus(1);
        if event.position != position {
            return Err(Problem::Missing.at(position));
        }
        let Some(recorded_at) = event.recorded_at else {
            return Err(Problem::Altered.at(position));
        };
        let link = Link {
            position,
            aggregate_type: event.kind,
            aggregate_id: event.id,
            sequence: event.sequence,
            event_type: event.event_type,
            event_version: event.event_version,
            payload: event.payload,
            metadata: event.metadata,
            recorded_at,
        };
        let hash = link.hash(&self.hash);
        if event.hash != hash {
            return Err(Problem::Altered.at(position));
        }
        if recorded_at < self.recorded_at {
            return Err(Problem::WentBack { recorded_at, before: self.recorded_at }.at(position));
        }
        *self = Self { at: position, hash, recorded_at };
        Ok(recorded_at)
    }

    /// Whether the log ends here, as its head says.
    pub(super) fn end(&self, head: &Head) -> Result<(), Finding> {
        if self.at < head.position {
            return Err(Problem::Missing.at(self.at.plus(1)));
        }
        if self.at > head.position {
            return Err(Problem::AfterTheEnd.at(head.position.plus(1)));
        }
        if self.hash != head.hash || self.recorded_at > head.recorded_at {
            return Err(Problem::OtherEnd.at(head.position));
        }
        Ok(())
    }
}

//! The hash chain: proof that nothing was altered, removed or reordered.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sha2::{Digest, Sha256};

use super::Position;

/// A SHA-256 digest.
pub(crate) type Hash = [u8; 32];

/// What the first event's hash is chained to.
pub(crate) fn genesis(tenant: &TenantId) -> Hash {
    Sha256::digest(format!("daybook log of {tenant}")).into()
}

/// Everything about an event that its hash covers.
pub(crate) struct Link<'a> {
    pub(crate) position: Position,
    pub(crate) aggregate_type: &'a str,
    pub(crate) aggregate_id: &'a str,
    pub(crate) sequence: u64,
    pub(crate) event_type: &'a str,
    pub(crate) event_version: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) metadata: &'a str,
    pub(crate) recorded_at: DateTime<Utc>,
}

impl Link<'_> {
    /// The hash of this event after `previous`.
    ///
    /// Numbers are big-endian, texts are preceded by their length in bytes, so no two different
    /// events give the same input.
    pub(crate) fn hash(&self, previous: &Hash) -> Hash {
        let mut digest = Sha256::new();
        digest.update(previous);
        digest.update(self.position.get().to_be_bytes());
        digest.update(self.sequence.to_be_bytes());
        digest.update(self.recorded_at.timestamp_micros().to_be_bytes());
        for text in [
            self.aggregate_type,
            self.aggregate_id,
            self.event_type,
            self.event_version,
            self.payload,
            self.metadata,
        ] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_link() -> Link<'static> {
        Link {
            position: Position::START.plus(1),
            aggregate_type: "appointment",
            aggregate_id: "t/1",
            sequence: 1,
            event_type: "AppointmentBooked",
            event_version: "1.0",
            payload: "{}",
            metadata: "{}",
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn every_field_and_the_event_before_are_covered() {
        let genesis = genesis(&"t".parse().unwrap());
        let hash = a_link().hash(&genesis);
        let others = [
            Link { position: Position::START.plus(2), ..a_link() },
            Link { aggregate_type: "appointmen", aggregate_id: "tt/1", ..a_link() },
            Link { sequence: 2, ..a_link() },
            Link { event_type: "AppointmentBooke", event_version: "d1.0", ..a_link() },
            Link { payload: "{} ", ..a_link() },
            Link { metadata: "[]", ..a_link() },
            Link {
                recorded_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::microseconds(1),
                ..a_link()
            },
        ];
        for other in others {
            assert_ne!(other.hash(&genesis), hash);
        }
        assert_ne!(a_link().hash(&hash), hash);
    }
}

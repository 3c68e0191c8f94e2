//! The name of a stream: one aggregate's events.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use daybook_domain::TenantId;
use uuid::Uuid;

/// One aggregate's events. Its id contains the tenant, so no query by id can cross tenants.
#[derive(Debug, Clone, Eq)]
pub struct StreamId {
    kind: &'static str,
    id: Arc<str>,
    uuid: Uuid,
}

impl StreamId {
    /// The stream of an aggregate of type `A`.
    #[must_use]
    pub fn of<A: cqrs_es::Aggregate>(tenant: &TenantId, uuid: Uuid) -> Self {
        let mut buffer = Uuid::encode_buffer();
        let name = uuid.hyphenated().encode_lower(&mut buffer);
        Self { kind: A::TYPE, id: [tenant.as_str(), "/", name].concat().into(), uuid }
    }

    /// The aggregate's type, as in `events.aggregate_type`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// The aggregate's id with its tenant, as in `events.aggregate_id`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The aggregate's id without its tenant.
    #[must_use]
    pub const fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The aggregate's id of a stored stream id.
    pub(crate) fn uuid_of(aggregate_id: &str) -> Option<Uuid> {
        let (_, uuid) = aggregate_id.rsplit_once('/')?;
        Uuid::parse_str(uuid).ok()
    }
}

/// What tells streams apart is looked at first.
impl PartialEq for StreamId {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
            && self.kind == other.kind
            && (Arc::ptr_eq(&self.id, &other.id) || self.id == other.id)
    }
}

/// By the part that tells streams apart; hashing the text would take longer than finding it.
impl Hash for StreamId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

//! Whoever follows a tenant's log outside of daybook: the endpoints of webhooks, and the broker.
//!
//! A follower is told events in the order of their positions, each at least once. How far it is, is a row of `followers`; it moves by
//! compare-and-set, and only when the follower has said that it was told. So nothing is lost, whoever dies when; and a
//! follower is not a second truth beside the log, but a position in it.
//!
//! * `rows`: followers that are made, paused, set back and removed.
//! * `lease`: the one program that tells a follower at a time, and what came of it.
//! * `look`: who has something to be told. No look goes through all tenants or followers: see the ADR "Followers of the log".
//! * `pauses`: how long one that fails is left alone.
//! * `queue`, `driver`: who has a turn when.

mod driver;
mod lease;
mod look;
mod pauses;
mod queue;
mod rows;
#[cfg(test)]
mod tests;

use std::fmt;

use daybook_domain::TenantId;
use uuid::Uuid;

pub use driver::{Follow, Turn, run};
pub use lease::Taken;
pub use look::{Backlog, LET_REST, backlog};
pub use pauses::Pauses;
pub use rows::{
    FollowerState, FollowerStatus, add, add_for_all, of_kind, pause, remove, resume, set_position,
    status, stopped,
};

/// What kind of follower one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FollowerKind {
    /// An endpoint of a tenant.
    Webhook,
    /// The broker of whoever runs daybook: one follower for each tenant.
    Broker,
}

impl FollowerKind {
    pub const ALL: [Self; 2] = [Self::Webhook, Self::Broker];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Broker => "broker",
        }
    }
}

daybook_domain::words!(FollowerKind, "kind of follower", UnknownFollowerKind);

/// A follower of a tenant's log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Follower {
    pub tenant: TenantId,
    pub kind: FollowerKind,
    pub id: Uuid,
}

impl Follower {
    /// The broker, as a follower of this tenant's log.
    #[must_use]
    pub const fn broker(tenant: TenantId) -> Self {
        Self { tenant, kind: FollowerKind::Broker, id: Uuid::nil() }
    }
}

impl fmt::Display for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of {}", self.kind, self.id, self.tenant)
    }
}

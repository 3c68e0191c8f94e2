//! What can be asked of a session.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::service::SessionPlaces;
use crate::time::Duration;
use crate::{Category, FreeTitle, Personal, Reason, ResourceIds, ServiceId, SessionId, Tags};

/// What can be asked of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionCommand {
    /// Take the resources for it; from now on clients can book places.
    ScheduleSession {
        /// What it is to be.
        scheduling: Scheduling,
        /// Why it may break rules. `None`: it may not.
        overriding: Option<Personal<Reason>>,
    },
    /// Move it to another time, other resources or both; its appointments go with it.
    RescheduleSession {
        /// Which it is.
        session_id: SessionId,
        start: DateTime<Utc>,
        /// The new resources. `None`: the same as before.
        resource_ids: Option<ResourceIds>,
        /// Why it may break rules. `None`: it may not.
        overriding: Option<Personal<Reason>>,
        /// The places whose appointments follow it.
        taken: BTreeSet<u16>,
    },
    /// Cancel it; its appointments are cancelled with it.
    CancelSession {
        /// Which it is.
        session_id: SessionId,
        reason: Option<Personal<Reason>>,
        /// The places whose appointments are cancelled with it.
        taken: BTreeSet<u16>,
    },
}

/// What a session is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduling {
    /// The service; it gives what is left out, buffers and rules.
    pub service_id: ServiceId,
    /// The resources. `None`, or fewer than the service has roles for: the others are chosen.
    pub resource_ids: Option<ResourceIds>,
    pub start: DateTime<Utc>,
    /// How long it takes. `None`: as the service.
    pub duration: Option<Duration>,
    /// How many clients have room. `None`: as the service says.
    pub places: Option<SessionPlaces>,
    /// What it is called. `None`: as the service.
    pub title: Option<FreeTitle>,
    /// Its category. `None`: the service's.
    pub category: Option<Category>,
    /// Its tags. `None`: the service's.
    pub tags: Option<Tags>,
}

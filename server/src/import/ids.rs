//! Ids made from what a file says: the same file gives the same ids.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use uuid::Uuid;

/// The namespace of imported ids (UUIDv5, RFC 9562 section 5.5).
const NAMESPACE: Uuid = Uuid::from_u128(0x2f0e_9a1c_57c4_4d0b_9d8e_6b1f_3a7c_5e21);

/// The ids of one tenant's import.
pub(super) struct Ids(Uuid);

impl Ids {
    pub(super) fn of(tenant: &TenantId) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, tenant.as_str().as_bytes()))
    }

    pub(super) fn client(&self) -> Uuid {
        self.id("client", "")
    }

    pub(super) fn service(&self, category: &str) -> Uuid {
        self.id("service", category)
    }

    pub(super) fn resource(&self, location: &str) -> Uuid {
        self.id("resource", location)
    }

    pub(super) fn appointment(&self, uid: &str, recurrence_id: Option<DateTime<Utc>>) -> Uuid {
        let occurrence = recurrence_id.map_or(String::new(), |at| at.timestamp().to_string());
        // A UID has no control characters, so the two parts cannot run into each other.
        self.id("appointment", &format!("{uid}\n{occurrence}"))
    }

    fn id(&self, kind: &str, name: &str) -> Uuid {
        Uuid::new_v5(&self.0, format!("{kind}\n{name}").as_bytes())
    }
}

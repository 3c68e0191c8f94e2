//! What must not be done with what is known of a client.

use daybook_domain::client::{Client, LegalHoldReason, RestrictionReason};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What must not be done with what is known of a client, and why.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientPrivacyView {
    /// The client.
    id: Uuid,
    /// Its version: how many events it has had.
    version: u64,
    /// Why what is known of them is only kept, where it is (GDPR, Art. 18): nothing is booked for them, it is told with the scope
    /// `privacy` alone, and they are not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    restriction: Option<RestrictionReason>,
    /// Why they must not be erased, where they must not.
    #[serde(skip_serializing_if = "Option::is_none")]
    legal_hold: Option<LegalHoldReason>,
    /// Nothing is known of them any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(default = false)]
    erased: bool,
}

impl ClientPrivacyView {
    /// `None`: there is no such client.
    pub(crate) const fn of(id: Uuid, version: u64, client: &Client) -> Option<Self> {
        let (restriction, legal_hold, erased) = match client {
            Client::Unregistered => return None,
            Client::Registered(record) => (record.restriction, record.legal_hold, false),
            Client::Erased { .. } => (None, None, true),
        };
        Some(Self { id, version, restriction, legal_hold, erased })
    }
}

//! How a client is shown.

use daybook_domain::client::{Client, Contact};
use daybook_domain::{Email, Name, Note, Personal, Phone};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Viewed;

/// A client.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ClientView {
    id: Uuid,
    /// Its version: how many events it has had.
    version: u64,
    name: Personal<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Personal<Email>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Personal<Phone>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Personal<Note>>,
}

impl ClientView {
    pub(crate) fn new(id: Uuid, version: u64, contact: Contact) -> Self {
        let Contact { name, email, phone, notes } = contact;
        Self { id, version, name, email, phone, notes }
    }

    /// They may be long, and are for whoever looks at the client.
    pub(crate) fn without_notes(self) -> Self {
        Self { notes: None, ..self }
    }
}

impl Viewed for Client {
    type View = ClientView;

    const PATH: &'static str = "/v1/clients";

    fn view(self, id: Uuid, version: u64) -> Option<ClientView> {
        match self {
            Self::Unregistered => None,
            Self::Registered(contact) => Some(ClientView::new(id, version, contact)),
        }
    }
}

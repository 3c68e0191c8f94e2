//! What happens to clients.

use serde::{Deserialize, Serialize};

use crate::claim::Claims;
use crate::patch::{Change, Replace, patch};
use crate::{Email, Name, Note, Personal, Phone};

/// How a client is called and reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Contact {
    /// What they are called.
    pub name: Personal<Name>,
    /// Where mail reaches them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Personal<Email>>,
    /// Where a call or a text message reaches them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Personal<Phone>>,
    /// What the front desk should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Personal<Note>>,
}

patch! {
    /// What changes of how a client is called and reached.
    ContactPatch of Contact {
        name: Replace<Personal<Name>>,
        email: Change<Personal<Email>>,
        phone: Change<Personal<Phone>>,
        notes: Change<Personal<Note>>,
    }
}

/// A client was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientRegistered {
    /// How they are called and reached.
    #[serde(flatten)]
    pub contact: Contact,
}

/// A client is called or reached differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientContactChanged {
    /// How they are called and reached from now on.
    #[serde(flatten)]
    pub contact: Contact,
}

/// Everything that happens to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum ClientEvent {
    ClientRegistered(ClientRegistered),
    ClientContactChanged(ClientContactChanged),
}

crate::event_types!(ClientEvent: creating ClientRegistered; then ClientContactChanged);

impl Claims for ClientEvent {}

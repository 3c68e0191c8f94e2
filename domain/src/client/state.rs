//! What a client is.

use serde::{Deserialize, Serialize};

use super::{ClientContactChanged, ClientEvent, ClientRegistered, Contact};

/// A client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Client {
    /// Not registered (yet).
    #[default]
    Unregistered,
    /// Can book.
    Registered(Contact),
}

impl Client {
    /// Takes note of what happened.
    pub fn evolve(&mut self, event: ClientEvent) {
        *self = match event {
            ClientEvent::ClientRegistered(ClientRegistered { contact })
            | ClientEvent::ClientContactChanged(ClientContactChanged { contact }) => {
                Self::Registered(contact)
            }
        };
    }
}

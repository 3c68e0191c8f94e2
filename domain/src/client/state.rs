//! What a client is.

use serde::{Deserialize, Serialize};

use super::{ClientContactChanged, ClientEvent, ClientRegistered, Contact};
use crate::ClientId;
use crate::appointment::AppointmentRefusal;

/// A client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Client {
    /// Not registered (yet).
    #[default]
    Unregistered,
    /// Can book.
    Registered(Contact),
    /// Nothing is known of them any more.
    Erased {
        /// Whether what seals it is destroyed; if not, that is under way.
        finished: bool,
    },
}

impl Client {
    /// Takes note of what happened.
    pub fn evolve(&mut self, event: ClientEvent) {
        *self = match event {
            ClientEvent::ClientRegistered(ClientRegistered { contact })
            | ClientEvent::ClientContactChanged(ClientContactChanged { contact }) => {
                Self::Registered(contact)
            }
            ClientEvent::ClientErasureRequested(_) => Self::Erased { finished: false },
            ClientEvent::ClientErased(_) => Self::Erased { finished: true },
        };
    }

    /// Makes sure that the client with this id can book.
    ///
    /// # Errors
    /// Why they cannot.
    pub(crate) const fn may_book(&self, client_id: ClientId) -> Result<(), AppointmentRefusal> {
        match self {
            Self::Registered(_) => Ok(()),
            Self::Unregistered => Err(AppointmentRefusal::UnknownClient { client_id }),
            Self::Erased { .. } => Err(AppointmentRefusal::ErasedClient { client_id }),
        }
    }
}

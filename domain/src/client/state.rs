//! What a client is.

use serde::{Deserialize, Serialize};

use super::{
    ClientContactChanged, ClientEvent, ClientLegalHoldPlaced, ClientLegalHoldReleased,
    ClientRegistered, ClientRestricted, ClientRestrictionLifted, Contact, LegalHoldReason,
    RestrictionReason,
};
use crate::ClientId;
use crate::appointment::AppointmentRefusal;

/// A client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Client {
    /// Not registered (yet).
    #[default]
    Unregistered,
    /// Somebody is known.
    Registered(ClientRecord),
    /// Nothing is known of them any more.
    Erased {
        /// Whether what seals it is destroyed; if not, that is under way.
        finished: bool,
    },
}

/// What is known of a client, and what must not be done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRecord {
    pub contact: Contact,
    /// Why it is only kept, where it is: then it is told to few, and nothing is booked for them.
    pub restriction: Option<RestrictionReason>,
    /// Why it must not be erased, where it must not.
    pub legal_hold: Option<LegalHoldReason>,
}

impl From<Contact> for ClientRecord {
    fn from(contact: Contact) -> Self {
        Self { contact, restriction: None, legal_hold: None }
    }
}

impl Client {
    /// Takes note of what happened.
    pub fn evolve(&mut self, event: ClientEvent) {
        match (&mut *self, event) {
            (
                Self::Registered(record),
                ClientEvent::ClientContactChanged(ClientContactChanged { contact }),
            ) => record.contact = contact,
            (
                _,
                ClientEvent::ClientRegistered(ClientRegistered { contact })
                | ClientEvent::ClientContactChanged(ClientContactChanged { contact }),
            ) => *self = Self::Registered(contact.into()),
            (_, ClientEvent::ClientErasureRequested(_)) => *self = Self::Erased { finished: false },
            (_, ClientEvent::ClientErased(_)) => *self = Self::Erased { finished: true },
            (
                Self::Registered(record),
                ClientEvent::ClientRestricted(ClientRestricted { reason }),
            ) => {
                record.restriction = Some(reason);
            }
            (
                Self::Registered(record),
                ClientEvent::ClientRestrictionLifted(ClientRestrictionLifted {}),
            ) => record.restriction = None,
            (
                Self::Registered(record),
                ClientEvent::ClientLegalHoldPlaced(ClientLegalHoldPlaced { reason }),
            ) => record.legal_hold = Some(reason),
            (
                Self::Registered(record),
                ClientEvent::ClientLegalHoldReleased(ClientLegalHoldReleased {}),
            ) => record.legal_hold = None,
            // Of somebody of whom nothing is known there is nothing to keep.
            (Self::Unregistered | Self::Erased { .. }, _) => {}
        }
    }

    /// Why what is known of them is only kept, where it is.
    #[must_use]
    pub const fn restriction(&self) -> Option<RestrictionReason> {
        match self {
            Self::Registered(record) => record.restriction,
            Self::Unregistered | Self::Erased { .. } => None,
        }
    }

    /// Makes sure that the client with this id can book.
    ///
    /// # Errors
    /// Why they cannot.
    pub(crate) const fn may_book(&self, client_id: ClientId) -> Result<(), AppointmentRefusal> {
        match self {
            Self::Registered(ClientRecord { restriction: None, .. }) => Ok(()),
            Self::Registered(_) => Err(AppointmentRefusal::RestrictedClient { client_id }),
            Self::Unregistered => Err(AppointmentRefusal::UnknownClient { client_id }),
            Self::Erased { .. } => Err(AppointmentRefusal::ErasedClient { client_id }),
        }
    }
}

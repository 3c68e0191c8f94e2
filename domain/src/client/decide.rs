//! What may be done with a client.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Client, ClientContactChanged, ClientErased, ClientErasureRequested, ClientEvent,
    ClientRegistered, Contact, ContactPatch, ErasureReason,
};
use crate::patch::{PatchMisfit, Patches as _};
use crate::rights::Placed;
use crate::{Decide, Facts, Meaning};

/// What can be asked of a client's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCommand {
    /// Make them known.
    RegisterClient(Contact),
    /// Change some of their contact details.
    ChangeClientContact(ContactPatch),
    /// Forget them.
    EraseClient { reason: ErasureReason, upcoming: Upcoming },
    /// Note that what seals all that was known of them is destroyed.
    FinishErasure { appointments_cancelled: u32 },
}

/// What becomes of appointments that are still to come when their client is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upcoming {
    /// They are cancelled.
    Cancel,
    /// There are so many: if there are any, the client is not erased.
    Keep(u32),
}

/// Why a client's command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ClientRefusal {
    /// There is no such client.
    #[error("there is no such client")]
    ClientNotFound,
    /// Nothing is known of them any more, and nothing can be.
    #[error("this client is erased")]
    ClientErased,
    /// They have something before them.
    #[error(
        "{count} appointments of this client are still to come: cancel them, or send `upcoming` as `cancel`"
    )]
    ClientHasAppointments {
        /// How many, at least.
        count: u32,
    },
    /// This id is taken.
    #[error("a client with this id exists already")]
    ClientExists,
    /// The change does not go together with what stays.
    #[error(transparent)]
    PatchMisfit(#[from] PatchMisfit),
}

impl ClientRefusal {
    pub(crate) const fn meaning(&self) -> Meaning {
        match self {
            Self::ClientNotFound => Meaning::NOT_FOUND,
            Self::ClientErased => Meaning::conflict("The client is erased"),
            Self::ClientHasAppointments { .. } => Meaning::conflict("The client has appointments"),
            Self::ClientExists => Meaning::EXISTS,
            Self::PatchMisfit(_) => Meaning::PATCH_MISFIT,
        }
    }
}

impl Decide for Client {
    fn decide(&self, command: ClientCommand, _facts: &Facts) -> Result<ClientEvent, ClientRefusal> {
        use ClientCommand::{ChangeClientContact, EraseClient, FinishErasure, RegisterClient};
        match (self, command) {
            (Self::Registered(_), EraseClient { upcoming: Upcoming::Keep(count @ 1..), .. }) => {
                Err(ClientRefusal::ClientHasAppointments { count })
            }
            (Self::Registered(_), EraseClient { reason, .. }) => {
                Ok(ClientEvent::ClientErasureRequested(ClientErasureRequested { reason }))
            }
            (Self::Erased { finished: false }, FinishErasure { appointments_cancelled }) => {
                Ok(ClientEvent::ClientErased(ClientErased { appointments_cancelled }))
            }
            (Self::Erased { .. }, _) => Err(ClientRefusal::ClientErased),
            (Self::Unregistered, RegisterClient(contact)) => {
                Ok(ClientEvent::ClientRegistered(ClientRegistered { contact }))
            }
            // An erasure is requested before it is finished.
            (Self::Registered(_), RegisterClient(_) | FinishErasure { .. }) => {
                Err(ClientRefusal::ClientExists)
            }
            (Self::Registered(contact), ChangeClientContact(patch)) => {
                let mut contact = contact.clone();
                patch.patch(&mut contact)?;
                Ok(ClientEvent::ClientContactChanged(ClientContactChanged { contact }))
            }
            (Self::Unregistered, _) => Err(ClientRefusal::ClientNotFound),
        }
    }

    fn sets(command: &ClientCommand) -> bool {
        matches!(command, ClientCommand::ChangeClientContact(_))
    }

    fn placed(&self, id: Uuid) -> Placed<'_> {
        match self {
            Self::Unregistered => Placed::Nowhere,
            Self::Registered(_) | Self::Erased { .. } => Placed::Client(id.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::outcome;
    use crate::testing::{contact, given};
    use crate::{Email, Name, Personal};

    #[test]
    fn a_client_is_registered_once() {
        let registered = ClientEvent::ClientRegistered(ClientRegistered { contact: contact() });
        let client =
            given::<Client>([]).when(ClientCommand::RegisterClient(contact())).then(registered);
        assert_eq!(client.state(), Client::Registered(contact()));
        client
            .when(ClientCommand::RegisterClient(contact()))
            .then_refused(ClientRefusal::ClientExists);
    }

    #[test]
    fn an_unknown_client_has_no_contact_to_change() {
        given::<Client>([])
            .when(ClientCommand::ChangeClientContact(ContactPatch::default()))
            .then_refused(ClientRefusal::ClientNotFound);
    }

    #[test]
    fn a_change_to_what_they_are_called_already_is_none() {
        let client = Client::Registered(contact());
        let facts = Facts::at(crate::testing::now());
        let named = |name: &str| {
            let name = Personal::new(Name::new(name).unwrap()).into();
            let patch = ContactPatch { name, ..ContactPatch::default() };
            outcome(&client, ClientCommand::ChangeClientContact(patch), &facts).unwrap()
        };
        assert_eq!(named(contact().name.reveal().unwrap().as_str()), None);
        assert!(named("Another name").is_some());
    }

    #[test]
    fn what_a_change_of_contact_does_not_name_stays() {
        let email = Personal::new(Email::new("a@example.org").unwrap());
        let before = Contact { email: Some(email), ..contact() };
        let name = Personal::new(Name::new("Another name").unwrap());
        let registered = ClientRegistered { contact: before.clone() };
        let patch = ContactPatch { name: name.clone().into(), ..ContactPatch::default() };
        let contact = Contact { name, ..before };
        given::<Client>([ClientEvent::ClientRegistered(registered)])
            .when(ClientCommand::ChangeClientContact(patch))
            .then(ClientEvent::ClientContactChanged(ClientContactChanged { contact }));
    }
}

//! What may be done with a client.

use serde::{Deserialize, Serialize};

use super::{Client, ClientContactChanged, ClientEvent, ClientRegistered, Contact};
use crate::Meaning;

/// What can be asked of a client's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCommand {
    /// Make them known.
    RegisterClient(Contact),
    /// Replace their contact details.
    ChangeClientContact(Contact),
}

/// Why a client's command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ClientRefusal {
    /// There is no such client.
    #[error("there is no such client")]
    ClientNotFound,
    /// This id is taken.
    #[error("a client with this id exists already")]
    ClientExists,
}

impl ClientRefusal {
    pub(crate) const fn meaning(&self) -> Meaning {
        match self {
            Self::ClientNotFound => Meaning::NOT_FOUND,
            Self::ClientExists => Meaning::EXISTS,
        }
    }
}

impl Client {
    /// Decides a command: what happens because of it, or why nothing does.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub fn decide(&self, command: ClientCommand) -> Result<ClientEvent, ClientRefusal> {
        use ClientCommand::{ChangeClientContact, RegisterClient};
        match (self, command) {
            (Self::Unregistered, RegisterClient(contact)) => {
                Ok(ClientEvent::ClientRegistered(ClientRegistered { contact }))
            }
            (Self::Registered(_), RegisterClient(_)) => Err(ClientRefusal::ClientExists),
            (Self::Registered(_), ChangeClientContact(contact)) => {
                Ok(ClientEvent::ClientContactChanged(ClientContactChanged { contact }))
            }
            (Self::Unregistered, ChangeClientContact(_)) => Err(ClientRefusal::ClientNotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appointment::testing::contact;

    #[test]
    fn a_client_is_registered_once() {
        let mut client = Client::default();
        let event = client.decide(ClientCommand::RegisterClient(contact())).unwrap();
        client.evolve(event);
        assert_eq!(client, Client::Registered(contact()));
        let again = client.decide(ClientCommand::RegisterClient(contact()));
        assert_eq!(again, Err(ClientRefusal::ClientExists));
    }

    #[test]
    fn an_unknown_client_has_no_contact_to_change() {
        let refusal = Client::default().decide(ClientCommand::ChangeClientContact(contact()));
        assert_eq!(refusal, Err(ClientRefusal::ClientNotFound));
    }
}

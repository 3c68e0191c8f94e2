//! What may be done with a client.

use serde::{Deserialize, Serialize};

use super::{Client, ClientContactChanged, ClientEvent, ClientRegistered, Contact};
use crate::{Decide, Facts, Meaning};

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

impl Decide for Client {
    fn decide(&self, command: ClientCommand, _facts: &Facts) -> Result<ClientEvent, ClientRefusal> {
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
    use crate::testing::{contact, given};

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
            .when(ClientCommand::ChangeClientContact(contact()))
            .then_refused(ClientRefusal::ClientNotFound);
    }
}

//! Why a client is not written to.

use crate::client::{Client, Reminding};

/// Why a client is not written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// They want nothing.
    NotWanted,
    /// What is known of them is only kept.
    Restricted,
    /// No address of theirs is known.
    NoAddress,
    /// Nothing of them is known (any more).
    Gone,
}

/// Why this one is not; `None`: they are.
pub(crate) fn silence(client: &Client) -> Option<Silence> {
    match client {
        Client::Registered(record) if record.restriction.is_some() => Some(Silence::Restricted),
        Client::Registered(record) if record.contact.reminders == Reminding::None => {
            Some(Silence::NotWanted)
        }
        Client::Registered(record) if record.contact.email.is_some() => None,
        Client::Registered(_) => Some(Silence::NoAddress),
        Client::Unregistered | Client::Erased { .. } => Some(Silence::Gone),
    }
}

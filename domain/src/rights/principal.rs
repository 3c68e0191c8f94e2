//! Who does something in a tenant.

use std::fmt;

use uuid::Uuid;

use super::{Limits, LinkActions, Scopes};
use crate::TenantId;

/// Who does something in a tenant, and what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub tenant: TenantId,
    pub who: Who,
    pub scopes: Scopes,
    /// Of what they may do that.
    pub limits: Limits,
}

impl Principal {
    /// What events and records call them.
    #[must_use]
    pub fn actor(&self) -> String {
        self.who.to_string()
    }
}

/// By what somebody is known. As a text it is the `actor` of events: it names nobody who could not be found without daybook.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// By an API key, which has this id.
    Key(Uuid),
    /// By an access token: of this issuer of the tenant's, and of this person, whose id only the tenant's keys make of what their
    /// provider calls them.
    Token { issuer: Uuid, subject: Uuid },
    /// By a link for the client of an appointment, which has this id.
    Link { id: Uuid, actions: LinkActions },
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Token { issuer, subject } => write!(f, "oidc:{issuer}:{subject}"),
            Self::Link { id, .. } => write!(f, "link:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_actor_of_a_key_is_its_id() {
        let who = Who::Key(Uuid::from_u128(7));
        assert_eq!(who.to_string(), "key:00000000-0000-0000-0000-000000000007");
    }

    #[test]
    fn the_actor_of_a_token_is_its_issuer_and_its_subject() {
        let who = Who::Token { issuer: Uuid::from_u128(7), subject: Uuid::from_u128(8) };
        let (issuer, subject) = (Uuid::from_u128(7), Uuid::from_u128(8));
        assert_eq!(who.to_string(), format!("oidc:{issuer}:{subject}"));
    }
}

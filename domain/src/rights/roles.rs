//! What people who work together are called, and which scopes and limits that takes.

use super::{Limits, Scope, Scopes};

/// What somebody is at a tenant's. It is a name for scopes, and for what these must be limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Books for everybody, at some locations or with some resources.
    FrontDesk,
    /// Sees and changes what they do themselves.
    Practitioner,
    /// Sees and changes their own appointments.
    Client,
    /// Sees figures, and nobody.
    Analyst,
    /// Answers and erases persons.
    PrivacyOfficer,
    /// Sees who did and was told what, and nothing else.
    Auditor,
}

/// A role without what it must be limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the role {role} is of {of}: say which")]
pub struct RoleMisfit {
    role: Role,
    of: &'static str,
}

impl Role {
    pub const ALL: [Self; 6] = [
        Self::FrontDesk,
        Self::Practitioner,
        Self::Client,
        Self::Analyst,
        Self::PrivacyOfficer,
        Self::Auditor,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FrontDesk => "front-desk",
            Self::Practitioner => "practitioner",
            Self::Client => "client",
            Self::Analyst => "analyst",
            Self::PrivacyOfficer => "privacy-officer",
            Self::Auditor => "auditor",
        }
    }

    #[must_use]
    pub const fn scopes(self) -> Scopes {
        use Scope::{Analytics, Appointments, Audit, Availability, Book, Personal, Privacy};
        match self {
            Self::FrontDesk | Self::Practitioner => {
                Scopes::of(&[Availability, Appointments, Personal, Book])
            }
            Self::Client => Scopes::of(&[Availability, Appointments, Book]),
            Self::Analyst => Scopes::of(&[Analytics]),
            Self::PrivacyOfficer => Scopes::of(&[Appointments, Personal, Privacy]),
            Self::Auditor => Scopes::of(&[Audit]),
        }
    }

    /// Whether these limits are what the role must be limited to.
    ///
    /// # Errors
    /// When they are not.
    pub fn fits(self, limits: &Limits) -> Result<(), RoleMisfit> {
        let Limits { locations, resource_ids, client_id, .. } = limits;
        let (is_limited, of) = match self {
            Self::FrontDesk => {
                (locations.is_some() || resource_ids.is_some(), "some locations or resources")
            }
            Self::Practitioner => (resource_ids.is_some(), "a resource"),
            Self::Client => (client_id.is_some(), "a client"),
            Self::Analyst | Self::PrivacyOfficer | Self::Auditor => (true, ""),
        };
        if is_limited { Ok(()) } else { Err(RoleMisfit { role: self, of }) }
    }
}

crate::words!(Role, "role", UnknownRole);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_role_gives_keys_or_says_what_can_be_booked() {
        let theirs = Scopes::of(&[Scope::Keys, Scope::Manage]);
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(role.scopes().without(theirs), role.scopes(), "{role}");
        }
        assert!(!Role::Analyst.scopes().include(Scopes::of(&[Scope::Personal])));
    }

    #[test]
    fn a_role_says_what_it_must_be_limited_to() {
        let refused: Vec<Role> =
            Role::ALL.into_iter().filter(|role| role.fits(&Limits::default()).is_err()).collect();
        assert_eq!(refused, [Role::FrontDesk, Role::Practitioner, Role::Client]);
    }
}
